# SPDX-License-Identifier: Apache-2.0
"""An assayd with listeners for clients of the Mt. Wilson family, simulated hosts, and signed requests
made from their description alone. For cit2.py and hvs.py."""
import base64
import datetime
import hashlib
import hmac
import json
import os
import signal
import subprocess
import tempfile
import shutil
import time
from email.utils import format_datetime

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

SRC = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("AY_BUILD", os.path.join(SRC, "build"))
ASSAYD = os.path.join(BUILD, "src/prog/assayd/assayd")
ASSAY = os.path.join(BUILD, "src/prog/assay/assay")
SIM = os.path.join(BUILD, "src/prog/assay-sim/assay-sim")
count = failed = 0


def ok(cond, what):
    global count, failed
    count += 1
    failed += not cond
    print(f"{'ok' if cond else 'not ok'} {count} - {what}", flush=True)
    return cond


def done():
    print(f"1..{count}")
    return 1 if failed else 0


def until(what, seconds=90):
    """The first thing true that what() gives."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = what()
        if got:
            return got
        time.sleep(0.2)
    return None


class World:
    def __init__(self, extra=""):
        self.dir = tempfile.mkdtemp(prefix="ay-family-")
        self.conf = os.path.join(self.dir, "assayd.conf")
        self.state = os.path.join(self.dir, "state")
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(f"state_dir = {self.state}\nrun_dir = {self.dir}/run\n"
                    "listen_api = 127.0.0.1:0\nlisten_agents = 127.0.0.1:0\nattest_interval = 1s\n"
                    f"ek_trust_dir = {self.dir}/ek-trust\n" + extra +
                    "[compat]\nmtwilson_listen = 127.0.0.1:0\nsecl_listen = 127.0.0.1:0\n"
                    "oat1_listen = 127.0.0.1:0\n")
        os.mkdir(os.path.join(self.dir, "ek-trust"))
        subprocess.run([SIM, "--make-ek-ca", os.path.join(self.dir, "ek-trust")], check=True,
                       stdout=subprocess.DEVNULL)
        subprocess.run([ASSAYD, "init", "--config", self.conf], check=True, stdout=subprocess.DEVNULL)
        self.admin = open(os.path.join(self.state, "admin.token"), encoding="ascii").read().strip()
        self.ca = os.path.join(self.state, "root.pem")
        self.log = open(os.path.join(self.dir, "log"), "a", encoding="utf-8")
        self.proc = self.sim = None
        self.start()

    def start(self):
        at = os.path.join(self.state, "endpoints.json")
        if os.path.exists(at):
            os.remove(at)
        self.proc = subprocess.Popen([ASSAYD, "--config", self.conf], stdout=self.log, stderr=self.log)
        until(lambda: os.path.exists(at) and os.path.getsize(at))
        self.at = json.load(open(at, encoding="ascii"))
        until(self.ready)

    def ready(self):
        try:
            return requests.get(self.url("api", "/readyz"), verify=self.ca, timeout=10).status_code == 200
        except requests.RequestException:
            return False

    def kill(self):
        self.proc.send_signal(signal.SIGKILL)
        self.proc.wait(15)
        self.start()

    def url(self, listener, path):
        return "https://" + self.at[listener] + path

    def ask(self, method, listener, path, body=None, token=None, accept=None, headers=None, **kw):
        h = dict(headers or {})
        if token is None:
            token = self.admin
        if token:
            h["Authorization"] = "Bearer " + token
        if accept:
            h["Accept"] = accept
        return requests.request(method, self.url(listener, path), json=body, headers=h, verify=self.ca,
                                timeout=90, **kw)

    def api(self, method, path, body=None):
        return self.ask(method, "api", path, body)

    def simulate(self, n):
        """n simulated hosts that attest; their names."""
        token = self.api("POST", "/api/v1/tokens", {"uses": n}).json()["token"]
        self.sim = subprocess.Popen([SIM, "--server", self.at["agents"], "--token", token, "--hosts", str(n),
                                     "--ek-ca", os.path.join(self.dir, "ek-trust"), "--seconds", "600"], stdout=self.log, stderr=self.log)

        def attested():
            items = self.api("GET", "/api/v1/hosts").json()["items"]
            items = [h for h in items if h["name"].startswith("sim-") and h["attested_at"]]
            return items if len(items) == n else None
        return until(attested)

    def stop(self):
        for p in (self.sim, self.proc):
            if p is None or p.poll() is not None:
                continue
            p.send_signal(signal.SIGTERM)
            try:
                p.wait(20)
            except subprocess.TimeoutExpired:
                p.kill()
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)


# ---- signed requests, from docs/protocol/signed-requests.md ----

class Signer:
    """A client with a key and certificate of its own."""

    def __init__(self):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cloud")])
        self.der = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
                    .public_key(self.key.public_key()).serial_number(x509.random_serial_number())
                    .not_valid_before(now - datetime.timedelta(days=1))
                    .not_valid_after(now + datetime.timedelta(days=30))
                    .sign(self.key, hashes.SHA256())).public_bytes(serialization.Encoding.DER)
        self.fingerprint = hashlib.sha256(self.der).digest()

    def headers(self, method, url, body="", ago=0):
        when = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=ago)
        h = {"Date": format_datetime(when.replace(microsecond=0), usegmt=True),
             "X-Nonce": base64.b64encode(os.urandom(16)).decode()}
        finger = base64.b64encode(self.fingerprint).decode()
        text = (f"Request: {method} {url}\nRealm: Attestation\nFrom: {finger}\n"
                f"Signature-Algorithm: SHA256withRSA\nX-Nonce: {h['X-Nonce']}\nDate: {h['Date']}\n\n{body}")
        sig = base64.b64encode(self.key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
        h["Authorization"] = (f'X509 realm="Attestation", fingerprint="{finger}", headers="X-Nonce,Date", '
                              f'algorithm="SHA256withRSA", signature="{sig}"')
        return h


def hmac_headers(user, key, method, url, body="", ago=0):
    when = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=ago)
    stamp = when.strftime("%Y-%m-%dT%H:%M:%S")
    nonce = base64.b64encode(os.urandom(16)).decode()
    name = base64.b64encode(user.encode()).decode()
    text = (f"Request: {method} {url}\nFrom: {name}\nTimestamp: {stamp}\nNonce: {nonce}\n"
            f"Signature-Method: HMAC-SHA256\n\n{body}")
    mac = base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()
    return {"Authorization": f'MtWilson http_method="{method}", uri="{url}", username="{name}", '
                             f'nonce="{nonce}", signature_method="HMAC-SHA256", timestamp="{stamp}", '
                             f'signature="{mac}"'}

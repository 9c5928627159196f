#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every route of every dialect that a real assayd serves, with every kind of credential: let through if
and only if the permission table says so. The rows come from `assayd --routes`, so that new ones are
walked without a change here. No handler of a change runs: an If-Match that nothing fulfils stands
before it. TAP."""
import http.client
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time

SRC = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("AY_BUILD", os.path.join(SRC, "build"))
ASSAYD = os.path.join(BUILD, "src/prog/assayd/assayd")
LISTENERS = ("oat1", "oat2", "mtwilson", "secl")
count = failed = 0


def ok(cond, what, more=()):
    global count, failed
    count += 1
    failed += not cond
    print(f"{'ok' if cond else 'not ok'} {count} - {what}", flush=True)
    for m in list(more)[:20]:
        print("#", *m)


class Server:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="ay-matrix-")
        conf = os.path.join(self.dir, "assayd.conf")
        with open(conf, "w") as f:
            f.write(f"state_dir = {self.dir}/state\nrun_dir = {self.dir}/run\n"
                    "listen_api = 127.0.0.1:0\nlisten_agents = 127.0.0.1:0\n[compat]\n")
            f.writelines(f"{x}_listen = 127.0.0.1:0\n" for x in LISTENERS)
        subprocess.run([ASSAYD, "init", "--config", conf], check=True, stdout=subprocess.DEVNULL)
        self.state = os.path.join(self.dir, "state")
        self.admin = open(os.path.join(self.state, "admin.token")).read().strip()
        self.log = open(os.path.join(self.dir, "log"), "w")
        self.proc = subprocess.Popen([ASSAYD, "--config", conf], stdout=self.log, stderr=self.log)
        path = os.path.join(self.state, "endpoints.json")
        for _ in range(600):
            if os.path.exists(path) and os.path.getsize(path):
                break
            time.sleep(0.1)
        self.at = {k: v.rsplit(":", 1) for k, v in json.load(open(path)).items()}
        self.root = os.path.join(self.state, "root.pem")
        self.conns, self.asked = {}, 0
        for _ in range(600):
            try:
                if self.ask("api", "GET", "/readyz")[0] == 200:
                    break
            except OSError:
                pass
            time.sleep(0.1)

    def connect(self, listener, cert):
        # refused credentials are counted by address: each few hundred requests come from another one
        source = f"127.0.{1 + self.asked // 100 // 250}.{1 + self.asked // 100 % 250}"
        key = (listener, cert, source)
        if key not in self.conns:
            for c in [c for k, c in self.conns.items() if k[:2] == key[:2]]:
                c.close()
            ctx = ssl.create_default_context(cafile=self.root)
            if cert:
                ctx.load_cert_chain(*cert)
            host, port = self.at[listener]
            self.conns[key] = http.client.HTTPSConnection(host, int(port), context=ctx, timeout=60,
                                                          source_address=(source, 0))
        return self.conns[key]

    def ask(self, listener, method, path, token=None, body=None, cert=None, headers=()):
        self.asked += 1
        h = {"Authorization": "Bearer " + token} if token else {}
        h.update(headers)
        if body is not None:
            h["Content-Type"] = "application/json"
        c = self.connect(listener, cert)
        for attempt in (0, 1):
            try:
                c.request(method, path, None if body is None else json.dumps(body), h)
                r = c.getresponse()
                break
            except (http.client.HTTPException, ConnectionError):
                c.close()  # kept alive too long: once more
                if attempt:
                    raise
        if r.headers.get("content-type", "").startswith("text/event-stream"):
            c.close()
            return r.status, None
        text = r.read()
        try:
            return r.status, json.loads(text)
        except ValueError:
            return r.status, text.decode("utf-8", "replace")

    def must(self, method, path, body=None):
        status, answer = self.ask("api", method, path, self.admin, body)
        if status >= 300:
            sys.exit(f"Bail out! {method} {path}: {status} {answer}")
        return answer

    def stop(self):
        for c in self.conns.values():
            c.close()
        self.proc.send_signal(signal.SIGTERM)
        try:
            self.proc.wait(60)
        except subprocess.TimeoutExpired:
            self.proc.kill()
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)


def user(s, name, body, **token):
    s.must("POST", "/api/v1/users", {"name": name, **body})
    return s.must("POST", f"/api/v1/users/{name}/tokens", token)


def self_signed(s):
    key, cert = os.path.join(s.dir, "a.key"), os.path.join(s.dir, "a.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", key, "-out", cert, "-subj", "/CN=agent", "-days", "2"], check=True,
                   stderr=subprocess.DEVNULL)
    return cert, key


def fill(path, host):
    return re.sub(r"\{[^}]*\}", "nothing", path.replace("{host}", host))


def is_foreign(status, answer):
    """The answer to somebody for whom this host does not exist."""
    if status != 404 or (isinstance(answer, dict) and "error" in answer):
        return status in (401, 403) or (status == 404 and answer["error"].get("field") == "host")
    return "no host has this id" in str(answer)  # the family's dialects tell no field


def main():
    tables = json.loads(subprocess.run([ASSAYD, "--routes"], check=True, capture_output=True).stdout)
    routes, roles = tables["routes"], tables["roles"]
    s = Server()
    try:
        for name, pool in (("mine", "mine"), ("other", "theirs")):
            s.must("POST", "/api/v1/hosts", {"name": name, "labels": {"pool": pool}})
        tokens = {r: user(s, "is-" + r, {"role": r}, role=r)["token"] for r in roles}
        scope = {"pool": "mine"}
        scoped = user(s, "scoped", {"grants": [{"role": "operator", "scope": scope}]})["token"]
        narrowed = user(s, "narrowed", {"role": "operator"}, role="operator", scope=scope)["token"]
        short = user(s, "late", {"role": "admin"}, ttl_s=1)["token"]
        gone = user(s, "gone", {"role": "admin"})
        s.must("DELETE", f"/api/v1/users/gone/tokens/{gone['id']}")
        disabled = user(s, "off", {"role": "admin"})["token"]
        s.must("PATCH", "/api/v1/users/off", {"disabled": True})
        cert = self_signed(s)
        end = time.monotonic() + 60
        while s.ask("api", "GET", "/api/v1/version", short)[0] != 401 and time.monotonic() < end:
            time.sleep(0.2)
        bad = {"no credential": (None, None), "agent certificate": (None, cert), "expired token": (short, None),
               "revoked token": (gone["token"], None), "disabled user": (disabled, None),
               "wrong secret": (s.admin[:-4] + ("AAAA" if s.admin[-4:] != "AAAA" else "BBBB"), None)}
        before = s.must("GET", "/api/v1/hosts")["items"]
        stop = [("If-Match", '"nothing"')]
        holes, wrong, foreign, asked = [], [], [], 0

        def call(r, host, token=None, cert=None):
            headers = [] if r["method"] == "GET" else stop
            return s.ask(r["listener"], r["method"], fill(r["path"], host), token, cert=cert, headers=headers)

        for r in routes:
            label = (r["listener"], r["method"], r["path"], r["permission"])
            public = r["permission"] == "PUBLIC"
            for name, (token, c) in bad.items():
                status = call(r, "mine", token, c)[0]
                if (status in (401, 403, 429)) == public:
                    holes.append((*label, name, status))
            for role, held in roles.items():
                status = call(r, "mine", tokens[role])[0]
                if (status in (401, 403)) == (public or r["permission"] in held):
                    wrong.append((*label, role, status))
            for name, token in (("scoped role", scoped), ("scoped token", narrowed)):
                held = public or r["permission"] in roles["operator"]
                own = not is_foreign(*call(r, "mine", token))
                other = not is_foreign(*call(r, "other", token))
                if own != (public or (held and r["scoped"])) or other != (public or (held and r["scoped"] and not r["host"])):
                    foreign.append((*label, name, "own", own, "foreign", other))
        ok(len({r["listener"] for r in routes}) >= 5 and len(routes) > 100, f"{len(routes)} rows on {sorted(s.at)}")
        ok(not holes, f"{len(routes)} rows x {len(bad)} bad credentials: refused, public ones open", holes)
        ok(not wrong, f"{len(routes)} rows x {len(roles)} roles: as the table says", wrong)
        ok(not foreign, f"{len(routes)} rows with a role for some hosts: own ones, and no other", foreign)
        ok(s.must("GET", "/api/v1/hosts")["items"] == before, "nothing was changed by all that")
        viewer, relying = set(roles["viewer"]), set(roles["relying"])
        ok(set(roles["admin"]) >= set().union(*map(set, roles.values())), "the administrator may whatever another role may")
        ok(not {p for p in viewer | relying if p.endswith("_WRITE")}, "viewers and relying parties change nothing")
        print(f"# {s.asked} requests")
    finally:
        s.stop()
    print(f"1..{count}")
    sys.exit(failed > 0)


main()

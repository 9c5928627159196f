#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Login by a real identity provider (oidc-provider of npm) on loopback HTTPS, followed by a client that
fills in its forms as a browser would, and attacks on the way. TAP; skipped without the npm package."""
import json
import os
import re
import subprocess
import sys
import urllib.parse

import requests

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import api  # noqa: E402
from api import SRC, Server, ok  # noqa: E402

MODULES = os.environ.get("AY_NPM", os.path.join(SRC, "tests/npm/node_modules"))
if not os.path.isdir(os.path.join(MODULES, "oidc-provider")):
    print("1..0 # SKIP oidc-provider is not installed: tools/setup")
    sys.exit(0)


class Setup(Server):
    """assayd with [oidc] at a port known beforehand, since the provider must be told our address."""

    def __init__(self):
        self.provider = None
        super().__init__()

    def start_provider(self, redirect):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", f"{self.dir}/op.key", "-out", f"{self.dir}/op.pem", "-subj", "/CN=127.0.0.1",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"], check=True, stderr=subprocess.DEVNULL)
        self.provider = subprocess.Popen(["node", os.path.join(SRC, "tests/integration/oidc-provider.mjs"), self.dir, redirect, MODULES],
                                         stdout=subprocess.PIPE, stderr=open(f"{self.dir}/op.log", "w"), text=True)
        return self.provider.stdout.readline().strip()

    def again(self, more):
        """Starts anew at the same address with more configuration."""
        self.proc.terminate()
        self.proc.wait(20)
        text = open(self.conf).read().replace("listen_api = 127.0.0.1:0", f"listen_api = 127.0.0.1:{self.port}")
        open(self.conf, "w").write(text + more)
        os.unlink(os.path.join(self.state, "endpoints.json"))
        self.proc = subprocess.Popen([api.ASSAYD, "--config", self.conf], stdout=self.log, stderr=self.log)
        if not self.wait_ready():
            print("# " + open(self.log.name).read().replace("\n", "\n# "))

    def stop(self):
        if self.provider:
            self.provider.terminate()
            self.provider.wait(20)
        super().stop()


class Browser:
    def __init__(self, s):
        self.us = f"https://127.0.0.1:{s.port}"
        self.http = requests.Session()
        self.http.trust_env = False
        self.bundle = os.path.join(s.dir, "roots.pem")
        with open(self.bundle, "w") as f:
            f.write(open(os.path.join(s.state, "root.pem")).read() + open(f"{s.dir}/op.pem").read())
        self.http.verify = self.bundle

    def go(self, url):
        return self.http.get(url, allow_redirects=False, timeout=20)

    def begin(self):
        return self.go(self.us + "/api/v1/login/oidc")

    def back_from(self, r, who):
        """Through the provider's pages until it sends us to our own address, which is not gone to."""
        for _ in range(12):
            if r.is_redirect:
                to = urllib.parse.urljoin(r.url, r.headers["location"])
                if to.startswith(self.us):
                    return to
                r = self.go(to)
                continue
            form = re.search(r'<form[^>]*action="([^"]+)"', r.text)
            if not form:
                raise AssertionError(r.text[:300])
            data = dict(re.findall(r'<input[^>]*type="hidden"[^>]*name="(\w+)"[^>]*value="([^"]*)"', r.text))
            if 'name="login"' in r.text:
                data.update(login=who, password="x")
            r = self.http.post(urllib.parse.urljoin(r.url, form.group(1)), data=data, allow_redirects=False, timeout=20)
        raise AssertionError("the provider leads nowhere")

    def log_in(self, who):
        return self.go(self.back_from(self.begin(), who))

    def session(self):
        r = self.go(self.us + "/api/v1/session")
        return r.status_code, r.json()


def code(r):
    return r.json()["error"]["code"] if "json" in r.headers.get("content-type", "") else r.text[:60]


def changed(url, **params):
    p = urllib.parse.urlsplit(url)
    q = dict(urllib.parse.parse_qsl(p.query)) | params
    return urllib.parse.urlunsplit(p._replace(query=urllib.parse.urlencode({k: v for k, v in q.items() if v is not None})))


def good(s):
    b = Browser(s)
    r = b.begin()
    q = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(r.headers.get("location", "")).query))
    ok(r.status_code == 302 and q.get("code_challenge_method") == "S256" and len(q.get("state", "")) == 43, f"to the provider with PKCE: {r.status_code} {r.text[:100]}")
    r = b.log_in("ann-ops")
    ok(r.status_code == 200 and "url=/\"" in r.text, f"back with a session: {code(r)}")
    status, who = b.session()
    ok(status == 200 and who["user"] == "ann@oidc" and who["scheme"] == "oidc" and "HOST_WRITE" in who["permissions"], f"the group gives the role: {who}")
    r = Browser(s).log_in("bob-nothing")
    ok(r.status_code == 403 and code(r) == "AUTH_NO_ROLE", f"no group, no way in: {code(r)}")
    users = [u["name"] for u in api.all_items(s, "/api/v1/users")]
    ok("ann@oidc" in users and not any("bob" in u for u in users), "an account for the one, none for the other")
    s.call("PATCH", "/api/v1/users/ann@oidc", s.admin, {"disabled": True})
    r = Browser(s).log_in("ann-ops")
    ok(r.status_code == 403 and b.session()[0] == 401, "disabled here, whatever the provider says")


def attacks(s):
    b = Browser(s)
    to = b.back_from(b.begin(), "eve-ops")
    ok(code(Browser(s).go(to)) == "OIDC_STATE", "somebody else's browser does not take the login")
    ok(code(b.go(changed(to, iss="https://evil.example"))) == "OIDC_ISSUER", "the answer of another provider")
    to = b.back_from(b.begin(), "eve-ops")
    ok(code(b.go(changed(to, iss=None))) == "OIDC_ISSUER", "an answer that does not say whose it is")
    to = b.back_from(b.begin(), "eve-ops")
    ok(b.go(to).status_code == 200 and code(b.go(to)) == "OIDC_STATE", "a state serves once")
    to = b.back_from(b.begin(), "eve-ops")
    ok(code(b.go(changed(to, code="made-up"))) == "AUTH_SOURCE_DOWN", "a code that the provider did not give")
    ok(code(b.go(changed(to, state="A" * 43))) == "OIDC_STATE", "a state that we did not give")
    one, two = Browser(s), Browser(s)
    first, second = one.back_from(one.begin(), "eve-ops"), two.back_from(two.begin(), "mal-ops")
    theirs = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(second).query))["code"]
    ok(one.go(changed(first, code=theirs)).status_code != 200, "a code of another login, which PKCE binds")
    r = b.go(b.us + "/api/v1/login/oidc?next=https://evil.example")
    ok(r.status_code == 400, "there is no address to be sent on to")


def main():
    s = Setup()
    try:
        redirect = f"https://127.0.0.1:{s.port}/api/v1/login/oidc/callback"
        issuer = s.start_provider(redirect)
        secret = os.path.join(s.dir, "secret")
        with open(os.open(secret, os.O_CREAT | os.O_WRONLY, 0o600), "w") as f:
            f.write("a secret/of+ours\n")
        s.again(f"outgoing_allow = 127.0.0.1\n[oidc]\nissuer = {issuer}\nclient_id = assay\nclient_secret_file = {secret}\n"
                f"redirect = {redirect}\nca = {s.dir}/op.pem\nroles = ops=operator; audit=auditor\n")
        ok(json.dumps(s.call("GET", "/api/v1/login/methods")[1]["oidc"]).find("/api/v1/login/oidc") > 0, "the login page may offer it")
        good(s)
        attacks(s)
        s.provider.terminate()
        s.provider.wait(20)
        b = Browser(s)
        r = b.begin()
        ok(r.status_code in (302, 503), "what is known of the provider may still serve")
        status, _, _ = s.call("GET", "/api/v1/hosts", s.admin)
        ok(status == 200, "without the provider, local credentials work")
        log = api.all_items(s, "/api/v1/audit")
        ok(any(r["action"] == "LOGIN" for r in log) and any(r["action"] == "LOGIN_DENIED" for r in log), "logins and refusals stand in the audit")
    finally:
        s.stop()
    print(f"1..{api.count}")
    sys.exit(1 if api.failed else 0)


main()

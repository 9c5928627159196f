#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""TLS client certificates made by openssl: asked for, approved by somebody else, used by `assay` and curl, revoked. TAP."""
import os
import ssl
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from api import ASSAY, Server, ok  # noqa: E402
import api  # noqa: E402


def make(s, name, kind=("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), days="2"):
    key, cert = os.path.join(s.dir, name + ".key"), os.path.join(s.dir, name + ".pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", *kind, "-nodes", "-keyout", key, "-out", cert,
                    "-subj", "/CN=" + name, "-days", days], check=True, stderr=subprocess.DEVNULL)
    ctx = ssl.create_default_context(cafile=os.path.join(s.state, "root.pem"))
    if kind != ("rsa:1024",):  # which this library would not load
        ctx.load_cert_chain(cert, key)
    return cert, key, ctx


def cli(s, *args, token=True, cert=None):
    env = {**os.environ, "HOME": s.dir, "XDG_CONFIG_HOME": s.dir, "ASSAY_SERVER": f"https://{s.addr}:{s.port}",
           "ASSAY_CA": os.path.join(s.state, "root.pem")}
    if token:
        env["ASSAY_TOKEN_FILE"] = os.path.join(s.state, "admin.token")
    extra = ["--cert", cert[0], "--key", cert[1]] if cert else []
    return subprocess.run([ASSAY, *args, *extra], env=env, capture_output=True, text=True, check=False)


def main():
    s = Server()
    try:
        s.call("POST", "/api/v1/users", s.admin, {"name": "eve", "role": "operator"})
        for name, kind in (("ec", ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")), ("rsa", ("rsa:2048",))):
            c = make(s, name, kind)
            r = cli(s, "user", "cert", "ask", name, token=False, cert=c)
            ok(r.returncode == 0 and "pending" in r.stdout, f"{name}: anybody may ask, {r.stderr.strip()}")
            ident = r.stdout.split()[0] if r.stdout else "-"
            status, body, _ = s.call("GET", "/api/v1/hosts", ctx=c[2])
            ok(status == 401 and body["error"]["code"] == "AUTH_PENDING", f"{name}: it opens nothing yet")
            r = cli(s, "user", "cert", "approve", ident, "admin")
            ok(r.returncode != 0 and "APPROVAL_SELF" in r.stderr, f"{name}: nobody approves for himself")
            r = cli(s, "user", "cert", "approve", ident, "eve")
            ok(r.returncode == 0 and "active" in r.stdout, f"{name}: approved")
            status, body, _ = s.call("GET", "/api/v1/session", ctx=c[2])
            ok(status == 200 and body["user"] == "eve" and body["scheme"] == "certificate", f"{name}: it is eve now")
            r = cli(s, "host", "list", token=False, cert=c)
            ok(r.returncode == 0, f"{name}: assay --cert --key {r.stderr.strip()}")
            r = subprocess.run(["curl", "-sS", "--cacert", os.path.join(s.state, "root.pem"), "--cert", c[0], "--key", c[1],
                                "-o", "/dev/null", "-w", "%{http_code}", f"https://{s.addr}:{s.port}/api/v1/users"],
                               capture_output=True, text=True, check=False)
            ok(r.stdout == "403", f"{name}: curl may what eve may, no more ({r.stdout} {r.stderr.strip()})")
            status, body, _ = s.call("GET", "/api/v1/hosts", ctx=c[2], headers={"Sec-Fetch-Site": "cross-site"})
            ok(status == 403 and body["error"]["code"] == "CSRF", f"{name}: a page of another site does not use it")
            status, _, _ = s.call("GET", "/api/v1/hosts", token="asy1.x.y", ctx=c[2])
            ok(status == 401, f"{name}: a wrong token is not made good by it")
            r = cli(s, "user", "cert", "revoke", ident)
            ok(r.returncode == 0 and s.call("GET", "/api/v1/session", ctx=c[2])[0] == 401, f"{name}: revoked")
            r = cli(s, "user", "cert", "ask", name, token=False, cert=c)
            ok(r.returncode != 0 and "IDENTITY_TAKEN" in r.stderr, f"{name}: a revoked key does not come back")
        c = make(s, "given")
        r = cli(s, "user", "cert", "add", "eve", c[0])
        ok(r.returncode == 0 and s.call("GET", "/api/v1/session", ctx=c[2])[1]["user"] == "eve", "added by an administrator")
        s.call("PATCH", "/api/v1/users/eve", s.admin, {"disabled": True})
        ok(s.call("GET", "/api/v1/session", ctx=c[2])[0] == 401, "a disabled account stays closed to its certificate")
        weak = make(s, "weak", ("rsa:1024",))[0]
        r = cli(s, "user", "cert", "add", "eve", weak)
        ok(r.returncode != 0, "a key of 1024 bits is refused")
        stranger = make(s, "stranger")
        ok(s.call("GET", "/api/v1/hosts", ctx=stranger[2])[0] == 401, "a stranger's certificate opens nothing")
        ok("ended" in cli(s, "user", "cert", "list").stdout, "the list has those that ended")
        log = [r["action"] for r in api.all_items(s, "/api/v1/audit")]
        ok({"CERT_ASK", "CERT_APPROVE", "CERT_ADD", "IDENTITY_END", "LOGIN", "LOGIN_DENIED"} <= set(log), "all of it stands in the audit")
    finally:
        s.stop()
    print(f"1..{api.count}")
    sys.exit(1 if api.failed else 0)


main()

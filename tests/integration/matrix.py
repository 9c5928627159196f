#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every route of every dialect that a real assayd serves, and every SOAP operation, with every kind of
credential: let through if and only if the permission table says so. The rows come from `assayd --routes` and the
table of operations, so that new ones are walked without a change here. No handler of a change runs: an If-Match that nothing fulfils stands
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
SOAP = "urn:assay:soap:1"
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

    def ask(self, listener, method, path, token=None, body=None, cert=None, headers=(), raw=False):
        self.asked += 1
        h = {"Authorization": "Bearer " + token} if token else {}
        h.update(headers)
        if body is not None and not raw:
            h["Content-Type"] = "application/json"
        c = self.connect(listener, cert)
        for attempt in (0, 1):
            try:
                c.request(method, path, None if body is None else body if raw else json.dumps(body), h)
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
        if raw:
            return r.status, text.decode("utf-8", "replace")
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


def operations(routes):
    """Rows of the operations of SOAP, each with its route's permission."""
    text = open(os.path.join(SRC, "src/prog/assayd/soap/operations.def"), encoding="utf-8").read()
    by_path = {(r["method"], r["path"]): r for r in routes if r["listener"] == "api"}
    return [{**by_path[m, p], "operation": op} for op, m, p in re.findall(r'^OP\((\w+), (\w+), "([^"]+)"', text, re.M)]


def soap(s, r, host, token=None, cert=None):
    """The code of what became of an operation: a fault's, or that of the transport."""
    names = dict.fromkeys(re.findall(r"\{(\w+)\}", r["path"]), "nothing")
    if "host" in names:
        names["host"] = host
    inside = "".join(f"<{k}>{v}</{k}>" for k, v in names.items())
    body = (f"<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body><{r['operation']} xmlns='{SOAP}'>"
            f"{inside}</{r['operation']}></s:Body></s:Envelope>")
    headers = [("Content-Type", "text/xml")] + ([] if r["method"] == "GET" else [("If-Match", '"nothing"')])
    status, text = s.ask("api", "POST", "/soap/v1", token, body, cert, headers, raw=True)
    code = re.search(r"<(?:\w+:)?code>(\w+)</", text)
    field = re.search(r"<(?:\w+:)?field>([\w.]+)</", text)
    return status, code.group(1) if code else "", field.group(1) if field else ""


REFUSED = ("NOT_PERMITTED", "OUT_OF_SCOPE", "CSRF")


def soap_walk(s, routes, roles, tokens, bad, limited):
    """Every operation with every credential and role; for hosts of one's own, another's, and about all."""
    rows, holes, wrong, foreign = operations(routes), [], [], []
    for r in rows:
        for name, (token, c) in bad.items():
            if soap(s, r, "mine", token, c)[0] not in (401, 403, 429):
                holes.append((r["operation"], name))
        for role, held in roles.items():
            code = soap(s, r, "mine", tokens[role])[1]
            allowed = r["permission"] in ("PUBLIC", "ANY") or r["permission"] in held
            if (code in REFUSED or code.startswith("AUTH_")) == allowed:
                wrong.append((r["operation"], r["permission"], role, code))
        for name, token in limited:
            held = r["permission"] == "PUBLIC" or r["permission"] in roles["operator"]
            for host in ("mine", "other"):
                _, code, field = soap(s, r, host, token)
                let = not (code in REFUSED or (code == "NOENT" and field == "host"))
                want = r["permission"] == "PUBLIC" or (held and r["scoped"] and not (r["host"] and host == "other"))
                if let != want:
                    foreign.append((r["operation"], name, host, code, field))
    ok(len(rows) > 60, f"{len(rows)} SOAP operations")
    ok(not holes, f"{len(rows)} operations x {len(bad)} bad credentials: refused", holes)
    ok(not wrong, f"{len(rows)} operations x {len(roles)} roles: as the table says", wrong)
    ok(not foreign, f"{len(rows)} operations with a role for some hosts: own ones, and no other", foreign)


def others(s):
    """What belongs to somebody: another with the same rights cannot have it."""
    for name in ("ann", "bob"):
        s.must("POST", "/api/v1/users", {"name": name, "role": "operator"})
        s.must("POST", f"/api/v1/users/{name}/password", {"password": "correct horse battery"})
    sessions = {}
    for name in ("ann", "bob"):
        status, answer = s.ask("api", "POST", "/api/v1/login", None, {"user": name, "password": "correct horse battery"})
        sessions[name] = answer["session"] if status == 200 else ""
    token = {n: s.must("POST", f"/api/v1/users/{n}/tokens", {}) for n in ("ann", "bob")}
    bob = token["bob"]["token"]
    asked = {"a session": s.ask("api", "DELETE", f"/api/v1/sessions/{sessions['ann']}", bob)[0],
             "the list of sessions": s.ask("api", "GET", "/api/v1/users/ann/sessions", bob)[0],
             "the list of API tokens": s.ask("api", "GET", "/api/v1/users/ann/tokens", bob)[0],
             "an API token": s.ask("api", "DELETE", f"/api/v1/users/ann/tokens/{token['ann']['id']}", bob)[0],
             "a new API token": s.ask("api", "POST", "/api/v1/users/ann/tokens", bob, {})[0],
             "one's password": s.ask("api", "POST", "/api/v1/users/ann/password", bob, {"password": "correct horse"})[0]}
    own = s.ask("api", "GET", "/api/v1/sessions", bob)[1]["items"]
    bad = [x for x in asked.items() if x[1] not in (403, 404)]
    ok(sessions["ann"] and not bad, "sessions, tokens and passwords of another user: not for one of the same role", bad)
    ok({x["id"] for x in own} == {sessions["bob"]}, "and one's own list has one's own alone", [(own,)])


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
        soap_walk(s, routes, roles, tokens, bad, (("scoped role", scoped), ("scoped token", narrowed)))
        others(s)
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

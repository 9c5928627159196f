#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The REST API of a real assayd on loopback: every route with every kind of credential, the OpenAPI
document, bad requests, the audit checked by a program of its own, kill -9, backup and restore. TAP."""
import base64
import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import ssl
import struct
import subprocess
import sys
import tempfile
import time

SRC = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("AY_BUILD", os.path.join(SRC, "build"))
ASSAYD = os.path.join(BUILD, "src/prog/assayd/assayd")
ASSAY = os.path.join(BUILD, "src/prog/assay/assay")
count = failed = 0


def ok(cond, what):
    global count, failed
    count += 1
    failed += not cond
    print(f"{'ok' if cond else 'not ok'} {count} - {what}", flush=True)
    return cond


class Server:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="ay-api-")
        self.conf = os.path.join(self.dir, "assayd.conf")
        with open(self.conf, "w") as f:
            f.write(f"state_dir = {self.dir}/state\nrun_dir = {self.dir}/run\n"
                    "listen_api = 127.0.0.1:0\nlisten_agents = 127.0.0.1:0\n")
        subprocess.run([ASSAYD, "init", "--config", self.conf], check=True, stdout=subprocess.DEVNULL)
        self.state = os.path.join(self.dir, "state")
        self.admin = open(os.path.join(self.state, "admin.token")).read().strip()
        self.log = open(os.path.join(self.dir, "log"), "w")
        self.proc = subprocess.Popen([ASSAYD, "--config", self.conf], stdout=self.log, stderr=self.log)
        try:
            self.find()
        except BaseException:
            Server.stop(self)  # nobody else has it yet
            raise

    def find(self):
        endpoints = os.path.join(self.state, "endpoints.json")
        for _ in range(200):
            if os.path.exists(endpoints) and os.path.getsize(endpoints):
                break
            time.sleep(0.1)
        self.addr, port = json.load(open(endpoints))["api"].rsplit(":", 1)
        self.port = int(port)
        self.ctx = ssl.create_default_context(cafile=os.path.join(self.state, "root.pem"))
        self.wait_ready()

    def wait_ready(self):
        for _ in range(200):
            try:
                if self.call("GET", "/readyz")[0] == 200:
                    return True
            except OSError:
                pass
            time.sleep(0.1)
        return False

    def call(self, method, path, token=None, body=None, ctx=None, headers=None):
        c = http.client.HTTPSConnection(self.addr, self.port, context=ctx or self.ctx, timeout=20)
        h = dict(headers or {})
        if token is not None:
            h["Authorization"] = "Bearer " + token
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        if body is not None:
            h.setdefault("Content-Type", "application/json")
        c.request(method, path, body, h)
        r = c.getresponse()
        text = b"" if r.headers.get("content-type", "").startswith("text/event-stream") else r.read()
        c.close()
        kind = r.headers.get("content-type", "")
        return r.status, (json.loads(text) if "json" in kind and "ndjson" not in kind and text else text), r.headers

    def stop(self):
        self.proc.send_signal(signal.SIGTERM)
        try:
            self.proc.wait(15)
        except subprocess.TimeoutExpired:
            self.proc.kill()
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)


def fill(path):
    return re.sub(r"\{[^}]*\}", "nothing", path)


def agent_context(server):
    """TLS as an agent would: a self-signed P-256 certificate, no token."""
    key, cert = os.path.join(server.dir, "a.key"), os.path.join(server.dir, "a.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", key, "-out", cert, "-subj", "/CN=agent", "-days", "2"], check=True,
                   stderr=subprocess.DEVNULL)
    ctx = ssl.create_default_context(cafile=os.path.join(server.state, "root.pem"))
    ctx.load_cert_chain(cert, key)
    return ctx


def routes_def():
    text = open(os.path.join(SRC, "src/prog/assayd/api/routes.def")).read()
    return re.findall(r'^X\((\w+), "([^"]+)", (\w+), (\w+),', text, re.M)


def check_openapi(s):
    status, doc, _ = s.call("GET", "/api/v1/openapi.json")
    ok(status == 200 and doc["openapi"].startswith("3.1"), "the OpenAPI document is open to anybody")
    listed = {(m.upper(), p) for p, ops in doc["paths"].items() for m in ops}
    ok(listed == {(m, p) for m, p, _, _ in routes_def()}, f"it lists exactly the {len(listed)} routes of the table")
    refs = set(re.findall(r'"\$ref": "#/components/schemas/(\w+)"', json.dumps(doc)))
    ok(refs <= set(doc["components"]["schemas"]), "every reference in it has a schema")
    bad = [p for p, ops in doc["paths"].items() for o in ops.values()
           if {x["name"] for x in o["parameters"] if x.get("in") == "path"} != set(re.findall(r"\{(\w+)\}", p))]
    ok(not bad, "path parameters are declared")
    return doc


def conforms(doc, schema, value, where=""):
    """Enough of JSON Schema for what our document uses; the first difference, or None."""
    if "$ref" in schema:
        return conforms(doc, doc["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], value, where)
    if "anyOf" in schema:
        return None if any(conforms(doc, x, value, where) is None for x in schema["anyOf"]) else where
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}
    want = schema.get("type")
    if want and not any(isinstance(value, kinds[w]) for w in ([want] if isinstance(want, str) else want)):
        return f"{where}: not {want}"
    if isinstance(value, dict):
        for name in schema.get("required", []):
            if name not in value:
                return f"{where}.{name}: missing"
        for name, sub in schema.get("properties", {}).items():
            if name in value:
                why = conforms(doc, sub, value[name], f"{where}.{name}")
                if why:
                    return why
    if isinstance(value, list) and "items" in schema:
        for i, v in enumerate(value):
            why = conforms(doc, schema["items"], v, f"{where}[{i}]")
            if why:
                return why
    return None


def all_items(s, path):
    items, cursor = [], ""
    while cursor is not None:
        page = s.call("GET", f"{path}?limit=1000{cursor and '&cursor=' + cursor}", s.admin)[1]
        items += page["items"]
        cursor = page["next"]
    return items


def check_matrix(s, tokens):
    agent = agent_context(s)
    wrong = s.admin[:-4] + ("AAAA" if not s.admin.endswith("AAAA") else "BBBB")
    bad = {"no credential": (None, None), "wrong token": (wrong, None), "no token at all": ("garbage", None),
           "expired token": (tokens["expired"], None), "agent certificate": (None, agent),
           "revoked token": (tokens["revoked"], None)}
    before = s.call("GET", "/api/v1/audit/head", s.admin)[1]["size"]
    recorded = lambda: {r["action"] for r in all_items(s, "/api/v1/audit") if r["number"] >= before}
    holes, wrongly, sessions = [], [], []
    for method, path, perm, _ in routes_def():
        for name, (token, ctx) in bad.items():
            status = s.call(method, fill(path), token, ctx=ctx)[0]
            if (perm == "PUBLIC") == (status in (401, 403, 429)):  # 429: too many wrong ones from here
                holes.append((method, path, name, status))
        if perm == "PUBLIC":
            continue
        status, answer, _ = s.call(method, fill(path), tokens["viewer"])
        reads = {"ANY", "HOST_READ", "ASSERTION_READ", "REFERENCE_READ", "POLICY_READ", "EVENT_READ", "METRICS_READ",
                 "CONFIG_READ", "APPROVAL_READ"}
        if by_session(path, status, answer):
            sessions.append((method, path))
        elif (perm in reads) == (status == 403) or status == 401:
            wrongly.append((method, path, status))
        status, answer, _ = s.call(method, fill(path), s.admin)
        if status in (401, 403) and not by_session(path, status, answer):
            wrongly.append((method, path, "admin refused"))
    for h in holes + wrongly:
        print("#", h)
    ok(not holes, f"{len(routes_def())} routes x {len(bad)} bad credentials: all refused, public ones open")
    ok(not wrongly, "the viewer reads and changes nothing, admin is let through")
    ok(recorded() <= {"DENIED", "DENIED_MORE", "LOGOUT"}, "nothing of all that changed anything, and who was refused is recorded")
    return sessions


def by_session(path, status, answer):
    """What is one's own and no token may touch, whatever its role: a refusal by its own code."""
    own = path.startswith(("/api/v1/me/", "/api/v1/totp"))
    return own and status == 403 and answer["error"]["code"] == "TOKEN_BY_TOKEN"


def check_sessions(s, rows):
    """Where the viewer's token was refused as a token, the viewer's session gets in."""
    password = {"password": "correct horse battery"}
    s.call("POST", "/api/v1/users/reader/password", s.admin, password)
    _, who, headers = s.call("POST", "/api/v1/login", None, {"user": "reader", **password})
    proof = {"Cookie": headers["set-cookie"].split(";")[0], "X-CSRF-Token": who["csrf"]}
    got = {row: s.call(row[0], fill(row[1]), headers=proof)[0] for row in rows}
    ok(rows and not {401, 403} & set(got.values()), f"what no token may do of one's own, a session may: {got}")


def make_tokens(s):
    s.call("POST", "/api/v1/users", s.admin, {"name": "reader", "role": "viewer"})
    viewer = s.call("POST", "/api/v1/users/reader/tokens", s.admin, {"label": "t"})[1]["token"]
    short = s.call("POST", "/api/v1/users/admin/tokens", s.admin, {"ttl_s": 1})[1]["token"]
    gone = s.call("POST", "/api/v1/users/admin/tokens", s.admin, {})[1]
    ok(s.call("DELETE", f"/api/v1/users/admin/tokens/{gone['id']}", s.admin)[0] == 204, "an API token is revoked")
    time.sleep(1.2)
    return {"viewer": viewer, "expired": short, "revoked": gone["token"]}


def check_shapes(s, doc):
    def shape(path, body):
        op = doc["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        return conforms(doc, op, body)

    status, host, _ = s.call("POST", "/api/v1/hosts", s.admin, {"name": "h1", "labels": {"rack": "7"}})
    ok(status == 201 and host["state"] == "registered" and host["verdict"] == "unknown", "a host is registered")
    for path in ("/api/v1/hosts", "/api/v1/tokens", "/api/v1/users", "/api/v1/audit", "/api/v1/audit/head",
                 "/api/v1/overview", "/api/v1/config", "/api/v1/version", "/api/v1/policies", "/api/v1/reference-sets",
                 "/api/v1/hosts/{host}", "/api/v1/hosts/{host}/reports", "/api/v1/users/{user}/tokens"):
        status, body, _ = s.call("GET", path.replace("{host}", "h1").replace("{user}", "admin"), s.admin)
        why = shape(path, body) if status == 200 else status
        ok(why is None, f"{path} answers as the document says{'' if why is None else ': ' + str(why)}")
    ok(s.call("GET", f"/api/v1/hosts/{host['id'].upper()}", s.admin)[0] == 200, "a host is found by its id")
    status, body, _ = s.call("POST", "/api/v1/hosts", s.admin, {"name": "h1"})
    ok(status == 409 and body["error"]["code"], "a name serves once")
    ok(s.call("PATCH", "/api/v1/hosts/h1", s.admin, {"name": "h 1"})[1]["name"] == "h 1", "a host is renamed")
    ok(s.call("GET", "/api/v1/hosts/h%201", s.admin)[0] == 200, "and found under its new name")
    ok(s.call("DELETE", "/api/v1/hosts/h%201", s.admin)[0] == 204, "and retired")
    ok(s.call("GET", "/api/v1/hosts/h%201", s.admin)[0] == 404, "and gone")


def check_bad(s, doc):
    problem = {"$ref": "#/components/schemas/Problem"}
    rows = [("POST", "/api/v1/hosts", '{"name":"a","name":"b"}', 400, "body"),
            ("POST", "/api/v1/hosts", '{"name":"a","color":1}', 400, "body"),
            ("POST", "/api/v1/hosts", '{"name":"0194f0c2-7a3e-7d2a-9b1c-8d0e5f6a7b8c"}', 400, "name"),
            ("POST", "/api/v1/hosts", '{"name":""}', 400, "name"),
            ("POST", "/api/v1/hosts", "[" * 100, 413, "body"),
            ("POST", "/api/v1/tokens", '{"uses":-1}', 400, "uses"),
            ("POST", "/api/v1/ek-approvals", '{"hash":"12"}', 400, "hash"),
            ("GET", "/api/v1/hosts?limit=x", None, 400, "limit"),
            ("GET", "/api/v1/hosts/%2e%2e/x", None, 400, "path"),
            ("GET", "/api/v1/nothing", None, 404, "path"),
            ("DELETE", "/api/v1/overview", None, 405, "method")]
    before = s.call("GET", "/api/v1/audit/head", s.admin)[1]
    for method, path, body, want, field in rows:
        status, answer, h = s.call(method, path, s.admin, body)
        good = status == want and h["content-type"] == "application/problem+json" and \
            conforms(doc, problem, answer) is None and answer["error"]["field"] == field
        ok(good, f"{method} {path} {(body or '')[:40]}: {want}, field {field}")
        if not good:
            print("#", status, answer)
    ok(s.call("GET", "/api/v1/audit/head", s.admin)[1] == before, "what does not parse changes nothing")


def merkle(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\1" + merkle(leaves[:k]) + merkle(leaves[k:])).digest()


def check_audit(s):
    _, text, _ = s.call("GET", "/api/v1/audit?format=export", s.admin)
    records = [base64.b64decode(json.loads(line)["record"]) for line in text.splitlines()]
    leaves = [hashlib.sha256(b"\0" + r).digest() for r in records]
    head = s.call("GET", "/api/v1/audit/head", s.admin)[1]
    ok(head["size"] == len(records) and head["root"] == merkle(leaves).hex(), "the audit's head by hashlib alone")
    chained = all(r[17:49] == (leaves[i - 1] if i else bytes(32)) and struct.unpack(">Q", r[1:9])[0] == i
                  for i, r in enumerate(records))
    ok(chained, "every record names the one before it")
    export, kept = os.path.join(s.dir, "audit.ndjson"), os.path.join(s.dir, "head.json")
    verify = lambda data, *a: (open(export, "wb").write(data),
                               subprocess.run([ASSAY, "audit", "verify", export, *a], capture_output=True))[1]
    with open(kept, "w") as f:
        json.dump(head, f)
    lines = text.splitlines(True)
    ok(verify(text, "--head", kept).returncode == 0, "assay audit verify takes it with its head")
    for what, data, code in (("a cut end", b"".join(lines[:-1]), b"AUDIT_ROLLBACK"),
                             ("a record left out", b"".join(lines[:1] + lines[2:]), b"AUDIT_CHAIN"),
                             ("another past", b"".join(lines[1:]), b"AUDIT_CHAIN")):
        r = verify(data, "--head", kept)
        ok(r.returncode == 1 and code in r.stdout, f"and finds {what}: {code.decode()}")
    secret = s.admin.rsplit(".", 1)[1].encode()
    ok(not any(secret in r for r in records), "no secret stands in it")


def check_events(s):
    c = http.client.HTTPSConnection(s.addr, s.port, context=s.ctx, timeout=10)
    c.request("GET", "/api/v1/events", headers={"Authorization": "Bearer " + s.admin})
    r = c.getresponse()
    ok(r.status == 200 and r.headers["content-type"].startswith("text/event-stream"), "an event stream opens")
    s.call("POST", "/api/v1/hosts", s.admin, {"name": "seen"})
    lines = b""
    end = time.time() + 8
    while b"seen" not in lines and time.time() < end:
        lines += r.fp.readline()
    ok(b"event: host" in lines and b"seen" in lines, "and tells of a new host")
    c.close()


def engine_pid(s):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if int(open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[1]) != s.proc.pid:
                continue
            fds = [os.readlink(f"/proc/{pid}/fd/{f}") for f in os.listdir(f"/proc/{pid}/fd")]
            if any(f.endswith("/assay.db") for f in fds):
                return int(pid)
        except OSError:
            continue
    return None


def check_kill(s):
    """What was acknowledged is there after kill -9 of engine in the middle of changes."""
    acked, n, pid = [], 0, engine_pid(s)
    if not ok(pid is not None, "the engine process is found by its open database"):
        return
    while n < 60:
        if n == 30:
            os.kill(pid, signal.SIGKILL)
        try:
            if s.call("POST", "/api/v1/hosts", s.admin, {"name": f"k{n}"})[0] == 201:
                acked.append(f"k{n}")
        except (OSError, http.client.HTTPException):
            time.sleep(0.2)
        n += 1
    ok(s.wait_ready() and engine_pid(s) not in (None, pid), "the engine is started anew")
    names = {h["name"] for h in s.call("GET", "/api/v1/hosts?limit=1000", s.admin)[1]["items"]}
    ok(len(acked) >= 30 and set(acked) <= names, f"all {len(acked)} acknowledged hosts survived kill -9")
    check_audit(s)


def check_backup(s):
    copy = os.path.join(s.dir, "backup")
    run = lambda *a: subprocess.run([ASSAYD, *a, "--config", s.conf], stderr=subprocess.DEVNULL).returncode
    s.call("POST", "/api/v1/hosts", s.admin, {"name": "old"})
    ok(run("backup", copy) == 0, "backup of a running server")
    ok(run("backup", copy) != 0, "which overwrites nothing")
    ok(os.stat(copy).st_mode & 0o077 == 0, "and is for its owner only")
    s.call("POST", "/api/v1/hosts", s.admin, {"name": "new"})
    ok(run("restore", copy) == 0, "restore under a running server")
    for _ in range(100):
        time.sleep(0.2)
        try:
            names = {h["name"] for h in s.call("GET", "/api/v1/hosts?limit=1000", s.admin)[1]["items"]}
            # The engine that served the restore is still there for a moment.
            if "new" not in names and s.call("POST", "/api/v1/hosts", s.admin, {"name": "later"})[0] == 201:
                break
        except (OSError, http.client.HTTPException, TypeError, KeyError):
            continue
    ok("old" in names and "new" not in names, "which goes on with the state of the backup")
    ok(run("restore", s.conf) != 0, "what is no backup is refused")
    ok(s.call("GET", "/api/v1/hosts/later", s.admin)[0] == 200, "and changes nothing")


def check_token(s):
    """An enrolment token is ended by who saw it as it is."""
    one = s.call("POST", "/api/v1/tokens", s.admin, {"uses": 2})[1]
    path = f"/api/v1/tokens/{one['id']}"
    status, seen, headers = s.call("GET", path, s.admin)
    ok(status == 200 and seen["id"] == one["id"] and seen["uses_left"] == 2 and one["token"] not in json.dumps(seen),
       "one enrolment token is shown, without its secret")
    ok(s.call("GET", path[:-1], s.admin)[0] == 404 and s.call("GET", path + "0", s.admin)[0] == 404, "another id: 404")
    ok(s.call("DELETE", path, s.admin, headers={"If-Match": '"0-0"'})[0] == 412, "If-Match of another state: 412")
    ok(s.call("DELETE", path, s.admin, headers={"If-Match": headers["etag"]})[0] == 204, "If-Match of what was seen: it ends")
    ok(s.call("GET", path, s.admin)[1].get("uses_left") == 0, "... and has no uses left")


def check_docs():
    rc = subprocess.run([sys.executable, os.path.join(SRC, "src/prog/assayd/api/doc.py"), "--check",
                         os.path.join(SRC, "docs/api.md")]).returncode
    ok(rc == 0, "docs/api.md is made of the tables as they are")
    rc = subprocess.run([sys.executable, os.path.join(SRC, "src/prog/assayd/api/errors.py"), "--check",
                         os.path.join(SRC, "docs/errors.md")]).returncode
    ok(rc == 0, "docs/errors.md is, too, and has every code that the server gives")


def main():
    if not os.path.exists(ASSAYD):
        sys.exit("build first")
    s = Server()
    try:
        check_docs()
        doc = check_openapi(s)
        check_sessions(s, check_matrix(s, make_tokens(s)))
        check_shapes(s, doc)
        check_bad(s, doc)
        check_token(s)
        check_events(s)
        check_audit(s)
        check_kill(s)
        check_backup(s)
    finally:
        s.stop()
    print(f"1..{count}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The audit of a real assayd: who, from where, what; heads and proofs checked by ten lines of Python; an attacker
who may write the database; a lost audit; kill -9. TAP."""
import base64
import hashlib
import http.client
import json
import os
import signal
import sqlite3
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import api  # noqa: E402  the server and ok()
from api import ASSAY, Server, merkle, ok  # noqa: E402


def leaf(r):
    return hashlib.sha256(b"\0" + r).digest()


def node(a, b):
    return hashlib.sha256(b"\1" + a + b).digest()


def included(i, n, h, path):
    """RFC 9162 2.1.3.2"""
    sn = n - 1
    for p in path:
        if i & 1 or i == sn:
            h = node(p, h)
            while i and not i & 1:
                i, sn = i >> 1, sn >> 1
        else:
            h = node(h, p)
        i, sn = i >> 1, sn >> 1
    return h if sn == 0 else None


def cli(s, *args):
    env = dict(os.environ, HOME=s.dir)
    token = os.path.join(s.dir, "token")
    with open(os.open(token, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as f:
        f.write(s.admin)
    return subprocess.run([ASSAY, *args, "--server", f"https://{s.addr}:{s.port}", "--ca",
                           os.path.join(s.state, "root.pem"), "--token-file", token], capture_output=True, env=env)


def wait_for(what):
    """Denied requests are written without anybody waiting for them."""
    for _ in range(300):
        got = what()
        if got:
            return got
        time.sleep(0.1)
    return got


def rebuilt(records):
    """What an attacker does: numbers and chain made anew, so that all is sound in itself."""
    out, prev = [], bytes(32)
    for i, r in enumerate(records):
        out.append(r[:1] + struct.pack(">Q", i) + r[9:17] + prev + r[49:])
        prev = leaf(out[-1])
    return out


def ndjson(records):
    return "".join(json.dumps({"number": i, "record": base64.b64encode(r).decode()}) + "\n"
                   for i, r in enumerate(records))


def check_records(s):
    status, _, h = s.call("POST", "/api/v1/users", s.admin, {"name": "eve", "role": "viewer"})
    rid = h["x-request-id"]
    items = s.call("GET", "/api/v1/audit?limit=1000", s.admin)[1]["items"]
    mine = [r for r in items if r["detail"].get("call", {}).get("id") == rid]
    ok(status == 201 and [r["action"] for r in mine] == ["REQUEST", "USER_ADD"],
       "a change stands with its request id: asked for, and done")
    call = mine[0]["detail"]["call"]
    ok(mine[0]["actor"] == "user:admin" and mine[0]["object"] == "POST /api/v1/users" and
       call["from"].startswith("127.0.0.1:") and call["by"] and call["user_id"] is not None,
       "with who, what, on what, from where and by what credential")
    status, answer, h = s.call("DELETE", "/api/v1/hosts/nothing")
    last = wait_for(lambda: s.call("GET", "/api/v1/audit?action=DENIED", s.admin)[1]["items"])[-1]
    ok(status == 401 and answer["request_id"] == h["x-request-id"] == last["detail"]["call"]["id"] and
       last["object"] == "DELETE /api/v1/hosts/nothing", "who is refused is recorded, and told which request it was")
    found = s.call("GET", "/api/v1/audit?actor=admin&action=USER_ADD&outcome=done", s.admin)[1]["items"]
    ok([r["object"] for r in found] == ["eve"], "the list takes filters")
    ok(s.call("GET", "/api/v1/audit?since=2999-01-01T00:00:00Z", s.admin)[1]["items"] == [], "and times")


def check_proofs(s, records):
    n, good = len(records), True
    for i in range(n):
        p = s.call("GET", f"/api/v1/audit/proof?leaf={i}&size={n}", s.admin)[1]
        path = [bytes.fromhex(x) for x in p["path"]]
        good &= included(i, n, leaf(records[i]), path) == merkle([leaf(r) for r in records])
        good &= len(path) <= n.bit_length()
    ok(good, f"each of {n} records is proved to be under the head, by a Python program")
    roots = True
    for m in range(n + 1):
        c = s.call("GET", f"/api/v1/audit/consistency?from={m}&to={n}", s.admin)[1]
        roots &= c["from_root"] == merkle([leaf(r) for r in records[:m]]).hex()
    ok(roots, "and every earlier head has its root")
    ok(s.call("GET", "/api/v1/audit/proof?leaf=99999", s.admin)[0] == 400, "there is no proof of what is not there")
    r = cli(s, "audit", "proof", "1")
    ok(r.returncode == 0 and json.loads(r.stdout)["leaf"] == 1, "assay audit proof checks it itself")


def check_attacker(s):
    head = os.path.join(s.dir, "kept.json")
    r = cli(s, "audit", "head")
    open(head, "wb").write(r.stdout)
    pin = hashlib.sha256(bytes.fromhex(json.loads(r.stdout)["key"])).hexdigest()
    text = cli(s, "audit", "export").stdout
    records = [base64.b64decode(json.loads(x)["record"]) for x in text.splitlines()]
    n = json.loads(r.stdout)["size"]
    ok(len(records) >= n and json.loads(r.stdout)["root"] == merkle([leaf(x) for x in records[:n]]).hex(),
       "export and head by the program agree with hashlib")
    export = os.path.join(s.dir, "export")

    def verify(data, kept=head):
        open(export, "w").write(data if isinstance(data, str) else ndjson(data))
        return subprocess.run([ASSAY, "audit", "verify", export, "--head", kept, "--head-key", pin],
                              capture_output=True, text=True)

    ok(verify(text.decode()).returncode == 0, "as it is, it is valid under the signed head and the known key")
    k = next(i for i, x in enumerate(records) if b"user:" in x)

    def instead(x):
        return records[:k] + [x] + records[k + 1:]

    edited = instead(records[k].replace(b"user:", b"eser:"))
    changed = instead(records[k][:-3] + bytes([records[k][-3] ^ 1]) + records[k][-2:])
    rows = [("edits a record", changed, "AUDIT_CHAIN"), ("edits a name", edited, "AUDIT_CHAIN"),
            ("deletes one", records[:1] + records[2:], "AUDIT_CHAIN"),
            ("changes the order", [records[0], records[2], records[1]] + records[3:], "AUDIT_CHAIN"),
            ("cuts the end", records[:n - 1], "AUDIT_ROLLBACK"), ("empties it", [], "AUDIT_ROLLBACK"),
            ("edits and makes all hashes anew", rebuilt(changed), "AUDIT_HEAD"),
            ("deletes one and makes all anew", rebuilt(records[:1] + records[2:] + [records[-1]]), "AUDIT_HEAD")]
    for what, data, code in rows:
        r = verify(data)
        ok(r.returncode == 1 and code in r.stdout, f"an attacker who {what}: {code}")
    forged = json.load(open(head))
    forged["root"] = merkle([leaf(x) for x in rebuilt(changed)[:n]]).hex()
    fake = os.path.join(s.dir, "forged.json")
    json.dump(forged, open(fake, "w"))
    r = verify(rebuilt(changed), fake)
    ok(r.returncode == 1 and "AUDIT_HEAD_SIGNATURE" in r.stdout, "and who makes the head anew too cannot sign it")
    check_compare(s, head, fake, export, text, pin)
    return records


def check_compare(s, head, fake, export, text, pin):
    """Two kept heads: by the server's proof, by a proof and by an export in files."""
    later = os.path.join(s.dir, "later.json")
    s.call("POST", "/api/v1/tokens", s.admin, {"uses": 1})
    r = cli(s, "audit", "head")
    open(later, "wb").write(r.stdout)
    m, n = json.load(open(head))["size"], json.loads(r.stdout)["size"]
    ok(n > m, "the audit grew between two heads")
    ok(cli(s, "audit", "compare", head, later, "--head-key", pin).returncode == 0, "audit compare: by the server's proof")
    ok(cli(s, "audit", "compare", later, head).returncode == 0, "in whatever order")
    proof = os.path.join(s.dir, "proof.json")
    json.dump(s.call("GET", f"/api/v1/audit/consistency?from={m}&to={n}", s.admin)[1], open(proof, "w"))
    open(export, "wb").write(cli(s, "audit", "export").stdout)

    def offline(*args):
        return subprocess.run([ASSAY, "audit", "compare", *args], capture_output=True, text=True)

    ok(offline(head, later, "--proof", proof).returncode == 0, "by a proof that was kept")
    ok(offline(head, later, "--audit", export).returncode == 0, "by an export")
    other = json.load(open(head))
    other["root"] = hashlib.sha256(b"another past").hexdigest()
    bare = os.path.join(s.dir, "bare.json")
    json.dump({"size": other["size"], "root": other["root"]}, open(bare, "w"))
    r = offline(bare, later, "--proof", proof)
    ok(r.returncode == 1 and "AUDIT_FORK" in r.stdout, "another past: AUDIT_FORK")
    r = offline(bare, head)
    ok(r.returncode == 1 and "AUDIT_FORK" in r.stdout, "of the same size: AUDIT_FORK, without any proof")
    r = offline(bare, later, "--audit", export)
    ok(r.returncode == 1 and "AUDIT_HEAD" in r.stdout, "another past than the export's: AUDIT_HEAD")
    r = offline(fake, later, "--proof", proof)
    ok(r.returncode == 1 and "AUDIT_HEAD_SIGNATURE" in r.stdout, "a head made anew is not signed")


def check_event(s):
    c = http.client.HTTPSConnection(s.addr, s.port, context=s.ctx, timeout=30)
    c.request("GET", "/api/v1/events?after=0", headers={"Authorization": "Bearer " + s.admin})
    r = c.getresponse()
    seen = None
    for line in r:
        if line == b"event: audit.head\n":
            seen = json.loads(next(iter(r)).split(b": ", 1)[1])
            break
    c.close()
    ok(seen is not None and {"size", "root", "at", "signature", "key"} <= set(seen), "signed heads go out as events")


def check_lost(s):
    db = sqlite3.connect(os.path.join(s.state, "assay.db"), timeout=30)
    db.execute("ALTER TABLE audit RENAME TO elsewhere")
    db.commit()
    status, answer, _ = s.call("POST", "/api/v1/hosts", s.admin, {"name": "unseen"})
    ok(status == 503 and answer["error"]["code"] == "AUDIT_UNAVAILABLE", "no audit, no change: 503 AUDIT_UNAVAILABLE")
    names = {h["name"] for h in s.call("GET", "/api/v1/hosts", s.admin)[1]["items"]}
    ok("unseen" not in names and s.call("GET", "/readyz")[0] == 200, "nothing was changed, and reads go on")
    db.execute("ALTER TABLE elsewhere RENAME TO audit")
    db.commit()
    db.close()
    ok(s.call("POST", "/api/v1/hosts", s.admin, {"name": "seen"})[0] == 201, "once it is there again, so are changes")


def check_kill(s):
    """Killed among changes: no host stands without the record of who asked for it."""
    def change():
        for i in range(1000):
            try:
                s.call("POST", "/api/v1/hosts", s.admin, {"name": f"k{i}"})
            except (OSError, http.client.HTTPException):
                return
    t = threading.Thread(target=change)
    t.start()
    while s.call("GET", "/api/v1/hosts?name=k9", s.admin)[1]["items"] == []:
        pass
    children = subprocess.run(["pgrep", "-P", str(s.proc.pid)], capture_output=True, text=True).stdout.split()
    for pid in [s.proc.pid] + [int(p) for p in children]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    s.proc.wait()
    t.join()
    db = sqlite3.connect(os.path.join(s.state, "assay.db"))
    hosts = db.execute("SELECT COUNT(*) FROM host").fetchone()[0]
    records = [r[0] for r in db.execute("SELECT record FROM audit ORDER BY seq")]
    db.close()
    asked = sum(b"REQUEST\x00\x12POST /api/v1/hosts" in r for r in records)
    ok(10 <= hosts <= asked, f"kill -9: {hosts} hosts, {asked} records of who asked for them")
    ok(rebuilt(records) == records, "and the chain is whole")


def main():
    s = Server()
    try:
        check_records(s)
        check_event(s)
        check_proofs(s, check_attacker(s))
        check_lost(s)
        check_kill(s)
    finally:
        s.stop()
    print(f"1..{api.count}")
    return 1 if api.failed else 0


if __name__ == "__main__":
    sys.exit(main())

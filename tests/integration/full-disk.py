#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The disk of the store is full (engine may not make a file longer): changes are refused, what is there is told, and
all goes on by itself when there is room. TAP."""
import importlib.util
import os
import resource
import signal
import subprocess
import sys
import time

SRC = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
spec = importlib.util.spec_from_file_location("api", os.path.join(SRC, "tests/integration/api.py"))
api = importlib.util.module_from_spec(spec)
spec.loader.exec_module(api)
ok = api.ok


def until(cond, s=60):
    end = time.time() + s
    while time.time() < end:
        if cond():
            return True
        time.sleep(0.1)
    return False


def engine_of(s):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            stat = open(f"/proc/{pid}/stat").read()
        except OSError:
            continue
        if "(engine)" in stat and int(stat.rsplit(")", 1)[1].split()[1]) == s.proc.pid:
            return int(pid)
    return None


def names(s):
    return sorted(h["name"] for h in s.call("GET", "/api/v1/hosts", s.admin)[1]["items"])


def restart(s):
    """A full disk sends no signal, a limit of the process does: it is ignored, and errno is left."""
    s.proc.send_signal(signal.SIGTERM)
    s.proc.wait()
    os.unlink(os.path.join(s.state, "endpoints.json"))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    s.proc = subprocess.Popen([api.ASSAYD, "--config", s.conf], stdout=s.log, stderr=s.log, restore_signals=False)
    path = os.path.join(s.state, "endpoints.json")
    ok(until(lambda: os.path.exists(path) and os.path.getsize(path)), "the server runs")
    s.addr, port = api.json.load(open(path))["api"].rsplit(":", 1)
    s.port = int(port)
    s.wait_ready()


def main():
    s = api.Server()
    try:
        restart(s)
        ok(s.call("POST", "/api/v1/hosts", s.admin, {"name": "before"})[0] == 201, "there is room")
        engine = engine_of(s)
        usual = resource.prlimit(engine, resource.RLIMIT_FSIZE)
        resource.prlimit(engine, resource.RLIMIT_FSIZE, (4096, usual[1]))
        for what, method, path, body in (("a host", "POST", "/api/v1/hosts", {"name": "during"}),
                                         ("a person", "POST", "/api/v1/users", {"name": "eve", "role": "viewer"}),
                                         ("a removal", "DELETE", "/api/v1/hosts/before", None)):
            status, answer = s.call(method, path, s.admin, body)[:2]
            ok(status == 503, f"full: {what} is refused ({status} {answer['error']['code'] if answer else ''})")
        ok(names(s) == ["before"], "full: what is there is told, and nothing of what was refused")
        ok(s.call("GET", "/healthz")[0] == 200, "full: it lives")
        ok(s.call("GET", "/api/v1/hosts", "asy1.wrong")[0] == 401, "full: who may not is refused as ever")
        resource.prlimit(engine, resource.RLIMIT_FSIZE, usual)
        ok(until(lambda: s.call("POST", "/api/v1/hosts", s.admin, {"name": "after"})[0] == 201), "room again: it goes on by itself")
        ok(engine_of(s) == engine, "in the same process")
        ok(names(s) == ["after", "before"], "with what was done, and no more")
        audit = s.call("GET", "/api/v1/audit?action=REQUEST&limit=1000", s.admin)[1]["items"]
        ok([a["object"] for a in audit].count("POST /api/v1/hosts") == 2, "the audit has the two that were done")
        out = os.path.join(s.dir, "audit.ndjson")
        words = ["--server", f"https://{s.addr}:{s.port}", "--ca", s.state + "/root.pem", "--token-file", s.state + "/admin.token"]
        with open(out, "w") as f:
            done = subprocess.run([api.ASSAY, "audit", "export", *words], stdout=f, check=False).returncode == 0
        ok(done and subprocess.run([api.ASSAY, "audit", "verify", out], stdout=subprocess.DEVNULL, check=False).returncode == 0,
           "and is whole")
        restart(s)
        ok(names(s) == ["after", "before"], "and so it is after a new start")
    finally:
        s.proc.send_signal(signal.SIGTERM)
        s.proc.wait()
        subprocess.run(["rm", "-rf", s.dir], check=False)
    print(f"1..{api.count}")
    return 1 if api.failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Webhooks of a real assayd: a TLS receiver that refuses, goes and comes back; signatures checked by the example
of docs/formats/webhook.md and by openssl; kill -9 of engine and courier in between. TAP."""
import http.client
import http.server
import importlib.util
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SRC = os.path.dirname(os.path.dirname(HERE))
spec = importlib.util.spec_from_file_location("api", os.path.join(HERE, "api.py"))
api = importlib.util.module_from_spec(spec)
spec.loader.exec_module(api)
ok = api.ok

example = {}
doc = open(os.path.join(SRC, "docs/formats/webhook.md")).read()
exec(re.search(r"```python\n(.*?)```", doc, re.S).group(1), example)


class Receiver:
    """Answers 500 while `failing`, 200 else; keeps what came."""

    def __init__(self, folder, port=0):
        self.got, self.failing, self.refused = [], False, 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if outer.failing:
                    outer.refused += 1
                else:
                    outer.got.append((dict(self.headers), body))
                self.send_response(500 if outer.failing else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *a):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ctx.load_cert_chain(folder + "/r.pem", folder + "/r.key")
        self.server.socket = ctx.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def ids(self):
        return [json.loads(b)["id"] for _, b in self.got]

    def names(self):
        return [json.loads(b)["data"].get("name") for _, b in self.got]


def until(cond, s=60):
    end = time.time() + s
    while not cond() and time.time() < end:
        time.sleep(0.1)
    return cond()


def child(server, name):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            stat = open(f"/proc/{pid}/stat").read()
        except OSError:
            continue
        if f"({name})" in stat and int(stat.rsplit(")", 1)[1].split()[1]) == server.proc.pid:
            return int(pid)
    return None


def openssl_says(secret, headers, body):
    text = headers["Assay-Timestamp"].encode() + b"." + body
    out = subprocess.run(["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", "hexkey:" + secret.encode().hex()],
                         input=text, capture_output=True, check=True).stdout.decode()
    return out.strip().rsplit(" ", 1)[1] in headers["Assay-Signature"]


def status_and_body(answer):
    return answer[0], answer[1]


def cli_words(s, *words):
    return [api.ASSAY, *words, "--server", f"https://{s.addr}:{s.port}", "--ca", s.state + "/root.pem",
            "--token-file", s.state + "/admin.token"]


def cli(s, *words):
    r = subprocess.run(cli_words(s, *words), capture_output=True, text=True, check=False)
    return r.returncode, r.stdout, r.stderr


def by_cli(s, receiver, url):
    """What a person does: assay webhook ..."""
    rc, secret, _ = cli(s, "webhook", "add", "c", "--url", url, "--target-ca", s.dir + "/r.pem", "--type", "host",
                        "--type", "policy", "--label", "site=north")
    ok(rc == 0 and re.fullmatch(r"whsec_\S+\n", secret), "assay webhook add prints the secret alone")
    kept = s.call("GET", "/api/v1/webhooks/c", s.admin)[1]
    ok((kept["types"], kept["labels"]) == (["host", "policy"], {"site": "north"}), "with types and labels")
    rc, table, _ = cli(s, "webhook", "list")
    row = table.splitlines()[-1].split()
    ok(rc == 0 and row[:2] == ["c", "active"] and row[-2:] == ["host,policy", url], "list shows it")
    rc, shown, _ = cli(s, "webhook", "show", "c")
    ok(rc == 0 and json.loads(shown)["name"] == "c" and "whsec_" not in shown + table, "show too, without the secret")
    n = len(receiver.got)
    rc, text, _ = cli(s, "webhook", "test", "c")
    ok(rc == 0 and text.startswith("delivered") and len(receiver.got) == n + 1, "a test is delivered")
    ok(example["is_genuine"](secret.strip(), *receiver.got[-1]), "signed by the secret that was printed")
    rc, again, _ = cli(s, "webhook", "rotate", "c")
    ok(rc == 0 and again.startswith("whsec_") and again != secret, "rotate prints another secret")
    ok(cli(s, "webhook", "pause", "c")[1] == "c is paused\n", "pause")
    ok(cli(s, "webhook", "resume", "c")[1] == "c is active\n", "resume")
    receiver.failing = True
    rc, text, _ = cli(s, "webhook", "test", "c")
    ok(rc == 1 and text.startswith("not delivered") and "500" in text, "a test that fails exits 1")
    receiver.failing = False
    for words in (("add", "d", "--url", url, "--label", "north"), ("add", "d"), ("add", "d", "--url", "ftp://x/")):
        ok(cli(s, "webhook", *words)[0] == 2, f"wrong use: {' '.join(words)}")
    ok(cli(s, "webhook", "remove", "c")[0] == 0 and cli(s, "webhook", "show", "c")[0] == 2, "removed, and gone")


class Follower:
    """assay events --follow --json, read as it comes."""

    def __init__(self, s, *words):
        self.proc = subprocess.Popen(cli_words(s, "events", "--follow", "--json", *words), stdout=subprocess.PIPE, text=True)
        self.docs = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.proc.stdout:
            self.docs.append(json.loads(line))

    def names(self):
        return [d["data"].get("name") for d in list(self.docs)]


def follow(s, ready):
    """Each event once and in order, whatever is killed meanwhile."""
    newest = json.loads(cli(s, "events", "--json")[1].splitlines()[-1])["id"]
    all_of, hosts = Follower(s, "--since", str(newest)), Follower(s, "--since", "0", "--type", "host")
    s.call("POST", "/api/v1/hosts", s.admin, {"name": "e1"})
    ok(until(lambda: "e1" in all_of.names() and "e1" in hosts.names()), "assay events --follow tells of a host")
    for victim, name in (("engine", "e2"), ("front", "e3")):
        pid = child(s, victim)
        os.kill(pid, signal.SIGKILL)
        ok(until(lambda: child(s, victim) not in (None, pid) and ready()), f"{victim} is back after kill -9")
        s.call("POST", "/api/v1/hosts", s.admin, {"name": name})
    ok(until(lambda: "e3" in all_of.names() and "e3" in hosts.names()), "and after that of others")
    once = json.loads("[" + ",".join(cli(s, "events", "--json", "--since", str(newest))[1].splitlines()) + "]")
    until(lambda: len(all_of.docs) >= len(once))
    ok(all_of.docs[:len(once)] == once and len(once) >= 3, "each event once, as assay events without --follow tells them")
    ids = [d["id"] for d in all_of.docs]
    ok(ids == sorted(set(ids)), "ids increase")
    ok({d["type"] for d in hosts.docs} <= {"host", "gap"}, "--type chooses")
    for f in (all_of, hosts):
        f.proc.send_signal(signal.SIGINT)
        ok(f.proc.wait(30) == 0, "Ctrl-C ends it, exit 0")
    rc, text, _ = cli(s, "events", "--host", "e2")
    ok(rc == 0 and text and all(" e2 " in line for line in text.splitlines()), "--host chooses, one line an event")
    ok(cli(s, "events", "--host", "nobody")[0] == 2 and cli(s, "events", "--since", "x")[0] == 2, "wrong use exits 2")


def check_page():
    """docs/events.md has a row for each kind that the source emits, and no other."""
    emitted = set()
    for folder, _, files in os.walk(os.path.join(SRC, "src/prog/assayd")):
        for f in files:
            if f.endswith(".c"):
                text = open(os.path.join(folder, f)).read()
                emitted |= set(re.findall(r'ay_event_(?:emit|announce|host_new)\(\s*[\w>-]+,\s*"([\w.]+)"', text))
                emitted |= set(re.findall(r'\.kind = "([\w.]+)"', text)) if "ay_event_row" in text else set()
                emitted |= set(re.findall(r'\b(?:pending|submit)\(g, "([\w.]+)"', text)) if f == "events.c" else set()
    page = open(os.path.join(SRC, "docs/events.md")).read()
    rows = set(re.findall(r"^\| `([\w.]+)` \|", page, re.M))
    ok(len(emitted) > 15 and emitted == rows, f"docs/events.md has each type: {sorted(emitted ^ rows)}")


def later(s, *words):
    """A request in a thread of its own; wait for it by the second thing given."""
    got = []
    t = threading.Thread(target=lambda: got.append(s.call(*words)))
    t.start()
    return got, t.join


def removed_meanwhile(s, url):
    """keeper stands still while a secret is made: what is done to the webhook meanwhile."""
    s.call("POST", "/api/v1/webhooks", s.admin, {"name": "x", "url": url})
    keeper = child(s, "keeper")
    os.kill(keeper, signal.SIGSTOP)
    asked = [later(s, "POST", "/api/v1/webhooks/x/rotate", s.admin) for _ in range(2)]
    answers = lambda: sorted(got[0][0] for got, _ in asked if got)  # noqa: E731
    ok(until(lambda: answers() == [503]), "its secret is being made: one of two that ask waits")
    ok(s.call("DELETE", "/api/v1/webhooks/x", s.admin)[0] == 204, "it is removed meanwhile")
    os.kill(keeper, signal.SIGCONT)
    for _, join in asked:
        join()
    ok(answers() == [404, 503], f"and no secret of it is told ({answers()})")
    os.kill(keeper, signal.SIGSTOP)
    got, join = later(s, "POST", "/api/v1/webhooks", s.admin, {"name": "y", "url": url})
    ok(until(lambda: s.call("DELETE", "/api/v1/webhooks/y", s.admin)[0] == 503), "one that is being made cannot be removed")
    os.kill(keeper, signal.SIGCONT)
    join()
    ok(got[0][0] == 201 and s.call("DELETE", "/api/v1/webhooks/y", s.admin)[0] == 204, "but then it can")


def main():
    s = api.Server()
    receiver = None
    try:
        with open(s.conf, "a") as f:
            f.write("outgoing_allow = 127.0.0.1\n")
        s.proc.send_signal(signal.SIGTERM)
        s.proc.wait()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=r", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                        s.dir + "/r.key", "-out", s.dir + "/r.pem"], check=True, capture_output=True)
        s.proc = subprocess.Popen([api.ASSAYD, "--config", s.conf], stdout=s.log, stderr=s.log)
        endpoints = os.path.join(s.state, "endpoints.json")

        def ready():
            try:
                s.addr, port = json.load(open(endpoints))["api"].rsplit(":", 1)
                s.port = int(port)
                return s.call("GET", "/readyz")[0] == 200
            except (OSError, ValueError, http.client.HTTPException):
                return False
        ok(until(ready), "the server runs")
        receiver = Receiver(s.dir)
        url = f"https://127.0.0.1:{receiver.port}/hook"
        ca = open(s.dir + "/r.pem").read()
        st, made = status_and_body(s.call("POST", "/api/v1/webhooks", s.admin, {"name": "w", "url": url, "ca": ca, "types": ["host"]}))
        ok(st == 201 and made["secret"].startswith("whsec_"), "a webhook is made, and its secret is told")
        ok("secret" not in s.call("GET", "/api/v1/webhooks/w", s.admin)[1], "and never again")
        raw = open(os.path.join(s.state, "assay.db"), "rb").read() + open(os.path.join(s.state, "assay.db-wal"), "rb").read()
        ok(made["secret"].encode() not in raw, "the store does not have it")
        t = s.call("POST", "/api/v1/webhooks/w/test", s.admin)[1]
        ok(t.get("delivered") is True and len(receiver.got) == 1, "a test is delivered")

        s.call("POST", "/api/v1/hosts", s.admin, {"name": "one"})
        ok(until(lambda: "one" in receiver.names()), "an event is delivered")
        headers, body = receiver.got[-1]
        good = example["is_genuine"]
        ok(good(made["secret"], headers, body), "the example of the documentation takes it")
        ok(openssl_says(made["secret"], headers, body), "openssl computes the same signature")
        ok(not good(made["secret"], headers, body + b" "), "a changed body is refused")
        ok(not good(made["secret"], headers, body, now=time.time() + 1000), "an old delivery is refused")
        ok(headers["Assay-Delivery"] == f"{made['id']}-{json.loads(body)['id']}", "the delivery has its id")

        receiver.failing = True
        s.call("POST", "/api/v1/hosts", s.admin, {"name": "two"})
        ok(until(lambda: receiver.refused > 0), "a receiver that fails is tried")
        for victim in ("courier", "engine"):
            pid = child(s, victim)
            if ok(pid is not None, f"{victim} runs"):
                os.kill(pid, signal.SIGKILL)
            ok(until(lambda: child(s, victim) not in (None, pid) and ready()), f"{victim} is started anew after kill -9")
        s.call("POST", "/api/v1/hosts", s.admin, {"name": "three"})
        receiver.failing = False
        ok(until(lambda: "three" in receiver.names()), "after that the events come")
        hosts = [n for n in receiver.names() if n in ("one", "two", "three")]
        ok(list(dict.fromkeys(hosts)) == ["one", "two", "three"], "all of them, in their order")

        port = receiver.port
        receiver.stop()
        s.call("POST", "/api/v1/hosts", s.admin, {"name": "four"})
        ok(until(lambda: s.call("GET", "/api/v1/webhooks/w", s.admin)[1]["failures"] > 0),
           "a receiver that is gone is seen in its state")
        receiver = Receiver(s.dir, port)
        ok(until(lambda: "four" in receiver.names()), "and has its events when it is back")

        s.call("POST", "/api/v1/webhooks/w/pause", s.admin)
        s.call("POST", "/api/v1/hosts", s.admin, {"name": "five"})
        st, again = status_and_body(s.call("POST", "/api/v1/webhooks/w/rotate", s.admin))
        ok(st == 200 and again["secret"] != made["secret"], "a new secret")
        ok("five" not in receiver.names(), "paused")
        s.call("POST", "/api/v1/webhooks/w/resume", s.admin)
        ok(until(lambda: "five" in receiver.names()), "resumed")
        headers, body = receiver.got[-1]
        ok(good(made["secret"], headers, body) and good(again["secret"], headers, body), "both secrets sign for a day")

        for bad in ("https://169.254.169.254/latest", "https://[::1]:1/", "https://10.1/", "file:///etc/passwd",
                    "http://127.0.0.1/", "https://u:p@127.0.0.1/"):
            st, b = status_and_body(s.call("POST", "/api/v1/webhooks", s.admin, {"name": "bad", "url": bad}))
            if st == 201:
                t = s.call("POST", "/api/v1/webhooks/bad/test", s.admin)[1]
                ok(t["delivered"] is False and t["text"].startswith("OUTGOING_ADDRESS"), f"not called: {bad}")
                s.call("DELETE", "/api/v1/webhooks/bad", s.admin)
            else:
                ok(st == 400, f"not taken: {bad}")
        ok(s.call("DELETE", "/api/v1/webhooks/w", s.admin)[0] == 204, "removed")
        removed_meanwhile(s, url)
        by_cli(s, receiver, url)
        follow(s, ready)
        check_page()
        n = len(receiver.got)
        s.call("POST", "/api/v1/hosts", s.admin, {"name": "six"})
        ok(s.call("GET", "/api/v1/webhooks", s.admin)[1]["items"] == [], "and gone")
        ok(len(receiver.got) == n, "nothing comes any more")
    finally:
        if receiver:
            receiver.stop()
        s.proc.send_signal(signal.SIGTERM)
        s.proc.wait()
        if os.environ.get("AY_KEEP"):
            print("# kept", s.dir)
        else:
            subprocess.run(["rm", "-rf", s.dir], check=False)
    print(f"1..{api.count}")
    return 1 if api.failed else 0


if __name__ == "__main__":
    sys.exit(main())

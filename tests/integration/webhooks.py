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
        by_cli(s, receiver, url)
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

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""client.py ADDR:PORT ROOT.pem TOKEN-FILE WHAT [ARGUMENTS]: load on the interfaces of a server, for tools/make-bench. What
was done is checked, and printed as JSON: {"n": N, "p50_ms": .., "p99_ms": ..}.

    poll HOSTS N      PollHosts about HOSTS hosts: those that there are, and then hosts nobody knows
    list HOSTS N      GET /hosts in pages of 100 from the first to the last of HOSTS; n counts hosts, the times are a page's
    soap HOST N       GetTrust about one host
    assertion HOST N  assertions about one host; each for another audience with a third argument `fresh`
    events N M        M events, each told to N readers of GET /events before the next happens; n counts what was told
"""
import http.client
import json
import selectors
import ssl
import sys
import time

addr, root, token_file, what, *args = sys.argv[1:]
host, port = addr.rsplit(":", 1)
tls = ssl.create_default_context(cafile=root)
token = open(token_file, encoding="ascii").read().strip()
conn = http.client.HTTPSConnection(host, int(port), context=tls, timeout=300)
times = []


def ask(method, path, body=None, content_type="application/json", status=(200,)):
    headers = {"Authorization": "Bearer " + token}
    if body is not None:
        headers["Content-Type"] = content_type
    start = time.monotonic()
    conn.request(method, path, body, headers)
    r = conn.getresponse()
    data = r.read()
    times.append(time.monotonic() - start)
    if r.status not in status:
        sys.exit(f"{method} {path}: {r.status} {data[:200]}")
    return data


def poll(wanted, n):
    names = [h["HostName"] for h in json.loads(ask("GET", "/AttestationService/resources/hosts"))][:wanted]
    names += [f"nobody-{i}" for i in range(wanted - len(names))]
    body = json.dumps({"count": len(names), "hosts": names})
    times.clear()
    for _ in range(n):
        if len(json.loads(ask("POST", "/OpenAttestationWebServices/V1.0/PollHosts", body))["hosts"]) != wanted:
            sys.exit("not all were answered")
    return n


def list_hosts(wanted, n):
    seen = 0
    for _ in range(n):
        path, here = "/api/v1/hosts?limit=100", 0
        while path:
            page = json.loads(ask("GET", path))
            here += len(page["items"])
            path = page["next"] and "/api/v1/hosts?limit=100&cursor=" + page["next"]
        if here != wanted:
            sys.exit(f"{here} hosts of {wanted} were listed")
        seen += here
    return seen


def soap(name, n):
    body = ("<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body><GetTrust xmlns='urn:assay:soap:1'>"
            f"<host>{name}</host></GetTrust></s:Body></s:Envelope>")
    for _ in range(n):
        if f"<name>{name}</name>".encode() not in ask("POST", "/soap/v1", body, "text/xml"):
            sys.exit("another answer")
    return n


def assertion(name, n, fresh=False):
    for i in range(n):
        data = ask("GET", f"/api/v1/hosts/{name}/assertion?profile=ear&audience=a{i if fresh else ''}")
        if data.count(b".") != 2:
            sys.exit("no JWT")
    return n


MARK = b"event: host\n"


class Reader:
    """Of the stream of events: counts what is told about hosts."""

    def __init__(self):
        self.conn = http.client.HTTPSConnection(host, int(port), context=tls, timeout=60)
        self.conn.request("GET", "/api/v1/events?type=host", None, {"Authorization": "Bearer " + token})
        self.sock, self.tail = self.conn.sock, b""
        while b": from now on" not in self.tail:
            self.tail += self.sock.recv(65536)
        self.sock.setblocking(False)

    def read(self):
        """How many more there are."""
        n = 0
        try:
            while True:
                data = self.sock.recv(65536)
                if not data:
                    sys.exit("a stream was cut")
                n += (self.tail + data).count(MARK)
                self.tail = (self.tail + data)[1 - len(MARK):]
        except ssl.SSLWantReadError:
            return n


def events(n, m):
    all_of = selectors.DefaultSelector()
    for _ in range(n):
        r = Reader()
        all_of.register(r.sock, selectors.EVENT_READ, r)
    print("connected", file=sys.stderr, flush=True)
    sys.stdin.readline()  # the caller looks at the clock
    for i in range(m):
        ask("POST" if i % 2 == 0 else "DELETE", "/api/v1/hosts" + ("/bench-events" if i % 2 else ""),
            None if i % 2 else json.dumps({"name": "bench-events"}), status=(201, 204, 200))
        left = n
        while left > 0:
            ready = all_of.select(60)
            if not ready:
                sys.exit("an event is missing")
            left -= sum(key.data.read() for key, _ in ready)
    return n * m


run = {"poll": lambda h, n: poll(int(h), int(n)), "list": lambda h, n: list_hosts(int(h), int(n)), "soap": lambda h, n: soap(h, int(n)),
       "assertion": lambda h, n, fresh="": assertion(h, int(n), fresh != ""), "events": lambda n, m: events(int(n), int(m))}
done = run[what](*args)
times.sort()
print(json.dumps({"n": done, "p50_ms": round(times[len(times) // 2] * 1000, 3), "p99_ms": round(times[len(times) * 99 // 100] * 1000, 3)}))

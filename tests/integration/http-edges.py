#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The edges of HTTP on a real assayd: framing, limits, slow and silent clients, thousands of half-open
connections beside working ones, clients that leave, a stop with work under way. TAP."""
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

SRC = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ASSAYD = os.path.join(os.environ.get("AY_BUILD", os.path.join(SRC, "build")), "src/prog/assayd/assayd")
DEADLINE = 3.0
count = failed = 0


def ok(cond, what):
    global count, failed
    count += 1
    failed += not cond
    print(f"{'ok' if cond else 'not ok'} {count} - {what}", flush=True)


DIR = tempfile.mkdtemp(prefix="ay-http-")
CONF = os.path.join(DIR, "assayd.conf")
with open(CONF, "w") as f:
    f.write(f"state_dir = {DIR}/state\nrun_dir = {DIR}/run\nlisten_api = 127.0.0.1:0\n"
            "listen_agents = 127.0.0.1:0\napi_deadline = 3s\napi_keep_alive = 3s\n")
subprocess.run([ASSAYD, "init", "--config", CONF], check=True, stdout=subprocess.DEVNULL)
LOG = open(os.path.join(DIR, "log"), "w")
SERVER = subprocess.Popen([ASSAYD, "--config", CONF], stdout=LOG, stderr=LOG)
ENDPOINTS = os.path.join(DIR, "state/endpoints.json")
for _ in range(300):
    if os.path.exists(ENDPOINTS):
        break
    time.sleep(0.1)
PORT = int(json.load(open(ENDPOINTS))["api"].rsplit(":", 1)[1])
ROOT = os.path.join(DIR, "state/root.pem")
TOKEN = open(os.path.join(DIR, "state/admin.token")).read().strip().encode()
CTX = ssl.create_default_context(cafile=ROOT)


def dial():
    s = socket.create_connection(("127.0.0.1", PORT), timeout=20)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return CTX.wrap_socket(s, server_hostname="localhost")


def recv(s, wait=3.0):
    data = b""
    s.settimeout(wait)
    try:
        while True:
            got = s.recv(65536)
            if not got:
                return data + b"<EOF>"
            data += got
            s.settimeout(0.2)
    except (TimeoutError, socket.timeout):
        return data
    except OSError as e:
        return data + b"<" + type(e).__name__.encode() + b">"


def ask(raw, wait=3.0):
    s = dial()
    try:
        s.sendall(raw)
    except OSError:
        pass
    got = recv(s, wait)
    s.close()
    return got


def status(got):
    return int(got[9:12]) if got.startswith(b"HTTP/1.1 ") else 0


def is_alive():
    return status(ask(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")) == 200


AUTH = b"Authorization: Bearer " + TOKEN + b"\r\n"
G = b"GET /api/v1/hosts HTTP/1.1\r\nHost: x\r\n" + AUTH
P = b"POST /api/v1/hosts HTTP/1.1\r\nHost: x\r\n" + AUTH
N = b'{"name":"edge"}'
REFUSED = (400, 0)  # 0: cut without a word
CASES = {
    "plain": (G + b"\r\n", (200,)),
    "header of 8 KiB": (G + b"X: " + b"a" * 8000 + b"\r\n\r\n", (200,)),
    "header of 20 KiB": (G + b"X: " + b"a" * 20000 + b"\r\n\r\n", (431,)),
    "header of 100 KiB": (G + b"X: " + b"a" * 100000 + b"\r\n\r\n", REFUSED),
    "request line of 20 KiB": (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", (414,)),
    "request line of 100 KiB": (b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", REFUSED),
    "2000 headers": (G + b"X: a\r\n" * 2000 + b"\r\n", (431,)),
    "body above the limit by length": (P + b"Content-Length: 900000000\r\n\r\n", (413, 0)),
    "chunked": (P + b"Transfer-Encoding: chunked\r\n\r\nf\r\n" + N + b"\r\n0\r\n\r\n", REFUSED),
    "huge chunk": (P + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", (400, 413, 0)),
    "negative chunk": (P + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n", (400, 413, 0)),
    "chunk 0x5": (P + b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n", REFUSED),
    "length and chunked": (P + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", REFUSED),
    "two lengths": (P + b"Content-Length: 15\r\nContent-Length: 16\r\n\r\n" + N + b"x", REFUSED),
    "length +15": (P + b"Content-Length: +15\r\n\r\n" + N, REFUSED),
    "length -1": (P + b"Content-Length: -1\r\n\r\n", REFUSED),
    "length 15x": (P + b"Content-Length: 15x\r\n\r\n" + N, REFUSED),
    "unknown coding": (P + b"Transfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", REFUSED),
    "space before the colon": (P + b"Content-Length : 15\r\n\r\n" + N, REFUSED),
    "no Host": (b"GET /api/v1/hosts HTTP/1.1\r\n" + AUTH + b"\r\n", REFUSED),
    "two Hosts": (G + b"Host: y\r\n\r\n", REFUSED),
    "HTTP/2.0": (b"GET /api/v1/hosts HTTP/2.0\r\n\r\n", REFUSED),
    "HTTP/9.9": (b"GET /api/v1/hosts HTTP/9.9\r\nHost: x\r\n\r\n", REFUSED),
    "HEAD": (b"HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n", (200,)),
    "TRACE": (b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", (400, 405, 501)),
    "unknown method": (b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", (400, 501)),
    "CONNECT": (b"CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n", (400, 501)),
    "OPTIONS *": (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", REFUSED),
    "absolute target": (b"GET http://evil/api/v1/hosts HTTP/1.1\r\nHost: x\r\n" + AUTH + b"\r\n", REFUSED),
    "%2e%2e and %00": (b"GET /api/%2e%2e/v1/hosts%00x HTTP/1.1\r\nHost: x\r\n" + AUTH + b"\r\n", (400, 404)),
    "//path": (b"GET //api/v1/hosts HTTP/1.1\r\nHost: x\r\n" + AUTH + b"\r\n", (400, 404)),
    "garbage": (b"\x16\x03\x01\x02\x00garbage\r\n\r\n", (400, 501, 0)),
    "GET with a body": (G + b"Content-Length: 5\r\n\r\nhello", (200, 400)),
}


def t_raw():
    for name, (raw, want) in CASES.items():
        got = ask(raw)
        ok(status(got) in want, f"{name}: {status(got)}")
    got = ask((G + b"\r\n") * 2)
    ok(got.count(b"HTTP/1.1 200") == 2, "two pipelined requests get two answers")
    got = ask(P + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    ok(got.startswith(b"HTTP/1.1 100"), "Expect: 100-continue")
    hosts = json.loads(ask(G + b"Connection: close\r\n\r\n").split(b"\r\n\r\n", 1)[1].split(b"<EOF>")[0])
    ok(hosts["items"] == [], "none of the refused requests made a host")


def t_negotiated():
    """What a client may ask of a path, and in which forms."""
    o = b" HTTP/1.1\r\nHost: x\r\n"
    allow = {"GET", "HEAD", "POST", "OPTIONS"}
    for method, want, raw in (("OPTIONS", 204, b"OPTIONS /api/v1/hosts" + o + b"\r\n"),
                              ("PUT", 405, b"PUT /api/v1/hosts" + o + AUTH + b"\r\n")):
        got = ask(raw)
        lines = dict(x.split(b": ", 1) for x in got.split(b"\r\n\r\n")[0].lower().split(b"\r\n")[1:])
        told = set(lines.get(b"allow", b"").decode().upper().split(", "))
        ok(status(got) == want and told == allow, f"{method}: {status(got)} with Allow: {', '.join(sorted(told))}")
    ok(status(ask(b"OPTIONS /api/v1/nothing" + o + b"\r\n")) == 404, "OPTIONS of what is not there: 404")
    for accept, want in ((b"text/csv", 406), (b"application/json;q=0, */*", 406), (b"*/*;q=0.000", 406),
                         (b"application/json", 200), (b"text/html, */*;q=0.1", 200), (b"Application/*", 200),
                         (b"*/*;q=0, application/json;v=1", 200), (b"", 200), (b"text/html,application/xml;q=0.9", 406)):
        got = status(ask(G + b"Accept: " + accept + b"\r\n\r\n"))
        ok(got == want, f"Accept: {accept.decode()}: {got}")
    got = ask(P + b"Accept: text/csv\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n" + N)
    ok(status(got) == 406 and b"NOT_ACCEPTABLE" in got, "406 before anything is done")
    got = status(ask(P + b"Content-Type: text/csv\r\nContent-Length: 15\r\n\r\n" + N))
    ok(got == 415, f"a body that is no JSON: {got}")
    hosts = ask(G + b"\r\n")
    ok(b'"items":[]' in hosts, "no host was made by that")


def life(s, step=None, limit=15):
    """Seconds until the server ends the connection, feeding step every half second."""
    t = time.time()
    s.settimeout(0.5)
    while time.time() - t < limit:
        try:
            if step:
                s.send(step)
            if s.recv(4096) == b"":
                return time.time() - t
        except (TimeoutError, socket.timeout):
            pass
        except OSError:
            return time.time() - t
    return limit


def t_slow():
    ends = DEADLINE + 3
    ok(life(socket.create_connection(("127.0.0.1", PORT))) < ends, "silent TCP is cut")
    ok(life(dial()) < ends, "silent TLS is cut")
    s = dial()
    s.sendall(b"GET /healthz HTTP/1.1\r\n")
    ok(life(s, b"X: a\r\n") < ends, "dripping header is cut")
    s = dial()
    s.sendall(P + b"Content-Length: 100000\r\n\r\n")
    ok(life(s, b"a") < ends, "dripping body is cut")
    s = dial()
    s.sendall(G + b"\r\n")
    recv(s, 1)
    ok(life(s) < ends, "idle keep-alive is cut")


def t_half_open():
    hello = bytes.fromhex("16030100c8010000c40303") + b"a" * 40
    socks = []
    for i in range(2000):
        s = socket.create_connection(("127.0.0.1", PORT), timeout=20)
        if i % 2:
            s.send(hello)
        socks.append(s)
    t = time.time()
    ok(is_alive(), "2,000 half-open connections: a request meanwhile is answered")
    ok(time.time() - t < 2, f"... in {time.time() - t:.3f} s")
    time.sleep(DEADLINE + 2)
    cut = 0
    for s in socks:
        s.setblocking(False)
        try:
            cut += s.recv(100) == b""
        except BlockingIOError:
            pass
        except OSError:
            cut += 1
        s.close()
    ok(cut >= 2000, f"all of them were cut at the deadline ({cut})")


def t_gone():
    for i in range(200):
        s = dial()
        s.sendall(G + b"\r\n")
        if i % 2:
            s.close()
        else:
            os.close(s.detach())
    ok(is_alive(), "200 clients that left before their answer")
    for i in range(100):
        s = dial()
        s.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: x\r\n" + AUTH + b"\r\n")
        if i % 2:
            recv(s, 0.02)
        os.close(s.detach())
    ok(is_alive(), "100 subscribers that left")


def t_plain():
    s = socket.create_connection(("127.0.0.1", PORT), timeout=5)
    s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    got = b""
    try:
        got = s.recv(100)
    except OSError:
        pass
    ok(b"HTTP/1.1 200" not in got, "no answer without TLS")
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        ctx = ssl.create_default_context(cafile=ROOT)
        try:
            ctx.minimum_version = ctx.maximum_version = version
            ctx.wrap_socket(socket.create_connection(("127.0.0.1", PORT)), server_hostname="localhost")
            ok(False, f"{version.name} is refused")
        except (OSError, ValueError):
            ok(True, f"{version.name} is refused")


def t_shutdown():
    stream, idle = dial(), dial()
    stream.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: x\r\n" + AUTH + b"\r\n")
    begun = recv(stream, 2)
    t = time.time()
    SERVER.send_signal(signal.SIGTERM)
    ok(SERVER.wait(timeout=12) == 0, "clean stop")
    ok(time.time() - t < 10, f"... within 10 s ({time.time() - t:.1f} s)")
    ok(begun == b"" or status(begun) == 200, "a stream was open")
    ok(recv(idle, 2).endswith(b">"), "idle connections are closed")


try:
    for test in (t_raw, t_negotiated, t_slow, t_half_open, t_gone, t_plain, t_shutdown):
        test()
finally:
    if SERVER.poll() is None:
        SERVER.kill()
    shutil.rmtree(DIR, ignore_errors=True)
print(f"1..{count}")
sys.exit(1 if failed else 0)

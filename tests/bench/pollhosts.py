#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pollhosts.py ADDR:PORT ROOT.pem TOKEN-FILE HOSTS SECONDS: asks PollHosts about HOSTS hosts as long as SECONDS, over one
connection: those that there are, and then hosts nobody knows. Prints how many requests were answered."""
import http.client
import json
import ssl
import sys
import time

addr, root, token_file, wanted, seconds = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5])
host, port = addr.rsplit(":", 1)
c = http.client.HTTPSConnection(host, int(port), context=ssl.create_default_context(cafile=root), timeout=300)
headers = {"Authorization": "Bearer " + open(token_file).read().strip(), "Content-Type": "application/json", "Accept": "application/json"}


def ask(method, path, body=None):
    c.request(method, path, body, headers)
    r = c.getresponse()
    data = r.read()
    if r.status != 200:
        sys.exit(f"{path}: {r.status} {data[:200]}")
    return data


names = [h["HostName"] for h in json.loads(ask("GET", "/AttestationService/resources/hosts"))][:wanted]
names += [f"nobody-{i}" for i in range(wanted - len(names))]
body = json.dumps({"count": len(names), "hosts": names})
n, end = 0, time.monotonic() + seconds
while time.monotonic() < end:
    if len(json.loads(ask("POST", "/OpenAttestationWebServices/V1.0/PollHosts", body))["hosts"]) != wanted:
        sys.exit("not all were answered")
    n += 1
print(n)

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""drive.py API CA TOKEN-FILE OUT-DIR: asks a server that has the hosts a and b (33-rest.sh) for everything that can be
asked, and writes down what it answered: openapi.json and exchanges.ndjson for contract.mjs."""
import http.client
import json
import re
import ssl
import sys

api, ca, token_file, out = sys.argv[1:]
token = open(token_file).read().strip()
host, port = api.rsplit(":", 1)
conn = http.client.HTTPSConnection(host, int(port), context=ssl.create_default_context(cafile=ca), timeout=60)
log = []


def ask(method, path, values=None, body=None, query="", headers=None, accept=None):
    """path: of the document; what stands for {..} comes from values."""
    real = re.sub(r"\{(\w+)\}", lambda m: (values or {})[m[1]], path)
    h = {"Authorization": "Bearer " + token, **(headers or {})}
    if body is not None:
        h["Content-Type"] = "application/json"
    if accept:
        h["Accept"] = accept
    conn.request(method, real + query, None if body is None else json.dumps(body), h)
    r = conn.getresponse()
    kind = r.headers.get("content-type", "")
    if kind.startswith("text/event-stream"):
        conn.close()
        text = b""
    else:
        text = r.read()
    try:
        value = json.loads(text) if "json" in kind else (text.decode("latin-1") if text else None)
    except ValueError:
        value = text.decode("latin-1")
    log.append({"method": method, "path": path, "status": r.status, "type": kind, "body": value,
                "headers": {k.lower(): v for k, v in r.headers.items()}})
    return value


V = "/api/v1"
doc = ask("GET", V + "/openapi.json")
json.dump(doc, open(f"{out}/openapi.json", "w"))
report = ask("GET", V + "/hosts/{host}/report", {"host": "a"})
ref = ask("GET", V + "/reference-sets")["items"][0]
added = ask("POST", V + "/hosts", body={"name": "c", "labels": {"pool": "x"}})
ask("POST", V + "/hosts", body={"name": "c"})
ask("PATCH", V + "/hosts/{host}", {"host": "c"}, {"labels": {"pool": "y"}})
ask("PATCH", V + "/hosts/{host}", {"host": "c"}, {"labels": {}}, headers={"If-Match": '"x"'})
ask("POST", V + "/hosts/{host}/attest", {"host": "a"}, query="?wait=60")
ask("POST", V + "/hosts/{host}/attest", {"host": "a"})
ask("POST", V + "/hosts/{host}/acknowledge", {"host": "b"}, {"reason": "seen"})
for action in ("attest", "change"):
    ask("POST", f"{V}/hosts/bulk/{action}", body={"hosts": ["a", "none"]})
ask("POST", V + "/hosts/bulk/acknowledge", body={"hosts": ["b"], "reason": "seen"})
ask("POST", V + "/hosts/bulk/remove", body={"hosts": ["none"]})
enrol = ask("POST", V + "/tokens", body={}, headers={"Idempotency-Key": "t1"})
ask("POST", V + "/tokens", body={}, headers={"Idempotency-Key": "t1"})
ask("POST", V + "/users", body={"name": "eve", "role": "viewer"})
key = ask("POST", V + "/users/{user}/tokens", {"user": "eve"}, {})
ask("PATCH", V + "/users/{user}", {"user": "eve"}, {"role": "auditor"})
learned = ask("POST", V + "/reference-sets/learn", body={"host": "a", "name": "second"})
run = ask("POST", V + "/reference-sets/{set}/what-if", {"set": learned["id"]}, {})
ask("POST", V + "/reference-sets/{set}/activate", {"set": learned["id"]}, {})
ask("POST", V + "/reference-sets/{set}/revoke", {"set": learned["id"]}, {"force": True})
hook = ask("POST", V + "/webhooks", body={"name": "siem", "url": "https://siem.example.org/events"})
ask("POST", V + "/users/{user}/tokens/{token}/signing-key", {"user": "eve", "token": key["id"]})
ask("POST", V + "/verify/nonce")
ask("POST", V + "/policies/lint", body={"policy": {}})
ask("POST", V + "/ek-approvals", body={"hash": "00" * 32})
names = {"host": "a", "report": report["id"], "set": ref["id"], "other": learned["id"], "policy": "default", "run": run["id"],
         "user": "eve", "token": enrol["id"], "webhook": hook["id"], "digest": "00" * 32, "number": "0", "seq": "0", "id": "0"}
queries = {V + "/hosts": "?facets=verdict,cause,label.pool", V + "/hosts/{host}/diff": "?with=b",
           V + "/audit/consistency": "?from=1&to=2", V + "/audit/proof": "?leaf=0&size=1"}
for path, ops in doc["paths"].items():
    wanted = set(re.findall(r"\{(\w+)\}", path))
    if "get" in ops and wanted <= set(names):
        ask("GET", path, names, query=queries.get(path, ""))
tag = [x for x in log if x["path"] == V + "/hosts/{host}" and x["method"] == "GET"][-1]["headers"]["etag"]
ask("GET", V + "/hosts/{host}", {"host": "a"}, headers={"If-None-Match": tag})
ask("GET", V + "/hosts", query="?limit=0")
ask("GET", V + "/hosts/{host}", {"host": "nobody"})
ask("DELETE", V + "/webhooks/{webhook}", {"webhook": hook["id"]})
ask("DELETE", V + "/what-if/{run}", {"run": run["id"]})
ask("DELETE", V + "/tokens/{token}", {"token": enrol["id"]})
ask("DELETE", V + "/users/{user}/tokens/{token}", {"user": "eve", "token": key["id"]})
ask("DELETE", V + "/hosts/{host}", {"host": added["id"]})
with open(f"{out}/exchanges.ndjson", "w") as f:
    f.writelines(json.dumps(x) + "\n" for x in log)

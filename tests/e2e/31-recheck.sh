#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Receipts: stored verdicts are derived again without the server, and what was altered is found.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need swtpm swtpm_setup tpm2 jq curl python3

server_conf "attest_interval = 1h" "lease = 2h"
server_init
tpm_maker lab
host_new a && host_boot a
host_new b && host_boot b --change kernel
trust_maker lab lab
must_start
for host in a b; do
  check "$host: enrolled" enrol $host
  agent_start $host
  check "$host: answers" wait_for 15 answers $host
done
check "before any policy: unknown" eval 'assay host receipt a --out "$D/first" && assay recheck "$D/first"'
check "learned" assay reference learn a --name ref --activate
recheck_all() { # every report in the history of a host
  local id
  for id in $(rest GET "/hosts/$1/reports?limit=100" | jq -r '.items[].id'); do
    assay host receipt "$1" --report "$id" --out "$D/receipt" || return 1
    "$ASSAY" recheck "$D/receipt" || { cp "$D/receipt" "$D/bad-receipt"; "$ASSAY" recheck "$D/receipt" --json; return 1; }
    n=$((${n:-0} + 1))
  done
}
assay host attest a >/dev/null 2>&1
assay host attest b >/dev/null 2>&1
check "a: trusted, the receipt says the same" eval 'assay host receipt a --out "$D/good" && "$ASSAY" recheck "$D/good" --json | jq -e ".same and .certified and .verdict == \"trusted\""'
check "b: untrusted, the receipt says the same" eval 'assay host receipt b --out "$D/badhost" && "$ASSAY" recheck "$D/badhost" --json | jq -e ".same and .verdict == \"untrusted\""'
host_ima_more a 20 5
assay host attest a >/dev/null 2>&1
host_ima_more a 25 3
assay host attest a >/dev/null 2>&1
assay host attest a >/dev/null 2>&1
cp "$D/a/eventlog" "$D/saved"
python3 -c "
d = bytearray(open('$D/a/eventlog', 'rb').read())
i = d.index(b'grub_cmd: insmod ext2'); d[i - 10] ^= 1
open('$D/a/eventlog', 'wb').write(d)"
assay host attest a >/dev/null 2>&1
head -c 200 "$D/saved" >"$D/a/eventlog"
assay host attest a >/dev/null 2>&1
cp "$D/saved" "$D/a/eventlog"
assay host attest a >/dev/null 2>&1
agent_stop a
host_power_off a
host_boot a
agent_start a
check "a boots again" wait_for 20 eval 'assay host attest a && verdict_is a trusted'
check "a: each report of its history" recheck_all a
check "b: each report of its history" recheck_all b

# ---- altered receipts
spki=$(openssl x509 -in <(jq -r '.aik.chain[-1]' "$D/good" | base64 -d) -inform DER -pubkey -noout | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1)
check "with the CA's root pinned" "$ASSAY" recheck "$D/good" --ca-root "$spki"
refuses "with another root pinned" "$ASSAY" recheck "$D/good" --ca-root "$(printf '%064d' 1)"
cat >"$D/alter.py" <<'PY'
# Every leaf of the receipt altered by one octet or digit, once with the old seal and once sealed again as an attacker would.
import base64, copy, hashlib, json, subprocess, sys
good, assay, work = json.load(open(sys.argv[1])), sys.argv[2], sys.argv[3]
def leaves(o, path=()):
    if isinstance(o, dict):
        for k in o: yield from leaves(o[k], path + (k,))
    elif isinstance(o, list):
        for i in range(min(len(o), 2)): yield from leaves(o[i], path + (i,))
    else: yield path
def flip(v):
    if isinstance(v, bool): return not v
    if isinstance(v, int): return v + 1
    if v is None: return "x"
    try:
        b = bytearray(base64.b64decode(v, validate=True))
        if len(b) > 15: b[len(b) // 2] ^= 1; return base64.b64encode(b).decode()
    except Exception: pass
    return (v[:-1] + ("0" if v[-1:] != "0" else "1")) if v else "x"
def seal(o):
    o = {k: v for k, v in o.items() if k != "sha256"}
    return hashlib.sha256(json.dumps(o, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()
assert seal(good) == good["sha256"], "the seal is over the canonical text"
tried, kept = 0, []
def refused(o):
    json.dump(o, open(work, "w"))
    return subprocess.run([assay, "recheck", work], capture_output=True).returncode != 0
seen = set()
for path in leaves(good):
    kind = tuple(p for p in path if not isinstance(p, int))
    if kind in seen or len(seen) > 44: continue
    seen.add(kind)
    o = copy.deepcopy(good)
    at = o
    for p in path[:-1]: at = at[p]
    at[path[-1]] = flip(at[path[-1]])
    tried += 1
    if not refused(o): kept.append(("old seal",) + path)
    if path[0] in ("evidence", "aik", "host") or path[:2] in (("report", "verdict"), ("policy", "required")):
        o["sha256"] = seal(o)
        if path[-1] not in ("inputs", "extra") and not refused(o): kept.append(("sealed again",) + path)
print(tried, "members altered; not found:", kept)
sys.exit(1 if kept or tried < 30 else 0)
PY
check "each member altered is found" python3 "$D/alter.py" "$D/good" "$ASSAY" "$D/altered"
cat "$D/last" | sed 's/^/# /'
refuses "no receipt at all" "$ASSAY" recheck "$D/assayd.conf"
refuses "no such file" "$ASSAY" recheck "$D/none"

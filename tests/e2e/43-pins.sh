#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The root of the server is replaced: a host that is connected meanwhile learns the new one from the old one and needs
# nothing; one that was away needs a fresh token, and says so. Nobody else changes what a host pins.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need swtpm swtpm_setup tpm2 jq curl openssl python3

# within 30 days: what ends soon is said from the first minute on
server_conf "certificate_life = 480h" "pin_overlap = 48h" "[compat]" "oat2_listen = 127.0.0.1:0" "oat2_cert = $D/own.pem" "oat2_key = $D/own.key"
check "an operator's own certificate" openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 10 -subj /CN=own -keyout "$D/own.key" -out "$D/own.pem"
check "assayd init" server_init
tpm_maker lab
boot_all() { for h in alpha beta gamma; do host_new $h && host_boot $h || return 1; done; }
check "three hosts boot" boot_all
trust_maker lab lab
must_start
server_keep_ports
S=$D/server
early=$(new_token --uses 3)
ready() { curl -sS --cacert "$S/root.pem" "https://$api/readyz"; }
reminded() { ready | jq -e '.status == "ready" and (.warnings | map(test("key api ends at")) | any)'; }
check "readyz says which certificates end soon, and is ready" wait_for 10 reminded
check "the overview warns" eval "rest GET /overview | jq -e '[.warnings[].key] | index(\"key channel\")'"
check "the list of keys too" eval "assay key list --json | jq -e '.items[] | select(.name == \"api\") | .warning'"
check "and assayd keys list" eval "'$ASSAYD' keys list --config '$D/assayd.conf' | grep '^api ' | grep -q 'ENDS SOON'"
told() { rest GET '/audit?action=KEY_EXPIRY' | jq -e '[.items[].object] | index("assertion")'; }
check "an event was told for each" wait_for 20 told
check "the metrics have the instant" eval "curl -sS --cacert '$S/root.pem' -H \"Authorization: Bearer \$(cat '$S/admin.token')\" 'https://$api/metrics' | grep -q '^assay_key_expires_seconds{key=\"api\"} [0-9]'"
own_end=$(date -u -d "$(openssl x509 -in "$D/own.pem" -noout -enddate | cut -d= -f2)" +%Y-%m-%dT%H:%M:%S)
check "the operator's own certificate is watched too" eval "rest GET /overview | jq -e '[.warnings[].text] | map(test(\"oat2_cert ends at $own_end\")) | any'"
check "and in the list of keys" eval "assay key list --json | jq -e '.items[] | select(.name == \"oat2_cert\") | .warning'"
check "alpha and beta enrol under the first root" eval "enrol alpha && enrol beta"
agent_start alpha
check "alpha is connected" wait_for 20 answers alpha

assayd() { "$ASSAYD" "$@" --config "$D/assayd.conf"; }
next() { assay key list --json | jq -r ".items[] | select(.name == \"$1\") | .next | $2"; }
pin() { jq -r ".$2" "$D/$1/state/identity.json"; }
refused_pin() { grep -q "refused.*$2" "$D/$1/agent.log"; }
said() { grep -q "$2" "$D/$1/agent.log"; }

# A statement by another key of the server: whoever took front has the channel's key and no other.
forge() { # forge KEY: as if it were the root
  python3 - "$S" "$1" <<'EOF'
import hashlib, struct, subprocess, sys, time, os
state, key = sys.argv[1:]
run = lambda *a, **k: subprocess.run(a, check=True, capture_output=True, **k).stdout
spki = lambda f: run("openssl", "pkey", "-in", f, "-pubout", "-outform", "DER")
other = run("openssl", "x509", "-in", f"{state}/channel.pem", "-outform", "DER")
new = run("openssl", "pkey", "-pubin", "-outform", "DER", input=run("openssl", "x509", "-in", f"{state}/channel.pem", "-noout", "-pubkey"))
now = int(time.time() * 1000)
part = bytes([1, 1]) + struct.pack(">Qqq", now, now - 3600000, now + 3600000) + hashlib.sha256(new).digest() + b"\x00"
part += bytes([91]) + spki(f"{state}/{key}")
sig = run("openssl", "dgst", "-sha256", "-sign", f"{state}/{key}", input=b"assay-pin-change-1" + part)
n = sig[3]
r, s = sig[4:4 + n], sig[6 + n:]
statement = part + r.lstrip(b"\0").rjust(32, b"\0") + s.lstrip(b"\0").rjust(32, b"\0")
os.makedirs(f"{state}/pins", exist_ok=True)
open(f"{state}/pins/root-{now}", "wb").write(struct.pack(">H", len(statement)) + statement + struct.pack(">H", len(other)) + other)
EOF
}
root1=$(pin alpha root)
check "the channel's key signs a change of the root" forge channel.key
check "the server sends it" eval "kill -HUP $server_pid && wait_for 20 refused_pin alpha PIN_SIGNER"
check "alpha pins what it pinned" eval "[ \"\$(pin alpha root)\" = $root1 ]"
check "alpha goes on" wait_for 20 answers alpha
check "an event says so" eval "rest GET '/events?limit=1000' | grep -q PIN_REFUSED || grep -q PIN_SIGNER '$D/alpha/agent.log'"
rm -rf "$S/pins"

check "keys rotate root: begun" eval "assayd keys rotate root | grep -q 'takes it up now'"
check "alpha takes the new root" wait_for 20 said alpha "another key is pinned"
check "and keeps the one before for a while" eval "[ \"\$(jq -r '.past.root.replaced[-1]' '$D/alpha/state/identity.json')\" = $root1 ]"
check "alpha attests" wait_for 20 answers alpha
check "the list of keys says who has taken it" wait_for 10 eval "[ \"\$(next root .hosts_taken)\" = 1 ] && [ \"\$(next root '.hosts_missing[0]')\" = beta ]"
overlap() { ready | jq -e '.warnings | map(test("statement of the next root key ends at .*assayd keys finish root")) | any'; }
check "readyz warns that the overlap ends" wait_for 10 overlap
check "the audit has it" wait_for 10 eval "rest GET '/audit?action=KEY_EXPIRY' | jq -e '[.items[].object] | index(\"next root\")'"
check "and assayd keys list" eval "assayd keys list | grep -q 'next root (ENDS SOON): '"
check "a second rotation must wait for the first" eval "! assayd keys rotate root"
lists() { assayd keys list | grep -q "$1"; }
check "assayd keys list names the host that lags" wait_for 10 lists "next root .*: 1 of 2 hosts pin it; not yet: beta; 1 older"
refuses "the overlap does not end while a host lags" assayd keys finish root
check "and says which" grep -q beta "$D/refused"
t=$(new_token)
check "a token made now names both roots" eval "python3 -c \"import base64,json,sys; j=json.loads(base64.urlsafe_b64decode(sys.argv[1][7:]+'==')); assert j['root2']=='$root1' and j['root']!='$root1'\" $t"

check "keys finish root --force" eval "assayd keys finish root --force | grep -q 'takes it up now'"
served() { openssl s_client -connect "$api" -CAfile "$S/root.pem" </dev/null 2>/dev/null | grep -q 'Verify return code: 0'; }
check "the API shows the new root" wait_for 20 served
check "server is ready" wait_for 20 server_ready
check "alpha is back, under the new root" wait_for 45 answers alpha
check "without another enrolment" eval "[ \"\$(pin alpha root)\" != $root1 ] && ! said alpha PEER_ROOT"
check "gamma enrols by the token of the overlap" agent enrol gamma --token "$t"

agent_start beta
check "beta was away: it says what to do" wait_for 45 said beta "assay token create --host NAME"
check "its status too" eval "agent status beta | grep -q 'assay-agent enrol --token'"
refuses "the token of before does not help" agent enrol beta --token "$early"
agent_stop beta
check "a fresh token does" enrol beta --host beta
agent_start beta
check "beta attests" wait_for 30 answers beta

check "the order key too" eval "assayd keys rotate order && wait_for 30 eval '[ \"\$(next order .hosts_taken)\" -ge 2 ]'"
check "gamma is named" eval "[ \"\$(next order '.hosts_missing[0]')\" = gamma ]"
agent_start gamma
check "all have it when gamma was there" wait_for 30 eval "[ \"\$(next order '.hosts_missing | length')\" = 0 ]"
check "keys finish order" wait_for 10 assayd keys finish order
check "nothing is under way" wait_for 20 eval "[ \"\$(next order .)\" = null ]"

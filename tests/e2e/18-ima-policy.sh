#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What runs on a host, by policy: signed by evmctl with a trusted key, unknown, signed badly, a key in a keyring.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need swtpm swtpm_setup tpm2 jq curl python3 openssl evmctl

IMAFILE=$root/tests/support/imafile.py
S=$D/signing
mkdir -p "$S"
openssl ecparam -name prime256v1 -genkey -noout -out "$S/vendor.key" 2>/dev/null
openssl ec -in "$S/vendor.key" -pubout -out "$S/vendor.pem" 2>/dev/null
program() { printf '#!/bin/sh\necho %s\n' "$1" >"$S/$1"; } # program NAME
sign() { evmctl ima_sign --sigfile -a sha256 -k "$S/vendor.key" "$S/$1" >/dev/null 2>&1; }
# measured OPTION... : one more entry, as the kernel of a measures it
measured() { "$IMAFILE" --out "$D/a/ima" --banks "$(cat "$D/a/banks")" --extend "$(tcti a)" "$@"; }
policy() { # policy IMA: the next version of policy ima, in force
  jq -n --rawfile pem "$S/vendor.pem" "{format: \"assay-policy-1\", name: \"ima\", version: 1,
    required: [\"identity\", \"platform\", \"os\", \"runtime\"], ima: $1}" >"$D/ima.json"
  assay policy set "$D/ima.json" && assay policy activate ima
}
finding() { rest GET /hosts/a/report | jq -e "[.findings[] | select($1)] | length > 0"; } # finding JQ
untrusted_by() { wait_for 15 verdict_is a untrusted && has_failing a "$1"; }
reboot() {
  agent_stop a && host_power_off a && host_boot a && agent_start a
}

server_conf "attest_interval = 60s" "lease = 120s"
server_init
tpm_maker lab
host_new a && host_boot a
trust_maker lab lab
must_start
server_keep_ports
check "enrolled" enrol a
agent_start a
check "connected" wait_for 15 answers a
check "reference learned" assay reference learn a --name ref --activate
SIGNED='{keys: [{name: "vendor", pem: $pem}], paths: [{prefix: "/usr/", action: "signed"}]}'
check "a policy that trusts a signing key" policy "$SIGNED"
check "attached" assay policy attach ima a
check "trusted by it" wait_for 15 verdict_is a trusted

program good
sign good
measured --path /usr/bin/good --file "$S/good" --sig "$S/good.sig"
check "a program signed by the trusted key: trusted" eval 'assay host attest a && verdict_is a trusted'
check "the report says by which key" eval 'rest GET /hosts/a/report | jq -e "[.coverage[] | select(.rule | test(\"1 entries: signed by key vendor\"))] | length == 1"'
check "and by which set" eval 'rest GET /hosts/a/report | jq -e "[.coverage[] | select(.rule | test(\"19 entries: allow-list of set ref v1\"))] | length == 1"'

program evil
measured --path /usr/bin/evil --file "$S/evil"
check "an unknown program: untrusted" untrusted_by REF_IMA
check "path and digest are named" finding ".path == \"/usr/bin/evil\" and .measured == \"$(sha256sum "$S/evil" | cut -c1-64)\" and .entry == 22"
check "the cause is an unknown file" eval 'rest GET /hosts/a/report | jq -e ".causes[] | select(.class == \"unknown_file\")"'
check "a rule for its path: the whole list is judged anew" policy \
  '{keys: [{name: "vendor", pem: $pem}], paths: [{path: "/usr/bin/evil", action: "ignore"}, {prefix: "/usr/", action: "signed"}]}'
check "trusted again" wait_for 15 verdict_is a trusted
check "but it is said that it was not judged" finding '.code == "IMA_IGNORED"'
check "a server that starts anew goes on with the tally" eval 'server_stop && server_start && wait_for 15 answers a && verdict_is a trusted'
check "the policy without it again" policy "$SIGNED"
check "untrusted again" wait_for 15 verdict_is a untrusted

check "reboot" reboot
check "trusted: the program is gone" wait_for 20 eval 'assay host attest a; verdict_is a trusted'
echo "changed" >>"$S/good"
measured --path /usr/bin/good --file "$S/good" --sig "$S/good.sig"
check "a signature that does not cover the file: untrusted" untrusted_by IMA_SIGNATURE
check "it names the path" finding '.code == "IMA_SIGNATURE" and .path == "/usr/bin/good"'

check "reboot" reboot
check "trusted" wait_for 20 eval 'assay host attest a; verdict_is a trusted'
openssl req -new -x509 -key "$S/vendor.key" -subj /CN=vendor -outform der -out "$S/vendor.der" 2>/dev/null
measured --buffer .ima --file "$S/vendor.der"
check "a key loaded into a keyring: untrusted" untrusted_by IMA_BUF_KEY
check "a policy that lets trusted keys in" policy \
  '{keys: [{name: "vendor", pem: $pem}], paths: [{prefix: "/usr/", action: "signed"}], buffers: [{name: ".ima", trusted_keys: true}]}'
check "trusted" wait_for 15 verdict_is a trusted
measured --path /usr/bin/hidden --file "$S/evil" --violation
check "a violation: untrusted" untrusted_by IMA_VIOLATION

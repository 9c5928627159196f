#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The Privacy CA alone on its own port: enrolment through it, while it is away, after it came back; strangers are not served.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need swtpm swtpm_setup tpm2 jq curl openssl
CA=$B/src/prog/assay-ca/assay-ca

ca_conf() { # ca_conf ADDR:PORT
  printf '%s\n' "state_dir = $D/ca" "run_dir = $D/run" "listen_ca = $1" "ek_trust_dir = $D/ek-trust" \
    "ticket_key = $D/server/ticket.pub" "server_root = $D/server/root.pem" >"$D/assay-ca.conf"
}
ca_start() {
  rm -f "$D/ca/endpoints.json"
  start_bg "$D/assay-ca.log" "$CA" --config "$D/assay-ca.conf"
  ca_pid=$bg
  wait_for 10 test -s "$D/ca/endpoints.json"
  ca_at=$(sed -n 's/.*"ca": *"\([^"]*\)".*/\1/p' "$D/ca/endpoints.json")
}

server_conf
ca_conf 127.0.0.1:0
check "assay-ca init" "$CA" init --config "$D/assay-ca.conf"
refuses "assay-ca init a second time" "$CA" init --config "$D/assay-ca.conf"
check "assayd init" server_init
check "assay-ca starts" ca_start
ca_conf "$ca_at"
server_conf "ca = $ca_at" "ca_root = $D/ca/root.pem"

tpm_maker lab
for host in one two three; do check "$host: manufacture and boot" eval "host_new $host && host_boot $host"; done
trust_maker lab lab
must_start
check "the server reached the Privacy CA" wait_for 10 grep -q 'Privacy CA connected' "$D/assayd.log"
check "one: enrolled" enrol one
check "one: identity is ek_certified" eval "[ \"\$(host_field one .identity.grade)\" = ek_certified ]"
check "its pin is in tokens" eval "new_token | sed 's/^assay1\\.//' | tr '_-' '/+' | base64 -d 2>/dev/null | jq -r .ca | grep -qx \
  \"\$(openssl x509 -in '$D/ca/root.pem' -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1)\""
check "CRL of the stand-alone CA" eval "rest GET /ca/aik.crl | openssl crl -inform DER -noout -verify -CAfile '$D/ca/issuer.pem' 2>&1 | grep -q OK"

# whoever cannot show the server's certificate gets nothing
ask_ca() { timeout 5 openssl s_client -connect "$ca_at" -alpn assay-ca/1 -tls1_3 "$@" </dev/null 2>&1; }
check "a stranger is not served" eval "! ask_ca -quiet | grep -qa 'Assay Privacy CA encryption'"
check "nor another root's certificate" eval "! ask_ca -quiet -cert '$D/ca/tls.pem' -key '$D/ca/tls.key' | grep -qa 'Assay Privacy CA encryption'"
check "the server's is" eval "ask_ca -quiet -cert '$D/server/courier.pem' -key '$D/server/courier.key' | grep -qa 'Assay Privacy CA encryption'"

stop_pid "$ca_pid"
check "the server noticed" wait_for 10 grep -q 'Privacy CA away' "$D/assayd.log"
token=$(new_token)
refuses "two: not while the CA is away" agent enrol two --token "$token"
check "the server still serves" eval "assay host list --json | jq -e '.items | length >= 1'"
check "assay-ca starts again" ca_start
check "the server is back at it" wait_for 20 eval "[ \$(grep -c 'Privacy CA connected' '$D/assayd.log') = 2 ]"
check "two: the same token" agent enrol two --token "$token"

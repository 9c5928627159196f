#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The classical way: the server dials a listening agent; three ways to know it at first contact.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need swtpm swtpm_setup tpm2 jq curl sqlite3 openssl

server_conf
server_init
tpm_maker lab
host_new key && host_boot key
trust_maker lab lab
must_start
pins() { # pins of the server as configuration lines, from a token
  local json
  json=$(new_token | sed 's/^assay1\.//' | tr '_-' '/+' | base64 -di 2>/dev/null)
  jq -r '"root_pin = \(.root)\nca_pin = \(.ca)\norder_pin = \(.order)"' <<<"$json"
}
mapfile -t PINS < <(pins)

# No pins: no port.
host_conf key "listen = 127.0.0.1:0"
refuses "no port before the pins are known" agent run key
check "no address was taken" test ! -e "$D/key/state/endpoints.json"

# 1. --agent-key
host_conf key "listen = 127.0.0.1:0" "${PINS[@]}"
agent_start key
check "key: listens" wait_for 10 test -s "$D/key/state/endpoints.json"
fp=$(agent fingerprint key)
check "fingerprint is 64 hex digits" grep -Eqx '[0-9a-f]{64}' <<<"$fp"
check "key: added by its key" assay host add key --connect "$(agent_address key)" --agent-key "$fp"
check "key: enrolled" wait_for 20 eval '[ "$(host_field key .state)" = enrolled ]'
check "key: learned and trusted" eval 'assay reference learn key --name ref --activate && assay host attest key && verdict_is key trusted'
agent_stop key
sleep 0.2
host_conf key "listen = $(agent_address key)"
agent_start key
check "key: attested again after its restart, by the pins it kept" wait_for 30 assay host attest key

# 2. --token: enrol --listen first, then run
host_new tok && host_boot tok
host_conf tok "listen = 127.0.0.1:0"
token=$(new_token --host tok 2>/dev/null || new_token)
start_bg "$D/tok/agent.log" "$AGENT" enrol --listen --token "$token" --config "$D/tok/agent.conf"
enrol_pid=$bg
check "tok: listens" wait_for 10 test -s "$D/tok/state/endpoints.json"
check "tok: added by token" assay host add tok --connect "$(agent_address tok)" --token "$token"
check "tok: enrolled, the command ends" wait_for 20 gone "$enrol_pid"
check "tok: with exit 0" wait "$enrol_pid"
host_conf tok "listen = $(agent_address tok)"
agent_start tok
check "tok: attested" wait_for 30 assay host attest tok

# 3. --trust-first-use must be typed, and shows
host_new tofu && host_boot tofu
host_conf tofu "listen = 127.0.0.1:0" "${PINS[@]}"
agent_start tofu
check "tofu: listens" wait_for 10 test -s "$D/tofu/state/endpoints.json"
check "tofu: added" assay host add tofu --connect "$(agent_address tofu)" --trust-first-use
check "tofu: enrolled" wait_for 20 eval '[ "$(host_field tofu .state)" = enrolled ]'

# A pinned key that is not the agent's is not enrolled.
host_new wrong && host_boot wrong
host_conf wrong "listen = 127.0.0.1:0" "${PINS[@]}"
agent_start wrong
wait_for 10 test -s "$D/wrong/state/endpoints.json"
assay host add wrong --connect "$(agent_address wrong)" --tls-policy "public_key_digest=$fp" >/dev/null 2>&1
check "another key than the pinned one is refused: TLS_POLICY" wait_for 30 eval '[ "$(host_field wrong .last_error.code)" = TLS_POLICY ]'
check "and stays out" eval '[ "$(host_field wrong .state)" != enrolled ]'
check "an event says so, once" eval '[ "$(sqlite3 "$D"/server/*.db "select count(*) from event where kind = \"tls_policy\"")" = 1 ]'
check "until the operator names its key" assay host change wrong --tls-policy "public_key_digest=$(agent fingerprint wrong)"
check "then it enrols" wait_for 30 eval '[ "$(host_field wrong .state)" = enrolled ]'

# Exactly one certificate, as OpenSSL sees it.
peer_cert() { openssl s_client -connect "$(agent_address "$1")" </dev/null 2>/dev/null | openssl x509 -outform PEM; }
wait_for 20 eval 'peer_cert wrong >"$D/wrong.pem" && [ -s "$D/wrong.pem" ]'
check "its certificate as policy" assay host change wrong --tls-policy "certificate=@$D/wrong.pem"
check "is told in digests" eval '[ "$(host_field wrong .tls_policy.certificate)" = "$(openssl x509 -in "$D/wrong.pem" -outform DER | sha256sum | cut -d" " -f1)" ]'
check "the same TPM proves it" wait_for 30 answers wrong
check "another certificate" assay host change wrong --tls-policy "certificate_digest=$fp"
check "is refused" wait_for 30 eval '[ "$(host_field wrong .last_error.code)" = TLS_POLICY ]'
refuses "no policy is called insecure" assay host change wrong --tls-policy insecure
refuses "a broken certificate is no policy" assay host change wrong --tls-policy "certificate=@$D/assayd.conf"

# An agent that was set up anew has another key; the operator names it, the TPM proves it.
agent_stop key
rm -rf "$D/key/state" && mkdir "$D/key/state"
host_conf key "listen = $(host_field key .connect)" "${PINS[@]}"
agent_start key
check "a changed key is refused" wait_for 60 eval '[ "$(host_field key .last_error.code)" = TLS_POLICY ]'
check "the new key is named" assay host change key --tls-policy "public_key_digest=$(agent fingerprint key)"
check "and trusted again" wait_for 60 eval 'answers key && verdict_is key trusted'

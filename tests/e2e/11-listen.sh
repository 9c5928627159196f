#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The classical way: the server dials a listening agent; three ways to know it at first contact.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need swtpm swtpm_setup tpm2 jq curl

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
assay host add wrong --connect "$(agent_address wrong)" --agent-key "$fp" >/dev/null 2>&1
sleep 3
check "another key than the pinned one stays out" eval '[ "$(host_field wrong .state)" != enrolled ]'

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A software TPM copied while its host runs, and one put back to an older state.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need swtpm swtpm_setup tpm2 jq curl

server_conf "attest_interval = 3s" "challenge_deadline = 5s"
server_init
tpm_maker lab
host_new a && host_boot a
trust_maker lab lab
must_start
check "enrolled" enrol a
agent_start a
check "connected" wait_for 15 answers a
check "reference learned" assay reference learn a --name ref --activate
check "trusted" eval 'answers a && verdict_is a trusted'

# A reconnect of the same host is no clone.
agent_stop a KILL
agent_start a
check "a reconnect is no clone" wait_for 30 eval 'answers a && verdict_is a trusted'

# The clone: the TPM's state, the agent's state, the same logs.
mkdir "$D/twin"
cp -r "$D/a/tpm" "$D/a/state" "$D/a/banks" "$D/twin/"
rm -f "$D"/twin/tpm/.lock "$D"/twin/state/endpoints.json
host_conf twin
sed -i 's/^name = .*/name = a/' "$D/twin/agent.conf"
check "the twin boots" host_boot twin
agent_start twin
check "both answer: HOST_DUPLICATE" wait_for 30 has_failing a HOST_DUPLICATE
check "untrusted" verdict_is a untrusted
agent_stop twin
host_power_off twin
check "untrusted still, when the twin has gone" eval 'answers a; sleep 4; verdict_is a untrusted'
check "until an operator acknowledges it" assay host acknowledge a --reason "twin found and removed"
check "then trusted again" wait_for 30 eval 'answers a && verdict_is a trusted'

# Back to an older state: the reset count goes back.
agent_stop a
host_power_off a
cp -r "$D/a/tpm" "$D/a.tpm"
for i in 1 2; do
  host_boot a
  agent_start a
  check "boot $i: trusted" wait_for 30 eval 'answers a && verdict_is a trusted'
  agent_stop a
  host_power_off a
done
rm -rf "$D/a/tpm" && cp -r "$D/a.tpm" "$D/a/tpm" && rm -f "$D/a/tpm/.lock"
host_boot a
agent_start a
check "TPM put back: COUNTER_BACK" wait_for 30 eval 'answers a; has_failing a COUNTER_BACK'
check "untrusted" verdict_is a untrusted
check "acknowledged" assay host acknowledge a --reason "restored from a backup"
check "then trusted again" wait_for 30 eval 'answers a && verdict_is a trusted'

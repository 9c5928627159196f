#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A host's life: the list grows, the agent crashes, the server restarts, the host reboots, changes come to light.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need swtpm swtpm_setup tpm2 jq curl

server_conf "attest_interval = 2s" "lease = 20s"
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
check "trusted" eval 'assay host attest a && verdict_is a trusted'
attested_at() { host_field a .attested_at; }
attested_after() { [ "$(attested_at)" \> "$1" ]; }

# The lease renews itself.
t=$(attested_at)
check "attested again by itself" wait_for 15 attested_after "$t"

# kill -9 while it works, several times: the TPM is clean after the next start, and the host is trusted again.
for i in 1 2 3; do
  start_bg "$D/attest.log" bash -c "for k in 1 2 3 4 5; do '$ASSAY' --server https://$api --ca '$D/server/root.pem' --token-file '$D/server/admin.token' host attest a; done"
  sleep "0.$((RANDOM % 5 + 1))"
  kill -KILL "$(cat "$D/a/agent.pid")" $(pgrep -P "$(cat "$D/a/agent.pid")") 2>/dev/null
  agent_stop a KILL
  agent_start a
  check "crash $i: attested again" wait_for 30 eval 'assay host attest a && verdict_is a trusted'
done
stop_pid "$bg" KILL
agent_stop a
check "nothing left in the TPM after crashes" tpm_is_clean a
agent_start a
check "attested after a clean stop" wait_for 30 assay host attest a

# One process alone dies: both come back.
for i in 1 2; do
  child=$(pgrep -P "$(cat "$D/a/agent.pid")" | sed -n "${i}p")
  check "process $i of the agent killed" kill -KILL "$child"
  sleep 1.5
  check "process $i: attested again" wait_for 30 eval 'assay host attest a && verdict_is a trusted'
done

# The server goes and comes back: the agent connects by itself.
server_stop
check "assayd starts again" server_start
check "attested by the new server process" wait_for 60 eval 'assay host attest a && verdict_is a trusted'

# More files are measured: the agent says so, the server looks; a file nobody knows is a finding of `runtime`.
t=$(attested_at)
host_ima_more a 20 1
check "the agent's notice brings an attestation" wait_for 10 attested_after "$t"
check "an unknown file makes it untrusted" wait_for 10 verdict_is a untrusted
check "and is named" has_failing a REF_IMA

# Reboot: same logs, new boot id, the reset count went up.
agent_stop a
host_power_off a
host_boot a
agent_start a
check "trusted after a reboot" wait_for 30 eval 'assay host attest a && verdict_is a trusted'

# Reboot with another initrd.
agent_stop a
host_power_off a
host_boot a --change initrd
agent_start a
check "another initrd: untrusted" wait_for 30 eval 'assay host attest a; verdict_is a untrusted'
check "the event is named" eval 'assay host explain a | grep -q initrd'

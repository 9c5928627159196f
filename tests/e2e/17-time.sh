#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Time: leases end by themselves, a TPM reset behind the kernel's back stays a failure over a restart of the server, a
# reboot ends it, a file that nobody knows comes to light within five seconds.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need swtpm swtpm_setup swtpm_ioctl tpm2 jq curl

server_conf "attest_interval = 60s" "lease = 8s"
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

# The interval is longer than the lease: it is asked in time all the same.
lease_until() { host_field a .lease_until; }
t=$(lease_until)
check "the lease is renewed before it ends" wait_for 8 eval '[ "$(lease_until)" \> "$t" ] && verdict_is a trusted'

# Nobody answers: unknown when the lease ends, and an event says so.
kill -STOP "$(cat "$D/a/agent.pid")" $(pgrep -P "$(cat "$D/a/agent.pid")")
check "trusted ends in unknown by itself" wait_for 12 verdict_is a unknown
kill -CONT "$(cat "$D/a/agent.pid")" $(pgrep -P "$(cat "$D/a/agent.pid")")
check "trusted again when it answers" wait_for 15 eval 'assay host attest a && verdict_is a trusted'

# The TPM is reset by its pin while Linux runs, and the copied logs are extended again: every PCR is as it was.
tpm_reset() {
  tpm2_of a tpm2 shutdown -c && swtpm_ioctl --unix "$D/a/sock.ctrl" -i && tpm2_of a tpm2 startup -c &&
    "$BOOTLOG" boot --banks "$(cat "$D/a/banks")" --out "$D/again" --extend "$(tcti a)" && cmp "$D/again" "$D/a/eventlog" &&
    "$BOOTLOG" ima --log "$D/a/eventlog" --out "$D/ima-again" --entries 20 --extend "$(tcti a)" && cmp "$D/ima-again" "$D/a/ima"
}
check "TPM reset under the running host" tpm_reset
check "TPM reset: untrusted" eval '! assay host attest a && verdict_is a untrusted'
check "TPM_RESET says why" has_failing a TPM_RESET
check "and no PCR and no event differs" [ "$(failing a | grep -vx IMA_CONTINUITY)" = TPM_RESET ]
check "the cause is tpm_reset" eval 'assay host explain a | grep -q tpm_reset'
server_stop
check "the agent says that nobody listens there" wait_for 8 grep -q "$agents: Connection refused" "$D/a/agent.log"
check "assayd starts again" server_start
check "still untrusted after the restart" verdict_is a untrusted
check "and by the next quote" eval 'wait_for 20 answers a; verdict_is a untrusted && has_failing a TPM_RESET'

agent_stop a
host_power_off a
host_boot a
agent_start a
check "a reboot of host and TPM ends it" wait_for 20 eval 'assay host attest a && verdict_is a trusted'

# A program that nobody knows is executed.
host_ima_more a 20 1
check "unknown program: untrusted within five seconds" wait_for 5 verdict_is a untrusted
check "in runtime" [ "$(host_field a .components.runtime.verdict)" = untrusted ]

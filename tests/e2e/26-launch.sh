#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A measured launch (Intel TXT with tboot, details/authorities) from the TPM's locality 4 to the verdict.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need swtpm swtpm_setup tpm2 jq python3

# host_launch HOST [ARGUMENTS...]: the launch is played on its TPM and its log stands where the agent looks
host_launch() { "$root/tests/support/launch.py" play --socket "$D/$1/sock" --banks "$(cat "$D/$1/banks")" "${@:2}"; }
# host_relaunch HOST [ARGUMENTS...]: boots again, with that launch
host_relaunch() {
  host_power_off "$1"
  rm -f "$D/$1/launch"
  host_boot "$1" && host_launch "$1" --log "$D/$1/launch" "${@:2}"
}

server_conf "attest_interval = 1h" "lease = 2h"
server_init
tpm_maker lab
host_new a && host_conf a "txt_log = $D/a/launch" "slaunch =" && host_boot a
check "the launch is played" host_launch a --log "$D/a/launch"
trust_maker lab lab
must_start
check "a: enrolled" enrol a
agent_start a
check "a: answers" wait_for 15 answers a
check "the launch's log explains PCR 17" eval 'rest GET /hosts/a/report | jq -e "[.findings[] | select(.pcr == 17 and .code == \"LOG_PCR_MISMATCH\" and .result == \"pass\")] | length == 2"'
check "a set is learned" assay reference learn a --name tboot --activate
check "right launch: trusted" eval 'answers a && verdict_is a trusted'

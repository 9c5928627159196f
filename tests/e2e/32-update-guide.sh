#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# docs/updates.md, line by line: an update that was foretold is trusted at its first boot.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need swtpm swtpm_setup tpm2 jq curl python3

guide=$PWD/docs/updates.md
server_conf
server_init
tpm_maker lab
host_new web-1 && host_boot web-1
trust_maker lab lab
must_start
check "enrolled" enrol web-1
agent_start web-1
check "answers" wait_for 15 answers web-1

# The exit status of a command, 0 for a diff that finds something.
runs() { eval "$1" || { [ $? = 1 ] && [[ $1 = *" diff "* ]]; }; }
# guide_runs HEADING: the commands under it; instants of the text are a day ahead
guide_runs() {
  local line soon
  soon=$(date -u -d '+1 day' +%Y-%m-%dT%H:%M:%SZ)
  while read -r line; do
    check "$line" runs "cd '$D' && ${line//2026-12-01T00:00:00Z/$soon}"
  done < <(awk -v h="## $1" '/^## /{ in_part = ($0 == h) } /^```/{ code = !code } in_part && code && /^assay /' "$guide")
}
guide_runs "Once: reference values from a good machine"
check "trusted before the update" eval 'assay host attest web-1 && verdict_is web-1 trusted'
cp "$D/web-1/eventlog" "$D/eventlog.bin"
# what tests/support/bootlog.py calls another initrd
python3 -c 'import hashlib, sys; open(sys.argv[1], "wb").write(hashlib.shake_256(b"initrd (another)").digest(300))' "$D/initrd.new"
guide_runs "Before the update"
check "what-if: nobody flips" eval 'assay reference what-if web-boot@2 --json | jq -e "(.flips // []) | length == 0"'
check "both versions are in force" eval '[ "$(assay reference list --json | jq "[.items[] | select(.name == \"web-boot\" and .state == \"active\")] | length")" = 2 ]'
check "still trusted" eval 'assay host attest web-1 && verdict_is web-1 trusted'

agent_stop web-1
host_power_off web-1
host_boot web-1 --change initrd
agent_start web-1
wait_for 15 eval 'rest GET /hosts/web-1/report | jq -e ".references[] | select(.name == \"web-boot\" and .version == 2)"' || true
guide_runs "After the update"
check "the update is trusted" verdict_is web-1 trusted

agent_stop web-1
host_power_off web-1
host_boot web-1 --change initrd --change kernel
agent_start web-1
check "more than was foretold is not" wait_for 15 eval 'assay host attest web-1; verdict_is web-1 untrusted'

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Why a host has its verdict: classes of causes, drafts that explain an update, two hosts and two times compared.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need swtpm swtpm_setup tpm2 jq curl python3

server_conf
server_init
tpm_maker lab
host_new good && host_boot good
host_new other && host_boot other --change initrd
trust_maker lab lab
must_start
for host in good other; do
  check "$host: enrolled" enrol $host
  agent_start $host
  check "$host: answers" wait_for 15 answers $host
done
check "reference learned" assay reference learn good --name ref --activate
check "good: trusted" eval 'assay host attest good && verdict_is good trusted'

causes() { rest GET "/hosts/$1/report" | jq -r '[.causes[].class] | sort | join(",")'; }
kind_of() { rest GET "/hosts/$1/report" | jq -r ".causes[] | select(.class == \"$2\") | .kind"; }
assay host attest other >/dev/null 2>&1
check "an initrd: untrusted" verdict_is other untrusted
check "an initrd: is the cause" eval '[ "$(causes other)" = initrd ]'
check "an initrd: nothing explains it" eval '[ "$(kind_of other initrd)" = unknown ]'
check "an initrd: its findings name the cause" eval \
  'rest GET /hosts/other/report | jq -e ".findings[] | select(.code == \"REF_EVENT\" and .cause == \"initrd\" and .pcr == 9)"'

# ---- two hosts compared, event by event

assay host diff good other >"$D/diff"
check "diff: exit 1 when they differ" [ $? = 1 ]
check "diff: names the event on both sides" grep -Eq '^9 +changed +#[0-9]+ .*initrd.* +#[0-9]+ .*initrd' "$D/diff"
assay host diff good other --json >"$D/diff.json"
check "diff: one event, no file" eval "jq -e '.different == {events: 1, files: 0} and .same.files == 19' '$D/diff.json'"
check "diff: PCR 9 of each bank and PCR 10 differ" eval "jq -e '[.pcrs[] | [.bank, .pcr]] | sort == [[\"sha1\",9],[\"sha1\",10],[\"sha256\",9],[\"sha256\",10]] or
  ([.pcrs[] | [.bank, .pcr]] | sort == [[\"sha1\",9],[\"sha256\",9]])' '$D/diff.json'"
check "diff: with itself nothing differs" eval "assay host diff good good --json >'$D/diff.json' && jq -e '.different == {events: 0, files: 0}' '$D/diff.json'"
refuses "diff: with nothing" assay host diff good
refuses "diff: with no host" assay host diff good nobody
refuses "diff: a report of another host" assay host diff good other --report "$(host_field other .id)"

# ---- a draft explains, other states say otherwise

check "draft learned" assay reference learn other --name update
check "draft: the cause is expected" eval '[ "$(kind_of other initrd)" = expected ]'
check "draft: the fix names it" eval 'assay host explain other | grep -q "draft set update v1"'
check "draft: the verdict stays" verdict_is other untrusted

# ---- one host at two times

first=$(rest GET /hosts/good/reports | jq -r '.items[0].id')
host_ima_more good 20 3
check "more files: untrusted" eval 'assay host attest good; verdict_is good untrusted'
check "more files: the cause names a path" eval 'rest GET /hosts/good/report | jq -e ".causes[] | select(.class == \"unknown_file\" and (.text | test(\"tool-00\")))"'
assay host diff good --other-report "$first" >"$D/times"
check "two times: the files that came" eval "[ \$(grep -c 'only A' '$D/times') = 3 ]"
check "reports: newest first" eval "assay host reports good | sed -n 2p | grep -q untrusted"

# ---- each change of a boot has its class

# boots WHAT CLASS: other starts with that changed
boots() {
  agent_stop other
  host_power_off other
  host_boot other --change "$1"
  agent_start other
  wait_for 15 eval "assay host attest other; rest GET /hosts/other/report | jq -e '[.causes[].class] | index(\"$2\")'" >/dev/null 2>&1
}
for row in firmware:firmware db:db boot-order:boot_order shim:bootloader cmdline:cmdline kernel:kernel secure-boot:secure_boot; do
  check "changed ${row%:*}: cause ${row#*:}" boots "${row%:*}" "${row#*:}"
done

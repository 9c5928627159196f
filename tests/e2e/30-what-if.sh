#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Drafts judged on stored evidence before they count, and who loaded a digest.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need swtpm swtpm_setup tpm2 jq curl python3

server_conf "attest_interval = 1h" "lease = 2h"
server_init
tpm_maker lab
host_new a && host_boot a
host_new b && host_boot b
host_new c && host_boot c --change kernel
trust_maker lab lab
must_start
for host in a b c; do
  check "$host: enrolled" enrol $host
  agent_start $host
  check "$host: answers" wait_for 15 answers $host
done
attest_all() { for h in a b c; do assay host attest $h >/dev/null 2>&1; done; true; }
verdicts() { assay host list --json | jq -c '[.items[] | {(.name): .verdict}] | add'; }
check "what a and b boot is learned" assay reference learn a --name fleet --activate
check "what c boots is learned" assay reference learn c --name other --activate
attest_all
check "all are trusted" eval '[ "$(verdicts)" = "{\"a\":\"trusted\",\"b\":\"trusted\",\"c\":\"trusted\"}" ]'

# ---- a set in force judges nobody otherwise
check "what-if of the set in force" assay reference what-if fleet
check "... changes nothing" eval 'assay reference what-if fleet --json | jq -e ".run.state == \"done\" and .run.hosts == 3 and .run.judged == 3 and .run.flips == 0 and .run.not_judged == 0"'

# ---- a draft without c's kernel
check "a draft of the other set, from a" assay reference learn a --name other
assay reference what-if other@2 --supersede --json >"$D/flips.json" 2>"$D/last"
check "exit 1: somebody would not be trusted any more" [ $? = 1 ]
check "exactly c would flip" jq -e '[.flips[] | [.name, .from, .to]] == [["c", "trusted", "untrusted"]]' "$D/flips.json"
check "because of its kernel" jq -e '[.flips[0].causes[].class] | index("kernel") != null' "$D/flips.json"
check "in component os" jq -e '.flips[0].components.os == {"from": "trusted", "to": "untrusted"}' "$D/flips.json"
check "nothing has changed yet" eval '[ "$(verdicts)" = "{\"a\":\"trusted\",\"b\":\"trusted\",\"c\":\"trusted\"}" ]'
assay reference what-if other@2 --supersede >"$D/table" 2>&1
check "as a table" grep -q '^c  *trusted  *untrusted  *os.* kernel' "$D/table"
assay reference show other@2 >"$D/draft.json" 2>"$D/last"
assay reference what-if "$D/draft.json" --supersede --json >"$D/file.json" 2>"$D/last"
check "the same from a file" jq -e '[.flips[].name] == ["c"]' "$D/file.json"

# ---- a policy that demands what nobody has
assay policy show default --json >"$D/policy.json" 2>"$D/last"
jq 'del(.id, .state, .sha256, .created_at, .created_by, .hosts, .lint) | .required += ["asset_tag"]' "$D/policy.json" >"$D/tagged.json"
assay policy what-if "$D/tagged.json" --json >"$D/flips.json" 2>"$D/last"
check "a policy file: all would be unknown" jq -e '[.flips[].to] == ["unknown", "unknown", "unknown"]' "$D/flips.json"
check "--label: only hosts that have it" eval 'assay policy what-if "$D/tagged.json" --label rack=r1 --json | jq -e ".run.hosts == 0"'

# ---- what-if equals activating and looking
check "beside the version in force it changes nothing" eval 'assay reference what-if other@2 --json | jq -e ".run.flips == 0"'
check "the draft is activated, the other version ends" rest POST /reference-sets/other@2/activate '{"supersede": true}'
attest_all
check "... and c is untrusted, a and b are trusted" eval '[ "$(verdicts)" = "{\"a\":\"trusted\",\"b\":\"trusted\",\"c\":\"untrusted\"}" ]'

# ---- digests
"$ASSAY" eventlog "$D/c/eventlog" --json >"$D/c.json"
"$ASSAY" eventlog "$D/a/eventlog" --json >"$D/a.json"
kernel=$(jq -r --slurpfile a "$D/a.json" '([$a[0].events[].digests.sha256]) as $known | [.events[] | select(.pcr == 9 or .pcr == 4) | .digests.sha256 | select(. as $d | $known | index($d) | not)][0]' "$D/c.json")
shared=$(jq -r '[.events[] | select(.pcr == 4) | .digests.sha256][0]' "$D/a.json")
check "the digest of c's kernel: c alone" eval 'assay host find --digest $kernel --json | jq -e "[.items[].name] == [\"c\"] and (.items[0] | .in == [\"boot_log\"] and .first_seen != null and .last_seen >= .first_seen and .pcr != null)"'
check "a digest that all have" eval 'assay host find --digest $shared --json | jq -e "[.items[].name] | sort == [\"a\", \"b\", \"c\"]"'
check "a digest that nobody has" eval 'assay host find --digest $(printf "%064d" 7) --json | jq -e ".items == []"'
refuses "no digest at all" assay host find --digest 0123

# ---- runs end with the server
run=$(assay reference what-if fleet --no-wait | jq -r .id)
check "a run can be looked at later" eval 'wait_for 5 eval "rest GET /what-if/$run | jq -e \".state == \\\"done\\\"\""'
server_stop
server_keep_ports
must_start
check "after a restart the run is gone, and says so" eval 'rest GET "/what-if/$run" | jq -e ".error.code == \"WHATIF_GONE\""'
check "a new one judges the stored evidence" eval 'assay reference what-if fleet --json | jq -e ".run.judged == 3 and .run.not_judged == 0"'

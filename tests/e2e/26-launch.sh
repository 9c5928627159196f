#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A measured launch (Intel TXT with tboot, details/authorities) from the TPM's locality 4 to the verdict.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need swtpm swtpm_setup tpm2 jq python3

# host_launch HOST [ARGUMENTS...]: the launch is played on its TPM and its log stands where the agent looks
host_launch() { "$root/tests/support/launch.py" play --socket "$D/$1/sock" --banks "$(cat "$D/$1/banks")" "${@:2}"; }
# host_down HOST: the agent ends before the machine does, as on a real one
host_down() { agent_stop "$1" && host_power_off "$1" && rm -f "$D/$1/launch"; }
# host_relaunch HOST [ARGUMENTS...]: boots again, with that launch
host_relaunch() {
  host_down "$1"
  host_boot "$1" && host_launch "$1" --log "$D/$1/launch" "${@:2}" && agent_start "$1"
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
check "the report names SINIT by its digest" eval 'rest GET /hosts/a/report | jq -e --arg d "$(python3 -c "import hashlib; print(hashlib.sha256(hashlib.shake_256(b\"sinit\").digest(64)).hexdigest())")" "[.findings[] | select(.code == \"TXT_FACT\" and .measured == \$d)] | length == 1"'
check "modules are of part os, SINIT of part platform" eval 'assay reference show tboot --json | jq -e "([.parts.platform[] | select(.kind == \"launch\").events[].summary] | index(\"HASH_START\") != null and index(\"vmlinuz\") == null) and ([.parts.os[] | select(.kind == \"launch\" and .pcr == 17).events[].summary] == [\"vmlinuz\", \"initrd\"])"'

createpolicy() { tpm2_of a tpm2 createpolicy --policy-pcr -l sha256:0,7 -L "$D/pcr.policy"; }
check "the set's PCR policy is the TPM's" eval 'wait_for 10 createpolicy && [ "$(xxd -p -c 64 "$D/pcr.policy")" = "$(assay reference pcr-policy tboot --pcrs 0,7 --json | jq -r .policy)" ]'
# MLE hashes, as SINIT measured them, become a policy for SINIT
check "a launch control policy from the set" assay lcp create --reference tboot --policy "$D/lcp.pol" --data "$D/lcp.data"
check "it admits the MLE that was launched" assay lcp explain "$D/lcp.pol" "$D/lcp.data" --mle "$(python3 -c "import hashlib; print(hashlib.sha256(hashlib.shake_256(b\"mle\").digest(64)).hexdigest())")"

# another boot: the agent says it, and is asked
settled() { answers a && verdict_is a "$1"; } # what it said while it booted does not count
says() { wait_for 20 settled "$1"; }
# finding CODE TEXT: a failing finding of the last report
finding() { wait_for 10 shown "$1" "$2"; }
shown() { rest GET /hosts/a/report | jq -e --arg c "$1" --arg t "$2" '[.findings[] | select(.code == $c and .result == "fail" and (.text | contains($t)))] | length > 0'; }
component() { rest GET /hosts/a/report | jq -e --arg c "$1" --arg v "$2" '.components[$c].verdict == $v'; }

host_relaunch a --change vmlinuz
check "a rootkit for a hypervisor: untrusted" says untrusted
check "the module is named" finding REF_EVENT 'another "vmlinuz"'
check "the firmware is not blamed" component platform trusted

host_relaunch a --change sinit
check "another SINIT module: untrusted" says untrusted
check "it is named" finding REF_EVENT 'another "HASH_START"'
check "it is the platform's" component platform untrusted

host_relaunch a --slip "one more module"
check "one more module: untrusted" says untrusted
check "it is one too many" finding REF_ADDED "module 2"

host_down a && host_boot a && agent_start a
check "no launch: untrusted" says untrusted
check "it is said so" finding DRTM_NOT_LAUNCHED "no measured launch"

host_relaunch a --forge
check "locality 2 extends PCR 17 without a launch: untrusted" says untrusted
check "it is no launch, whatever the log says" finding TXT_FORGED "there was no launch"
check "and the log does not explain the values" finding LOG_PCR_MISMATCH "PCR 17"

host_relaunch a
check "the right launch again: trusted" says trusted

# ---- a SINIT module that forgets to log the MLE hash: the whole value, only for that module, and somebody answers for it
host_relaunch a --omit-log mle
check "an incomplete log: untrusted" says untrusted
check "PCR 17 is not explained" finding LOG_PCR_MISMATCH "PCR 17"
pcr17() { tpm2_of a tpm2 pcrread "$1:17" | sed -n 's/.*17: 0x//p' | tr 'A-F' 'a-f'; }
sinit_digest() { python3 -c "import hashlib, sys; print(hashlib.new(sys.argv[1], hashlib.shake_256(sys.argv[2].encode()).digest(64)).hexdigest())" "$1" "$2"; }
golden() { # golden NAME SINIT: the learned set with the whole value in place of PCR 17's events
  assay reference export tboot >"$D/base.json"
  jq --arg n "$1" --arg v1 "$(pcr17 sha1)" --arg v2 "$(pcr17 sha256)" --arg s1 "$(sinit_digest sha1 "$2")" --arg s2 "$(sinit_digest sha256 "$2")" \
    'del(.sha256, .state) | .name = $n | .version = 1 | .parts |= map_values(map(select(.kind != "launch" or .pcr != 17)))
     | .parts.platform += [{kind: "golden", pcr: 17, values: {sha1: $v1, sha256: $v2}, sinit: {sha1: $s1, sha256: $s2}, owner: "lab", reason: "the log forgets the MLE hash"}]' \
    "$D/base.json" >"$D/$1.json" && assay reference import "$D/$1.json" && assay reference activate "$1"
}
check "a set with the whole value for another module" golden other "sinit (another)"
check "it does not help" says untrusted
check "a set with the whole value for this module" golden fallback sinit
check "trusted" says trusted
check "the report says by whom" eval 'rest GET /hosts/a/report | jq -e "[.findings[] | select(.pcr == 17 and .result == \"pass\" and (.text | contains(\"lab: the log forgets the MLE hash\")))] | length > 0"'

# ---- known-bad SINIT modules: a list of digests
host_relaunch a
check "before the list: trusted" says trusted
jq -n --arg d "$(sinit_digest sha256 sinit)" '{format: "assay-reference-1", name: "bad-acm", version: 1, provenance: {source: "imported", note: "SINIT modules with known flaws"},
  parts: {platform: [{kind: "forbidden", digests: {sha256: {($d): "SINIT 2011, flawed"}}}]}}' >"$D/bad-acm.json"
check "the list is imported" eval 'assay reference import "$D/bad-acm.json" && assay reference activate bad-acm'
check "a revoked SINIT module: untrusted" says untrusted
check "it is named" finding REF_FORBIDDEN "SINIT 2011"

# ---- a dump of the heap does as well as a log
assay reference revoke bad-acm --force >/dev/null 2>&1
host_relaunch a --heap "$D/a/heap" && mv "$D/a/heap" "$D/a/launch"
check "a dump of the TXT heap instead of the log: trusted" says trusted
check "what the heap says is self-reported" eval 'rest GET /hosts/a/report | jq -e "[.findings[] | select(.code == \"TXT_FACT\" and (.text | contains(\"heap: MLE hash (self_reported)\")))] | length == 1"'

# ---- the launch control policy in NV: what it holds is told, so that drift shows
nv_put() { tpm2_of a tpm2 nvdefine 0x01c10106 -C o -s "$(stat -c %s "$1")" -a "ownerread|authread|ownerwrite|authwrite" && tpm2_of a tpm2 nvwrite 0x01c10106 -C o -i "$1"; }
agent_stop a
check "the policy is written to NV" nv_put "$D/lcp.pol"
agent_start a
in_nv() { answers a && rest GET /hosts/a/report | jq -e --arg d "$(sha256sum "$D/lcp.pol" | cut -d' ' -f1)" '[.findings[] | select(.code == "TXT_FACT" and .measured == $d)] | length == 1'; }
check "the report tells its digest" wait_for 20 in_nv

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ESXi hosts through a vCenter: imported, attested by its report, and every way in which a report is not to be believed.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need openssl jq curl
VCSIM=${VCSIM:-$B/tests/vcsim}
[ -x "$VCSIM" ] || skip_all "package not installable (golang-github-vmware-govmomi-dev)"

V=$D/vc
mkdir -p "$V"
esx() { "$root/tests/support/esx_report.py" "$V" "$@"; }
new_cert() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$V/key.pem" -out "$V/cert.pem" -days 30 -subj "/CN=vcenter" >/dev/null 2>&1; }
cert_hash() { openssl x509 -in "$V/cert.pem" -outform DER | sha256sum | cut -c1-64; }
attest() { rest POST "/hosts/$1/attest?wait=20" >"$D/report.json"; }
# says HOST VERDICT [CODE]: attested anew
says() {
  attest "$1" && verdict_is "$1" "$2" || { host_field "$1" '.verdict, .last_error'; failing "$1"; return 1; }
  [ -z "${3:-}" ] || has_failing "$1" "$3" || { failing "$1"; return 1; }
}
calls() { grep -c "^$1 " "$V/calls.log"; }

for h in DC0_H0 DC0_C0_H0 DC0_C0_H1; do esx $h --good; done
new_cert
printf 's3cret;with;semicolons\n' >"$D/password"
VCSIM_PASSWORD=$(cat "$D/password") start_bg "$D/vcsim.log" "$VCSIM" "$V"
server_conf "outgoing_allow = 127.0.0.0/8" "challenge_deadline = 8s"
server_init
must_start
check "the vCenter serves" wait_for 30 test -s "$V/ready"
vc=$(cat "$V/ready")
from="vmware:https://$vc/sdk;u=assay"

# ---- the manager: nobody is believed by default, and its password is told to nobody
refuses "no TLS policy: refused" assay host import --from "$from" --secret-file "$D/password"
refuses "microsoft: is not offered" assay host add win --connect "microsoft:https://w:1443/;a;b"
check "and says so" grep -q NOT_OFFERED "$D/refused"
refuses "a host behind a manager that nobody knows" assay host add lost --connect "vmware:https://10.9.9.9/sdk;h=x;u=y"
check "a cluster is imported" assay host import --from "$from;c=DC0_C0" --secret-file "$D/password" \
  --tls-policy "certificate_digest=$(cert_hash)" --label pool=esx
check "its two hosts" eval '[ "$(assay --json host list | jq -r "[.items[].name] | sort | join(\" \")")" = "DC0_C0_H0 DC0_C0_H1" ]'
check "one more by name" assay host add edge --connect "$from;h=DC0_H0"
for h in DC0_C0_H0 DC0_C0_H1 edge; do check "$h is bound" wait_for 15 eval "[ \"\$(host_field $h .state)\" = enrolled ]"; done
# missed CODE: no verdict is drawn from it, the host is missed and says why
missed() { rest POST "/hosts/edge/attest?wait=20"; [ "$(host_field edge .last_error.code)" = "$1" ] || { host_field edge .last_error; return 1; }; }
echo wrong >"$D/wrong"
check "another password is kept" assay manager set "$from" --secret-file "$D/wrong"
check "that it is wrong is told" missed MANAGER_LOGIN
check "and the right one heals it" assay manager set "$from" --secret-file "$D/password"
check "identity grade: agentless" eval '[ "$(host_field edge .identity.grade)" = agentless ]'
check "the password is in no answer" eval '! { rest GET /hosts; rest GET /managers; rest GET /audit?limit=500; rest GET /config; } | grep -q "s3cret"'
check "nor on disk, nor in a log" eval '! grep -raq "s3cret" "$D/server" "$D/assayd.log"'
assay host add twin --connect "$from;h=DC0_C0_H0" >/dev/null
check "the same machine twice: refused" wait_for 15 eval '[ "$(host_field twin .last_error.code)" = MANAGED_BOUND ] && [ "$(host_field twin .state)" = registered ]'
assay host remove twin >/dev/null

# ---- learned from one, trusted on all
check "no reference: unknown" says DC0_C0_H0 unknown
check "learned from a good host" assay reference learn DC0_C0_H0 --name esxi8 --activate
check "trusted" says DC0_C0_H0 trusted
check "its like is trusted by the same set" says DC0_C0_H1 trusted
check "grade: reported, everywhere" eval '[ "$(host_field DC0_C0_H0 "[.components.identity, .components.platform, .components.os | .grade] | unique | join(\",\")")" = reported ]'
check "the report says who vouches" eval 'jq -e ".findings[] | select(.code == \"MANAGER_REPORT\" and .result == \"pass\")" "$D/report.json"'
check "modules are seen in the event list" eval 'attest DC0_C0_H0; rest GET "/hosts/DC0_C0_H0/reports/$(jq -r .id "$D/report.json")/events?limit=100" | grep -q "module vmx.v00 esx-base"'
logins=$(calls Login)
check "one login serves many questions" eval 'says DC0_C0_H0 trusted; says edge trusted; [ "$(calls Login)" = "$logins" ]'
check "the verdict can be derived again" eval 'assay host receipt DC0_C0_H0 --out "$D/receipt.json" && "$ASSAY" recheck "$D/receipt.json"'

# ---- reports that are not to be believed
esx DC0_C0_H0 --module net.v00=backdoor
check "a replaced module: untrusted" says DC0_C0_H0 untrusted REF_EVENT
check "and it is named" eval 'jq -r ".causes[].text, .findings[].text, .findings[].path" "$D/report.json" | grep -q "net.v00"'
esx DC0_C0_H0 --good --hide net.v00
check "an event left out: log and values differ" says DC0_C0_H0 untrusted LOG_PCR_MISMATCH
esx DC0_C0_H0 --good --spoil 20
check "events that do not replay" says DC0_C0_H0 untrusted LOG_PCR_MISMATCH
esx DC0_C0_H0 --good --unreliable
check "tpmLogReliable is false" says DC0_C0_H0 untrusted MANAGER_LOG
esx DC0_C0_H0 --good --refused
check "vCenter itself does not accept it" says DC0_C0_H0 untrusted MANAGER_STATUS
esx DC0_C0_H0 --good --boot 2026-03-01T00:00:00Z
check "rebooted and good: trusted" says DC0_C0_H0 trusted
esx DC0_C0_H0 --good --boot 2026-01-01T00:00:00Z
check "an older report again: untrusted" says DC0_C0_H0 untrusted MANAGER_BOOT
esx DC0_C0_H0 --good --boot 2036-01-01T00:00:00Z
check "booted in the future: untrusted" says DC0_C0_H0 untrusted MANAGER_BOOT
esx DC0_C0_H0 --good --boot 2026-03-01T00:00:00Z --uuid 00000000-0000-0000-0000-0000deadbeef
check "another machine under its name: untrusted" says DC0_C0_H0 untrusted MANAGER_HOST
esx DC0_C0_H0 --good --uuid "$(python3 -c 'import uuid; print(uuid.uuid5(uuid.NAMESPACE_DNS, "DC0_C0_H0"))')"
check "the host itself again: trusted" says DC0_C0_H0 trusted
esx DC0_C0_H0 --remove
check "no TPM report: untrusted" says DC0_C0_H0 untrusted EVIDENCE_MALFORMED
esx DC0_C0_H0 --good
check "and good again" says DC0_C0_H0 trusted

# ---- a policy that wants more than a manager's word
jq -n '{format: "assay-policy-1", name: "signed", version: 1, required: ["identity", "platform", "os"], grades: {platform: "tpm_signed"}}' >"$D/policy.json"
check "policy signed is active" eval 'assay policy set "$D/policy.json" && assay policy activate signed && rest PATCH /hosts/DC0_C0_H1 "{\"policy\":\"signed\"}"'
check "tpm_signed is not to be had here" says DC0_C0_H1 untrusted GRADE_COMPONENT

# ---- the manager misbehaves
esx --expire
check "sessions that end are begun anew" says edge trusted
check "by one login more" eval '[ "$(calls Login)" = $((logins + 1)) ]'
for row in "entities OUTGOING_HTTP|XML_DOCTYPE|MANAGER_ANSWER" "huge OUTGOING_LIMIT" "html MANAGER_ANSWER|XML_MALFORMED|XML_DOCTYPE"; do
  esx --answer "${row%% *}"
  check "${row%% *}: no verdict" eval 'rest POST "/hosts/edge/attest?wait=20"; host_field edge .last_error.code | grep -Eqx "'"${row#* }"'"'
done
esx --answer ""
check "well again" says edge trusted
esx DC0_H0 --state notResponding
check "a host that vCenter does not reach is missed" missed MANAGER_AWAY
esx DC0_H0 --good
check "and reached" says edge trusted
new_cert
check "another certificate: nobody there is asked" missed TLS_POLICY
check "silence makes it unknown, as of any host" eval 'missed TLS_POLICY; verdict_is edge unknown'
refuses "the password goes to no other server without being typed again" assay manager set "$from" --tls-policy "certificate=@$V/cert.pem"
check "the new one is pinned" assay manager set "$from" --tls-policy "certificate=@$V/cert.pem" --secret-file "$D/password"
check "and trusted again" says edge trusted
check "a manager in use stays" eval '! assay manager remove "$from"'

# ---- a client that we did not write says that our vCenter is one
check "pyvmomi reads the same" /usr/bin/python3 "$root/tests/support/vcsim_check.py" "$vc" "$D/password"

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Reference sets: two persons, a restart between, signed sets out and in, versions side by side, revocation.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need swtpm swtpm_setup tpm2 jq curl openssl

mkdir -p "$D/signers"
for k in site:ED25519 stranger:ED25519; do openssl genpkey -algorithm "${k#*:}" -out "$D/${k%:*}.pem" 2>/dev/null; done
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$D/vendor.pem" 2>/dev/null
for k in site vendor; do openssl pkey -in "$D/$k.pem" -pubout -out "$D/signers/$k.pem"; done

server_conf "attest_interval = 2s" "lease = 20s" "reference_signers = $D/signers" "" "[approval]" "reference_activate = yes" "token_age = 3s"
server_init
tpm_maker lab
host_new a && host_boot a
trust_maker lab lab
must_start
server_keep_ports
check "enrolled" enrol a
agent_start a
check "connected" wait_for 15 answers a

as() { # as TOKEN-FILE COMMAND...: the command line with somebody else's token
  local token=$D/$1
  shift
  "$ASSAY" --server "https://$api" --ca "$D/server/root.pem" --token-file "$token" "$@"
}
says() { grep -q "$1" "$D/refused"; }
check "a second person" eval 'assay user add bob --role operator && assay user token bob >"$D/bob" && assay user token admin --label two >"$D/admin2"'
check "a person who only reads" eval 'assay user add eve --role viewer && assay user token eve >"$D/eve"'
made=$SECONDS

# ---- two persons
assay --json reference learn a --name golden --activate >"$D/learned"
check "learned, not yet in force" eval '[ "$(jq -r .state "$D/learned")/$(jq -r .approval.state "$D/learned")" = draft/pending ]'
id=$(jq -r .approval.id "$D/learned")
check "it is in the list" eval 'assay approval list | grep -q "golden@1.*pending"'
check "not trusted yet" eval 'assay host attest a; ! verdict_is a trusted'
refuses "asked for a second time" assay reference activate golden@1 && says APPROVAL_PENDING || not_ok "code of a second request"
refuses "the requester approves" assay approval approve "$id" && says APPROVAL_OWN || not_ok "code of the requester"
refuses "the requester's other token" as admin2 approval approve "$id" && says APPROVAL_OWN || not_ok "code of the other token"
refuses "the requester denies" assay approval deny "$id" && says APPROVAL_OWN || not_ok "code of the requester's denial"
refuses "who may not do it himself" as eve approval approve "$id" && says NOT_PERMITTED || not_ok "code of a viewer"
if [ $((SECONDS - made)) -lt 2 ]; then
  refuses "a token that is too new" as bob approval approve "$id" && says APPROVAL_TOKEN_NEW || not_ok "code of a new token"
fi
server_stop
check "starts again" server_start
approved() { as bob approval approve "$id" --reason "looked at the diff"; }
check "the second person approves" wait_for 6 approved
check "in force" eval '[ "$(rest GET /reference-sets/golden@1 | jq -r .state)" = active ]'
check "trusted" wait_for 15 eval 'assay host attest a && verdict_is a trusted'
refuses "a replayed approval" as bob approval approve "$id" && says APPROVAL_DONE || not_ok "code of a replay"
check "one host relies on it" eval 'assay reference list | grep -q "^golden  *1  *active  *1 "'

# ---- what was asked for is not there any more
assay reference learn a --name golden >/dev/null
id=$(assay --json reference activate golden@2 --supersede | jq -r .approval.id)
check "the draft is revoked meanwhile" assay reference revoke golden@2
refuses "a changed object" as bob approval approve "$id" && says APPROVAL_CHANGED || not_ok "code of a changed object"
check "the approval is void" eval '[ "$(rest GET "/approvals/$id" | jq -r .state)" = void ]'
assay reference learn a --name golden >/dev/null
id=$(assay --json reference activate golden@3 --supersede | jq -r .approval.id)
check "denied" as bob approval deny "$id" --reason "not today"
refuses "approved after that" as bob approval approve "$id" && says APPROVAL_DONE || not_ok "code after a denial"
check "still a draft" eval '[ "$(rest GET /reference-sets/golden@3 | jq -r .state)" = draft ]'

# ---- old and new side by side, until an instant
at=$(date -u -d '+3 seconds' +%Y-%m-%dT%H:%M:%SZ)
id=$(assay --json reference activate golden@3 --at "$at" | jq -r .approval.id)
check "approved with an end for the old" as bob approval approve "$id"
check "both are accepted" eval '[ "$(rest GET /reference-sets/golden@1 | jq -r .state)$(rest GET /reference-sets/golden@3 | jq -r .state)" = activeactive ]'
check "the old one ends by itself" wait_for 8 eval '[ "$(rest GET /reference-sets/golden@1 | jq -r .state)" = superseded ]'
check "trusted by the new one" eval 'assay host attest a && verdict_is a trusted'

# ---- out and in
assay reference export golden@3 >"$D/plain.json"
assay reference export golden@3 --key "$D/site.pem" >"$D/signed.json"
refuses "what is here already" assay reference import "$D/signed.json" && says REFERENCE_EXISTS || not_ok "code of what is here"
check "signed by us, another name" eval 'assay reference import "$D/signed.json" --name copy | tee "$D/out"; grep -q "signed by site" "$D/out" && grep -q "copy version 1: draft" "$D/out"'
check "nothing differs" assay reference diff golden@3 copy
check "nothing differs, offline" assay reference diff "$D/plain.json" "$D/signed.json"
# an envelope that openssl made
type=application/vnd.assay.reference-set+json
jq -c '.name = "vendor" | .version = 7 | del(.sha256)' "$D/plain.json" | tr -d '\n' >"$D/body"
printf 'DSSEv1 %d %s %d ' ${#type} $type "$(stat -c %s "$D/body")" | cat - "$D/body" >"$D/pae"
envelope() { jq -n --arg t $type --arg p "$(base64 -w0 "$D/body")" --arg s "$(openssl dgst -sha256 -sign "$1" "$D/pae" | base64 -w0)" '{payload: $p, payloadType: $t, signatures: [{sig: $s}]}'; }
envelope "$D/vendor.pem" >"$D/vendor.json"
check "signed with openssl" eval 'assay reference import "$D/vendor.json" | grep -q "signed by vendor"'
check "as it was made" eval '[ "$(rest GET /reference-sets/vendor@7 | jq -r .state)" = draft ]'
assay reference export golden@3 --key "$D/stranger.pem" >"$D/stranger.json"
refuses "a stranger's" assay reference import "$D/stranger.json" --name s && says DSSE_SIGNER || not_ok "code of a stranger"
jq --arg p "$(sed 's/golden/g0lden/' "$D/plain.json" | tr -d '\n' | base64 -w0)" '.payload = $p' "$D/signed.json" >"$D/forged.json"
refuses "changed after signing" assay reference import "$D/forged.json" --name f && says DSSE_SIGNATURE || not_ok "code of a forgery"
check "unsigned: a warning" eval 'assay reference import "$D/plain.json" --name u 2>&1 | grep -q "warning: the set is not signed"'
jq 'del(.sha256) | .parts.platform |= map(select(.pcr != 7))' "$D/plain.json" >"$D/less.json"
assay reference diff "$D/plain.json" "$D/less.json" >"$D/diff"
check "one rule less is shown" eval '[ $? = 0 ] && grep -q "^removed  *platform  *7 " "$D/diff"'

# ---- out of force
refuses "hosts rely on it" assay reference revoke golden@3 && says REFERENCE_IN_USE || not_ok "code of a set in use"
check "revoked by force" assay reference revoke golden@3 --force
check "not trusted any more, at once" wait_for 5 eval '! verdict_is a trusted'
rest GET '/audit?format=export' >"$D/audit"
check "the audit is sound" assay audit verify "$D/audit"
rest GET '/audit?limit=1000' | jq -r '.items[].action' | sort -u >"$D/actions"
for x in APPROVAL_ASK APPROVAL_APPROVE APPROVAL_VOID APPROVAL_DENY REFERENCE_ACTIVATE REFERENCE_SUPERSEDE REFERENCE_REVOKE REFERENCE_IMPORT; do
  check "the audit has $x" grep -qx $x "$D/actions"
done
sed -i '1i reference_import_unsigned = no' "$D/assayd.conf"
server_stop
check "starts with unsigned sets refused" server_start
refuses "unsigned" assay reference import "$D/plain.json" --name v && says REFERENCE_UNSIGNED || not_ok "code of an unsigned set"

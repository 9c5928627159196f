#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A host's whole life by SOAP, with a client that we did not write: registered, learned, attested, asserted, removed; every message fits the schemas.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need swtpm swtpm_setup tpm2 jq curl xmlsec1 xmllint
/usr/bin/python3 -c 'import zeep' 2>/dev/null || skip_all "package not installable (python3-zeep)"

mkdir "$D/messages"
soap() { # soap VERB HOST: what it says is in $D/VERB
  ASSAY_SERVER=https://$api ASSAY_CA=$D/server/root.pem ASSAY_TOKEN_FILE=$D/server/admin.token \
    /usr/bin/python3 "$root/tests/support/soaplife.py" "$D/messages" "$@" >"$D/$1" 2>"$D/$1.err" || { cat "$D/$1" "$D/$1.err"; return 1; }
}
said() { grep -xE "$1" "$D/live" || { cat "$D/live"; return 1; }; } # said PATTERN: a whole line
others_verify() { # by xmlsec1 with the pinned key
  xmlsec1 --verify --id-attr:ID urn:oasis:names:tc:SAML:2.0:assertion:Assertion --pubkey-cert-pem "$D/server/assertion.pem" "$1"
}

server_conf
server_init
tpm_maker lab
host_new a && host_boot a
trust_maker lab lab
must_start
check "registered, with a token" soap register a
check "nothing is known of it yet" grep -x "trust before: unknown" "$D/register"
check "enrolled by that token" agent enrol a --token "$(sed -n 's/^token: //p' "$D/register")"
agent_start a
check "connected" wait_for 30 answers a
check "a life by both versions" soap live a

check "learned a draft" said "learned: draft"
check "put in force" said "activated: active"
check "the default policy attached" said "attached: default"
all="asset_tag=unknown compliance=unknown identity=trusted os=trusted platform=trusted runtime=trusted"
for v in 11 12; do
  check "$v: attested, and the report is the one that is kept" said "attested $v: trusted True True"
  check "$v: GetTrust says so, component by component" said "trust $v: trusted $all"
  # Taken out of the answer as a client takes it, the signature still holds.
  check "$v: an assertion" said "assertion $v: application/samlassertion\\+xml"
  check "$v: xmlsec1 verifies it" others_verify "$D/a$v.xml"
  check "$v: so do we" assay assertion verify "$D/a$v.xml" --cert "$D/server/assertion.pem" --audience https://rp.example
  check "$v: changed, it is refused" eval "sed 's/>true</>false</' '$D/a$v.xml' >'$D/b$v.xml' && ! cmp '$D/a$v.xml' '$D/b$v.xml' && ! others_verify '$D/b$v.xml'"
done
check "the whitelist has its values" said "whitelist: active True"
check "one that hosts rely on is not revoked just so" said "relied on: [A-Z_]+"
check "but by force" said "revoked: revoked"
check "removed: neither attested nor spoken for" said "removed: [A-Z_]+ [A-Z_]+"
check "every message fits the schemas, says xmllint" said "messages: True"
check "the audit has all of it" eval \
  'rest GET "/audit?limit=1000" >"$D/audit.json" && for x in HOST_ADD TOKEN_CREATE REFERENCE_LEARN REFERENCE_REVOKE HOST_REMOVE; do jq -e --arg x $x "[.items[] | select(.action == \$x)] | length > 0" "$D/audit.json" || { echo "no $x"; exit 1; }; done'

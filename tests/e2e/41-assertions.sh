#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Signed statements of a host in every form, verified by programs that are not ours, and when they are made anew.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need swtpm swtpm_setup tpm2 jq curl xmlsec1 xmllint

server_conf
check "assayd init" server_init
tpm_maker lab
check "host: manufacture and boot" eval "host_new alpha && host_boot alpha"
trust_maker lab lab
must_start
check "host enrols" enrol alpha
agent_start alpha
check "it is connected" wait_for 20 answers alpha

get() { assay assertion get alpha "$@"; }
S=$D/server
xpath() { xmllint --nonet --xpath "string($2)" "$1"; }
value() { xpath "$1" "//*[local-name()='Attribute'][@Name='$2']/*"; }
others_verify() { # others_verify FILE CERTIFICATE: by xmlsec1 with the pinned key
  xmlsec1 --verify --id-attr:ID urn:oasis:names:tc:SAML:2.0:assertion:Assertion --pubkey-cert-pem "$2" "$1"
}
others_verify_jwt() { # others_verify_jwt FILE JWKS: by python3-jwcrypto
  /usr/bin/python3 - "$1" "$2" <<'EOT'
import json, sys
from jwcrypto import jwk, jwt
keys = jwk.JWKSet.from_json(open(sys.argv[2]).read())
t = jwt.JWT(algs=['ES256'])
t.deserialize(open(sys.argv[1]).read().strip(), keys)
one = keys.get_key(json.loads(t.header)['kid'])
assert one.thumbprint() == one.get('kid')
print(t.claims)
EOT
}

# Nothing is known yet.
refuses "nothing is said in profile assay of a host whose verdict is unknown" get
check "the refusal names it" grep -q VERDICT_UNKNOWN "$D/refused"
check "profile cit says that it is not trusted" eval "get --format cit >'$D/unknown.xml' && [ \"\$(value '$D/unknown.xml' Trusted)\" = false ]"
check "an attestation result affirms nothing" eval "get --format ear >'$D/unknown.jwt' && rest GET /jwks >'$D/jwks' && \
  '$ASSAY' assertion verify '$D/unknown.jwt' --jwks '$D/jwks' --json | jq -e '.claims.submods.host[\"ear.status\"] == \"none\"'"

check "reference learned" assay reference learn alpha --name good --activate
check "trusted" eval "assay host attest alpha && verdict_is alpha trusted"

check "SAML: xmlsec1 verifies it" eval "get --audience https://rp.example --nonce 0123456789 >'$D/a.xml' && others_verify '$D/a.xml' '$S/assertion.pem'"
check "SAML: audience, nonce, verdict" eval "[ \"\$(value '$D/a.xml' Nonce)\" = 0123456789 ] && [ \"\$(value '$D/a.xml' Trusted)\" = true ] && \
  [ \"\$(xpath '$D/a.xml' \"//*[local-name()='Audience']\")\" = https://rp.example ]"
check "SAML: assay verifies it offline, by its certificate and by the root" eval "'$ASSAY' assertion verify '$D/a.xml' --cert '$S/assertion.pem' --audience https://rp.example --nonce 0123456789 && \
  '$ASSAY' assertion verify '$D/a.xml' --cert '$S/root.pem'"
refuses "SAML: not for another audience" "$ASSAY" assertion verify "$D/a.xml" --cert "$S/root.pem" --audience https://other.example
check "SAML: it ends with the lease at the latest" eval "[ \"\$(xpath '$D/a.xml' \"//*[local-name()='Conditions']/@NotOnOrAfter\")\" = \"\$(host_field alpha .lease_until)\" ]"
check "cit: xmlsec1 verifies its RSA signature" eval "get --format cit >'$D/c.xml' && others_verify '$D/c.xml' '$S/assertion-rsa.pem' && grep -q xmldsig-more#rsa-sha256 '$D/c.xml'"
check "cit: names and values as the family reads them" eval "[ \"\$(value '$D/c.xml' Host_Name)\" = alpha ] && [ \"\$(value '$D/c.xml' Trusted)\" = true ] && \
  [ \"\$(value '$D/c.xml' Trusted_BIOS)\" = true ] && value '$D/c.xml' AIK_Certificate | openssl x509 -noout"
check "cit: the AIK's fingerprint is its own" eval "[ \"\$(value '$D/c.xml' AIK_Certificate | openssl x509 -noout -fingerprint -sha1 | sed 's/.*=//; s/://g' | tr A-F a-f)\" = \"\$(value '$D/c.xml' AIK_SHA1)\" ]"
check "secl: true overall" eval "get --format secl >'$D/s.xml' && others_verify '$D/s.xml' '$S/assertion-rsa.pem' && [ \"\$(value '$D/s.xml' TRUST_OVERALL)\" = true ]"
if /usr/bin/python3 -c 'import jwcrypto' 2>/dev/null; then
  check "EAR: another JOSE library verifies it" eval "get --format ear --nonce abcdefgh >'$D/e.jwt' && others_verify_jwt '$D/e.jwt' '$D/jwks' | jq -e '.submods.host[\"ear.status\"] == \"affirming\" and .eat_nonce == \"abcdefgh\"'"
fi
check "EAR: assay verifies it offline" "$ASSAY" assertion verify "$D/e.jwt" --jwks "$D/jwks" --nonce abcdefgh
refuses "EAR: not with another server's keys" "$ASSAY" assertion verify "$D/e.jwt" --jwks <(echo '{"keys":[]}')
check "the keys are told to everybody" curl -sf --cacert "$S/root.pem" "https://$api/api/v1/jwks"
refuses "a nonce that no EAT may have" get --format ear --nonce short

# Signed once while all it says holds.
check "the same document again" eval "get >'$D/1' && get >'$D/2' && cmp '$D/1' '$D/2'"
check "with a nonce it is made anew" eval "get --nonce 12345678 >'$D/3' && get --nonce 12345678 >'$D/4' && ! cmp -s '$D/3' '$D/4'"
check "for another audience it is another" eval "get --audience https://x >'$D/5' && ! cmp -s '$D/1' '$D/5'"
check "a new report, a new document" eval "assay host attest alpha && get >'$D/6' && ! cmp -s '$D/1' '$D/6'"
report() { host_field alpha .attested_at; }
check "--fresh lets it attest first" eval "before=\$(report); get --fresh >'$D/7' && [ \"\$(report)\" != \"\$before\" ] && ! cmp -s '$D/6' '$D/7'"
agent_stop alpha
check "the host is gone" wait_for 15 eval "[ \"\$(host_field alpha .connected)\" = false ]"
refuses "--fresh of a host that is gone gives nothing out" get --fresh
check "what holds until its lease ends is still given out" get

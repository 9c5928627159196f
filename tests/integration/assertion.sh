#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# assay assertion verify on assertions of the original product: exit codes and codes of refusal.
set -u
cd "$(dirname "$0")/../.." || exit
assay=${AY_BUILD:-build}/src/prog/assay/assay
cit=${ASSAY_CORPUS:-../shared/corpus}/saml/cit
n=0
if [ ! -d "$cit" ]; then
  [ -z "${ASSAY_TEST_STRICT:-}" ] || { echo "not ok 1 - no corpus"; exit 1; }
  echo "ok 1 - assertions of the corpus # SKIP no corpus"
  exit 0
fi
says() { # says DESCRIPTION EXIT JQ-EXPRESSION FILE OPTION...
  local what=$1 code=$2 expr=$3 file=$4 out rc
  shift 4
  n=$((n + 1))
  out=$("$assay" assertion verify --json "$file" "$@" 2>/dev/null)
  rc=$?
  if [ $rc = "$code" ] && printf '%s' "$out" | jq -e "$expr" >/dev/null 2>&1; then echo "ok $n - $what"; else
    echo "# exit $rc: $out"
    echo "not ok $n - $what"
  fi
}
pin=(--cert "$cit/saml.crt.pem")
says "an assertion of CIT verifies when legacy is allowed" 0 '.verdict=="valid" and .attributes.Host_Name[0]=="10.1.71.175" or .attributes.Host_Name=="10.1.71.175"' "$cit/saml.xml" "${pin[@]}" --legacy
says "its SHA-1 is refused otherwise" 1 '.verdict=="invalid" and .error.code=="SAML_ALGORITHM" and .findings[0].result=="fail"' "$cit/saml.xml" "${pin[@]}"
says "another embedded key is refused" 1 '.error.code=="SAML_KEY"' "$cit/saml2.xml" "${pin[@]}" --legacy
says "a DOCTYPE is refused before parsing" 2 '.error.code=="XML_DOCTYPE"' "$cit/host-149.saml_xxe.xml" "${pin[@]}"
# Attacks and broken assertions of other implementations, each by its own name: wrapped, doubled, concealed, commented,
# with a DOCTYPE, encrypted, unsigned, of another audience or issuer, out of date. None is taken with a key we pin.
taken=''
seen=0
for f in "$cit"/../ruby/*.xml "$cit"/../secl/invalid*.xml; do
  "$assay" assertion verify --json "$f" "${pin[@]}" --legacy >/dev/null 2>&1
  rc=$?
  seen=$((seen + 1))
  [ $rc = 1 ] || [ $rc = 2 ] || taken="$taken ${f##*/}:$rc"
done
n=$((n + 1))
[ -z "$taken" ] && [ $seen -gt 70 ] && echo "ok $n - $seen attacks and broken assertions are refused" || echo "not ok $n - taken:$taken ($seen)"
for row in response_assertion_wrapped:SAML_WRAPPING invalids-signature_wrapping_attack:SAML_WRAPPING response_node_text_attack:SAML_COMMENT \
  attackxee:XML_DOCTYPE invalids-no_signature:SAML_UNSIGNED invalids-encrypted_new_attack:SAML_SHAPE; do
  says "${row%:*} is refused for what it is" "$(case ${row#*:} in XML_*) echo 2 ;; *) echo 1 ;; esac)" ".error.code==\"${row#*:}\"" "$cit/../ruby/${row%:*}.xml" "${pin[@]}" --legacy
done
changed=$(mktemp)
sed 's/>true</>false</' "$cit/saml.xml" >"$changed"
says "a changed attribute is refused" 1 '.error.code=="SAML_SIGNATURE"' "$changed" "${pin[@]}" --legacy
rm -f "$changed"
n=$((n + 1))
"$assay" assertion verify /nonexistent "${pin[@]}" >/dev/null 2>&1
[ $? = 3 ] && echo "ok $n - a file that cannot be read exits 3" || echo "not ok $n - a file that cannot be read exits 3"
n=$((n + 1))
"$assay" assertion verify "$cit/saml.xml" >/dev/null 2>&1
[ $? = 2 ] && echo "ok $n - without --cert it is a usage error" || echo "not ok $n - without --cert it is a usage error"

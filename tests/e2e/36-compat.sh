#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Whitelisting, attesting and fetching assertions by the paths of the Mt. Wilson family alone; enrolment is ours.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need swtpm swtpm_setup tpm2 jq curl xmllint xmlsec1 openssl

server_conf "attest_interval = 1h" "lease = 2h" "[compat]" "oat1_listen = 127.0.0.1:0" "oat1_from = 127.0.0.0/8" "oat1_role = viewer" \
  "mtwilson_listen = 127.0.0.1:0"
server_init
tpm_maker lab
host_new a && host_boot a
host_new b && host_boot b --change kernel
trust_maker lab lab
must_start
mtw=$(endpoint mtwilson) oat=$(endpoint oat1)
AS=/AttestationService/resources MS=/ManagementService/resources

fam() { # fam METHOD PATH [JSON [HEADER...]]
  local h=()
  for x in "${@:4}"; do h+=(-H "$x"); done
  curl -sS -m 90 --cacert "$D/server/root.pem" -H "Authorization: Bearer $(cat "$D/server/admin.token")" \
    -H 'Content-Type: application/json' "${h[@]}" -X "$1" "https://$mtw$2" ${3:+-d "$3"}
}
poll() { # poll HOST...: the levels, as a scheduler without credentials gets them
  curl -sS -m 60 --cacert "$D/server/root.pem" -H 'content-type: application/json' -H 'x-auth-blob: x' \
    -d "$(jq -nc '{count: ($ARGS.positional | length), hosts: $ARGS.positional}' --args "$@")" \
    "https://$oat/OpenAttestationWebServices/V1.0/PollHosts" | jq -r '.hosts[].trust_lvl' | xargs
}
is() { [ "$1" = "$2" ] || { echo "got: $1"; echo "want: $2"; false; }; }
pcr_of() { tpm2_of "$1" tpm2 pcrread "sha256:$2" | awk '/0x/ { print tolower(substr($3, 3)) }'; }

# ---- registered by the family, enrolled by its agent
check "a: registered" is "$(fam POST $MS/host '{"HostName":"a","AddOn_Connection_String":""}')" true
check "registered is unknown" is "$(poll a nobody)" "unknown unknown"
for host in a b; do
  [ $host = a ] || assay host add b >/dev/null
  check "$host: enrolled" enrol $host --host $host
  agent_start $host
  check "$host: answers" wait_for 30 answers $host
done
check "without a whitelist nothing is trusted" is "$(poll a b)" "unknown unknown"

# ---- a whitelist from the good host
record='{"HostName":"a","BIOS_Name":"bios","BIOS_Version":"2.1","BIOS_Oem":"Lab","VMM_Name":"kvm","VMM_Version":"6.1","VMM_OSName":"Debian","VMM_OSVersion":"12"}'
custom() { jq -nc --argjson r "$record" --argjson o "$1" '{TXT_Host_Record: $r} + $o'; }
check "PCR 17 without a measured launch is refused" eval 'fam POST $MS/host/whitelist/custom "$(custom "{\"BIOS_PCRS\":\"0,17\"}")" | jq -e ".error_code == 1026"'
check "whitelisted" is "$(fam POST $MS/host/whitelist/custom "$(custom '{"Register_Host":true}')")" true
check "not twice" eval 'fam POST $MS/host/whitelist/custom "$(custom "{}")" | jq -e ".error_code == 2007"'
check "again, when it is to be overwritten" is "$(fam POST $MS/host/whitelist/custom "$(custom '{"Overwrite_Whitelist":true}')")" true
other=$(printf '%s' "$record" | jq -c '.HostName = "b" | .IPAddress = "10.0.0.2"')
check "b: registered with the same MLEs" is "$(fam PUT $AS/hosts "$other")" true

# ---- attested
fam GET "$AS/hosts/bulk/trust?hosts=a,b,nobody&force_verify=true&timeout=60" >"$D/bulk.json"
check "bulk: a is good, b is not, nobody is not found" jq -e '[.hosts[] | [.host_name, .bios_status, .vmm_status, .error_code]] ==
  [["a",1,1,"OK"],["b",1,0,"OK"],["nobody",0,0,"AS_HOST_NOT_FOUND"]]' "$D/bulk.json"
check "PollHosts says so too" is "$(poll a b nobody)" "trusted untrusted unknown"
check "hosts/trust" is "$(fam GET "$AS/hosts/trust?hostName=a")" '{"hostname":"a","trust":{"bios":true,"vmm":true,"location":false,"asset_tag":false}}'
check "hosts/trust as text" is "$(fam GET "$AS/hosts/trust?hostName=b" '' 'Accept: text/plain')" "BIOS:1,VMM:0"
check "under /mtwilson/v1 as well" eval 'fam GET "/mtwilson/v1$AS/hosts/trust?hostName=a" | jq -e .trust.vmm'

# ---- assertions
fam GET "$MS/ca/certificate/saml/current" '' 'Accept: application/x-pem-file' >"$D/saml.pem"
check "the certificate of assertions" openssl x509 -in "$D/saml.pem" -noout
fam GET "$AS/saml/assertions/host?hostName=a" '' 'Accept: application/samlassertion+xml' >"$D/a.xml"
sound() { xmllint --noout "$1" && xmlsec1 --verify --id-attr:ID urn:oasis:names:tc:SAML:2.0:assertion:Assertion --pubkey-cert-pem "$D/saml.pem" "$1"; }
check "xmlsec1 accepts the assertion" sound "$D/a.xml"
attr() { xmllint --xpath "string(//*[local-name()='Attribute'][@Name='$2']/*)" "$1"; }
check "a is Trusted" is "$(attr "$D/a.xml" Host_Name) $(attr "$D/a.xml" Trusted) $(attr "$D/a.xml" Trusted_VMM)" "a true true"
fam GET "$AS/saml/assertions/host?hostName=a,b" >"$D/ab.xml"
check "about several hosts: xmlsec1 accepts it" sound "$D/ab.xml"
check "one of them is Trusted" is "$(xmllint --xpath "count(//*[local-name()='Attribute'][@Name='Trusted']/*[text()='true'])" "$D/ab.xml")" 1
fam GET "$AS/hosts/bulk/trust/saml?hosts=a,b,nobody&force_verify=false" >"$D/bulk.xml"
check "bulk SAML is well-formed" xmllint --noout "$D/bulk.xml"
check "and has a code for each host" is "$(xmllint --xpath '//Host/ErrorCode/text()' "$D/bulk.xml" | xargs)" "OK OK AS_HOST_NOT_FOUND"
xmllint --xpath 'string(//Host[Name="b"]/Assertion)' "$D/bulk.xml" >"$D/b.xml"
check "the assertion inside is sound" sound "$D/b.xml"
check "b is not Trusted" is "$(attr "$D/b.xml" Trusted)" false
sha1=$(rest GET "/hosts/a/evidence?part=aik-certificate" 2>/dev/null | sha1sum | cut -d' ' -f1)
check "by AIK" eval 'fam GET "$AS/hosts/aik-$sha1/trust.json" | jq -e ".hostname == \"a\""'

# ---- reports
fam GET "$AS/hosts/reports/trust?hostNames=a,b" >"$D/trust.xml"
check "report of trust" is "$(xmllint --xpath '//Host/@Trust_Status' "$D/trust.xml" | xargs)" "Trust_Status=1 Trust_Status=0"
fam GET "$AS/hosts/reports/manifest?hostName=a" >"$D/manifest.xml"
check "report of PCRs: what the TPM has" is "$(xmllint --xpath 'string(//Manifest[@Name="4"]/@Value)' "$D/manifest.xml")" "$(pcr_of a 4)"
fam GET "$AS/hosts/reports/attestation?hostName=a" >"$D/raw.xml"
check "raw report" is "$(xmllint --xpath 'string(//PCRInfo[@ComponentName="0"][@DigestAlgorithm="sha256"]/@DigestValue)' "$D/raw.xml")" "$(pcr_of a 0)"
fam GET "$AS/hosts/reports/attestationreport?hostName=b&failure_only=true" >"$D/log.json"
check "failures of b, with what was expected" eval '[ "$(jq -r ".PcrLogReport[0] | [.Name, .Value, .WhitelistValue, .TrustStatus] | @tsv" "$D/log.json")" = \
  "$(n=$(jq .PcrLogReport[0].Name "$D/log.json"); printf "%s\t%s\t%s\t0" "$n" "$(pcr_of b "$n")" "$(pcr_of a "$n")")" ]'

# ---- a value is corrected: OAT's CRUD judges anew at once
n=$(jq .PcrLogReport[0].Name "$D/log.json")
key='"mleName":"kvm","mleVersion":"6.1","osName":"Debian","osVersion":"12"'
check "the value of b is put in" is "$(fam PUT /WLMService/resources/mles/whitelist/pcr "{$key,\"pcrName\":\"$n\",\"pcrDigest\":\"$(pcr_of b "$n")\"}")" true
fam GET "$AS/hosts/bulk/trust?hosts=a&force_verify=true&timeout=60" >/dev/null
check "now a is the wrong one" is "$(poll a)" untrusted

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# REST over real hosts: evidence as it came and checked by other tools, PCRs, events and files with results, history, one-shot verification.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need swtpm swtpm_setup tpm2 jq curl python3

server_conf "attest_interval = 1h" "lease = 2h"
server_init
tpm_maker lab
host_new a && host_boot a
host_new b && host_boot b --change kernel
trust_maker lab lab
must_start
for host in a b; do
  check "$host: enrolled" enrol $host
  agent_start $host
  check "$host: answers" wait_for 15 answers $host
done
check "learned" assay reference learn a --name ref --activate
for host in a b; do assay host attest $host >/dev/null 2>&1; done
id_of() { rest GET "/hosts/$1/report" | jq -r .id; }
a=$(id_of a) b=$(id_of b)

# ---- evidence, judged by tools that are not ours
rest GET "/hosts/a/reports/$a/evidence" >"$D/a.tar"
mkdir "$D/ev" && tar -C "$D/ev" -xf "$D/a.tar"
check "an archive that tar reads" test -s "$D/ev/quote.msg" -a -s "$D/ev/quote.sig" -a -s "$D/ev/ak.pub" -a -s "$D/ev/eventlog.bin"
check "the log is the host's own" cmp "$D/ev/eventlog.bin" "$D/a/eventlog"
check "its AK in PEM" tpm2 print -t TPM2B_PUBLIC "$D/ev/ak.pub"
openssl x509 -inform DER -in "$D/ev/aik.der" -noout -pubkey >"$D/ak.pem" 2>/dev/null
check "tpm2_checkquote accepts it" tpm2 checkquote -u "$D/ak.pem" -m "$D/ev/quote.msg" -s "$D/ev/quote.sig" -q "$(cat "$D/ev/nonce.hex")"
rest GET "/hosts/a/reports/$a/evidence?part=quote" >"$D/part"
check "one part alone" cmp "$D/part" "$D/ev/quote.msg"
assay reference export ref@1 >"$D/set.json" 2>"$D/last"
rest GET /reference-sets/ref@1/export >"$D/export.json"
check "the export of a reference set is the command's, octet by octet" eval 'cmp "$D/set.json" "$D/export.json" && jq -e ".state == \"draft\"" "$D/export.json"'
check "assay appraise comes to the same verdict" "$ASSAY" appraise "$D/ev" --reference "$D/set.json"
check "a part that is none" eval 'rest GET "/hosts/a/evidence?part=roof" | jq -e ".status == 400"'

# ---- one by one
tpm2 eventlog "$D/a/eventlog" 2>/dev/null >"$D/theirs"
theirs=$(grep -c '^- EventNum:' "$D/theirs")
check "events: as many as tpm2_eventlog counts ($theirs)" eval '[ "$(rest GET "/hosts/a/reports/$a/events?limit=1000" | jq ".items|length")" = "$theirs" ]'
check "events of a are judged" eval 'rest GET "/hosts/a/reports/$a/events?limit=1000" | jq -e "[.items[]|select(.result==\"pass\" and .rule!=null)]|length > 10"'
check "events of b: those that differ" eval 'rest GET "/hosts/b/reports/$b/events?result=fail" | jq -e "(.items|length) > 0 and ([.items[].result]|unique) == [\"fail\"]"'
check "PCRs: the values the log replays to" eval '[ "$(rest GET "/hosts/a/reports/$a/pcrs" | jq -r ".items[]|select(.bank==\"sha256\" and .pcr==4).measured")" = "$("$ASSAY" eventlog "$D/a/eventlog" --json | jq -r ".pcrs.sha256[\"4\"]")" ]'
pages=0 cursor='' n=0
while :; do
  page=$(rest GET "/hosts/a/reports/$a/events?limit=7${cursor:+&cursor=$cursor}")
  n=$((n + $(printf '%s' "$page" | jq '.items|length'))) pages=$((pages + 1))
  cursor=$(printf '%s' "$page" | jq -r '.next // empty')
  [ -n "$cursor" ] && [ $pages -lt 100 ] || break
done
check "events page by page: each once" [ "$n" = "$theirs" ]
check "files: as many as the list has lines" eval '[ "$(rest GET "/hosts/a/reports/$a/ima?limit=1000" | jq ".items|length")" = "$("$ASSAY" ima "$D/ev/ima.bin" --json | jq .entries)" ]'
check "history of b: when it became untrusted" eval 'rest GET /hosts/b/history | jq -e ".items[0].verdict == \"untrusted\" and .items[-1].was == null"'

# ---- lists
check "filter by cause" eval '[ "$(rest GET "/hosts?cause=$(rest GET /hosts/b/report | jq -r ".causes[0].class")" | jq -r ".items[].name")" = b ]'
check "filter by reference set" eval '[ "$(rest GET "/hosts?reference=ref@1&verdict=trusted" | jq -r ".items[].name")" = a ]'
check "counts by kind" eval 'rest GET "/hosts?facets=verdict,reference&limit=1" | jq -e ".total == 2 and .facets.verdict == {trusted: 1, untrusted: 1} and .facets.reference[\"ref@1\"] == 2"'
check "labels of many hosts" eval 'rest POST /hosts/bulk/change "{\"filter\":{\"prefix\":\"a\"},\"labels\":{\"pool\":\"gold\"}}" | jq -e ".items[0].status == 200" && [ "$(rest GET "/hosts?label=pool%3Dgold" | jq -r ".items[].name")" = a ]'

# ---- one-shot verification of evidence that nobody registered
b64() { base64 -w0 "$1"; }
verify_body() { # verify_body NONCE [MORE]: of the evidence in $D/ev
  jq -n --arg n "$1" --rawfile q <(b64 "$D/ev/quote.msg") --rawfile s <(b64 "$D/ev/quote.sig") --rawfile k <(b64 "$D/ev/aik.der") \
    --rawfile l <(b64 "$D/ev/eventlog.bin") --rawfile i <(b64 "$D/ev/ima.bin") --slurpfile p "$D/ev/pcrs.json" \
    "{quote:\$q,signature:\$s,ak:\$k,nonce:\$n,eventlog:\$l,ima:\$i,pcrs:\$p[0]${2:-}}" >"$D/body.json"
}
verify() { curl -sS -m 60 --cacert "$D/server/root.pem" -H "Authorization: Bearer $(cat "$D/server/admin.token")" -H 'Content-Type: application/json' \
  --data-binary @"$D/body.json" "https://$api/api/v1/verify"; }
nonce=$(cat "$D/ev/nonce.hex")
verify_body "$nonce"
before=$(rest GET /audit/head | jq .size)
check "verify: trusted, by the caller's own nonce, of an AK that we certified" eval 'verify | jq -e --arg h "$(host_field a .id)" ".report.verdict == \"trusted\" and .nonce == \"caller\" and .identity.host == \$h"'
check "verify: the report is that of assay appraise" eval '[ "$(verify | jq -Sc "[.report.findings[].code]|unique")" = "$("$ASSAY" appraise "$D/ev" --reference "$D/set.json" --json | jq -Sc "[.findings[].code]|unique")" ]'
check "verify: it is in the audit, and only there" eval '[ "$(rest GET /audit/head | jq .size)" -ge $((before + 2)) ] && [ "$(rest GET /hosts | jq ".items|length")" = 2 ]'
verify_body "$(printf '%064d' 1)"
check "verify: another nonce" eval 'verify | jq -e ".report.verdict == \"untrusted\" and ([.report.findings[]|select(.result==\"fail\").code]|index(\"QUOTE_NONCE\"))"'
verify_body "$nonce" ',references:["none"]'
check "verify: no such reference set" eval 'verify | jq -e ".status == 404"'
verify_body "$nonce" ',policy:"none"'
check "verify: no such policy" eval 'verify | jq -e ".status == 404"'
# a machine of its own, with a nonce of ours
mkdir -p "$D/one"
swtpm_setup --tpm2 --tpmstate "$D/one" --createek --pcr-banks sha256 >/dev/null 2>&1
start_bg "$D/one/log" swtpm socket --tpm2 --tpmstate dir="$D/one" --server type=unixio,path="$D/one/s" --ctrl type=unixio,path="$D/one/s.ctrl" --flags not-need-init,startup-clear
wait_for 10 test -S "$D/one/s"
export TPM2TOOLS_TCTI="swtpm:path=$D/one/s"
(cd "$D/one" && tpm2 createek -c ek.ctx -G ecc -u ek.pub && tpm2 createak -C ek.ctx -c ak.ctx -G ecc -g sha256 -s ecdsa -u ak.pub -f tpmt && tpm2 flushcontext -t) >"$D/last" 2>&1
(cd "$D/one" && tpm2 readpublic -c ak.ctx -f pem -o ak.pem && tpm2 flushcontext -t) >>"$D/last" 2>&1
fresh=$(rest POST /verify/nonce | jq -r .nonce)
(cd "$D/one" && tpm2 quote -c ak.ctx -l sha256:0,1,2,3,4,5,6,7 -q "$fresh" -m quote.msg -s quote.sig && tpm2 flushcontext -t) >>"$D/last" 2>&1
jq -n --arg n "$fresh" --rawfile q <(b64 "$D/one/quote.msg") --rawfile s <(b64 "$D/one/quote.sig") --rawfile k "$D/one/ak.pem" \
  '{quote:$q,signature:$s,ak:$k,nonce:$n}' >"$D/body.json"
check "verify: a stranger with our nonce is fresh, has no identity, is not trusted" eval 'verify | tee "$D/last" | jq -e ".nonce == \"server\" and .identity.grade == \"none\" and .report.verdict != \"trusted\" and ([.report.findings[]|select(.code==\"QUOTE_NONCE\").result] | all(. == \"pass\"))"'
check "verify: the same nonce again is not ours any more" eval 'verify | jq -e ".nonce == \"caller\""'

# ---- every answer against the OpenAPI document, by validators of others
unset TPM2TOOLS_TCTI
if [ -d "$root/tests/npm/node_modules" ] && command -v node >/dev/null; then
  check "everything is asked for" python3 "$root/tests/npm/drive.py" "$api" "$D/server/root.pem" "$D/server/admin.token" "$D"
  check "answers are what the OpenAPI document says" node "$root/tests/npm/contract.mjs" "$D/openapi.json" "$D/exchanges.ndjson"
  sed 's/^/# /' "$D/last"
else
  ok "answers are what the OpenAPI document says # SKIP package not installable: tests/npm"
fi

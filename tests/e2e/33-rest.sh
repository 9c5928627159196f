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
rest GET "/hosts/a/evidence?part=quote" >"$D/part"
check "one part alone" cmp "$D/part" "$D/ev/quote.msg"
assay reference export ref@1 >"$D/set.json" 2>"$D/last"
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

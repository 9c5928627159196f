#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# assay lcp: what we write is read by tboot's lcp2 tools, what they write is read by us. Their word is the oracle.
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit
PATH=$PATH:/usr/sbin:/sbin
assay=$(realpath "${AY_BUILD:-build}/src/prog/assay/assay")
for p in lcp2_crtpol lcp2_crtpolelt lcp2_crtpollist openssl jq; do
  command -v $p >/dev/null || { echo "ok 1 - lcp # SKIP package not installable (tboot)"; echo "1..1"; exit 0; }
done
w=$(mktemp -d)
trap 'rm -rf "$w"' EXIT
cd "$w" || exit
n=0
t() { # t DESCRIPTION COMMAND...
  n=$((n + 1))
  if "${@:2}" >last 2>&1; then echo "ok $n - $1"; else echo "not ok $n - $1"; sed 's/^/# /' last | tail -8; fi
}
status() { # status N COMMAND...: ends with that status
  "${@:2}"
  [ $? = "$1" ]
}
sha() { printf '%s' "$2" | "${1}sum" | cut -d' ' -f1; }
spaced() { sed 's/../& /g' <<<"$1"; }
a=$(sha sha256 "MLE one") b=$(sha sha256 "MLE two") p0=$(sha sha256 "PCR 0")
openssl genrsa -out key.pem 2048 2>/dev/null
openssl rsa -in key.pem -pubout -out key.pub 2>/dev/null
echo "{\"sha256\":{\"0\":\"$p0\"},\"sha1\":{\"0\":\"$(sha sha1 'PCR 0')\"}}" >pcrs.json
jq -n --arg p "$p0" --arg m "$a" '{format: "assay-reference-1", name: "golden", version: 1, state: "active", parts: {
  platform: [{kind: "pcr", pcr: 0, values: {sha256: $p}},
    {kind: "launch", pcr: 17, events: [{digests: {sha256: $m}, type: 1028, summary: "MLE_HASH"}]}]}}' >set.json

# ---- ours, read by theirs
t "a signed policy from a reference set" "$assay" lcp create --policy p --data d --reference set.json --mle "$b" --pconf 0 --key key.pem --revocation 5
lcp2_crtpol --show p d >shown 2>&1
t "tboot: the data is the policy's" grep -q "policy data hash matches policy hash" shown
t "tboot: revocation counter" grep -q "revocation_counter: 0x5" shown
t "tboot: both MLEs" grep -q "num_hashes: 2" shown
t "tboot: the MLE of the set" eval 'tr -d " \n" <shown | grep -q "$a"'
lcp2_crtpolelt --create --type pconf2 --alg sha256 --pcr0 "$p0" --out theirs.elt >/dev/null
t "the PCONF2 element is tboot's, octet for octet but for its control field" eval 'xxd -p -s 12 theirs.elt | tr -d "\n" >e; xxd -p d | tr -d "\n" | grep -qF "$(cat e)"'

# ---- theirs, read by ours
(spaced "$a"; spaced "$b") >hashes
lcp2_crtpolelt --create --type mle2 --minver 2 --alg sha256 --out mle.elt hashes >/dev/null
lcp2_crtpollist --create --listver 0x201 --sigalg rsa --out list mle.elt theirs.elt >/dev/null
cp list signed
lcp2_crtpollist --sign --sigalg rsa --pub key.pub --priv key.pem --rev 7 --out signed >/dev/null
for l in list signed; do
  lcp2_crtpol --create --alg sha256 --type list --pol $l.pol --data $l.dat --mask sha256 --sign rsa-2048-sha256 --polver 3.0 $l >/dev/null
  t "tboot's $l: policy and data fit" "$assay" lcp show $l.pol $l.dat
done
t "its members" eval '"$assay" lcp show signed.pol signed.dat --json | jq -e --arg a "$a" ".fits and .lists[0].valid and .lists[0].revocation == 7 and ([.lists[0].elements[] | select(.type == \"MLE2\").digests[]] | index(\$a)) != null"'
t "the MLE is admitted, and by which element" eval '"$assay" lcp explain signed.pol signed.dat --mle "$b" --pcrs pcrs.json | grep -q "(MLE2) of list 0 admits"'
t "another MLE is not" status 1 "$assay" lcp explain signed.pol signed.dat --mle "$p0"
jq '.sha256["0"] = "'"$a"'"' pcrs.json >other.json
t "other PCR values are not" status 1 "$assay" lcp explain signed.pol signed.dat --mle "$b" --pcrs other.json
printf '%s\n' "$(spaced "$(sha sha1 "MLE one")")" >hash1
lcp2_crtpolelt --create --type mle --minver 3 --out mle1.elt hash1 >/dev/null
lcp2_crtpollist --create --listver 0x100 --out list1 mle1.elt >/dev/null
lcp2_crtpol --create --alg sha1 --type list --pol p2 --data d2 --polver 2.2 list1 >/dev/null
t "tboot's policy for TPM 1.2" "$assay" lcp show p2 d2
t "ours for TPM 1.2" "$assay" lcp create --tpm 1.2 --policy o2 --data od2 --mle "$(sha sha1 "MLE one")" --key key.pem
t "tboot: it fits" eval 'lcp2_crtpol --show o2 od2 | grep -q "policy data hash matches policy hash"'

# ---- attacks
flip() { # flip FILE OFFSET-FROM-END: one bit of it
  python3 -c 'import sys; b = bytearray(open(sys.argv[1], "rb").read()); b[-int(sys.argv[2])] ^= 1; open(sys.argv[1], "wb").write(b)' "$1" "$2"
}
cp signed.dat bad.dat && flip bad.dat 10
t "a bit of the signature: shown as bad" status 1 "$assay" lcp show bad.dat
t "and the list does not count" status 1 "$assay" lcp explain list.pol bad.dat --mle "$b"
cp list.dat bad2.dat && flip bad2.dat 10
t "a bit of an unsigned list: not the policy's" status 1 "$assay" lcp show list.pol bad2.dat
cp p revoked && printf '\x06' | dd of=revoked bs=1 seek=6 conv=notrunc 2>/dev/null
t "a list below the revocation counter is passed over" eval 'status 1 "$assay" lcp explain revoked d --mle "$b" >out && grep -q "passed over" out'
t "a draft is refused" eval 'jq ".state = \"draft\"" set.json >draft.json; status 2 "$assay" lcp create --policy x --data y --reference draft.json'
t "nothing allowed is refused" status 2 "$assay" lcp create --policy x --data y
t "a file that is cut is refused" eval 'head -c 100 signed.dat >cut; status 2 "$assay" lcp show cut'
echo "1..$n"

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `assay quote` on quotes of a software TPM made by tpm2-tools, and on those of the corpus; TAP. Environment: B.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
B=$(cd "${B:-$root/build}" && pwd)
ASSAY=$B/src/prog/assay/assay
corpus=${ASSAY_CORPUS:-$root/../shared/corpus}
hex() { od -An -v -tx1 "${@:2}" "$1" | tr -d ' \n'; } # hex FILE [od options]
D=$(mktemp -d "${TMPDIR:-/tmp}/assay-quote.XXXXXX")
PATH=$PATH:/usr/sbin:/sbin
n=0 failed=0 tpm=
trap '[ -n "$tpm" ] && kill "$tpm" 2>/dev/null; rm -rf "$D"' EXIT

# expect NAME EXIT VERDICT CODES ARGUMENTS...: CODES are the failing ones, sorted, with commas between
expect() {
  local name=$1 want_rc=$2 want=$3 codes=$4 rc got
  shift 4
  "$ASSAY" --json quote "$@" >"$D/out" 2>"$D/err"
  rc=$?
  got=$(jq -r '"\(.verdict) \([.findings[] | select(.result == "fail") | .code] | unique | join(","))"' "$D/out" 2>/dev/null)
  n=$((n + 1))
  if [ $rc = "$want_rc" ] && [ "$got" = "$want $codes" ]; then echo "ok $n - $name"; else
    failed=$((failed + 1))
    echo "not ok $n - $name"
    echo "# exit $rc (not $want_rc), $got (not $want $codes)"
    sed 's/^/# /' "$D/err"
  fi
}
flip() { # flip IN OUT OFFSET: one bit
  cp "$1" "$2"
  printf "\\x$(printf %02x $((0x$(hex "$1" -j "$3" -N 1) ^ 1)))" | dd of="$2" bs=1 seek="$3" conv=notrunc status=none
}

software_tpm() {
  local t=$D/tpm
  mkdir -p "$t"
  swtpm socket --tpm2 --tpmstate "dir=$t" --server "type=unixio,path=$t/s" --ctrl "type=unixio,path=$t/s.ctrl" \
    --flags not-need-init,startup-clear >/dev/null 2>&1 &
  tpm=$!
  for _ in $(seq 100); do [ -S "$t/s" ] && break; sleep 0.05; done
  export TPM2TOOLS_TCTI="swtpm:path=$t/s" TSS2_LOG=all+NONE
  tpm2_createek -Q -G ecc -u "$D/ek.pub" -c "$D/ek.ctx" && tpm2_flushcontext -t &&
    tpm2_createak -Q -C "$D/ek.ctx" -G "$1" -g sha256 -s "$2" -c "$D/ak.ctx" -u "$D/ak.pub" -f tss -n "$D/ak.name" &&
    tpm2_flushcontext -t && tpm2_readpublic -Q -c "$D/ak.ctx" -f pem -o "$D/ak.pem" && tpm2_flushcontext -t &&
    tpm2_pcrextend 10:sha256=7777777777777777777777777777777777777777777777777777777777777777 &&
    tpm2_quote -Q -c "$D/ak.ctx" --scheme "$2" -l sha256:0,1,10,17 -q 00112233445566778899aabbccddeeff -m "$D/msg" -s "$D/sig" &&
    tpm2_flushcontext -t &&
    tpm2_pcrread sha256:0,1,10,17 | sed -n 's/^ *\([0-9]*\) *: 0x\([0-9A-F]*\)$/"\1": "\2"/p' | paste -sd, >"$D/values" &&
    echo "{\"sha256\": {$(cat "$D/values")}}" >"$D/pcrs.json"
}

of_tpm() { # of_tpm KIND SCHEME
  software_tpm "$1" "$2" || { n=$((n + 1)); echo "ok $n - $1 $2 # SKIP package not installable (swtpm, tpm2-tools)"; return; }
  local q=(--message "$D/msg" --signature "$D/sig") nonce=(--nonce 00112233445566778899aabbccddeeff)
  expect "$1 $2: key, nonce and values" 0 valid "" --key "$D/ak.pem" "${q[@]}" "${nonce[@]}" --pcrs "$D/pcrs.json"
  expect "$1 $2: key as TPM2B_PUBLIC, nothing else given" 0 valid "" --key "$D/ak.pub" "${q[@]}"
  expect "$1 $2: another nonce" 1 invalid QUOTE_NONCE --key "$D/ak.pem" "${q[@]}" --nonce 00112233445566778899aabbccddee00
  expect "$1 $2: a prefix of the nonce" 1 invalid QUOTE_NONCE --key "$D/ak.pem" "${q[@]}" --nonce 0011223344
  sed 's/"0": "0/"0": "f/' "$D/pcrs.json" >"$D/other.json"
  expect "$1 $2: another PCR value" 1 invalid QUOTE_PCR_DIGEST --key "$D/ak.pem" "${q[@]}" --pcrs "$D/other.json"
  sed 's/"10"/"11"/' "$D/pcrs.json" >"$D/other.json"
  expect "$1 $2: a value that is not quoted" 1 invalid QUOTE_PCR_DIGEST,QUOTE_SELECTION --key "$D/ak.pem" "${q[@]}" --pcrs "$D/other.json"
  flip "$D/msg" "$D/bad" 45
  expect "$1 $2: one bit of the message" 1 invalid QUOTE_SIGNATURE --key "$D/ak.pem" --message "$D/bad" --signature "$D/sig"
  flip "$D/sig" "$D/bad" 40
  expect "$1 $2: one bit of the signature" 1 invalid QUOTE_SIGNATURE --key "$D/ak.pem" --message "$D/msg" --signature "$D/bad"
  head -c 60 "$D/msg" >"$D/bad"
  expect "$1 $2: a message cut short" 2 invalid QUOTE_MALFORMED,QUOTE_SIGNATURE --key "$D/ak.pem" --message "$D/bad" --signature "$D/sig"
  kill "$tpm"
  wait "$tpm" 2>/dev/null
  tpm=
  rm -rf "$D/tpm"
}

for k in "ecc ecdsa" "rsa rsassa" "rsa rsapss"; do
  # shellcheck disable=SC2086
  of_tpm $k
done
if [ -d "$corpus" ]; then
  c=$corpus/quotes
  for s in 415671737 52107955; do
    expect "TPM 1.2, set $s" 0 valid "" --key "$c/tpm12-$s/aikcert.cer" --file12 "$c/tpm12-$s/quote.data" --nonce "$(hex "$c/tpm12-$s/nonce.data")"
    expect "TPM 1.2, set $s, another nonce" 1 invalid QUOTE_NONCE,QUOTE_PCR_DIGEST --key "$c/tpm12-$s/rsapubkey.key" --file12 "$c/tpm12-$s/quote.data" --nonce 00
  done
  expect "TPM 1.2, set 788801209" 1 invalid QUOTE_SIGNATURE --key "$c/tpm12-788801209/aikcert.cer" --file12 "$c/tpm12-788801209/quote.data" \
    --nonce "$(hex "$c/tpm12-788801209/nonce.data")"
  k=$c/tpm20-keylime
  expect "keylime's quote" 0 valid "" --key "$k/ak.pem" --message "$k/attest.bin" --signature "$k/sig.bin" --nonce "$(hex "$k/nonce.bin")"
else
  n=$((n + 1))
  echo "ok $n - quotes of the corpus # SKIP no corpus"
fi
echo "1..$n"
[ $failed = 0 ]

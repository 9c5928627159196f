#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# assay appraise and reference learn --offline on evidence of software TPMs. Logs, lists and values are made in
# Python and quoted by the TPM: what is expected comes from neither our parser nor our replay.
set -u
cd "$(dirname "$0")/../.." || exit
assay=${AY_BUILD:-build}/src/prog/assay/assay
gen="python3 tests/support/bootlog.py"
if ! command -v swtpm_setup >/dev/null || ! command -v tpm2_quote >/dev/null; then
  echo "ok 1 - appraise # SKIP package not installable"
  exit 0
fi
w=$(mktemp -d)
pid=
stop_tpm() { [ -n "$pid" ] && kill "$pid" 2>/dev/null; pid=; }
trap 'stop_tpm; rm -rf "$w"' EXIT
n=0
t() { # t DESCRIPTION STATUS
  n=$((n + 1))
  if [ "$2" = 0 ]; then echo "ok $n - $1"; else echo "not ok $n - $1"; fi
}
nonce=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff

start_tpm() { # a new TPM each time: hosts are twins, never the same machine
  stop_tpm
  rm -rf "$w/tpm" && mkdir "$w/tpm"
  swtpm_setup --tpm2 --tpmstate "$w/tpm" --pcr-banks sha1,sha256 --overwrite >/dev/null 2>&1
  swtpm socket --tpm2 --tpmstate "dir=$w/tpm" --server "type=unixio,path=$w/s" \
    --ctrl "type=unixio,path=$w/s.ctrl" --flags not-need-init,startup-clear >/dev/null 2>&1 &
  pid=$!
  export TPM2TOOLS_TCTI="swtpm:path=$w/s"
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ -S "$w/s" ] && return
    sleep 0.2
  done
}

quote() { # quote DIR SELECTION
  tpm2_createek -c "$w/ek.ctx" -G ecc -u "$w/ek.pub" >/dev/null 2>&1
  tpm2_createak -C "$w/ek.ctx" -c "$w/ak.ctx" -G ecc -s ecdsa -g sha256 -u "$1/ak.pem" -f pem >/dev/null 2>&1
  tpm2_flushcontext -t
  tpm2_quote -c "$w/ak.ctx" -l "$2" -q $nonce -m "$1/quote.msg" -s "$1/quote.sig" -g sha256 >/dev/null
  tpm2_flushcontext -t
  echo $nonce >"$1/nonce.hex"
}

host() { # host NAME [boot CHANGE | ima CHANGE]...
  local d=$w/$1 boot=() ima=()
  shift
  mkdir -p "$d"
  while [ $# -gt 1 ]; do
    case $1 in boot) boot+=(--change "$2") ;; ima) ima+=(--change "$2") ;; esac
    shift 2
  done
  start_tpm
  $gen boot --banks sha1,sha256 --out "$d/eventlog.bin" "${boot[@]}" --extend "$TPM2TOOLS_TCTI" >/dev/null
  $gen ima --log "$d/eventlog.bin" --out "$d/ima.bin" --entries 20 "${ima[@]}" --extend "$TPM2TOOLS_TCTI" >/dev/null
  quote "$d" sha1:all+sha256:all
}

copy() { rm -rf "${w:?}/$2" && cp -r "$w/$1" "$w/$2"; }

appraise() { # appraise DESCRIPTION DIR EXIT JQ-FILTER
  local out rc
  out=$($assay appraise "$w/$2" --reference "$w/good.json" --json 2>"$w/err")
  rc=$?
  if [ $rc = "$3" ] && printf '%s' "$out" | jq -e "$4" >/dev/null; then t "$1" 0; else
    echo "# exit $rc, $(cat "$w/err")"
    printf '%s' "$out" | jq -c '{verdict, components, causes: [.causes[]?|.class], failed: [.findings[]?|select(.result != "pass")|.code]}' | sed 's/^/# /'
    t "$1" 1
  fi
}

host good
$gen pcrs --log "$w/good/eventlog.bin" --ima "$w/good/ima.bin" >"$w/values.json"
$assay reference learn --offline "$w/good" --out "$w/good.json" >/dev/null
t "a set is learned from a good host" $?
jq -e '.parts | (.platform | length > 0) and (.os | length > 0) and (.runtime[0].digests.sha256 | length == 19)' "$w/good.json" >/dev/null
t "it has every part there is evidence for" $?
appraise "the host itself is trusted" good 0 '.verdict == "trusted" and .components.runtime.verdict == "trusted" and .causes == []'

host twin
appraise "a twin with another TPM is trusted" twin 0 '.verdict == "trusted"'
for c in firmware:firmware:platform secure-boot:secure_boot:platform db:db:platform boot-order:boot_order:platform shim:bootloader:os \
  cmdline:cmdline:os kernel:kernel:os initrd:initrd:os; do
  IFS=: read -r what class component <<<"$c"
  host bad boot "$what"
  appraise "$what changed: untrusted, cause $class" bad 1 \
    ".verdict == \"untrusted\" and .components.$component.verdict == \"untrusted\" and any(.causes[]; .class == \"$class\")
     and any(.findings[]; .code == \"REF_EVENT\" and .result == \"fail\" and .expected != .measured)"
done
host file ima 7
appraise "a file that is not in the set: untrusted, cause unknown_file" file 1 \
  '.verdict == "untrusted" and .components.os.verdict == "trusted" and .causes[0].class == "unknown_file" and any(.findings[]; .code == "REF_IMA" and .entry == 8)'

copy good other
rm "$w/other/nonce.hex"
appraise "without a nonce identity is unknown" other 1 '.verdict == "unknown" and .components.identity.verdict == "unknown"'
$assay reference learn --offline "$w/other" --out "$w/never.json" >/dev/null
[ $? = 1 ] && [ ! -e "$w/never.json" ]
t "nothing is learned without a nonce" $?
echo ff11 >"$w/other/nonce.hex"
appraise "another nonce: untrusted" other 1 '.verdict == "untrusted" and any(.findings[]; .code == "QUOTE_NONCE" and .result == "fail")'

copy good other
cp "$w/twin/ak.pem" "$w/other/ak.pem"
appraise "another host's key: untrusted" other 1 '.verdict == "untrusted" and .components.os.verdict == "unknown"'

copy good other
rm "$w/other/eventlog.bin"
appraise "no log and no values: cause log_missing" other 1 '.verdict == "untrusted" and .causes[0].class == "log_missing" and any(.findings[]; .code == "QUOTE_PCR_DIGEST" and .result == "fail")'
cp "$w/bad/eventlog.bin" "$w/other/eventlog.bin"
appraise "the log of another boot: cause log_tampered" other 1 '.verdict == "untrusted" and .causes[0].class == "log_tampered"'
$assay reference learn --offline "$w/other" --out "$w/never.json" >/dev/null
[ $? = 1 ] && [ ! -e "$w/never.json" ]
t "nothing is learned from a log that does not replay" $?

copy good other
cp "$w/values.json" "$w/other/pcrs.json"
appraise "values that Python computed are those that the TPM signed" other 0 '.verdict == "trusted"'
rm "$w/other/eventlog.bin"
appraise "values without a log: platform and os unknown" other 1 '.verdict == "unknown" and any(.findings[]; .code == "QUOTE_WITHOUT_LOG")'
jq -n '{format: "assay-policy-1", name: "p", version: 1, required: ["identity", "platform", "os"], allow_no_log: {owner: "ann", reason: "GRUB without Secure Boot"}}' >"$w/p.json"
$assay appraise "$w/other" --reference "$w/good.json" --policy "$w/p.json" >/dev/null
t "unless the policy allows it with owner and reason" $?

copy good other
$gen ima --log "$w/good/eventlog.bin" --out "$w/other/ima.bin" --first 21 --entries 30 >/dev/null 2>&1
appraise "a list that grew after the quote is trusted up to the quoted entry" other 0 \
  '.verdict == "trusted" and any(.findings[]; .code == "IMA_UNATTESTED_TAIL")'

mkdir -p "$w/less"
start_tpm
cp "$w/good/eventlog.bin" "$w/good/ima.bin" "$w/less"
$gen boot --banks sha1,sha256 --out "$w/less/eventlog.bin" --extend "$TPM2TOOLS_TCTI" >/dev/null
$gen ima --log "$w/less/eventlog.bin" --out "$w/less/ima.bin" --entries 20 --extend "$TPM2TOOLS_TCTI" >/dev/null
quote "$w/less" sha256:all
appraise "a quote of fewer banks than the set knows: QUOTE_SELECTION" less 1 '.verdict == "untrusted" and any(.findings[]; .code == "QUOTE_SELECTION" and .result == "fail")'

copy good other
rm "$w/other/quote.sig"
appraise "without a signature nothing is known" other 1 '.verdict == "unknown" and any(.findings[]; .code == "EVIDENCE_MISSING")'
truncate -s -3 "$w/good.json"
$assay appraise "$w/good" --reference "$w/good.json" >/dev/null 2>&1
[ $? = 2 ]
t "a set that does not parse is exit 2" $?
$assay appraise "$w/nowhere" --reference "$w/p.json" >/dev/null 2>&1
[ $? = 2 ]
t "a policy is no reference set" $?
echo "1..$n"

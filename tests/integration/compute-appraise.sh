#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An update is foretold, then it happens on a software TPM: the computed set trusts that boot and no other. The packages
# of the update become an allow-list of the same host's IMA list.
set -u
cd "$(dirname "$0")/../.." || exit
assay=${AY_BUILD:-build}/src/prog/assay/assay
gen="python3 tests/support/bootlog.py"
if ! command -v swtpm_setup >/dev/null || ! command -v tpm2_quote >/dev/null; then
  echo "ok 1 - compute and appraise # SKIP package not installable"
  exit 0
fi
w=$(mktemp -d)
pid=
trap '[ -n "$pid" ] && kill "$pid" 2>/dev/null; rm -rf "$w"' EXIT
n=0
t() { # t DESCRIPTION STATUS
  n=$((n + 1))
  if [ "$2" = 0 ]; then echo "ok $n - $1"; else echo "not ok $n - $1"; fi
}

host() { # host NAME [CHANGE]...: a boot with these changes, quoted
  local d=$w/$1 args=()
  shift
  for c in "$@"; do args+=(--change "$c"); done
  [ -n "$pid" ] && kill "$pid" 2>/dev/null
  rm -rf "$w/tpm" && mkdir -p "$w/tpm" "$d"
  swtpm_setup --tpm2 --tpmstate "$w/tpm" --pcr-banks sha1,sha256 --overwrite >/dev/null 2>&1
  swtpm socket --tpm2 --tpmstate "dir=$w/tpm" --server "type=unixio,path=$w/s" \
    --ctrl "type=unixio,path=$w/s.ctrl" --flags not-need-init,startup-clear >/dev/null 2>&1 &
  pid=$!
  export TPM2TOOLS_TCTI="swtpm:path=$w/s"
  for _ in 1 2 3 4 5 6 7 8 9 10; do [ -S "$w/s" ] && break; sleep 0.2; done
  $gen boot --banks sha1,sha256 --out "$d/eventlog.bin" "${args[@]}" --extend "$TPM2TOOLS_TCTI" >/dev/null
  tpm2_createek -c "$w/ek.ctx" -G ecc -u "$w/ek.pub" >/dev/null 2>&1
  tpm2_createak -C "$w/ek.ctx" -c "$w/ak.ctx" -G ecc -s ecdsa -g sha256 -u "$d/ak.pem" -f pem >/dev/null 2>&1
  tpm2_flushcontext -t
  echo 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff >"$d/nonce.hex"
  tpm2_quote -c "$w/ak.ctx" -l sha1:all+sha256:all -q "$(cat "$d/nonce.hex")" -m "$d/quote.msg" -s "$d/quote.sig" -g sha256 >/dev/null
}

verdict() { # verdict NAME SET
  $assay appraise "$w/$1" --reference "$w/$2" --json 2>"$w/err" | jq -r '.verdict + " " + ([.causes[].class] | unique | join(","))'
}

$gen boot --banks sha1,sha256 --out "$w/before.bin" >/dev/null
python3 -c 'import hashlib; open("'"$w"'/initrd", "wb").write(hashlib.shake_256(b"initrd (another)").digest(300))'
$assay reference compute --from-log "$w/before.bin" --initrd "$w/initrd" --out "$w/next.json" \
  --cmdline "root=UUID=6f7e5a1c-3d5e-4a59-9c1a-3f0d7c1b2a10 ro quiet init=/bin/sh" >/dev/null
t "an update is foretold from the log before it" $?
jq -e '.state == "draft" and .provenance.source == "computed" and (.provenance.note | test("initrd sha256:[0-9a-f]{64}"))' "$w/next.json" >/dev/null
t "its set is a draft that names its inputs" $?

host after initrd cmdline
[ "$(verdict after next.json)" = "trusted " ]
t "the boot that was foretold is trusted" $?
host before
verdict before next.json | grep -q "^untrusted cmdline,initrd"
t "the boot before it is not, and why" $?
$assay reference compute --evidence "$w/before" --initrd "$w/initrd" --out "$w/vouched.json" >/dev/null && [ -s "$w/vouched.json" ]
t "a log that its quote vouches for is a base" $?
cp -r "$w/before" "$w/forged" && cp "$w/after/eventlog.bin" "$w/forged/eventlog.bin"
$assay reference compute --evidence "$w/forged" --initrd "$w/initrd" --out "$w/never.json" >/dev/null 2>&1
[ $? = 1 ] && [ ! -e "$w/never.json" ]
t "a log that it does not vouch for is none" $?
host other initrd cmdline kernel
verdict other next.json | grep -q '^untrusted .*kernel'
t "an update with more than was foretold is not" $?
echo "1..$n"

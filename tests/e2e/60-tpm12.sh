#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# TPM 1.2 from enrolment to verdict: our agent on swtpm, and TrouSerS as a second client of our Privacy CA's structures.
. "$(dirname "$0")/lib.sh"
need swtpm swtpm_setup swtpm_localca openssl curl jq python3

# tpm12_new NAME [MAKER]: manufacture, with an EK certificate unless MAKER is "none"
tpm12_new() {
  local h=$D/$1 maker=${2:-old} cert=(--createek)
  mkdir -p "$h/tpm" "$h/state"
  if [ "$maker" != none ]; then
    [ -d "$D/maker-$maker" ] || { tpm_maker "$maker"; sed -i /active_pcr_banks/d "$D/maker-$maker/setup.conf"; }
    cert+=(--create-ek-cert --config "$D/maker-$maker/setup.conf")
  fi
  swtpm_setup --tpmstate "$h/tpm" "${cert[@]}" --overwrite >"$h/setup.log" 2>&1 || return 1
  host_conf "$1" "allow = take-ownership" "${@:3}"
  sed -i "s|^tcti = .*|tcti = tpm12:swtpm:path=$h/sock|" "$h/agent.conf"
}
tpm12_on() {
  local h=$D/$1
  rm -f "$h/sock" "$h/sock.ctrl"
  start_bg "$h/swtpm.log" swtpm socket --tpmstate "dir=$h/tpm" --server "type=unixio,path=$h/sock" \
    --ctrl "type=unixio,path=$h/sock.ctrl" --flags not-need-init,startup-clear
  echo "$bg" >"$h/swtpm.pid"
  wait_for 10 test -S "$h/sock"
}
tpm12_boot() { # tpm12_boot NAME [--change WHAT]...
  local h=$D/$1
  tpm12_on "$1" && cat /proc/sys/kernel/random/uuid >"$h/boot_id" &&
    "$root/tests/support/bootlog12.py" boot --out "$h/eventlog" --ima "$h/ima" --sock "$h/sock" "${@:2}"
}
is_now() { answers "$1" && verdict_is "$1" "$2"; } # is_now HOST VERDICT
finding() { rest GET "/hosts/$1/report" | jq -e "[.findings[] | select($2)] | length == 1"; } # finding HOST JQ
status_says() { agent status "$1" | grep -q "$2"; }
tpm12_reboot() { stop_pid "$(cat "$D/$1/swtpm.pid")"; tpm12_boot "$@"; }

check "a TPM 1.2 with an EK certificate" tpm12_new old1
trust_maker old makers
server_conf
check "assayd init" server_init
must_start
check "it boots" tpm12_boot old1

# ---- ownership
refuses "a TPM without owner does not enrol" enrol old1
check "and says what to do" grep -q "TPM_UNOWNED.*take-ownership" "$D/refused"
sed -i 's/^allow = .*/allow = tag/' "$D/old1/agent.conf"
refuses "no ownership where it is not allowed" agent take-ownership old1
check "by its code" grep -q NOT_ALLOWED "$D/refused"
sed -i "s/^allow = .*/allow = take-ownership/" "$D/old1/agent.conf"
echo "correct horse" >"$D/old1/owner"
echo "owner_secret = $D/old1/owner" >>"$D/old1/agent.conf"
check "ownership is taken" agent take-ownership old1
refuses "once" agent take-ownership old1
check "OWNED" grep -q OWNED "$D/refused"

# ---- enrolment
echo "wrong battery" >"$D/old1/owner"
refuses "another owner secret does not enrol" enrol old1
check "the TPM refuses it" grep -q "authorization failed" "$D/refused"
echo "correct horse" >"$D/old1/owner"
check "it enrols" enrol old1
check "its EK is certified" test "$(host_field old1 .identity.grade)" = ek_certified
check "its family is shown" test "$(host_field old1 .identity.tpm.family)" = 1.2
check "the secret is stored nowhere" sh -c "! grep -rqE 'correct horse|$(printf 'correct horse' | sha1sum | cut -c1-40)' '$D/old1/state' '$D/server'"
agent_start old1
check "it answers" wait_for 30 answers old1
check "reference values are learned" assay reference learn old1 --name old --activate
check "it is trusted" wait_for 30 is_now old1 trusted
check "the report names SHA-1" finding old1 '.code == "INFO_TPM12" and (.text | test("SHA-1"))'
check "and that no counters are signed" finding old1 '.code == "COUNTER_BACK" and .result == "not_checked"'
check "status" status_says old1 trusted

# ---- IMA grows
check "more files" "$root/tests/support/bootlog12.py" more --ima "$D/old1/ima" --first 5 --entries 5 --sock "$D/old1/sock"
check "still trusted" is_now old1 trusted

# ---- a log that was changed
cp "$D/old1/eventlog" "$D/old1/eventlog.good"
python3 - "$D/old1/eventlog" <<'PY'
import sys
b = bytearray(open(sys.argv[1], "rb").read())
b[40] ^= 1  # data and digest no longer tell one story, whichever this octet is of
b[12] ^= 1
open(sys.argv[1], "wb").write(b)
PY
check "a changed log is untrusted" is_now old1 untrusted
check "LOG_PCR_MISMATCH" has_failing old1 LOG_PCR_MISMATCH
cp "$D/old1/eventlog.good" "$D/old1/eventlog"

# ---- another kernel at the next boot
check "reboot with another kernel" tpm12_reboot old1 --change kernel
check "is untrusted" wait_for 30 is_now old1 untrusted
check "the event is named" has_failing old1 REF_EVENT
check "reboot as it was" tpm12_reboot old1
check "is trusted again" wait_for 30 is_now old1 trusted

# ---- an EK that nobody certifies
check "a TPM 1.2 without certificate" tpm12_new old2 none
check "boots" tpm12_boot old2
check "with the well-known secret" agent take-ownership old2
refuses "its EK is not known" enrol old2
approve=$(sed -n 's/.*\(assay ek approve [0-9a-f]\{64\}\).*/\1/p' "$D/refused" | tail -1)
check "the way out is named" test -n "$approve"
check "an operator approves it" assay ek approve "${approve##* }"
check "it enrols" enrol old2
check "as approved" test "$(host_field old2 .identity.grade)" = ek_approved

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For end-to-end scripts: server, hosts with software TPMs, agents, in a folder of their own. Prints TAP.
# Everything is started through start_bg and ended by the EXIT trap. Environment: B (build folder), KEEP=1 keeps the folder.
set -u
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
B=$(cd "${B:-$root/build}" && pwd)
ASSAYD=${ASSAYD:-$B/src/prog/assayd/assayd} ASSAY=$B/src/prog/assay/assay AGENT=${AGENT:-$B/src/prog/assay-agent/assay-agent}
BOOTLOG=$root/tests/support/bootlog.py
export TSS2_LOG=all+NONE
# Debian keeps swtpm's and tpm2's helpers in sbin too.
PATH=$PATH:/usr/sbin:/sbin

n_tests=0 n_failed=0
pids=() # of everything that was started here
D=$(mktemp -d "${TMPDIR:-/tmp}/assay-e2e.XXXXXX")

ok() { n_tests=$((n_tests + 1)); echo "ok $n_tests - $*"; }
not_ok() {
  n_tests=$((n_tests + 1)) n_failed=$((n_failed + 1))
  echo "not ok $n_tests - $*"
  [ -s "$D/last" ] && sed 's/^/# /' "$D/last" | tail -20
}
# check NAME COMMAND...: passes if the command does; its output is kept in $D/last
check() {
  local name=$1
  shift
  if "$@" >"$D/last" 2>&1; then ok "$name"; else not_ok "$name"; fi
}
# refuses NAME COMMAND...: passes if the command ends with 1..3; its output is kept in $D/refused
refuses() {
  local name=$1 rc
  shift
  "$@" >"$D/refused" 2>&1
  rc=$?
  cp "$D/refused" "$D/last"
  if [ $rc -ge 1 ] && [ $rc -le 3 ]; then ok "$name"; else echo "exit $rc" >>"$D/last"; not_ok "$name"; fi
}
skip_all() { echo "ok 1 - all # SKIP $*"; echo "1..1"; n_tests=-1; exit 0; }

# wait_for SECONDS COMMAND...: until the command succeeds
wait_for() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.1
  done
}

start_bg() { # start_bg LOG COMMAND...: its process id is in $bg
  local log=$1
  shift
  "$@" >>"$log" 2>&1 </dev/null &
  bg=$!
  pids+=("$bg")
}
stop_pid() { # stop_pid PID [SIGNAL]: and wait until it is gone
  kill "-${2:-TERM}" "$1" 2>/dev/null
  wait_for 15 gone "$1" || kill -KILL "$1" 2>/dev/null
  wait "$1" 2>/dev/null
}
gone() { ! kill -0 "$1" 2>/dev/null || [ "$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -c1)" = Z ]; }

finish_e2e() {
  local rc=$? i
  trap - EXIT INT TERM
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do kill -TERM "${pids[i]}" 2>/dev/null; done
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do stop_pid "${pids[i]}" TERM; done
  if [ $n_failed -gt 0 ] && [ $n_tests -gt 0 ]; then
    for f in "$D"/*.log "$D"/*/agent.log; do [ -s "$f" ] && { echo "# --- ${f#"$D"/}"; tail -n 15 "$f" | cut -c1-300 | sed 's/^/# /'; }; done
  fi
  [ -n "${KEEP:-}" ] && echo "# kept: $D" || rm -rf "$D"
  [ $n_tests -ge 0 ] && echo "1..$n_tests"
  [ $rc = 0 ] && [ $n_failed -gt 0 ] && rc=1
  exit $rc
}
trap finish_e2e EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

need() { # need PROGRAM...
  local p
  for p in "$@"; do command -v "$p" >/dev/null || skip_all "package not installable ($p)"; done
}

# ---- TPM makers: a CA of this test signs EK certificates

# tpm_maker NAME: $D/maker-NAME with a configuration for swtpm_setup; its root and issuer appear with the first TPM
tpm_maker() {
  local m=$D/maker-$1
  mkdir -p "$m/ca"
  printf '%s\n' "statedir = $m/ca" "signingkey = $m/ca/signkey.pem" "issuercert = $m/ca/issuercert.pem" \
    "certserial = $m/ca/certserial" >"$m/localca.conf"
  printf '%s\n' "--platform-manufacturer Assay" "--platform-version 1" "--platform-model $1" >"$m/localca.options"
  printf '%s\n' "create_certs_tool = $(command -v swtpm_localca)" "create_certs_tool_config = $m/localca.conf" \
    "create_certs_tool_options = $m/localca.options" "active_pcr_banks = sha256" >"$m/setup.conf"
}
# trust_maker NAME SET: the maker's CA certificates into the trust set
trust_maker() {
  mkdir -p "$D/ek-trust/$2"
  cp "$D/maker-$1/ca/swtpm-localca-rootca-cert.pem" "$D/ek-trust/$2/$1-root.pem"
  cp "$D/maker-$1/ca/issuercert.pem" "$D/ek-trust/$2/$1-issuer.pem"
}

# ---- hosts: $D/NAME holds TPM state, logs, agent configuration

# host_new NAME [BANKS [MAKER]]: manufacture a TPM (no EK certificate with MAKER "none")
host_new() {
  local h=$D/$1 banks=${2:-sha1,sha256} maker=${3:-lab} cert=()
  mkdir -p "$h/tpm" "$h/state"
  [ "$maker" = none ] || { [ -d "$D/maker-$maker" ] || tpm_maker "$maker"; cert=(--create-ek-cert --config "$D/maker-$maker/setup.conf"); }
  swtpm_setup --tpm2 --tpmstate "$h/tpm" "${cert[@]}" --pcr-banks "$banks" --lock-nvram --overwrite >"$h/setup.log" 2>&1 ||
    { echo "# swtpm_setup failed:"; tail -5 "$h/setup.log" | sed 's/^/# /'; return 1; }
  echo "$banks" >"$h/banks"
  host_conf "$1"
}
# host_conf NAME [LINE...]: its agent's configuration, with further lines
host_conf() {
  local h=$D/$1
  printf '%s\n' "name = $1" "tcti = swtpm:path=$h/sock" "state_dir = $h/state" "run_dir = $h" \
    "eventlog = $h/eventlog" "ima = $h/ima" "boot_id = $h/boot_id" "log_level = info" "${@:2}" >"$h/agent.conf"
}
tcti() { echo "swtpm:path=$D/$1/sock"; }
tpm2_of() { # tpm2_of NAME COMMAND...: a tool of tpm2-tools on its TPM
  local t
  t=$(tcti "$1")
  shift
  TPM2TOOLS_TCTI=$t "$@"
}

tpm_is_clean() { # tpm_is_clean HOST: no object and no session; while the agent works there are some for a moment
  [ -z "$(tpm2_of "$1" tpm2 getcap handles-transient)" ] && [ -z "$(tpm2_of "$1" tpm2 getcap handles-loaded-session)" ]
}

# host_power_on NAME: the TPM starts, as at a reset
host_power_on() {
  local h=$D/$1
  rm -f "$h/sock" "$h/sock.ctrl"
  start_bg "$h/swtpm.log" swtpm socket --tpm2 --tpmstate "dir=$h/tpm" --server "type=unixio,path=$h/sock" \
    --ctrl "type=unixio,path=$h/sock.ctrl" --flags not-need-init,startup-clear
  echo "$bg" >"$h/swtpm.pid"
  wait_for 10 test -S "$h/sock" -a -S "$h/sock.ctrl"
}
# host_power_off NAME: in order, as an operating system does it; else swtpm forgets some seconds of its clock and says
# nevertheless that it is safe, which is COUNTER_BACK
host_power_off() {
  tpm2_of "$1" tpm2 shutdown -c
  stop_pid "$(cat "$D/$1/swtpm.pid")"
}
# host_boot NAME [--change WHAT]...: power on, boot log, IMA list of 20 files, new boot id
host_boot() {
  local h=$D/$1
  host_power_on "$1"
  cat /proc/sys/kernel/random/uuid >"$h/boot_id"
  "$BOOTLOG" boot --banks "$(cat "$h/banks")" --out "$h/eventlog" --extend "$(tcti "$1")" "${@:2}" &&
    "$BOOTLOG" ima --log "$h/eventlog" --out "$h/ima" --entries 20 --extend "$(tcti "$1")"
}
# host_ima_more NAME FIRST N [--change K]: more files are measured
host_ima_more() {
  "$BOOTLOG" ima --log "$D/$1/eventlog" --out "$D/$1/ima" --first "$2" --entries "$3" --extend "$(tcti "$1")" "${@:4}"
}

agent() { "$AGENT" "$1" --config "$D/$2/agent.conf" "${@:3}"; } # agent VERB HOST ...
agent_start() { # agent_start HOST: `run` in the background
  start_bg "$D/$1/agent.log" "$AGENT" run --config "$D/$1/agent.conf"
  echo "$bg" >"$D/$1/agent.pid"
}
agent_stop() { stop_pid "$(cat "$D/$1/agent.pid")" "${2:-TERM}"; } # agent_stop HOST [SIGNAL]
agent_address() { sed -n 's/.*"listen": *"\([^"]*\)".*/\1/p' "$D/$1/state/endpoints.json"; }

# ---- server

# server_conf [LINE...]: one that listens on free ports of this machine
server_conf() {
  mkdir -p "$D/server" "$D/run" "$D/ek-trust"
  printf '%s\n' "state_dir = $D/server" "run_dir = $D/run" "listen_api = 127.0.0.1:0" "listen_agents = 127.0.0.1:0" \
    "ek_trust_dir = $D/ek-trust" "$@" >"$D/assayd.conf"
}
server_init() { "$ASSAYD" init --config "$D/assayd.conf" >"$D/init.log" 2>&1; }
server_start() {
  rm -f "$D/server/endpoints.json"
  start_bg "$D/assayd.log" "$ASSAYD" --config "$D/assayd.conf"
  server_pid=$bg
  wait_for 20 server_ready
}
# must_start: the server, or nothing else makes sense
must_start() { check "assayd starts" server_start; [ $n_failed = 0 ] || exit 1; }
server_ready() {
  [ -s "$D/server/endpoints.json" ] || return 1
  api=$(endpoint api) agents=$(endpoint agents)
  curl -sf -m 2 --cacert "$D/server/root.pem" "https://$api/readyz" >/dev/null
}
# server_keep_ports: the ports in use stand in the configuration, so that agents find a restarted server
server_keep_ports() {
  sed -i "s/^listen_api = .*/listen_api = $api/; s/^listen_agents = .*/listen_agents = $agents/" "$D/assayd.conf"
}
server_stop() { stop_pid "$server_pid" "${1:-TERM}"; }
endpoint() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" "$D/server/endpoints.json"; }
# The command line as the administrator uses it.
assay() {
  "$ASSAY" --server "https://$api" --ca "$D/server/root.pem" --token-file "$D/server/admin.token" "$@"
}
rest() { # rest METHOD PATH [JSON]: body of the answer; fails with HTTP >= 400
  curl -sS --fail-with-body -m 60 --cacert "$D/server/root.pem" -H "Authorization: Bearer $(cat "$D/server/admin.token")" \
    -H 'Content-Type: application/json' -X "$1" "https://$api/api/v1$2" ${3:+-d "$3"}
}
new_token() { assay token create "$@"; }
host_field() { rest GET "/hosts/$1" | jq -r "$2"; } # host_field HOST JQ
# answers HOST: its agent is connected and answers now, whatever the verdict; what it said before does not count
answers() { rest POST "/hosts/$1/attest?wait=30" | jq -e '.findings != null'; }
verdict_is() { [ "$(host_field "$1" .verdict)" = "$2" ]; }
# enrol HOST [TOKEN ARGUMENTS...]: by token, the agent dials
enrol() {
  local t
  t=$(new_token "${@:2}") && agent enrol "$1" --token "$t"
}
# codes HOST: the codes of failing findings in its last report
failing() { rest GET "/hosts/$1/report" | jq -r '.findings[] | select(.result == "fail") | .code'; }
has_failing() { failing "$1" | grep -qx "$2"; }

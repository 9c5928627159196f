#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# long
# kill -9 of each process of assayd while hosts are attested: what was acknowledged is there afterwards, and the server comes back by itself.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need swtpm swtpm_setup tpm2 jq curl

server_conf
check "assayd init" server_init
tpm_maker lab
for h in a b; do check "$h: manufacture and boot" eval "host_new $h && host_boot $h"; done
trust_maker lab lab
check "assayd starts" server_start
# From now on the ports stay, so that agents find the server again when it was started anew.
server_conf "listen_api = $api" "listen_agents = $agents"
sed -i '/127.0.0.1:0$/d' "$D/assayd.conf"
for h in a b; do
  check "$h: enrolled" enrol "$h"
  agent_start "$h"
done
check "both connected" wait_for 20 eval '[ "$(host_field a .connected)" = true ] && [ "$(host_field b .connected)" = true ]'
check "reference learned" eval 'assay host attest a; assay reference learn a --name golden --activate && assay host attest a'
check "b is trusted by the values of a" eval 'assay host attest b && verdict_is b trusted'

acked=$D/acked
: >"$acked"
# Attest in turn and write down what the server acknowledged: host and report id.
storm() {
  while [ ! -e "$D/enough" ]; do
    for h in a b; do
      id=$(rest POST "/hosts/$h/attest?wait=5" 2>/dev/null | jq -r 'select(.verdict != null) | .id' 2>/dev/null)
      [ -n "$id" ] && [ "$id" != null ] && echo "$h $id" >>"$acked"
    done
  done
}
storm &
pids+=("$!")
storm_pid=$!
# Hosts are registered all the while: each that is there must have been told of.
adds() {
  n=0
  while [ ! -e "$D/enough" ]; do
    n=$((n + 1))
    rest POST /hosts "{\"name\":\"k$n\"}" >/dev/null 2>&1 || sleep 0.2
  done
}
adds &
pids+=("$!")
adds_pid=$!

children() { ps -o pid=,comm= --ppid "$server_pid"; }
children >"$D/children"
for name in front engine signer assay-ca; do
  for round in 1 2; do
    wait_for 30 server_ready
    victim=$(children | awk -v n="$name" 'index($0, n) { print $1; exit }')
    if [ -z "$victim" ]; then
      cp "$D/children" "$D/last"
      not_ok "$name is a process of its own"
      break
    fi
    before=$(wc -l <"$acked")
    wait_for 20 eval '[ "$(wc -l <"$acked")" -gt "$before" ]'
    kill -KILL "$victim"
    check "killed $name, round $round: ready again" eval 'wait_for 30 gone "$victim"; wait_for 40 server_ready'
    before=$(wc -l <"$acked")
    check "killed $name, round $round: attesting again" wait_for 60 eval '[ "$(wc -l <"$acked")" -gt "$before" ]'
  done
done
before=$(wc -l <"$acked")
server_stop KILL
check "killed the parent: it starts again" server_start
check "killed the parent: attesting again" wait_for 60 eval '[ "$(wc -l <"$acked")" -gt "$before" ]'
: >"$D/enough"
wait "$storm_pid" "$adds_pid" 2>/dev/null

ids() { # every report id of a host's history
  local cursor='' page
  while :; do
    page=$(rest GET "/hosts/$1/reports?limit=500${cursor:+&cursor=$cursor}") || return 1
    printf '%s' "$page" | jq -r '.items[].id'
    cursor=$(printf '%s' "$page" | jq -r '.next // empty')
    [ -n "$cursor" ] || return 0
  done
}
lost() {
  for h in a b; do
    ids "$h" | sort -u >"$D/ids"
    awk -v h="$h" '$1 == h { print $2 }' "$acked" | sort -u | comm -23 - "$D/ids"
  done
}
check "many were acknowledged" eval '[ "$(wc -l <"$acked")" -ge 20 ]'
lost >"$D/lost"
check "nothing acknowledged is lost ($(wc -l <"$acked") verdicts)" eval '[ ! -s "$D/lost" ]'
# The log of events, all of it: a stream of what was, that ends when it is silent.
curl -sS -N -m 10 --cacert "$D/server/root.pem" -H "Authorization: Bearer $(cat "$D/server/admin.token")" "https://$api/api/v1/events?after=0" >"$D/events" 2>/dev/null
all_hosts() {
  local cursor='' page
  while :; do
    page=$(rest GET "/hosts?limit=500${cursor:+&cursor=$cursor}") || return 1
    printf '%s' "$page" | jq -r '.items[].name'
    cursor=$(printf '%s' "$page" | jq -r '.next // empty')
    [ -n "$cursor" ] || return 0
  done
}
all_hosts | grep '^k' | sort >"$D/there"
sed -n 's/^data: //p' "$D/events" | jq -r 'select(.code == "HOST_ADDED") | .name' | grep '^k' | sort >"$D/told"
check "hosts were registered meanwhile" eval '[ "$(wc -l <"$D/there")" -ge 20 ]'
check "every host that is there was told of, and no other ($(wc -l <"$D/there"))" cmp "$D/there" "$D/told"
check "both hosts come back" wait_for 90 eval '[ "$(host_field a .connected)" = true ] && [ "$(host_field b .connected)" = true ]'
check "both hosts are trusted in the end" eval 'assay host attest a && assay host attest b'

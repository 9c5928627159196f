#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# AIK certificates are renewed by themselves; an enrolment or renewal whose last answer was lost is mended; a race for one token.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need swtpm swtpm_setup tpm2 jq curl

server_conf "aik_life = 60s" "attest_interval = 3s"
server_init
tpm_maker lab
host_new a && host_boot a
host_new b && host_boot b
trust_maker lab lab
must_start
server_keep_ports
token=$(new_token)
check "enrolled" agent enrol a --token "$token"
agent_start a
check "connected" wait_for 15 answers a
check "reference learned" assay reference learn a --name ref --activate
check "trusted" eval 'answers a && verdict_is a trusted'

until_of() { agent status a --json | jq -r .certificate_until; }
ak_of() { host_field a .identity.ak_name; }
later() { [ "$(until_of)" \> "$1" ] && [ "$(ak_of)" != "$2" ]; }
t=$(until_of) ak=$(ak_of)
check "renewed at two thirds of its life, with another AK" wait_for 60 later "$t" "$ak"
check "trusted by the new AK" eval 'answers a && verdict_is a trusted'

# The answer to ENROL_PROOF is lost. First case: the server has bound the new AK, the agent knows only the old one.
server_stop
sed -i 's/^aik_life = .*/aik_life = 1h/' "$D/assayd.conf"
server_start
check "connected again" wait_for 30 answers a
agent_stop a
cp "$D/a/state/identity.json" "$D/old.json"
touch "$D/a/state/pending"
agent_start a
check "lost answer: a new AK is asked for" wait_for 20 eval '[ ! -e "$D/a/state/pending" ]'
check "lost answer: trusted" wait_for 20 eval 'answers a && verdict_is a trusted'
agent_stop a
cp "$D/old.json" "$D/a/state/identity.json"
touch "$D/a/state/pending"
agent_start a
check "lost answer, old AK here, new AK there: mended" wait_for 20 eval '[ ! -e "$D/a/state/pending" ]'
check "trusted" wait_for 20 eval 'answers a && verdict_is a trusted'
agent_stop a

# Second case: the very first enrolment; the token is spent by it, and the same command again mends it.
rm "$D/a/state/identity.json"
touch "$D/a/state/pending"
check "first enrolment repeated with its spent token" agent enrol a --token "$token"
agent_start a
check "trusted" wait_for 20 eval 'answers a && verdict_is a trusted'
check "never untrusted in all this" eval '[ "$(rest GET "/hosts/a/reports?limit=200" | jq "[.items[] | select(.verdict == \"untrusted\")] | length")" = 0 ]'

# A file `pending` of an enrolment that the server never bound: the token is shown after a moment.
touch "$D/b/state/pending"
check "b: enrolled by its token all the same" agent enrol b --token "$(new_token)"

# Two hosts race for one token of one use.
host_new c && host_boot c
host_new d && host_boot d
token=$(new_token)
agent enrol c --token "$token" >"$D/c.out" 2>&1 &
p1=$!
agent enrol d --token "$token" >"$D/d.out" 2>&1 &
p2=$!
won=0
wait $p1 && won=$((won + 1))
wait $p2 && won=$((won + 1))
check "one token, two hosts at once: one wins" test $won = 1
check "the other is told why" grep -qh '^TOKEN' "$D/c.out" "$D/d.out"

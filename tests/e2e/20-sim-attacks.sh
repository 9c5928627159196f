#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Simulated hosts over the real front: enrolment, trust, reconnection by resumption, and each attack with its own code.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
SIM=$B/src/prog/assay-sim/assay-sim
need jq curl
mkdir -p "$D/ek-trust"
check "a CA for the simulator's EKs" "$SIM" --make-ek-ca "$D/ek-trust"
server_conf "attest_interval = 300ms" "lease = 1m"
check "assayd init" server_init
must_start
new_token --uses 20 >"$D/token"

sim() { # sim NAME ARGUMENTS...
  "$SIM" --server "$agents" --token "@$D/token" --ek-ca "$D/ek-trust" --state "$D/sim" --json "${@:2}" >"$D/$1.json" 2>"$D/$1.err"
}
says() { jq -e "$2" "$D/$1.json"; } # says NAME JQ

check "four hosts enrol" sim enrol --hosts 4 --seconds 1
check "all are connected" says enrol '.connected == 4 and .enrolled == 4 and .failed == 0'
sim learn --hosts 4 --seconds 4 &
wait_for 10 verdict_is sim-0 unknown
check "reference values are learned from one" wait_for 5 assay reference learn sim-0 --name golden --activate
wait $!
check "a second run does not enrol again" sim again --hosts 4 --seconds 3
check "every answer of honest hosts is trusted" says again '.enrolled == 0 and .rejected == 0 and .trusted > 0 and .trusted == .accepted'
check "hosts come back by resumption" sim resume --hosts 4 --seconds 4 --reconnect 3
check "resumed handshakes, still trusted" says resume '.handshakes_resumed >= 8 and .rejected == 0'
check "RSA keys of a pool" sim rsa --ak rsa2048 --first 10 --hosts 3 --seconds 3
check "hosts that share an RSA key have Names of their own" says rsa '.connected == 3 and .enrolled == 3 and .trusted > 0 and .rejected == 0'

attack() { # attack MODE CODE
  sim "$1" --hosts 3 --seconds 2 --bad "$1" --bad-share 1
  check "$1: every such answer is rejected" says "$1" '.bad_sent > 0 and .rejected > 0 and .bad_accepted == 0'
  check "$1: the report says $2" has_failing sim-1 "$2"
}
attack wrong-nonce QUOTE_NONCE
attack pcr QUOTE_PCR_DIGEST
attack signature QUOTE_SIGNATURE
attack replay QUOTE_NONCE
attack cross-host QUOTE_WRONG_AK
attack host-id QUOTE_NONCE
attack selection QUOTE_SELECTION
attack magic QUOTE_MAGIC
attack malformed QUOTE_MALFORMED
check "honest again: trusted again" sim honest --hosts 3 --seconds 3
check "no fail of another kind stays in force" says honest '.trusted > 0'
attack clock COUNTER_BACK
sim after --hosts 3 --seconds 3
check "counters that went back stay untrusted until an operator acts" says after '.trusted == 0 and .rejected > 0'

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The examples of docs/rest.md, each line as it stands there, against a server of its own. TAP.
set -u
src=$(cd "$(dirname "$0")/../.." && pwd)
build=${AY_BUILD:-$src/build}
assayd=$build/src/prog/assayd/assayd
for c in curl jq; do command -v "$c" >/dev/null || { echo "ok 1 - all # SKIP package not installable ($c)"; echo 1..1; exit 0; }; done
D=$(mktemp -d "${TMPDIR:-/tmp}/ay-rest-XXXXXX")
pid=''
trap '[ -n "$pid" ] && kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; rm -rf "$D"' EXIT
n=0 failed=0
t() { # t NAME STATUS
  n=$((n + 1))
  if [ "$2" = 0 ]; then echo "ok $n - $1"; else echo "not ok $n - $1"; failed=1; fi
}

printf 'state_dir = %s/state\nrun_dir = %s/run\nlisten_api = 127.0.0.1:0\nlisten_agents = 127.0.0.1:0\n' "$D" "$D" >"$D/assayd.conf"
"$assayd" init --config "$D/assayd.conf" >/dev/null
"$assayd" --config "$D/assayd.conf" >"$D/log" 2>&1 &
pid=$!
for _ in $(seq 600); do [ -s "$D/state/endpoints.json" ] && break; sleep 0.1; done
api=$(jq -r .api "$D/state/endpoints.json")
cd "$D" || exit 1
cp state/root.pem root.pem
cp state/admin.token token
for _ in $(seq 600); do curl -sf -m 2 --cacert root.pem "https://$api/readyz" >/dev/null && break; sleep 0.1; done
export S="https://$api/api/v1"

# shellcheck disable=SC2016
sed -n '/^```sh$/,/^```$/p' "$src/docs/rest.md" | sed '/^```/d' >page
t "the page has examples" "$([ "$(grep -c 'jq -e' page)" -ge 15 ]; echo $?)"
while IFS= read -r line; do
  case $line in '' | '#'*) continue ;; esac
  eval "$line" >out 2>err
  rc=$?
  [ "$rc" = 0 ] || sed 's/^/# /' out err
  t "$line" "$rc"
done <page
echo "1..$n"
exit "$failed"

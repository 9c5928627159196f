#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The command line itself: help, man page and completion agree; errors name what is wrong and exit as documented.
set -u
cd "$(dirname "$0")/../.." || exit
bin=${AY_BUILD:-build}/src/prog/assay
assay=$bin/assay
n=0
t() { # t DESCRIPTION STATUS
  n=$((n + 1))
  if [ "$2" = 0 ]; then echo "ok $n - $1"; else echo "not ok $n - $1"; fi
}
exits() { # exits DESCRIPTION CODE STDERR-PATTERN COMMAND...
  local what=$1 code=$2 pattern=$3 err rc
  shift 3
  err=$(env -u ASSAY_SERVER -u ASSAY_CA -u ASSAY_TOKEN_FILE HOME=/nonexistent "$@" 2>&1 >/dev/null)
  rc=$?
  if [ $rc = "$code" ] && printf '%s' "$err" | grep -qE "$pattern"; then t "$what" 0; else
    echo "# exit $rc, said: $err"
    t "$what" 1
  fi
}

exits "no command prints the usage" 2 'usage: assay' "$assay"
exits "an unknown command is named" 2 'no such command: frobnicate' "$assay" frobnicate
exits "a noun alone lists its verbs" 2 'host needs one of' "$assay" host
exits "an unknown option is named" 2 '\-\-nope: no such option' "$assay" host list --nope
exits "an option without its value is named" 2 '\-\-label: needs a value' "$assay" host add x --label
exits "a flag takes no value" 2 'takes no value' "$assay" host list --json=1
exits "missing positional words print the usage" 2 'usage: assay host show HOST' "$assay" host show
exits "too many words print the usage" 2 'usage: assay host show HOST' "$assay" host show a b
exits "no server is explained" 2 'ASSAY_SERVER' "$assay" host list
exits "plain http is refused" 2 'begins with https' "$assay" host list --server http://localhost
exits "a server that is not there is exit 3" 3 'onnect' "$assay" host list --server https://127.0.0.1:1
exits "a token file that is not there is exit 3" 3 'No such file' "$assay" host list --server https://127.0.0.1:1 --token-file /nonexistent
exits "two ways to trust a listening agent are refused" 2 'give one of' "$assay" host add x --connect a:1 --agent-key 00 --trust-first-use
exits "a wait that is no number is refused" 2 'a number of seconds' "$assay" host attest x --wait 5x
exits "assay api wants a method" 2 'METHOD is' "$assay" api get /api/v1/hosts
exits "assay api wants an escaped path" 2 'PATH begins' "$assay" api GET "/api/v1/hosts /x"
exits "assay api takes no header of two lines" 2 'header: write it' "$assay" api GET /api/v1/hosts --header "$(printf 'a: b\nc: d')"
exits "assay api names a body that is not there" 3 'No such file' "$assay" api POST /api/v1/hosts --data /nonexistent
exits "control characters of a wrong command are escaped" 2 'x1b' "$assay" "$(printf 'a\033[31m')"

for p in assay:assay assayd:assayd assay-ca:assay-ca assay-agent:assay-agent assay-sim:assay-sim; do
  exe=${AY_BUILD:-build}/src/prog/${p%%:*}/${p##*:}
  [ -x "$exe" ] || continue
  "$exe" --version | grep -qE '^assay[a-z-]* [0-9]+\.[0-9]+\.[0-9]+' && "$exe" --help | grep -q 'usage:'
  t "${p##*:} answers --version and --help" $?
done

api=$(dirname "$0")/../../src/prog/assayd/api/commands.def
missing=$(sed -n 's/^R(.*, "\([a-z -]*[a-z]\)")$/\1/p' "$api" | sed 's/ --.*//' | while read -r words; do
  "$assay" --help | grep "^  $words\( \|$\)" >/dev/null || echo "$words"
done)
echo "# not there: $missing"
[ -z "$missing" ] && [ "$(grep -c '^R(' "$api")" -gt 60 ]
t "every command that docs/api.md names is there" $?

missing=$("$assay" --help | awk -F'  +' '/^  [a-z]/ && !/--/ { print $2 }' | while read -r noun verb _; do
  case "$verb" in [a-z]*) words="$noun $verb" ;; *) words=$noun ;; esac
  sed 's/\\-/-/g' "$bin/assay.1" | grep "^.SS assay $words" >/dev/null || echo "$words"
done)
[ -z "$missing" ]
t "every command of the help stands in the man page" $?
man -l --warnings "$bin/assay.1" >/dev/null 2>"${TMPDIR:-/tmp}/man.$$" && [ ! -s "${TMPDIR:-/tmp}/man.$$" ]
t "the man page formats without warnings" $?
rm -f "${TMPDIR:-/tmp}/man.$$"
bash -n "$bin/assay.bash"
t "the completion parses" $?
# shellcheck source=/dev/null
words=$(bash -c ". $bin/assay.bash; COMP_WORDS=(assay host ''); COMP_CWORD=2; _assay; echo \${COMPREPLY[*]}")
echo "$words" | grep -qw attest && echo "$words" | grep -qw acknowledge
t "completion offers the verbs of host" $?
words=$(bash -c ". $bin/assay.bash; COMP_WORDS=(assay token create --u); COMP_CWORD=3; _assay; echo \${COMPREPLY[*]}")
[ "$words" = --uses ]
t "completion offers the options of a command" $?
echo "1..$n"

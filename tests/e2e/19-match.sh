#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sets that are for some hosts only: by labels, and by what is one host's own.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need swtpm swtpm_setup tpm2 jq

server_conf "attest_interval = 1h" "lease = 2h"
server_init
tpm_maker lab
host_new a && host_boot a
host_new b && host_boot b
trust_maker lab lab
must_start
for host in a b; do
  check "$host: enrolled" enrol $host
  agent_start $host
  check "$host: answers" wait_for 15 answers $host
done
attest_all() { for h in a b; do assay host attest $h >/dev/null 2>&1; done; true; }
verdicts() { assay host list --json | jq -cS '[.items[] | {(.name): .verdict}] | add'; }

# ---- a set for hosts with a label
check "a set for role=web is learned from a" assay reference learn a --name web --for-label 'role=w*' --note "web servers" --activate
check "it says so" eval 'assay reference show web --json | jq -e ".match.labels.role == \"w*\" and .provenance.note == \"web servers\""'
attest_all
check "nobody has the label: nobody is judged by it" eval '[ "$(verdicts)" = "{\"a\":\"unknown\",\"b\":\"unknown\"}" ]'
check "b gets the label" rest PATCH /hosts/b '{"labels": {"role": "web1"}}'
attest_all
check "b is judged by it, a is not" eval '[ "$(verdicts)" = "{\"a\":\"unknown\",\"b\":\"trusted\"}" ]'

# ---- what is one host's own
check "PCR 1 of a is a's own" assay reference learn a --name own-a --part host_unique --pcr 1 --host-unique 1 --activate
check "... in part host_unique alone" eval 'assay reference show own-a --json | jq -e ".parts | keys == [\"host_unique\"]"'
check "a gets the label too" rest PATCH /hosts/a '{"labels": {"role": "web2"}}'
attest_all
check "both are trusted" eval '[ "$(verdicts)" = "{\"a\":\"trusted\",\"b\":\"trusted\"}" ]'
check "a by both sets" eval 'assay host show a --json >/dev/null; rest GET /hosts/a/report && jq -e "[.references[].name] | sort == [\"own-a\", \"web\"]" "$D/last"'
check "b by one" eval 'rest GET /hosts/b/report && jq -e "[.references[].name] == [\"web\"]" "$D/last"'
check "a PCR that nobody learns is refused" eval '! assay reference learn a --name x --pcr 10'

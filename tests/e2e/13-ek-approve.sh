#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# TPMs whose EK nobody vouches for: refused with EK_CHAIN, then approved by a person.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need swtpm swtpm_setup tpm2 jq curl

server_conf
server_init
tpm_maker lab
host_new known && host_boot known
trust_maker lab lab
must_start

# unknown: a maker that is in no trust set. bare: no EK certificate at all.
# same: a maker whose CA has the same names as the trusted one.
host_new unknown sha256 stranger && host_boot unknown
host_new bare sha256 none && host_boot bare
mkdir -p "$D/maker-lab2" && cp -r "$D/maker-lab/." "$D/maker-lab2" && rm -rf "$D/maker-lab2/ca" && tpm_maker lab2
host_new same sha256 lab2 && host_boot same

for host in unknown bare same; do
  token=$(new_token)
  refuses "$host: refused" agent enrol "$host" --token "$token"
  last=$(tail -n 1 "$D/refused")
  check "$host: the last line says what to type" grep -Eqx 'EK_CHAIN: assay ek approve [0-9a-f]{64}' <<<"$last"
  hash=${last##* }
  echo "$hash" >"$D/$host.hash"
  check "$host: not enrolled" eval "[ \"\$(host_field $host .state 2>/dev/null)\" != enrolled ]"
  check "$host: approved" assay ek approve "$hash"
  check "$host: the same token serves now" agent enrol "$host" --token "$token"
  check "$host: grade ek_approved" eval "[ \"\$(host_field $host .identity.grade)\" = ek_approved ]"
done

tpm2_of bare tpm2 createek -G ecc -c "$D/ek.ctx" -u "$D/ek.pub" >/dev/null 2>&1
tpm2_of bare tpm2 flushcontext -t
want=$(tail -c +3 "$D/ek.pub" | sha256sum | cut -c1-64)
check "the hash is SHA-256 of the EK's TPMT_PUBLIC, as tpm2-tools have it" grep -qx "$want" "$D/bare.hash"

# A set whose name begins with vtpm gives another grade.
trust_maker stranger vtpm-cloud
host_new cloud sha256 stranger && host_boot cloud
check "a new trust set is read without a restart, or after one" eval 'enrol cloud || { server_stop; server_start; enrol cloud; }'
check "cloud: grade ek_vtpm" eval '[ "$(host_field cloud .identity.grade)" = ek_vtpm ]'

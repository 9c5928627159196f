#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Enrolment by token (the agent dials), attestation and verdict: RSA and ECC EKs, ECDSA and RSA AKs, three sets of banks.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need swtpm swtpm_setup tpm2 jq curl

server_conf
check "assayd init" server_init
refuses "assayd init a second time" "$ASSAYD" init --config "$D/assayd.conf"
tpm_maker lab

# host, banks, ek, ak
while read -r host banks ek ak; do
  check "$host: manufacture and boot" eval "host_new $host $banks && host_boot $host"
  host_conf "$host" "ek = $ek" "ak = $ak"
done <<'EOT'
ecc sha1,sha256 auto auto
rsa sha1,sha256 rsa2048 rsa2048
mixed sha256 rsa2048 ecdsa-p256
big sha384 ecc-p384 ecdsa-p256
EOT
trust_maker lab lab
must_start

for host in ecc rsa mixed big; do
  check "$host: enrolled by token" enrol "$host"
  agent_start "$host"
  check "$host: the server says enrolled" wait_for 15 eval "[ \"\$(host_field $host .state)\" = enrolled ]"
  check "$host: identity is ek_certified" eval "[ \"\$(host_field $host .identity.grade)\" = ek_certified ]"
  check "$host: nothing left in the TPM" wait_for 5 tpm_is_clean "$host"
done

# Without a policy nothing is trusted.
check "no reference, no trust" eval "assay host attest ecc; verdict_is ecc unknown"
for host in ecc rsa mixed big; do
  check "$host: reference learned" assay reference learn "$host" --name "ref-$host" --activate
  check "$host: trusted" eval "assay host attest $host && verdict_is $host trusted"
done
check "table shows all four" eval "[ \"\$(assay host list --json | jq '.items | length')\" = 4 ]"
check "status of the agent names the host" eval "agent status ecc --json | jq -e '.name == \"ecc\" and .enrolled'"

# A used token serves nobody else; a token of another server, or a broken one, serves nobody.
token=$(new_token)
host_new late && host_boot late
check "late: enrolled" agent enrol late --token "$token"
host_new later && host_boot later
refuses "a token serves once" agent enrol later --token "$token"
check "the refusal names its code" grep -q '^TOKEN' "$D/refused"
refuses "a token cut short" agent enrol later --token "${token%?????}"

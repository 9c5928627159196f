#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A host that lies: logs that are not what the TPM saw, another host's identity, a TPM behind the agent's back.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need swtpm swtpm_setup tpm2 jq curl python3

server_conf
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
check "reference learned" assay reference learn a --name ref --activate
check "a: trusted" eval 'assay host attest a && verdict_is a trusted'
check "b: trusted by the same reference" eval 'assay host attest b && verdict_is b trusted'

# tamper NAME FILE PYTHON-EXPRESSION CODE...: changes octets d of a's file, expects one of the codes, puts them back
tamper() {
  local name=$1 file=$D/a/$2 change=$3
  shift 3
  cp "$file" "$D/saved"
  python3 -c "
import sys
d = bytearray(open('$file', 'rb').read())
$change
open('$file', 'wb').write(d)"
  assay host attest a >"$D/last" 2>&1
  failing a >"$D/codes"
  cat "$D/codes" >>"$D/last"
  local code found=no
  for code in "$@"; do grep -qx "$code" "$D/codes" && found=yes; done
  if [ $found = yes ] && verdict_is a untrusted; then ok "$name: $*"; else not_ok "$name: $*"; fi
  cp "$D/saved" "$file"
  assay host attest a >/dev/null 2>&1
  check "$name: trusted again with the true file" verdict_is a trusted
}
tamper "log: a digest bit" eventlog 'i = d.index(b"grub_cmd: insmod ext2"); d[i - 10] ^= 1' LOG_PCR_MISMATCH
tamper "log: event data that its digest covers" eventlog 'i = d.index(b"insmod ext2"); d[i] ^= 1' LOG_EVENT_DATA
tamper "log: cut inside an event" eventlog 'del d[-7:]' LOG_TRUNCATED
tamper "log: another file altogether" eventlog 'd[:] = b"not a log at all, not even nearly one"' LOG_HEADER LOG_TRUNCATED LOG_MALFORMED
# Entries that were verified are not sent again: a changed one is seen where a boot sends its list from the start.
agent_stop a
cp "$D/a/ima" "$D/saved"
cat /proc/sys/kernel/random/uuid >"$D/a/boot_id"
python3 -c "
d = bytearray(open('$D/a/ima', 'rb').read())
i = d.index(b'tool-0007'); d[i] ^= 1
open('$D/a/ima', 'wb').write(d)"
agent_start a
check "IMA: a path: untrusted" wait_for 20 eval 'assay host attest a; verdict_is a untrusted'
check "IMA: a path is named" eval 'has_failing a IMA_TEMPLATE_HASH || has_failing a IMA_PCR'
cp "$D/saved" "$D/a/ima"
# The boot id alone is another one: that stays until somebody says why.
check "a boot id without a reset is named too" has_failing a BOOT_WITHOUT_RESET
check "acknowledged" assay host acknowledge a --reason "boot id changed by the test"
check "IMA: trusted again with the true file" eval 'assay host attest a && verdict_is a trusted'
tamper "IMA: cut inside an entry" ima 'del d[-3:]' IMA_MALFORMED IMA_CONTINUITY IMA_PCR QUOTE_PCR_DIGEST

# Something is extended that no log tells of.
tpm2_of b tpm2 pcrextend "7:sha256=$(printf '%064d' 1)"
check "b: an extend without an event" eval 'assay host attest b; verdict_is b untrusted'
check "b: PCR 7 is named" eval 'rest GET /hosts/b/report | jq -e ".findings[] | select(.result == \"fail\" and .pcr == 7)"'

# b takes a's identity file: the key of the TLS connection is not a's, and the TPM cannot load a's AK.
agent_stop b
cp "$D/b/state/identity.json" "$D/b.identity"
cp "$D/a/state/identity.json" "$D/b/state/identity.json"
t=$(host_field a .attested_at)
agent_start b
sleep 3
check "a's identity on b: a's verdict does not come from b" eval 'assay host attest a && verdict_is a trusted'
agent_stop b

# b takes a's whole state: a's TLS key, without a's TPM. It can break a's line for a moment, never answer for it.
cp -r "$D/b/state" "$D/b.state"
cp "$D/a/state/tls.pem" "$D/a/state/identity.json" "$D/b/state/"
agent_start b
sleep 3
agent_stop b
check "a's whole state on b: a is trusted by its own TPM" wait_for 40 eval 'assay host attest a && verdict_is a trusted'
rm -rf "$D/b/state"
cp -r "$D/b.state" "$D/b/state"

# The EK of b under another host's name: one TPM is one host.
rm -rf "$D/b/state" && mkdir "$D/b/state"
host_conf b "name = c"
sed -i '1d' "$D/b/agent.conf"
refuses "b's TPM enrols as a second host" agent enrol b --token "$(new_token)"

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A TPM 1.2 client that is not ours: TrouSerS (tcsd over TCP). Our Privacy CA opens its identity requests, both paddings, its
# TPM_ActivateIdentity opens our answer and no other key's, and its quotes verify in our command.
. "$(dirname "$0")/lib.sh"
need swtpm swtpm_setup tcsd tpm_takeownership cc sha1sum
TSPI=$D/tspi CA12=$B/tests/ca12
cc -o "$TSPI" "$root/tests/support/tspi_client.c" -ltspi >"$D/cc.log" 2>&1 || skip_all "package not installable (libtspi-dev)"
[ "$(id -u)" = 0 ] || skip_all "no root"

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=$(free_port) ctrl=$(free_port) tcs=$(free_port)
mkdir -p "$D/tpm" "$D/ps"
# tcsd gives up root and wants its files its own way
chmod 711 "$D"
swtpm_setup --tpmstate "$D/tpm" --createek --overwrite >"$D/setup.log" 2>&1 || exit 1
start_bg "$D/swtpm.log" swtpm socket --tpmstate "dir=$D/tpm" --server "type=tcp,port=$port,disconnect" \
  --ctrl "type=tcp,port=$ctrl" --flags not-need-init,startup-clear
listens() { ss -ltn | grep -q ":$1 "; }
check "swtpm listens" wait_for 20 listens "$port"
printf 'port = %s\nsystem_ps_file = %s\n' "$tcs" "$D/ps/system.data" >"$D/ps/tcsd.conf"
chown root:tss "$D/ps/tcsd.conf" && chmod 640 "$D/ps/tcsd.conf" && chown tss:tss "$D/ps" && chmod 700 "$D/ps"
TCSD_USE_TCP_DEVICE=1 TCSD_TCP_DEVICE_HOSTNAME=127.0.0.1 TCSD_TCP_DEVICE_PORT=$port \
  start_bg "$D/tcsd.log" tcsd -f -e -c "$D/ps/tcsd.conf"
check "tcsd listens" wait_for 30 listens "$tcs"
export TSS_TCSD_PORT=$tcs TSS_TCSD_HOSTNAME=127.0.0.1
check "TrouSerS takes ownership" tpm_takeownership -y -z

label=00112233445566778899aabbccddeeff
for how in oaep pkcs1; do
  d=$D/$how
  mkdir -p "$d"
  "$CA12" key "$d"
  head -c 32 /dev/urandom >"$d/secret"
  check "$how: TrouSerS makes an identity request" "$TSPI" collate "$label" "$d/ca.mod" "$how" "$d"
  refuses "$how: not for another ticket" "$CA12" answer "$d" ffeeddccbbaa99887766554433221100
  check "$how: AK_BINDING" grep -q AK_BINDING "$D/refused"
  check "$how: our CA opens it" "$CA12" answer "$d" "$label"
  check "$how: the key in it is the AIK" cmp "$d/ak.of.request" "$d/aik.pub"
  check "$how: TPM_ActivateIdentity opens our answer" "$TSPI" activate "$d" "$d/asym" "$d/sym" "$d/opened"
  check "$how: to what was sealed" cmp "$d/opened" "$d/secret"
done
refuses "an answer for one AIK opens for no other" "$TSPI" activate "$D/oaep" "$D/pkcs1/asym" "$D/pkcs1/sym" "$D/none"
"$CA12" key "$D/pkcs1"
refuses "a request to another CA is refused" "$CA12" answer "$D/pkcs1" "$label"

head -c 20 /dev/urandom >"$D/nonce"
nonce=$(od -An -tx1 "$D/nonce" | tr -d ' \n')
for q in quote quote2; do
  check "$q by TrouSerS" "$TSPI" "$q" "$D/oaep" "$D/nonce"
  check "$q verifies" "$ASSAY" quote --key "$D/oaep/aik.pub" --message "$D/oaep/message" --signature "$D/oaep/signature" --nonce "$nonce"
  refuses "$q of another nonce" "$ASSAY" quote --key "$D/oaep/aik.pub" --message "$D/oaep/message" \
    --signature "$D/oaep/signature" --nonce "00${nonce:2}"
  check "$q: QUOTE_NONCE" grep -q QUOTE_NONCE "$D/refused"
done

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# alone
# long
# A unified kernel image, signed by our own key, Secure Boot on: one certificate in db, Secure Boot off, a rootkit.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/../vm/lib.sh"
vm_prepare
vm_fleet "lease = 60s" "attest_interval = ${1:-30s}"

vm_rootkit
vm_must "disks" eval 'vm_esp_uki "$D/golden.img" && vm_esp_uki "$D/bad.img" "$D/rootkit.img"'
vm_must "two machines" eval 'vm_new good && vm_new bad'
vm_firmware good OVMF_VARS_4M.snakeoil.fd
vm_firmware bad OVMF_VARS_4M.snakeoil.fd
vm_esp good "$D/golden.img"
vm_esp bad "$D/bad.img"
vm_must "the good one boots" vm_up good
vm_must "its reference learned" eval 'vm_attest good && assay reference learn good --name golden --activate'
check "it is trusted" eval 'vm_attest good && verdict_is good trusted'
vm_must "the bad one boots" eval 'vm_up bad && vm_said bad "^VM rootkit"'
check "a rootkit in the signed image: untrusted" eval 'vm_attest bad && verdict_is bad untrusted'
check "because of its initrd" has_cause bad initrd

# From the rootkit's log to the values of the good image, which this machine never started.
vm_must "the boot log of the bad one" vm_log bad "$D/log"
check "the values of the good image are computed" eval 'assay --json reference compute --from-log "$D/log" --uki "$D/golden.img.d/EFI/BOOT/BOOTX64.EFI" \
  --out "$D/next.json" >"$D/next.pcrs"'
vm_foretold good "$D/next.pcrs" 0 1 2 3 4 5 6 7 9 11

# The owner of the KEK adds a certificate to db.
vm_db_update "Assay rogue db"
check "db gets one more certificate" vm_db_write good
vm_off good
vm_off bad
vm_firmware bad OVMF_VARS_4M.fd
vm_esp good "$D/golden.img"
vm_esp bad "$D/golden.img"
vm_must "both start again" eval 'vm_up good && vm_up bad'
check "one certificate more in db: untrusted" eval 'vm_attest good && verdict_is good untrusted'
check "because of db, and of nothing else" [ "$(causes good)" = db ]
check "the certificate is named" eval 'assay host explain good | grep -F "Assay rogue db"'
check "Secure Boot off: untrusted" eval 'vm_attest bad && verdict_is bad untrusted'
check "because of Secure Boot" has_cause bad secure_boot

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# alone
# long
# shim and GRUB with Secure Boot on, as Debian signs them: what Secure Boot does not see.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/../vm/lib.sh"
vm_prepare
vm_fleet "lease = 60s" "attest_interval = ${1:-30s}"

vm_rootkit
vm_must "disks" eval 'vm_esp_grub "$D/golden.img" && vm_esp_grub "$D/bad.img" "$D/rootkit.img" && rm -r "$D/bad.img.d"'
vm_must "two machines" eval 'vm_new good sha1,sha256 && vm_new bad sha1,sha256'
vm_firmware good OVMF_VARS_4M.ms.fd
vm_firmware bad OVMF_VARS_4M.ms.fd
vm_esp good "$D/golden.img"
vm_esp bad "$D/bad.img"
vm_must "the good one boots" vm_up good
vm_must "its reference learned" eval 'vm_attest good && assay reference learn good --name golden --activate'
check "it is trusted" eval 'vm_attest good && verdict_is good trusted'
vm_must "the rootkit boots in spite of Secure Boot" eval 'vm_up bad && vm_said bad "^VM rootkit"'
check "a rootkit in the initrd: untrusted" eval 'vm_attest bad && verdict_is bad untrusted'
check "because of its initrd" has_cause bad initrd
check "which is named" eval 'assay host explain bad | grep initrd.img'

# What the next boot will show, computed before it happens.
vm_must "the boot log" vm_log good "$D/log"
words="$CMDLINE ima_appraise=off init_backdoor=1"
check "a disk with two more words" vm_esp_grub "$D/words.img" "$INITRD" "$words"
check "its values are computed" eval 'assay --json reference compute --from-log "$D/log" --grub-cfg "$D/words.img.d/$GRUB_CFG" --cmdline "$words" \
  --out "$D/next.json" >"$D/next.pcrs"'
vm_off good
vm_off bad
vm_firmware bad OVMF_VARS_4M.fd
vm_esp good "$D/words.img"
vm_esp bad "$D/golden.img"
vm_must "both start again" eval 'vm_up good && vm_up bad'
vm_foretold good "$D/next.pcrs" 0 1 2 3 4 5 6 7 8 9 14
check "two words on the command line: untrusted" eval 'vm_attest good && verdict_is good untrusted'
check "because of the command line" has_cause good cmdline
check "Secure Boot off: untrusted" eval 'vm_attest bad && verdict_is bad untrusted'
check "because of Secure Boot" has_cause bad secure_boot

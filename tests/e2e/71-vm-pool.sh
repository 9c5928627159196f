#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# alone
# long
# A pool of two real machines by one reference set: twins, reboots, an unknown program, two words on the command line.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/../vm/lib.sh"
vm_prepare
vm_fleet "lease = 60s" "attest_interval = ${1:-30s}"

vm_must "two machines" eval 'vm_new good && vm_new twin'
vm_direct good
vm_direct twin
vm_must "one boots" vm_up good
vm_must "its reference learned" eval 'vm_attest good && assay reference learn good --name golden --activate'
vm_must "the other boots" vm_up twin
check "another TPM, the same software: trusted" eval 'vm_attest twin && verdict_is twin trusted'

# Whatever it says, it was executed.
check "a program that nobody knows is executed" vm_do twin 'cp /bin/busybox /usr/bin/rk && echo x >>/usr/bin/rk && { rk; true; }'
check "untrusted within 5 s" wait_for 5 verdict_is twin untrusted
check "in runtime, not in the boot" eval '[ "$(host_field twin .components.runtime.verdict)$(host_field twin .components.os.verdict)" = untrustedtrusted ]'
check "the cause is an unknown file" has_cause twin unknown_file
check "and it is named" eval 'assay host explain twin | grep -F /usr/bin/rk'

vm_off good
vm_off twin
vm_direct good
vm_direct twin "$INITRD" "$CMDLINE ima_appraise=off init_backdoor=1"
vm_must "both start again" eval 'vm_up good && vm_up twin'
check "a reboot stays trusted" eval 'vm_attest good && verdict_is good trusted'
check "two words on the command line: untrusted" eval 'vm_attest twin && verdict_is twin untrusted'
check "because of the command line" has_cause twin cmdline

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# alone
# Two real machines, started at the same time: Debian's kernel without a boot loader. One is learned from, the initrd of
# the other has a program more. This is the scene of `make test`; the others are marked long.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/vm/lib.sh
. "$(dirname "$0")/../vm/lib.sh"
vm_prepare
vm_fleet "lease = 60s" "attest_interval = 30s"

vm_must "two machines" eval 'vm_new good && vm_new bad'
vm_rootkit
vm_direct good
vm_direct bad "$D/rootkit.img"
vm_must "the good one boots" vm_up good
check "and is attested" vm_attest good
vm_must "its reference learned" assay reference learn good --name golden --activate
check "it is trusted" eval 'vm_attest good && verdict_is good trusted'
vm_must "the other one boots its rootkit" eval 'vm_up bad && vm_said bad "^VM rootkit"'
check "it is untrusted" eval 'vm_attest bad && verdict_is bad untrusted'
check "because of its initrd" has_cause bad initrd
check "which is named" eval 'assay host explain bad | grep -i initrd'

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Real machines for end-to-end scripts: Debian's signed boot chain in QEMU (emulated processor, OVMF, swtpm), with the
# agent of this build. Source it after tests/e2e/lib.sh. README.md beside this file says how a machine is made.
# Images that all machines share stand in $V and are made once for an agent and a kernel.
V=${VM_DIR:-$root/build/vm}
vm=$root/tests/vm
OVMF=/usr/share/OVMF
GRUB_CFG=EFI/debian/grub.cfg
# rootfstype: the built-in IMA policy does not measure tmpfs, which an initramfs would be.
CMDLINE="console=ttyS0 quiet panic=-1 ima_policy=tcb ima_hash=sha256 rootfstype=ramfs"

# vm_prepare: everything that machines share, or the script is skipped
vm_prepare() {
  need qemu-system-x86_64 swtpm swtpm_setup mcopy mkfs.vfat cpio sbsign busybox jq curl flock
  [ -f $OVMF/OVMF_CODE_4M.secboot.fd ] || skip_all "package not installable (ovmf)"
  mkdir -p "$V"
  exec {vm_lock}>"$V/lock" # one script at a time makes images
  flock "$vm_lock"
  "$vm/fetch" "$V" 2>"$D/last" || skip_all "no network ($(tail -n 1 "$D/last"))"
  X=$V/x
  KERNEL=$(echo "$X"/boot/vmlinuz-*)
  vm_initrd || { echo "# no initrd"; exit 1; }
  flock -u "$vm_lock"
}

# ---- images

vm_id() { cat "$@" | sha256sum | cut -c1-16; } # vm_id FILE...: names a file made from others
vm_libs() { ldd "$@" | awk '$2 == "=>" {print $3} NF == 2 && /^\t\// {print $1}' | sort -u; } # vm_libs PROGRAM...
# vm_pack FOLDER: it as a compressed cpio, the same octets each time
vm_pack() {
  find "$1" -exec touch -h -d @1700000000 {} +
  (cd "$1" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --reproducible --quiet | gzip -n -1)
}

# vm_initrd: $INITRD, with the agent, what it links to, and busybox
vm_initrd() {
  local tools=("$AGENT" "$(command -v chattr)") libs r
  mapfile -t libs < <(vm_libs "${tools[@]}" /usr/lib/x86_64-linux-gnu/libtss2-tcti-device.so.0)
  INITRD=$V/initrd-$(vm_id "$vm/init" "$vm/lib.sh" "$KERNEL" "${tools[@]}" "${libs[@]}").img
  [ -f "$INITRD" ] && return
  rm -f "$V"/initrd-*
  r=$(mktemp -d "$V/root.XXXXXX")
  mkdir -p "$r"/{bin,dev,etc/start.d,lib/modules,lib/x86_64-linux-gnu,lib64,proc,run,sys,tmp,usr/bin,usr/lib,usr/sbin}
  ln -s ../../lib/x86_64-linux-gnu "$r/usr/lib/x86_64-linux-gnu"
  cp "$vm/init" "$r/init"
  cp /bin/busybox "$r/bin/busybox"
  busybox --list | grep -v '^busybox$' | xargs -I{} ln -s /bin/busybox "$r/usr/bin/{}"
  cp "${tools[@]}" "$r/usr/sbin/"
  strip "$r/usr/sbin/assay-agent"
  cp -L "${libs[@]}" /usr/lib/x86_64-linux-gnu/libtss2-tcti-device.so.0 "$r/lib/x86_64-linux-gnu/"
  mv "$r"/lib/x86_64-linux-gnu/ld-linux-* "$r/lib64/"
  find "$X/lib/modules" \( -name 'virtio*.ko' -o -name '*failover.ko' -o -name efivarfs.ko \) -exec cp -t "$r/lib/modules" {} +
  printf '%s\n' root:x:0:0::/:/bin/sh assay-agent:x:100:100::/:/bin/false >"$r/etc/passwd"
  printf '%s\n' root:x:0: assay-agent:x:100: tss:x:101: >"$r/etc/group"
  chmod -R u=rwX,go=rX "$r"
  chmod 755 "$r/init" "$r"/usr/sbin/*
  vm_pack "$r" >"$INITRD.new" && mv "$INITRD.new" "$INITRD"
  rm -rf "$r"
}
# vm_initrd_plus OUT PROGRAM: $INITRD with one more program, run at boot. Appended, as an intruder would do it.
vm_initrd_plus() {
  mkdir -p "$D/plus/etc/start.d"
  cp "$2" "$D/plus/etc/start.d/"
  chmod 755 "$D"/plus/etc/start.d/*
  { cat "$INITRD"; vm_pack "$D/plus"; } >"$1"
  rm -rf "$D/plus"
}
# vm_rootkit: $D/rootkit.img, an initrd with one
vm_rootkit() {
  printf '#!/bin/busybox sh\necho "VM rootkit"\n' >"$D/rootkit"
  vm_initrd_plus "$D/rootkit.img" "$D/rootkit"
}

# vm_disk OUT FOLDER: an EFI system partition with the folder's files
vm_disk() {
  find "$2" -exec touch -d @1700000000 {} +
  rm -f "$1"
  truncate -s $(($(du -sm "$2" | cut -f1) + 40))M "$1"
  mkfs.vfat -F 32 -i 12345678 "$1" >/dev/null && (cd "$2" && mcopy -i "$1" -s ./* ::/)
}
# vm_esp_grub OUT [INITRD [CMDLINE]]: Debian's shim and GRUB; $OUT.d keeps the files
vm_esp_grub() {
  local d=$1.d
  mkdir -p "$d/EFI/BOOT" "$d/EFI/debian"
  cp "$X/usr/lib/shim/shimx64.efi.signed" "$d/EFI/BOOT/BOOTX64.EFI"
  cp "$X/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed" "$d/EFI/BOOT/grubx64.efi"
  cp "$KERNEL" "$d/vmlinuz"
  cp "${2:-$INITRD}" "$d/initrd.img"
  printf '%s\n' "set timeout=0" "linux /vmlinuz ${3:-$CMDLINE}" "initrd /initrd.img" boot >"$d/$GRUB_CFG"
  vm_disk "$1" "$d"
}
# vm_esp_uki OUT [INITRD [CMDLINE]]: one image of systemd's stub, signed with the key that OVMF's snakeoil variables trust
vm_esp_uki() {
  local d=$1.d stub=/usr/lib/systemd/boot/efi/linuxx64.efi.stub
  mkdir -p "$d/EFI/BOOT"
  printf '%s' "${3:-$CMDLINE}" >"$1.cmdline"
  printf '%s\n' ID=debian VERSION_ID=12 'PRETTY_NAME="Assay test machine"' >"$1.osrel"
  vm_snakeoil
  vm_sections "$stub" "$1.uki" .osrel "$1.osrel" .cmdline "$1.cmdline" .initrd "${2:-$INITRD}" .linux "$KERNEL" &&
    sbsign --key "$D/snakeoil.key" --cert /usr/share/ovmf/PkKek-1-snakeoil.pem --output "$d/EFI/BOOT/BOOTX64.EFI" "$1.uki" &&
    vm_disk "$1" "$d"
}
vm_snakeoil() { # $D/snakeoil.key: its passphrase stands in ovmf's README
  [ -f "$D/snakeoil.key" ] || openssl rsa -in /usr/share/ovmf/PkKek-1-snakeoil.key -passin pass:snakeoil -out "$D/snakeoil.key" 2>/dev/null
}
# vm_db_update CN: $D/db.var, what to write into db's file: the attributes, then a certificate more, signed with the KEK
vm_db_update() {
  local guid=6d1f1e0a-8a5f-4a54-9d3c-1f6d4a7b2c10
  vm_snakeoil
  openssl req -x509 -newkey rsa:2048 -nodes -subj "/CN=$1" -days 3650 -keyout /dev/null -out "$D/db.crt" 2>/dev/null &&
    cert-to-efi-sig-list -g $guid "$D/db.crt" "$D/db.esl" &&
    sign-efi-sig-list -a -g $guid -k "$D/snakeoil.key" -c /usr/share/ovmf/PkKek-1-snakeoil.pem db "$D/db.esl" "$D/db.auth" >/dev/null &&
    { printf '\x67\0\0\0'; cat "$D/db.auth"; } >"$D/db.var"
}
# vm_db_write NAME: by the machine itself; the text comes through its console
vm_db_write() {
  local var=/sys/firmware/efi/efivars/db-d719b2cb-3d3a-4596-a3bc-dad00e67656f line
  vm_do "$1" ': >/run/db64' || return
  while read -r line; do vm_do "$1" "echo $line >>/run/db64" || return; done < <(base64 -w 1000 "$D/db.var")
  vm_do "$1" "chattr -i $var && base64 -d /run/db64 >/run/db.var && dd if=/run/db.var of=$var bs=64k"
}
# vm_sections STUB OUT SECTION FILE...: the stub with sections behind its own
vm_sections() {
  local stub=$1 out=$2 align at=0 size vma args=()
  shift 2
  align=$((16#$(objdump -p "$stub" | sed -n 's/^SectionAlignment[[:space:]]*//p')))
  while read -r _ _ size vma _; do
    at=$((16#$vma + 16#$size)) # behind the last one
  done < <(objdump -h "$stub" | grep -E '^ +[0-9]+ ')
  while [ $# -gt 0 ]; do
    at=$(((at + align - 1) / align * align))
    args+=(--add-section "$1=$2" --change-section-vma "$1=$at")
    at=$((at + $(stat -c %s "$2")))
    shift 2
  done
  objcopy "${args[@]}" "$stub" "$out"
}

# ---- machines: $D/NAME holds the TPM's state, EFI variables, a disk, the console's text

# vm_new NAME [BANKS]: a machine with a TPM of its own, that will enrol with a token
vm_new() {
  host_new "$1" "${2:-sha256}" || return
  printf '%s\n' "name = $1" "dial = 10.0.2.2:${agents##*:}" "state_dir = /run/host/state" "run_dir = /run/host" >"$D/$1/agent.conf"
  vm_seed "$1" "$(new_token)"
}
vm_seed() { # vm_seed NAME TOKEN: the disk of a machine that was never on
  local h=$D/$1
  mkdir -p "$h/seed/state"
  cp "$h/agent.conf" "$h/seed/"
  printf '%s\n' "$2" >"$h/seed/token"
  truncate -s 4M "$h/disk"
  tar -C "$h/seed" -c . | dd of="$h/disk" conv=notrunc status=none
}
# vm_firmware NAME VARS: Secure Boot as OVMF_VARS_4M[.ms|.snakeoil].fd says: off, Microsoft's keys, OVMF's own
vm_firmware() { cp "$OVMF/$2" "$D/$1/vars.fd"; }

# vm_on NAME ARGUMENTS-OF-QEMU...: power on
vm_on() {
  local h=$D/$1
  shift
  rm -f "$h/tpm.sock" "$h/in"
  start_bg "$h/swtpm.log" swtpm socket --tpm2 --tpmstate "dir=$h/tpm" --ctrl "type=unixio,path=$h/tpm.sock" --terminate
  wait_for 10 test -S "$h/tpm.sock"
  mkfifo "$h/in"
  [ -f "$h/vars.fd" ] || cp "$OVMF/OVMF_VARS_4M.fd" "$h/vars.fd"
  : >"$h/console.log"
  # The same firmware with and without Secure Boot: what moves is the setting, not the build. All have one network
  # address: each is alone in its net, and the firmware measures what it could start from.
  qemu-system-x86_64 -accel tcg,thread=multi -machine q35,smm=on -cpu qemu64 -smp 1 -m 512 -nodefaults -no-reboot \
    -display none -monitor none -serial stdio \
    -global driver=cfi.pflash01,property=secure,value=on -global ICH9-LPC.disable_s3=1 \
    -drive "if=pflash,unit=0,format=raw,readonly=on,file=$OVMF/OVMF_CODE_4M.secboot.fd" \
    -drive "if=pflash,unit=1,format=raw,file=$h/vars.fd" \
    -chardev "socket,id=tpm,path=$h/tpm.sock" -tpmdev emulator,id=tpm,chardev=tpm -device tpm-crb,tpmdev=tpm \
    -drive "if=none,id=own,format=raw,file=$h/disk" -device virtio-blk-pci,drive=own,addr=0x8 \
    -netdev user,id=net -device virtio-net-pci,netdev=net,romfile=,mac=52:54:00:00:00:01,addr=0x9 "$@" \
    <>"$h/in" >>"$h/console.log" 2>"$h/qemu.log" &
  pids+=($!)
  echo $! >"$h/qemu.pid"
}
# vm_direct NAME [INITRD [CMDLINE]]: the firmware gets kernel and initrd from QEMU
vm_direct() { vm_on "$1" -kernel "$KERNEL" -initrd "${2:-$INITRD}" -append "${3:-$CMDLINE}"; }
# vm_esp NAME ESP: it starts from an EFI system partition; writes are forgotten
vm_esp() {
  vm_on "$1" -drive "if=none,id=esp,format=raw,snapshot=on,file=$2" -device virtio-blk-pci,drive=esp,addr=0x10,bootindex=1
}
vm_said() { grep -aq "$2" "$D/$1/console.log"; }           # vm_said NAME PATTERN
vm_up() { wait_for "${2:-180}" vm_said "$1" "^VM ready"; }     # vm_up NAME [SECONDS]
# vm_do NAME COMMAND: in the machine's shell; succeeds if the command does
vm_do() {
  local h=$D/$1 n
  n=$(grep -ac '^VM did' "$h/console.log")
  printf '%s\n' "$2" >"$h/in"
  wait_for 30 eval "[ \$(grep -ac '^VM did' '$h/console.log') -gt $n ]" && grep -a '^VM did' "$h/console.log" | tail -n 1 | grep -q 'VM did 0'
}
# vm_ask NAME COMMAND: the same, and prints what it says
vm_ask() {
  local n
  n=A$(grep -ac '^VM did' "$D/$1/console.log")
  vm_do "$1" "{ $2; } | sed 's/^/$n /'" && tr -d '\r' <"$D/$1/console.log" | sed -n "s/^$n //p"
}
# vm_get NAME FILE OUT: a file of the machine, by way of its disk
vm_get() { vm_do "$1" "cat '$2' >/run/host/out; save; rm /run/host/out" && tar -xOf "$D/$1/disk" ./out >"$3"; }
vm_log() { vm_get "$1" /sys/kernel/security/tpm0/binary_bios_measurements "$2"; } # vm_log NAME OUT
# vm_must NAME COMMAND...: a check without which the rest makes no sense
vm_must() {
  local before=$n_failed
  check "$@"
  [ "$n_failed" = "$before" ] || exit 1
}
# vm_foretold NAME FILE PCR...: the machine's PCRs are those that `reference compute` printed into the file
vm_foretold() {
  local i
  for i in "${@:3}"; do
    check "PCR $i is as computed" [ "$(vm_ask "$1" "cat /sys/class/tpm/tpm0/pcr-sha256/$i" | tr A-F a-f)" = "$(jq -r ".pcrs.sha256[\"$i\"]" "$2")" ]
  done
}
# vm_attest NAME: by its agent that serves now, whatever the verdict
vm_attest() { wait_for 60 eval "assay host attest '$1'; [ \$? -le 1 ]"; }
# causes HOST: classes of its last report, one a line
causes() { rest GET "/hosts/$1/report" | jq -r '.causes[].class'; }
has_cause() { causes "$1" | grep -qx "$2"; }
# vm_fleet OPTIONS...: a server and a maker of TPMs that it trusts; the first machine's TPM makes the maker
vm_fleet() {
  server_conf "$@"
  server_init
  tpm_maker lab
  host_new maker || return
  trust_maker lab lab
  must_start
}
# vm_off NAME: in order; the agent's state and the TPM's stay
vm_off() {
  printf 'off\n' >"$D/$1/in"
  wait_for 30 gone "$(cat "$D/$1/qemu.pid")" || stop_pid "$(cat "$D/$1/qemu.pid")"
}

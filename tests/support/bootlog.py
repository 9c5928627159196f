#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Boot logs and IMA lists for software TPMs, made up but formed as real ones.

  bootlog.py boot --banks sha1,sha256 --out LOG [--change WHAT]... [--extend TCTI]
  bootlog.py ima --log LOG --out LIST [--entries N] [--first N] [--change N] [--extend TCTI]
  bootlog.py pcrs --log LOG [--ima LIST]

boot  a crypto-agile event log (firmware, Secure Boot variables, shim, GRUB,
      kernel, initrd) and the same digests into the TPM. WHAT is one of firmware,
      secure-boot, db, boot-order, shim, grub, command, cmdline, kernel, initrd:
      that event is another one.
ima   an IMA list (ima-ng): boot_aggregate over the PCRs of LOG, then N files.
      --first M makes the entries from number M on only, appended to LIST: the
      list grows. --change K makes file K another one.
pcrs  the PCR values that follow from them, as JSON; computed here, not by Assay.
"""
import argparse, hashlib, json, os, struct, subprocess, sys, uuid

ALGS = {"sha1": (4, 20), "sha256": (11, 32), "sha384": (12, 48), "sha512": (13, 64)}
NAMES = {v[0]: k for k, v in ALGS.items()}

EV_NO_ACTION, EV_SEPARATOR, EV_S_CRTM_VERSION, EV_IPL = 3, 4, 8, 13
EV_DRIVER_CONFIG, EV_VARIABLE_BOOT, EV_BOOT_APPLICATION, EV_BOOT_DRIVER = (
    0x80000001, 0x80000002, 0x80000003, 0x80000004)
EV_GPT, EV_ACTION, EV_FIRMWARE_BLOB, EV_AUTHORITY = 0x80000006, 0x80000007, 0x80000008, 0x800000E0

GLOBAL_GUID = uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")
DB_GUID = uuid.UUID("d719b2cb-3d3a-4596-a3bc-dad00e67656f")
OWNER_GUID = uuid.UUID("77fa9abd-0359-4d32-bd60-28f4e78f784b")
X509_GUID = uuid.UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072")

KERNEL = "/boot/vmlinuz-6.1.0-18-amd64"
INITRD = "/boot/initrd.img-6.1.0-18-amd64"


def blob(name, n=300):
    """Octets that stand for the content of something, always the same for a name."""
    return hashlib.shake_256(name.encode()).digest(n)


def variable(guid, name, data):
    text = name.encode("utf-16-le")
    return guid.bytes_le + struct.pack("<QQ", len(name), len(data)) + text + data


def signature_list(name):
    cert = b"\x30\x82" + struct.pack(">H", 700) + blob(name, 700)
    return (X509_GUID.bytes_le + struct.pack("<III", 28 + 16 + len(cert), 0, 16 + len(cert)) +
            OWNER_GUID.bytes_le + cert)


def image_event(path):
    file_path = path.encode("utf-16-le") + b"\0\0"
    device = struct.pack("<BBH", 4, 4, 4 + len(file_path)) + file_path + bytes.fromhex("7fff0400")
    return struct.pack("<QQQQ", 0x7E000000, 0x100000, 0, len(device)) + device


def gpt_event():
    disk = uuid.uuid5(OWNER_GUID, "disk").bytes_le
    header = (b"EFI PART" + struct.pack("<IIIIQQQQ", 0x10000, 92, 0x1234, 0, 1, 0x3FFFFF, 34, 0x3FFFDE) +
              disk + struct.pack("<QIII", 2, 128, 128, 0x5678))
    entries = b"".join(
        uuid.uuid5(OWNER_GUID, k).bytes_le + uuid.uuid5(OWNER_GUID, "p" + k).bytes_le +
        struct.pack("<QQQ", 2048 * (i + 1), 2048 * (i + 2) - 1, 0) + k.encode("utf-16-le").ljust(72, b"\0")
        for i, k in enumerate(["esp", "root"]))
    return header + struct.pack("<Q", 2) + entries


def boot_events(change):
    """(pcr, type, data of the event, octets that its digest covers)"""
    def alter(what, name):
        return name + " (another)" if what in change else name

    def covered(pcr, kind, data):
        return (pcr, kind, data, data)

    secure = b"\0" if "secure-boot" in change else b"\1"
    version = (alter("firmware", "Assay Test Firmware 1.4.2")).encode("utf-16-le") + b"\0\0"
    yield covered(0, EV_S_CRTM_VERSION, version)
    for i, part in enumerate(["PEI volume", "DXE volume"]):
        yield (0, EV_FIRMWARE_BLOB, struct.pack("<QQ", 0xFF800000 + i * 0x400000, 0x400000),
               blob(alter("firmware", part)))
    for name, guid, data in [("SecureBoot", GLOBAL_GUID, secure), ("PK", GLOBAL_GUID, signature_list("PK")),
                             ("KEK", GLOBAL_GUID, signature_list("KEK")),
                             ("db", DB_GUID, signature_list(alter("db", "db"))),
                             ("dbx", DB_GUID, signature_list("dbx"))]:
        yield covered(7, EV_DRIVER_CONFIG, variable(guid, name, data))
    yield covered(7, EV_SEPARATOR, bytes(4))
    yield (2, EV_BOOT_DRIVER, image_event("PciRoot(0)/network.rom"), blob("option ROM"))
    order = b"\1\0\0\0" if "boot-order" in change else b"\0\0\1\0"
    yield (1, EV_VARIABLE_BOOT, variable(GLOBAL_GUID, "BootOrder", order), order)
    for name in ["Boot0000", "Boot0001"]:
        data = blob(name, 90)
        yield (1, EV_VARIABLE_BOOT, variable(GLOBAL_GUID, name, data), data)
    yield covered(4, EV_ACTION, b"Calling EFI Application from Boot Option")
    for pcr in range(7):
        yield covered(pcr, EV_SEPARATOR, bytes(4))
    yield covered(5, EV_GPT, gpt_event())
    yield covered(7, EV_AUTHORITY, variable(DB_GUID, "db", OWNER_GUID.bytes_le + blob("shim's signer", 700)))
    yield (4, EV_BOOT_APPLICATION, image_event("\\EFI\\debian\\shimx64.efi"), blob(alter("shim", "shim")))
    for name in ["MokList", "MokListX", "MokListTrusted"]:
        yield (14, EV_IPL, name.encode() + b"\0", blob(name))
    yield (4, EV_BOOT_APPLICATION, image_event("\\EFI\\debian\\grubx64.efi"), blob(alter("grub", "GRUB")))
    yield from grub_events(change, alter)
    yield (4, EV_BOOT_APPLICATION, image_event(KERNEL), blob(alter("kernel", "kernel, Authenticode")))
    for text in [b"Exit Boot Services Invocation", b"Exit Boot Services Returned with Success"]:
        yield covered(5, EV_ACTION, text)


def grub_events(change, alter):
    """GRUB writes a prefix before what it measures into PCR 8, and file names for PCR 9."""
    def string(prefix, text):
        return (8, EV_IPL, f"{prefix}: {text}".encode() + b"\0", text.encode())

    def file(path, content):
        return (9, EV_IPL, f"(hd0,gpt2){path}".encode() + b"\0", blob(content))

    root = "root=UUID=6f7e5a1c-3d5e-4a59-9c1a-3f0d7c1b2a10 ro quiet"
    if "cmdline" in change:
        root += " init=/bin/sh"
    yield file("/boot/grub/grub.cfg", "grub.cfg")
    for text in ["search --no-floppy --fs-uuid --set=root 6f7e5a1c-3d5e-4a59-9c1a-3f0d7c1b2a10",
                 "set prefix=(hd0,gpt2)/boot/grub", "insmod gzio", "insmod part_gpt",
                 "insmod ext2" + (" evil" if "command" in change else "")]:
        yield string("grub_cmd", text)
    yield string("grub_cmd", f"linux {KERNEL} {root}")
    yield file(KERNEL, alter("kernel", "kernel"))
    yield string("kernel_cmdline", f"{KERNEL} {root}")
    yield string("grub_cmd", f"initrd {INITRD}")
    yield file(INITRD, alter("initrd", "initrd"))


def build_log(banks, events):
    spec = (b"Spec ID Event03\0" + struct.pack("<IBBBBI", 0, 0, 2, 105, 2, len(banks)) +
            b"".join(struct.pack("<HH", *ALGS[b]) for b in banks) + b"\0")
    out = struct.pack("<II20sI", 0, EV_NO_ACTION, bytes(20), len(spec)) + spec
    extends = []
    for pcr, kind, data, hashed in events:
        digests = {b: hashlib.new(b, hashed).digest() for b in banks}
        out += struct.pack("<III", pcr, kind, len(banks))
        out += b"".join(struct.pack("<H", ALGS[b][0]) + digests[b] for b in banks)
        out += struct.pack("<I", len(data)) + data
        extends.append((pcr, digests))
    return out, extends


def read_log(raw):
    """Banks and extends of a log that build_log() wrote."""
    size = struct.unpack_from("<I", raw, 28)[0]
    spec = raw[32:32 + size]
    n = struct.unpack_from("<I", spec, 24)[0]
    banks = [NAMES[struct.unpack_from("<H", spec, 28 + 4 * i)[0]] for i in range(n)]
    at, extends = 32 + size, []
    while at < len(raw):
        pcr, _kind, count = struct.unpack_from("<III", raw, at)
        at += 12
        digests = {}
        for _ in range(count):
            alg = NAMES[struct.unpack_from("<H", raw, at)[0]]
            digests[alg] = raw[at + 2:at + 2 + ALGS[alg][1]]
            at += 2 + ALGS[alg][1]
        at += 4 + struct.unpack_from("<I", raw, at)[0]
        extends.append((pcr, digests))
    return banks, extends


def replay(banks, extends):
    pcrs = {b: {i: bytes(ALGS[b][1]) for i in range(24)} for b in banks}
    for b in banks:
        for i in range(17, 23):
            pcrs[b][i] = b"\xff" * ALGS[b][1]
    for pcr, digests in extends:
        for b in banks:
            pcrs[b][pcr] = hashlib.new(b, pcrs[b][pcr] + digests[b]).digest()
    return pcrs


def ima_entry(alg, digest, path):
    field = alg.encode() + b":\0" + digest
    name = path.encode() + b"\0"
    data = struct.pack("<I", len(field)) + field + struct.pack("<I", len(name)) + name
    head = struct.pack("<I20sI", 10, hashlib.sha1(data).digest(), 6) + b"ima-ng"
    return head + struct.pack("<I", len(data)) + data, data


def ima_entries(banks, pcrs, first, count, change):
    """Numbers first .. first+count-1; number 0 is boot_aggregate [ima_calc_boot_aggregate]."""
    alg = "sha256" if "sha256" in banks else banks[-1]
    for i in range(first, first + count):
        if i == 0:
            digest = hashlib.new(alg, b"".join(pcrs[alg][p] for p in range(10))).digest()
            yield ima_entry(alg, digest, "boot_aggregate")
        else:
            content = f"file {i}" + (" (another)" if i == change else "")
            yield ima_entry(alg, hashlib.new(alg, content.encode()).digest(), f"/usr/bin/tool-{i:04d}")


def read_ima(raw):
    at = 0
    while at < len(raw):
        n = struct.unpack_from("<I", raw, at + 24)[0]
        at += 28 + n
        size = struct.unpack_from("<I", raw, at)[0]
        yield raw[at + 4:at + 4 + size]
        at += 4 + size


def ima_extends(banks, datas):
    return [(10, {b: hashlib.new(b, d).digest() for b in banks}) for d in datas]


def extend(tcti, extends):
    """tpm2_pcrextend takes many extends in one run; the banks of one go into one command."""
    env = dict(os.environ, TPM2TOOLS_TCTI=tcti)
    specs = [f"{pcr}:" + ",".join(f"{b}={d.hex()}" for b, d in digests.items()) for pcr, digests in extends]
    for i in range(0, len(specs), 100):
        subprocess.run(["tpm2_pcrextend", *specs[i:i + 100]], env=env, check=True)


def do_boot(args):
    banks = args.banks.split(",")
    raw, extends = build_log(banks, boot_events(set(args.change)))
    with open(args.out, "wb") as f:
        f.write(raw)
    if args.extend:
        extend(args.extend, extends)


def do_ima(args):
    with open(args.log, "rb") as f:
        banks, extends = read_log(f.read())
    made = list(ima_entries(banks, replay(banks, extends), args.first, args.entries, args.change))
    # The TPM first, as the kernel does: a list is never ahead of its PCR for long.
    if args.extend:
        extend(args.extend, ima_extends(banks, [d for _, d in made]))
    with open(args.out, "ab" if args.first > 0 else "wb") as f:
        f.write(b"".join(e for e, _ in made))


def do_pcrs(args):
    with open(args.log, "rb") as f:
        banks, extends = read_log(f.read())
    if args.ima:
        with open(args.ima, "rb") as f:
            extends += ima_extends(banks, read_ima(f.read()))
    pcrs = replay(banks, extends)
    json.dump({b: {str(i): v.hex() for i, v in p.items()} for b, p in pcrs.items()}, sys.stdout, indent=1)
    print()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = p.add_subparsers(dest="verb", required=True)
    b = sub.add_parser("boot")
    b.add_argument("--banks", default="sha1,sha256")
    b.add_argument("--out", required=True)
    b.add_argument("--change", action="append", default=[],
                   choices=["firmware", "secure-boot", "db", "boot-order", "shim", "grub", "command",
                            "cmdline", "kernel", "initrd"])
    b.add_argument("--extend", metavar="TCTI")
    b.set_defaults(do=do_boot)
    i = sub.add_parser("ima")
    i.add_argument("--log", required=True)
    i.add_argument("--out", required=True)
    i.add_argument("--entries", type=int, default=20)
    i.add_argument("--first", type=int, default=0)
    i.add_argument("--change", type=int, default=-1)
    i.add_argument("--extend", metavar="TCTI")
    i.set_defaults(do=do_ima)
    v = sub.add_parser("pcrs")
    v.add_argument("--log", required=True)
    v.add_argument("--ima")
    v.set_defaults(do=do_pcrs)
    args = p.parse_args()
    args.do(args)


if __name__ == "__main__":
    main()

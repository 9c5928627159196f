#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""assay reference compute against others: image hashes of pesign, PCR 11 of systemd-measure, digests of hashlib. The logs
of the boot before and of the boot after a change are made here; what Assay foretells from the first must be the second."""
import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import uuid

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ASSAY = os.path.join(os.environ.get("AY_BUILD", os.path.join(ROOT, "build")), "src/prog/assay/assay")
sys.path.insert(0, os.path.join(ROOT, "tests/support"))
import bootlog  # noqa: E402

STUB = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"
LOADER = "/usr/lib/systemd/boot/efi/systemd-bootx64.efi"
MEASURE = "/lib/systemd/systemd-measure"
BANKS = ["sha1", "sha256", "sha384", "sha512"]
APP, TAG, IPL, CONFIG = 0x80000003, 6, 13, 0x80000001
count = 0


def ok(what, problems):
    global count
    count += 1
    print(("not ok" if problems else "ok"), count, "-", what, flush=True)
    for p in problems:
        print("#", str(p)[:500])


def run(*args):
    return subprocess.run(args, capture_output=True, timeout=120, check=False)


def put(name, data):
    with open(name, "wb") as f:
        f.write(data)
    return name


def get(name):
    with open(name, "rb") as f:
        return f.read()


HASHES = {}
KEYS = []


def pe_hash(path, bank):
    """As pesign has it, or osslsigncode for hashes that pesign does not know. Both pad a file to eight octets, which firmware
    does not, so only files of such a size are comparable."""
    key = hashlib.sha256(get(path)).digest(), bank
    if key not in HASHES:
        HASHES[key] = ask_pesign(path, bank) if bank in ("sha1", "sha256") else ask_osslsigncode(path, bank)
    return HASHES[key]


def ask_pesign(path, bank):
    return bytes.fromhex(run("pesign", "-h", "-d", bank, "-i", path).stdout.decode().split()[-1])


def ask_osslsigncode(path, bank):
    bare, signed = path + ".bare", path + ".again"
    for f in (bare, signed):
        if os.path.exists(f):
            os.unlink(f)
    run("osslsigncode", "remove-signature", "-in", path, "-out", bare)
    run("osslsigncode", "sign", "-h", bank, "-key", KEYS[0], "-certs", KEYS[1], "-in", bare if os.path.exists(bare) else path,
        "-out", signed)
    text = run("osslsigncode", "verify", "-in", signed).stdout.decode()
    return bytes.fromhex([line.split(":")[1] for line in text.splitlines() if line.startswith("Calculated message digest")][0])


class Digest:
    """What one event measures: octets, or an image by its hash of pesign."""

    def __init__(self, data=None, image=None):
        self.data, self.image = data, image

    def of(self, bank):
        return pe_hash(self.image, bank) if self.image else hashlib.new(bank, self.data).digest()


def log(path, banks, events):
    """[(pcr, type, data, Digest)] as a crypto-agile log; its PCR values by hashlib."""
    raw, _ = bootlog.build_log(banks, [])
    pcrs = {b: {i: bytes(bootlog.ALGS[b][1]) for i in range(24)} for b in banks}
    for pcr, kind, data, what in events:
        raw += struct.pack("<III", pcr, kind, len(banks))
        for b in banks:
            d = what.of(b)
            raw += struct.pack("<H", bootlog.ALGS[b][0]) + d
            pcrs[b][pcr] = hashlib.new(b, pcrs[b][pcr] + d).digest()
        raw += struct.pack("<I", len(data)) + data
    put(path, raw)
    used = {e[0] for e in events}
    return {b: {str(i): v.hex() for i, v in p.items() if i in used} for b, p in pcrs.items()}


def compute(*args):
    p = run(ASSAY, "reference", "compute", "--json", *args)
    return p.returncode, json.loads(p.stdout) if p.returncode == 0 else p.stderr.decode()


def from_files(what, pcrs, *args):
    """Without a log: the PCRs that are foretold, and no others."""
    rc, doc = compute(*[x for b in BANKS for x in ("--bank", b)], *args)
    if rc != 0:
        return ok(what, [f"exit {rc}", doc])
    return ok(what, [f"{b} PCR {i}: {doc['pcrs'].get(b, {}).get(i)}, expected {p.get(i)}"
                     for b, p in pcrs.items() for i in set(p) | set(doc["pcrs"].get(b, {})) if doc["pcrs"].get(b, {}).get(i) != p.get(i)])


def predicted(what, old, new_pcrs, *args, out=None):
    rc, doc = compute("--from-log", old, *args, *(["--out", out] if out else []))
    if rc != 0:
        return ok(what, [f"exit {rc}", doc])
    bad = [f"{b} PCR {i}: {doc['pcrs'].get(b, {}).get(i)}, expected {v}"
           for b, p in new_pcrs.items() for i, v in p.items() if doc["pcrs"].get(b, {}).get(i) != v]
    return ok(what, bad)


def refused(what, word, *args):
    rc, text = compute(*args)
    ok(what, [] if rc == 2 and word in str(text) else [f"exit {rc}", text])


def covered(pcr, kind, data):
    return (pcr, kind, data, Digest(data))


def command(text):
    return (8, IPL, b"grub_cmd: " + text.encode() + b"\0", Digest(text.encode()))


def cmdline(text):
    return (8, IPL, b"kernel_cmdline: " + text.encode() + b"\0", Digest(text.encode()))


def read(name, content):
    return (9, IPL, name.encode() + b"\0", Digest(content))


def app(path, name="\\EFI\\x.efi"):
    return (4, APP, bootlog.image_event(name), Digest(image=path))


def firmware(db=b"", dbx=b"", kek=b""):
    guid = bootlog.DB_GUID
    for name, value in [("KEK", kek), ("db", db), ("dbx", dbx)]:
        yield covered(7, CONFIG, bootlog.variable(guid, name, value))
    yield covered(4, 0x80000007, b"Calling EFI Application from Boot Option")
    for pcr in range(8):
        yield covered(pcr, 4, bytes(4))


def grub_boot(shim, grub, kernel, initrd, options, version="6.1.0-1", cfg=b"cfg", dbx=bootlog.signature_list("one"), db=b"", menu=()):
    k, i = f"/boot/vmlinuz-{version}", f"/boot/initrd.img-{version}"
    return [*firmware(db, dbx), app(shim, "\\EFI\\debian\\shimx64.efi"), app(grub, "\\EFI\\debian\\grubx64.efi"),
            read("(hd0,gpt1)/EFI/debian/grub.cfg", b"small"), command("configfile (hd0,gpt2)/boot/grub/grub.cfg"),
            read("(hd0,gpt2)/boot/grub/grub.cfg", cfg), command("set timeout=5"), *map(command, menu), command(f"linux {k} {options}"),
            read(k, get(kernel)), app(kernel), cmdline(f"{k} {options}"), command(f"initrd {i}"), read(i, initrd)]


def uki(path, sections):
    """A unified kernel image by objcopy, as a file of a size that pesign does not pad."""
    args, at = [], 0x20000000
    for name, content in sections:
        f = put(path + name, content)
        args += ["--add-section", f"{name}={f}", "--change-section-vma", f"{name}={hex(at)}"]
        at += (len(content) + 0xfff) & ~0xfff
    subprocess.run(["objcopy", *args, STUB, path], check=True)
    data = get(path)
    put(path, data + bytes(-len(data) % 8))
    return path


def tag(number, data):
    return (9, TAG, struct.pack("<II", number, 4) + b"text", Digest(data))


def uki_boot(image, sections, options, inner=None):
    s = dict(sections)
    events = [*firmware(), app(image)]
    if inner:
        events.append(app(inner))
    for name in [".linux", ".osrel", ".cmdline", ".initrd", ".splash", ".dtb", ".pcrpkey"]:
        if name in s:
            text = (name + "\0").encode("utf-16-le")
            events += [(11, IPL, text, Digest(name.encode() + b"\0")), (11, IPL, text, Digest(s[name]))]
    return events + [tag(0x8F3B22ED, (options + "\0").encode("utf-16-le")), tag(0x8F3B22EC, s[".initrd"])]


def images(w):
    """Programs of a boot: real EFI images, signed or not, all of a size that is a multiple of eight."""
    key, cert = w + "/k.pem", w + "/c.pem"
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test", "-keyout", key, "-out", cert)
    KEYS[:] = [key, cert]
    subprocess.run(["sbsign", "--key", key, "--cert", cert, "--output", w + "/signed.efi", LOADER], check=True, capture_output=True)
    out = {"stub": w + "/stub.efi", "loader": w + "/loader.efi", "signed": w + "/signed.efi"}
    for name, source in [("stub", STUB), ("loader", LOADER)]:
        put(out[name], get(source) + bytes(-len(get(source)) % 8))
    for name in ["stub", "loader"]:
        changed = bytearray(get(out[name]))
        changed[len(changed) // 2] ^= 1
        out[name + "2"] = put(w + f"/{name}2.efi", changed)
    out["kernel1"] = uki(w + "/kernel1", [(".linux", b"kernel one" * 99)])
    out["kernel2"] = uki(w + "/kernel2", [(".linux", b"kernel two" * 99)])
    return out


def grub_tests(w, im):
    old, new = w + "/old.log", w + "/new.log"
    base = {"shim": im["signed"], "grub": im["stub"], "kernel": im["kernel1"], "initrd": b"initrd one", "options": "root=/dev/vda1 ro"}
    log(old, BANKS, grub_boot(**base))
    i2, c2 = put(w + "/i2", b"initrd two"), put(w + "/c2", b"cfg two")
    cases = [
        ("a new initrd", {"initrd": b"initrd two"}, ["--initrd", i2]),
        ("a new kernel", {"kernel": im["kernel2"]}, ["--kernel", im["kernel2"]]),
        ("a new kernel, found by the old one", {"kernel": im["kernel2"]}, ["--kernel", im["kernel2"], "--old-kernel", im["kernel1"]]),
        ("a new shim", {"shim": im["loader2"]}, ["--shim", im["loader2"]]),
        ("a new GRUB", {"grub": im["stub2"]}, ["--grub", im["stub2"]]),
        ("a new command line", {"options": "root=/dev/vda1 ro quiet x=1"}, ["--cmdline", "root=/dev/vda1 ro quiet x=1"]),
        ("a new grub.cfg", {"cfg": b"cfg two"}, ["--grub-cfg", c2]),
        *variable_cases(w),
        ("an update of everything", {"kernel": im["kernel2"], "initrd": b"initrd two", "version": "6.1.0-2", "cfg": b"cfg two",
                                     "shim": im["loader2"], "grub": im["stub2"], "options": "ro"},
         ["--rename", "6.1.0-1=6.1.0-2", "--kernel", im["kernel2"], "--initrd", i2, "--grub-cfg", c2, "--shim", im["loader2"], "--grub",
          im["stub2"], "--cmdline", "ro"]),
        ("a file by its name", {"cfg": b"cfg two"}, ["--file", "(hd0,gpt2)/boot/grub/grub.cfg=" + c2]),
        ("nothing", {}, []),
    ]
    for what, change, args in cases:
        pcrs = log(new, BANKS, grub_boot(**{**base, **change}))
        predicted("foretold: " + what, old, pcrs, *args, out=w + "/set.json")
    refused("a file that was not read", "give the old file", "--from-log", old, "--file", "/boot/other=" + i2)
    refused("an old initrd that was not loaded", "no event", "--from-log", old, "--initrd", i2, "--old-initrd", c2)
    refused("a rename of nothing", "no command", "--from-log", old, "--rename", "6.9=7.0")
    refused("a dbx that is none", "signature lists", "--from-log", old, "--dbx", i2)
    refused("an image that is none", "pe.e_magic", "--from-log", old, "--shim", i2)
    refused("a unified kernel image into a GRUB boot", "uki", "--from-log", old, "--uki", im["kernel2"])


def menu_file(version, options, more="", timeout=5):
    return f"""set timeout={timeout}
menuentry 'Debian GNU/Linux' --class "gnu linux" $menuentry_id_option 'simple' {{
	linux	/boot/vmlinuz-{version} {options}
	initrd	/boot/initrd.img-{version}
}}
{more}if [ "$grub_platform" = "efi" ]; then
	menuentry 'Firmware' {{ fwsetup; }}
fi
"""


def menu_tests(w, im):
    """Menu entries are measured with their whole block; which are there must be clear."""
    old, new = w + "/menu-old.log", w + "/menu-new.log"
    base = {"shim": im["signed"], "grub": im["stub"], "kernel": im["kernel1"], "initrd": b"one"}

    def boot(log_file, version, options, **more):
        block = f"\n\tlinux\t/boot/vmlinuz-{version} {options}\n\tinitrd\t/boot/initrd.img-{version}\n"
        menu = ["menuentry Debian GNU/Linux --class gnu linux --id simple {" + block + "}", *more.pop("others", [])]
        return log(log_file, BANKS, grub_boot(**base, version=version, options=" ".join(options.split()), menu=menu,
                                              cfg=menu_file(version, options, **more).encode()))

    def cfg(name, *args, **more):
        return put(w + "/" + name, menu_file(*args, **more).encode())

    boot(old, "1", "ro  quiet")
    one, two = cfg("m1", "1", "ro  quiet"), cfg("m2", "2", "ro  quiet x=1")
    args = ["--from-log", old, "--rename", "-1=-2", "--cmdline", "ro quiet x=1"]
    pcrs = boot(new, "2", "ro  quiet x=1")
    predicted("foretold: the menu entry of a new kernel", *args[1:2], pcrs, *args[2:], "--grub-cfg", two)
    predicted("foretold: the same with the old grub.cfg", *args[1:2], pcrs, *args[2:], "--grub-cfg", two, "--old-grub-cfg", one)
    refused("an entry that the log has not", "the log has no", *args, "--grub-cfg", cfg("m3", "2", "ro", more="menuentry New { a; }\n"))
    refused("an entry that is gone", "the new file has no", "--from-log", old, "--grub-cfg", put(w + "/m4", b"set timeout=5\n"))
    refused("a command outside of entries", "outside of the menu", *args, "--old-grub-cfg", one, "--grub-cfg",
            cfg("m5", "2", "ro  quiet x=1", timeout=9))
    refused("a grub.cfg that does not end", "line", *args, "--grub-cfg", put(w + "/m6", b"menuentry a {\n"))
    boot(old, "1", "ro  quiet", others=["menuentry Custom {\n a\n}"])
    pcrs = boot(new, "2", "ro  quiet x=1", others=["menuentry Custom {\n a\n}"])
    predicted("foretold: an entry of another file stays", *args[1:2], pcrs, *args[2:], "--grub-cfg", two, "--old-grub-cfg", one)


def variable_cases(w):
    """Updates as efitools write them; what a variable holds afterwards is put together here."""
    one, two = bootlog.signature_list("one"), bootlog.signature_list("two")
    subprocess.run(["cert-to-efi-sig-list", "-g", "11111111-2222-3333-4444-555555555555", w + "/c.pem", w + "/cert.esl"], check=True, capture_output=True)
    for args, name in [(["-a"], "append"), ([], "whole")]:
        subprocess.run(["sign-efi-sig-list", *args, "-k", w + "/k.pem", "-c", w + "/c.pem", "dbx", w + "/cert.esl", w + f"/{name}.auth"], check=True, capture_output=True)
    cert = get(w + "/cert.esl")
    both = bytearray(hash_list(["a", "b"]))
    return [
        ("a new dbx", {"dbx": two}, ["--dbx", put(w + "/two.esl", two)]),
        ("a dbx from efivarfs", {"dbx": two}, ["--dbx", put(w + "/two.var", b"\x27\0\0\0" + two)]),
        ("a signed dbx", {"dbx": cert}, ["--dbx", w + "/whole.auth"]),
        ("an empty dbx", {"dbx": b""}, ["--dbx", put(w + "/empty", b"")]),
        ("a certificate appended to dbx", {"dbx": one + cert}, ["--dbx-append", w + "/append.auth"]),
        ("what dbx has already is not appended", {}, ["--dbx-append", put(w + "/one.esl", one)]),
        ("half of an update is new", {"dbx": hash_list(["a"]), "db": b""}, ["--dbx", put(w + "/a.esl", hash_list(["a"])), "--dbx-append",
                                                                           put(w + "/a2.esl", hash_list(["a"]))]),
        ("new hashes only", {"dbx": hash_list(["a"]) + hash_list(["b"])}, ["--dbx", w + "/a.esl", "--dbx-append", put(w + "/ab.esl", bytes(both))]),
        ("a certificate for db", {"db": cert}, ["--db-append", w + "/cert.esl"]),
    ]


def hash_list(names):
    guid = uuid.UUID("c1c41626-504c-4092-aca9-41f936934328").bytes_le
    return guid + struct.pack("<III", 28 + 48 * len(names), 0, 48) + b"".join(bootlog.OWNER_GUID.bytes_le + hashlib.sha256(n.encode()).digest() for n in names)


def uki_tests(w):
    def sections(n):
        return [(".osrel", b"ID=debian\n"), (".cmdline", f"console=ttyS0 n={n}\n".encode()), (".splash", b"BM splash"),
                (".initrd", b"an initrd, number %d" % n), (".linux", get(w + "/kernel%d" % n))]

    one, two = uki(w + "/uki1", sections(1)), uki(w + "/uki2", sections(2))
    old, new = w + "/uki-old.log", w + "/uki-new.log"
    for what, inner in [("", False), (", kernel inside measured", True)]:
        log(old, BANKS, uki_boot(one, sections(1), "console=ttyS0 n=1", w + "/kernel1" if inner else None))
        pcrs = log(new, BANKS, uki_boot(two, sections(2), "console=ttyS0 n=2", w + "/kernel2" if inner else None))
        predicted("foretold: a new unified kernel image" + what, old, pcrs, "--uki", two)
        predicted("foretold: the same, found by the old one" + what, old, pcrs, "--uki", two, "--old-uki", one)
    log(old, BANKS, uki_boot(one, sections(1), "console=ttyS0 n=1"))
    measure_tests(w, old, two, dict(sections(2)))


def file_tests(w, im):
    """A boot from its files alone; real boots of virtual machines have these events in this order."""
    new, quiet = w + "/files.log", "quiet x=1"
    begin = [covered(4, 0x80000007, b"Calling EFI Application from Boot Option"), covered(4, 4, bytes(4))]
    s = [(".osrel", b"ID=debian\n"), (".cmdline", quiet.encode() + b"\n"), (".initrd", b"an initrd"), (".linux", get(im["kernel1"]))]
    image, initrd = uki(w + "/uki-files", s), put(w + "/files-initrd", b"an initrd")
    for secure in (True, False):
        events = [e for e in uki_boot(image, s, quiet, None if secure else im["kernel1"]) if e[0] in (9, 11) or e[1] == APP]
        from_files(f"from files: unified kernel image, Secure Boot {'on' if secure else 'off'}", log(new, BANKS, begin + events),
                   "--uki", image, "--secure-boot", "yes" if secure else "no")
    owned = bootlog.OWNER_GUID.bytes_le + get(w + "/cert.esl")[44:]
    db = bootlog.X509_GUID.bytes_le + struct.pack("<III", 28 + len(owned), 0, len(owned)) + owned
    keys = [covered(7, CONFIG, bootlog.variable(g, n, v)) for n, g, v in
            [("SecureBoot", bootlog.GLOBAL_GUID, b"\1"), ("PK", bootlog.GLOBAL_GUID, db), ("KEK", bootlog.GLOBAL_GUID, db),
             ("db", bootlog.DB_GUID, db), ("dbx", bootlog.DB_GUID, hash_list(["a"]))]]
    keys += [covered(7, 4, bytes(4)), covered(7, 0x800000E0, bootlog.variable(bootlog.DB_GUID, "db", owned))]
    files = ["--pk", put(w + "/db.esl", db), "--kek", w + "/db.esl", "--db", w + "/db.esl", "--dbx", put(w + "/dbx.esl", hash_list(["a"]))]
    stub = [app(im["kernel1"]), tag(0x8F3B22ED, (quiet + "\0").encode("utf-16-le")), tag(0x8F3B22EC, b"an initrd")]
    kernel = ["--kernel", im["kernel1"], "--initrd", initrd, "--cmdline", quiet]
    from_files("from files: kernel with EFI stub and Secure Boot's keys", log(new, BANKS, begin + keys + stub), *kernel, *files,
               "--secure-boot", "yes")
    cfg = "set timeout=0 # at once\n\nlinux   /vmlinuz root=/dev/vda1  ro\ninitrd /initrd.gz\nboot\n"
    p = "(hd0,gpt1)/EFI/debian"
    run_ = [f"[ -z {p} -o ! -e {p} ]", f"[ -e {p}/x86_64-efi/grub.cfg ]", f"[ -e {p}/grub.cfg ]", f"source {p}/grub.cfg"]
    boot = [app(im["signed"]), app(im["stub"]), *map(command, run_), read(p + "/grub.cfg", cfg.encode()), command("set timeout=0"),
            command("linux /vmlinuz root=/dev/vda1 ro"), read("/vmlinuz", get(im["kernel1"])), app(im["kernel1"]), app(im["kernel1"]),
            cmdline("/vmlinuz root=/dev/vda1 ro"), command("initrd /initrd.gz"), read("/initrd.gz", b"an initrd"), command("boot")]
    grub = ["--shim", im["signed"], "--grub", im["stub"], "--kernel", im["kernel1"], "--initrd", initrd, "--grub-prefix", p]
    from_files("from files: shim, GRUB, kernel", log(new, BANKS, begin + boot), *grub, "--grub-cfg", put(w + "/f.cfg", cfg.encode()),
               "--secure-boot", "yes")
    for what, text in [("if", "if true; then boot; fi\n"), ("a variable", "linux $x\n"), ("a module", "insmod ext2\n"), ("an entry", "menuentry a {\n}\n"),
                       ("two kernels", "linux /a\nlinux /b\n"), ("no kernel", "boot\n"), ("two initrds", "linux /a\ninitrd /b /c\n")]:
        refused("without a log: grub.cfg with " + what, "grubcfg", *grub, "--grub-cfg", put(w + "/g.cfg", text.encode()), "--secure-boot", "yes")
    refused("two certificates in db", "not known which", *kernel, *files[:5], put(w + "/two-db", db + db), *files[6:], "--secure-boot", "yes")
    refused("neither log nor files", "give a log", "--secure-boot", "yes")
    refused("Secure Boot not said", "--secure-boot", *kernel)
    refused("a change without a log", "only with --from-log", *kernel, "--rename", "a=b", "--secure-boot", "no")


def measure_tests(w, old, image, s):
    """PCR 11 of each boot phase as systemd-measure has it."""
    if not os.path.exists(MEASURE):
        return ok("systemd-measure # SKIP package not installable", [])
    _, doc = compute("--from-log", old, "--uki", image)
    args = [f"--{k[1:]}={put(w + '/m' + k, v)}" for k, v in s.items()]
    for phase in ["enter-initrd", "enter-initrd:leave-initrd", "enter-initrd:leave-initrd:sysinit:ready"]:
        p = run(MEASURE, "calculate", *args, "--phase=" + phase, "--bank=sha1", "--bank=sha256", "--json=short")
        bad = [] if p.returncode == 0 else [p.stderr]
        for bank, rows in (json.loads(p.stdout) if not bad else {}).items():
            v = bytes.fromhex(doc["pcrs"][bank]["11"])
            for word in phase.split(":"):
                v = hashlib.new(bank, v + hashlib.new(bank, word.encode()).digest()).digest()
            if v.hex() != rows[0]["hash"]:
                bad.append(f"{bank}: {v.hex()}, expected {rows[0]['hash']}")
        ok(f"PCR 11 of phase {phase} is that of systemd-measure", bad)


def stub_tests(w):
    """The kernel as the image that the firmware starts, the initrd through its EFI stub."""
    def boot(kernel, options, initrd):  # QEMU's loader starts it before the separator
        return [app(kernel), *firmware(), tag(0x8F3B22ED, (options + " initrd=initrd\0").encode("utf-16-le")), tag(0x8F3B22EC, initrd)]

    old, new = w + "/direct-old.log", w + "/direct-new.log"
    log(old, BANKS, boot(w + "/kernel1", "quiet", b"one"))
    pcrs = log(new, BANKS, boot(w + "/kernel2", "quiet splash", b"two"))
    predicted("foretold: a kernel started by the firmware", old, pcrs, "--kernel", w + "/kernel2", "--initrd", put(w + "/two", b"two"),
              "--old-cmdline", "quiet", "--cmdline", "quiet splash")
    refused("a command line whose old form is not known", "only a digest", "--from-log", old, "--cmdline", "quiet splash")
    refused("an old command line that was not measured", "not what was measured", "--from-log", old, "--cmdline", "x", "--old-cmdline", "loud")


def main():
    need = ["cert-to-efi-sig-list", "pesign", "osslsigncode", "sbsign", "objcopy"]
    if not all(map(shutil.which, need)) or not os.path.exists(STUB):
        return print("ok 1 - reference compute # SKIP package not installable")
    with tempfile.TemporaryDirectory() as w:
        im = images(w)
        grub_tests(w, im)
        menu_tests(w, im)
        uki_tests(w)
        stub_tests(w)
        file_tests(w, im)
    print(f"1..{count}")


main()

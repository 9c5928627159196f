#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plays a measured launch (Intel TXT with tboot) on a software TPM, and writes what it leaves.

  launch.py play --socket S [--banks sha1,sha256] --log LOG [--heap DUMP] [--map da|legacy] [--tpm12]
                 [--change WHAT]... [--omit-log WHAT] [--forge]

play  SENTER: locality 4 hashes the SINIT module (PCR 17-22 begin anew), then locality 2 extends what
      SINIT and tboot measure. S is swtpm's data socket; S.ctrl its control channel. WHAT is one of
      sinit, mle, lcp, capabilities, policy, vmlinuz, initrd: that measurement is another one.
      --omit-log WHAT  extends it and does not log it (SINIT modules that forget the MLE hash do)
      --log-only       nothing reaches the TPM
      --forge          no launch: locality 2 extends PCR 17 and 18 as they are, and the log says there was one
      --slip WHAT      extends one more measurement into PCR 17 (logged as a module)
"""
import argparse, hashlib, socket, struct, sys

ALGS = {"sha1": (4, 20), "sha256": (11, 32), "sha384": (12, 48), "sha512": (13, 64)}
CMD_SET_LOCALITY, CMD_HASH_START, CMD_HASH_DATA, CMD_HASH_END = 5, 6, 7, 8
PCR_MAPPING, HASH_START, COMBINED, MLE_HASH, BIOSAC, SCRTM, LCP_CONTROL, STM, CAPS = (
    0x401, 0x402, 0x403, 0x404, 0x40A, 0x40B, 0x40C, 0x40E, 0x40F)
SINIT_KEY, LCP_DETAILS, LCP_AUTHORITIES, NV_INFO, TBOOT = 0x410, 0x412, 0x413, 0x414, 0x501


def blob(name, n=64):
    return hashlib.shake_256(name.encode()).digest(n)


def measurements(change, mapping):
    """(name, pcr, type, data in the log, octets that the digest covers); first what locality 4 hashes"""
    def of(what):
        return blob(what + (" (another)" if what in change else ""))

    caps = struct.pack("<I", 2 if "capabilities" in change else 1)
    yield "sinit", 17, HASH_START, b"", of("sinit")
    if mapping == "legacy":
        yield "combined", 17, COMBINED, b"", blob("SENTER parameters") + of("sinit") + of("lcp")
        yield "policy", 17, TBOOT, b"", of("policy")
        yield "mle", 18, MLE_HASH, b"", of("mle")
        yield "vmlinuz", 18, TBOOT, b"", of("vmlinuz")
        yield "initrd", 19, TBOOT, b"", of("initrd")
        return
    yield "biosac", 17, BIOSAC, blob("bios ACM", 32), blob("bios ACM", 32)
    yield "scrtm", 17, SCRTM, bytes(4), bytes(4)
    yield "control", 17, LCP_CONTROL, bytes(4), bytes(4)
    yield "lcp", 17, LCP_DETAILS, b"", of("lcp")
    yield "stm", 17, STM, b"\0", b"\0"
    yield "capabilities", 17, CAPS, caps, caps
    yield "mle", 17, MLE_HASH, b"", of("mle")
    yield "nv", 17, NV_INFO, b"", blob("NV indices")
    yield "policy", 17, TBOOT, b"", of("policy")
    yield "vmlinuz", 17, TBOOT, b"", of("vmlinuz")
    yield "initrd", 17, TBOOT, b"", of("initrd")
    yield "key", 18, SINIT_KEY, b"", blob("key of the SINIT module")
    yield "scrtm", 18, SCRTM, bytes(4), bytes(4)
    yield "capabilities", 18, CAPS, caps, caps
    yield "authorities", 18, LCP_AUTHORITIES, b"", blob("no policy")
    yield "nv", 18, NV_INFO, b"", blob("NV indices")
    yield "policy", 18, TBOOT, b"", of("policy")


# ---- the TPM

class Tpm:
    def __init__(self, path, tpm12):
        self.tpm12 = tpm12
        self.ctrl = self.connect(path + ".ctrl")
        self.path = path
        self.data = None

    @staticmethod
    def connect(path):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.connect(path)
        s.settimeout(30)
        return s

    def control(self, cmd, payload=b""):
        self.ctrl.sendall(struct.pack(">I", cmd) + payload)
        rc = struct.unpack(">I", self.read(self.ctrl, 4))[0]
        if rc:
            sys.exit(f"control {cmd}: {rc:#x}")

    @staticmethod
    def read(s, n):
        out = b""
        while len(out) < n:
            part = s.recv(n - len(out))
            if not part:
                sys.exit("the TPM went away")
            out += part
        return out

    def command(self, octets):
        if self.data is None:
            self.data = self.connect(self.path)
        self.data.sendall(octets)
        head = self.read(self.data, 10)
        body = self.read(self.data, struct.unpack(">I", head[2:6])[0] - 10)
        rc = struct.unpack(">I", head[6:10])[0]
        if rc:
            sys.exit(f"command failed: {rc:#x}")
        return body

    def extend(self, pcr, digests):
        if self.tpm12:
            body = struct.pack(">II", 0x14, pcr) + digests["sha1"]
            self.command(struct.pack(">HI", 0xC1, 6 + len(body)) + body)
            return
        auth = struct.pack(">IHBH", 0x40000009, 0, 0, 0)
        body = struct.pack(">II", 0x182, pcr) + struct.pack(">I", len(auth)) + auth
        body += struct.pack(">I", len(digests)) + b"".join(
            struct.pack(">H", ALGS[b][0]) + d for b, d in digests.items())
        self.command(struct.pack(">HI", 0x8002, 6 + len(body)) + body)

    def launch(self, sinit):
        self.control(CMD_SET_LOCALITY, b"\4")
        self.control(CMD_HASH_START)
        for i in range(0, len(sinit), 4096):
            part = sinit[i:i + 4096]
            self.control(CMD_HASH_DATA, struct.pack(">I", len(part)) + part)
        self.control(CMD_HASH_END)


# ---- what is left in memory

def sha1_event(pcr, kind, digest, data):
    return struct.pack("<II20sI", pcr, kind, digest, len(data)) + data


def agile_log(banks, events):
    spec = (b"Spec ID Event03\0" + struct.pack("<IBBBBI", 0, 0, 2, 0, 1, len(banks)) +
            b"".join(struct.pack("<HH", *ALGS[b]) for b in banks) + b"\0")
    out = sha1_event(0, 3, bytes(20), spec)
    for pcr, kind, data, digests in events:
        out += struct.pack("<III", pcr, kind, len(banks))
        out += b"".join(struct.pack("<H", ALGS[b][0]) + digests[b] for b in banks)
        out += struct.pack("<I", len(data)) + data
    return out


def container(events):
    body = b"".join(sha1_event(pcr, kind, digests["sha1"], data) for pcr, kind, data, digests in events)
    size = 4096 * (1 + (48 + len(body)) // 4096)
    head = b"TXT Event Container\0" + bytes(12) + bytes([1, 0, 1, 0]) + struct.pack("<III", size, 48, 48 + len(body))
    return (head + body).ljust(size, b"\0")


def heap_dump(log, tpm12, digests):
    """BiosData, OsMleData, OsSinitData, SinitMleData; then the log, as tboot lays it out."""
    def table(octets):
        return struct.pack("<Q", 8 + len(octets)) + octets

    bios = table(struct.pack("<IIQQII", 3, 0x40000, 0, 0, 4, 0))
    mle = table(bytes(100))
    element = (struct.pack("<IIQ", 5, 16, 0x100000) if tpm12 else
               struct.pack("<IIQIII", 8, 28, 0x100000, 65536, 0, len(log)))
    os_sinit = table(struct.pack("<II", 6 if tpm12 else 7, 1) + bytes(72) + struct.pack("<IQ", 1, 0) + element +
                     struct.pack("<II", 0, 8))
    sinit_mle = table(struct.pack("<I20sIQ20s20s20s20sI", 9, blob("bios ACM", 20), 0, 0, digests["sinit"],
                                  digests["mle"], bytes(20), bytes(20), 0) + bytes(24) + struct.pack("<I", 0))
    tables = bios + mle + os_sinit + sinit_mle
    return tables.ljust(4096, b"\0") + log.ljust(65536, b"\0")


def play(args):
    banks = ["sha1"] if args.tpm12 else args.banks.split(",")
    made = list(measurements(set(args.change), args.map))
    if args.slip:
        made.append(("slip", 17, TBOOT, b"", blob(args.slip)))
    events = []
    if args.map == "da" and not args.tpm12:
        events.append((17, PCR_MAPPING, b"\1", {b: bytes(ALGS[b][1]) for b in banks}))
    tpm = None if args.log_only else Tpm(args.socket, args.tpm12)
    if tpm and not args.forge:
        tpm.launch(made[0][4])
    if tpm:
        tpm.control(CMD_SET_LOCALITY, b"\2")
    for i, (name, pcr, kind, data, covered) in enumerate(made):
        digests = {b: hashlib.new(b, covered).digest() for b in banks}
        if tpm and (i > 0 or args.forge):
            tpm.extend(pcr, digests)
        if name != args.omit_log:
            events.append((pcr, kind, data, digests))
    if tpm:
        tpm.control(CMD_SET_LOCALITY, b"\0")
    log = container(events) if args.tpm12 else agile_log(banks, events)
    if args.log:
        with open(args.log, "wb") as f:
            f.write(log)
    if args.heap:
        short = {n: hashlib.sha1(c).digest() for n, _p, _k, _d, c in made}
        with open(args.heap, "wb") as f:
            f.write(heap_dump(log, args.tpm12, short))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = p.add_subparsers(dest="verb", required=True)
    b = sub.add_parser("play")
    b.add_argument("--socket", default="")
    b.add_argument("--banks", default="sha1,sha256")
    b.add_argument("--log")
    b.add_argument("--heap")
    b.add_argument("--map", choices=["da", "legacy"], default="da")
    b.add_argument("--tpm12", action="store_true")
    b.add_argument("--change", action="append", default=[])
    b.add_argument("--omit-log")
    b.add_argument("--log-only", action="store_true")
    b.add_argument("--forge", action="store_true")
    b.add_argument("--slip")
    args = p.parse_args()
    play(args)


if __name__ == "__main__":
    main()

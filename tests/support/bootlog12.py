#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The logs of bootlog.py as a machine with a TPM 1.2 has them: SHA-1, TCG_PCR_EVENT.

  bootlog12.py boot --out LOG --ima LIST --entries N [--change WHAT]... --sock PATH
  bootlog12.py more --ima LIST --first N --entries N [--change K] --sock PATH

The digests go into the TPM by TPM_Extend over swtpm's socket. boot_aggregate is
SHA-1 over PCR 0-7, as the kernel takes it there.
"""
import argparse, hashlib, socket, struct
import bootlog


class Tpm:
    def __init__(self, path):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(60)
        self.s.connect(path)

    def call(self, ordinal, body):
        self.s.sendall(struct.pack(">HII", 0xC1, 10 + len(body), ordinal) + body)
        head = self.read(10)
        rest = self.read(struct.unpack(">I", head[2:6])[0] - 10)
        if struct.unpack(">I", head[6:])[0] != 0:
            raise SystemExit(f"TPM 1.2: {head.hex()}")
        return rest

    def read(self, n):
        b = b""
        while len(b) < n:
            got = self.s.recv(n - len(b))
            if not got:
                raise SystemExit("TPM 1.2: connection ended")
            b += got
        return b

    def extend(self, pcr, digest):
        return self.call(0x14, struct.pack(">I", pcr) + digest)

    def pcr(self, n):
        return self.call(0x15, struct.pack(">I", n))


def event(pcr, kind, digest, data):
    return struct.pack("<II", pcr, kind) + digest + struct.pack("<I", len(data)) + data


def entries(tpm, first, count, change):
    for i in range(first, first + count):
        if i == 0:
            whole = b"".join(tpm.pcr(p) for p in range(8))
            yield bootlog.ima_entry("sha1", hashlib.sha1(whole).digest(), "boot_aggregate")
        else:
            text = f"file {i}" + (" (another)" if i == change else "")
            yield bootlog.ima_entry("sha256", hashlib.sha256(text.encode()).digest(), f"/usr/bin/tool-{i:04d}")


def measure(tpm, path, first, count, change, mode):
    with open(path, mode) as f:
        for entry, data in entries(tpm, first, count, change):
            tpm.extend(10, hashlib.sha1(data).digest())
            f.write(entry)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("verb", choices=["boot", "more"])
    p.add_argument("--out")
    p.add_argument("--ima", required=True)
    p.add_argument("--entries", type=int, default=20)
    p.add_argument("--first", type=int, default=0)
    p.add_argument("--change", action="append", default=[])
    p.add_argument("--sock", required=True)
    a = p.parse_args()
    tpm = Tpm(a.sock)
    if a.verb == "more":
        measure(tpm, a.ima, a.first, a.entries, int((a.change or ["-1"])[0]), "ab")
        return
    with open(a.out, "wb") as f:
        for pcr, kind, data, covered in bootlog.boot_events(set(a.change)):
            digest = hashlib.sha1(covered).digest()
            tpm.extend(pcr, digest)
            f.write(event(pcr, kind, digest, data))
    measure(tpm, a.ima, 0, a.entries, -1, "wb")


if __name__ == "__main__":
    main()

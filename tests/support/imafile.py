#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One more entry of an IMA list, as a kernel would append it, and the same into a TPM.

  imafile.py --out LIST --banks sha1,sha256 --path PATH --file FILE [--sig FILE.sig] [--extend TCTI]
  imafile.py --out LIST --banks sha1,sha256 --buffer NAME --file FILE [--extend TCTI]

--file   what is measured: SHA-256 of its octets
--sig    what evmctl ima_sign --sigfile made (template ima-sig; without it ima-ng)
--buffer template ima-buf: the octets go into the list
--violation  the entry's hash is zero and the PCR gets ones
"""
import argparse, hashlib, os, struct, subprocess

SIZES = {"sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("out", "banks", "file"):
        p.add_argument("--" + name, required=True)
    for name in ("path", "buffer", "sig", "extend"):
        p.add_argument("--" + name)
    p.add_argument("--violation", action="store_true")
    args = p.parse_args()

    with open(args.file, "rb") as f:
        content = f.read()
    fields = [b"sha256:\0" + hashlib.sha256(content).digest(), (args.buffer or args.path).encode() + b"\0"]
    template = b"ima-ng"
    if args.buffer:
        template = b"ima-buf"
        fields.append(content)
    elif args.sig:
        template = b"ima-sig"
        with open(args.sig, "rb") as f:
            fields.append(f.read())
    data = b"".join(struct.pack("<I", len(f)) + f for f in fields)
    digests = {b: b"\xff" * SIZES[b] if args.violation else hashlib.new(b, data).digest() for b in args.banks.split(",")}
    if args.extend:
        subprocess.run(["tpm2_pcrextend", "10:" + ",".join(f"{b}={d.hex()}" for b, d in digests.items())],
                       env=dict(os.environ, TPM2TOOLS_TCTI=args.extend), check=True)
    own = bytes(20) if args.violation else hashlib.sha1(data).digest()
    with open(args.out, "ab") as f:
        f.write(struct.pack("<I20sI", 10, own, len(template)) + template + struct.pack("<I", len(data)) + data)


if __name__ == "__main__":
    main()

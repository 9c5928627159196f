#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The ECC P-256 EK that a nonce gives (TCG template L-2), asked of a TPM octet by octet. ek_primary.py SOCKET NONCE > TPMT_PUBLIC

tpm2_createek -t of tpm2-tools 5.4 gives another key at each run, so it is no oracle for this.
"""
import socket
import struct
import sys

POLICY_A = bytes.fromhex("837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa")


def command(code, tag, body):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(sys.argv[1])
        s.sendall(struct.pack(">HII", tag, 10 + len(body), code) + body)
        answer = s.recv(4096)
    if answer[6:10] != bytes(4):
        sys.exit(f"TPM: {answer[6:10].hex()}")
    return answer[10:]


def sized(b):
    return struct.pack(">H", len(b)) + b


public = (bytes.fromhex("0023000b000300b2") + sized(POLICY_A) + bytes.fromhex("00060080004300100003" "0010") +
          sized(sys.argv[2].encode().ljust(32, b"\0")) + sized(bytes(32)))
password = struct.pack(">IHBH", 0x40000009, 0, 0, 0)
got = command(0x131, 0x8002, struct.pack(">II", 0x4000000B, len(password)) + password + sized(bytes(4)) +
              sized(public) + sized(b"") + bytes(4))
command(0x165, 0x8001, got[:4])  # flush
size = struct.unpack(">H", got[8:10])[0]
sys.stdout.buffer.write(got[10:10 + size])

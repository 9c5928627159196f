#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the state of simulated ESXi hosts for tests/support/vcsim: a TPM report whose values are the replay of its events.

  esx_report.py DIR HOST [--uuid U] [--boot RFC3339] [--module NAME=TEXT]... [--unreliable] [--refused] [--state S]
                [--spoil PCR] [--hide NAME] [--remove] | DIR --expire | DIR --answer HOW

A module is measured as SHA-256 of its text. What is not given stays as it was for that host.
"""
import argparse
import hashlib
import json
import os
import uuid
from xml.sax.saxutils import escape

MODULES = {"k.b00": (19, "esx-base"), "sb.v00": (19, "esx-base"), "vmx.v00": (20, "esx-base"), "net.v00": (20, "net-vmxnet3"), "vsan.v00": (20, "vsan")}


def octets(name, value):
    return "".join(f"<{name}>{b - 256 if b > 127 else b}</{name}>" for b in value)


def event(pcr, kind, digest, fields):
    inner = "".join(f"<{k}>{escape(v)}</{k}>" for k, v in fields)
    return (f'<tpmEvents><pcrIndex>{pcr}</pcrIndex><eventDetails xsi:type="{kind}">{octets("dataHash", digest)}'
            f"<dataHashMethod>SHA256</dataHashMethod>{inner}</eventDetails></tpmEvents>")


def report(h):
    events = [(17, "HostTpmSoftwareComponentEventDetails", "launch", [("componentName", "TPM_EVENT_LOG_PREBOOT")])]
    for name, (pcr, vib) in MODULES.items():
        events.append((pcr, "HostTpmSoftwareComponentEventDetails", h["modules"].get(name, name + " as shipped"),
                       [("componentName", name), ("vibName", vib), ("vibVersion", "8.0.2-1"), ("vibVendor", "VMware")]))
    events.append((21, "HostTpmCommandEventDetails", "cmdline", [("commandLine", "runweasel")]))
    events.append((21, "HostTpmBootSecurityOptionEventDetails", "secure", [("bootSecurityOption", "uefiSecureBootEnabled = TRUE")]))
    value = {p: bytes(32) for p in range(24)}
    for p in range(8):
        value[p] = hashlib.sha256(b"firmware %d" % p).digest()
    text = ""
    for pcr, kind, what, fields in events:
        digest = hashlib.sha256(what.encode()).digest()
        value[pcr] = hashlib.sha256(value[pcr] + digest).digest()
        if fields[0][1] != h.get("hide"):
            text += event(pcr, kind, digest, fields)
    if h.get("spoil") is not None:
        value[h["spoil"]] = hashlib.sha256(b"something else").digest()
    pcrs = "".join(f"<tpmPcrValues><digestMethod>SHA256</digestMethod>{octets('digestValue', v)}<objectName>pcr{p}</objectName>"
                   f"<pcrNumber>{p}</pcrNumber></tpmPcrValues>" for p, v in value.items())
    return f"<returnval>{pcrs}{text}<tpmLogReliable>{'false' if h.get('unreliable') else 'true'}</tpmLogReliable></returnval>"


def main():
    a = argparse.ArgumentParser()
    a.add_argument("dir")
    a.add_argument("host", nargs="?")
    for o in ("--uuid", "--boot", "--state", "--hide", "--answer"):
        a.add_argument(o)
    a.add_argument("--spoil", type=int)
    a.add_argument("--module", action="append", default=[])
    for o in ("--unreliable", "--refused", "--remove", "--expire", "--good"):
        a.add_argument(o, action="store_true")
    o = a.parse_args()
    path = os.path.join(o.dir, "control.json")
    c = json.load(open(path, encoding="utf-8")) if os.path.exists(path) else {"hosts": {}, "expire": 0, "answer": ""}
    c["expire"] += o.expire
    if o.answer is not None:
        c["answer"] = o.answer
    if o.host:
        h = c["hosts"].setdefault(o.host, {"uuid": str(uuid.uuid5(uuid.NAMESPACE_DNS, o.host)), "boot": "2026-01-01T00:00:00Z"})
        if o.good:
            h.update(unreliable=False, spoil=None, hide=None, modules={}, accepted=True, state="")
        h["modules"] = {**h.get("modules", {}), **dict(m.split("=", 1) for m in o.module)}
        for k in ("uuid", "boot", "state", "hide", "spoil"):
            if getattr(o, k) is not None:
                h[k] = getattr(o, k)
        h["unreliable"] = o.unreliable or h.get("unreliable", False)
        h["accepted"] = not o.refused
        h["attested"] = h["boot"]
        h["message"] = "secure boot was off" if o.refused else ""
        h["report"] = "" if o.remove else report(h)
    new = path + ".new"
    with open(new, "w", encoding="utf-8") as f:
        json.dump(c, f)
    os.rename(new, path)


main()

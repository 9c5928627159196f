#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drives tests/support/vcsim by VMware's own client: what our tests take for a vCenter is one for others, too."""
import hashlib
import ssl
import sys

from pyVim.connect import Disconnect, SmartConnect
from pyVmomi import vim

addr, password = sys.argv[1], open(sys.argv[2], encoding="utf-8").readline().rstrip("\n")
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
si = SmartConnect(host=addr.split(":")[0], port=int(addr.split(":")[1]), user="assay", pwd=password, sslContext=context)
view = si.content.viewManager.CreateContainerView(si.content.rootFolder, [vim.HostSystem], True)
hosts = {h.name: h for h in view.view}
assert set(hosts) == {"DC0_H0", "DC0_C0_H0", "DC0_C0_H1"}, hosts
host = hosts["DC0_H0"]
assert host.summary.tpmAttestation.status == "accepted" and host.runtime.bootTime.year == 2026
report = host.QueryTpmAttestationReport()
assert report.tpmLogReliable and len(report.tpmPcrValues) == 24
value = {p: bytes(32) for p in range(24)}
names = []
for e in report.tpmEvents:
    value[e.pcrIndex] = hashlib.sha256(value[e.pcrIndex] + bytes(b & 255 for b in e.eventDetails.dataHash)).digest()
    names.append(getattr(e.eventDetails, "componentName", ""))
assert "vmx.v00" in names, names
for v in report.tpmPcrValues:
    if v.pcrNumber in (17, 19, 20, 21):
        assert bytes(b & 255 for b in v.digestValue) == value[v.pcrNumber], v.pcrNumber
Disconnect(si)

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mt. Wilson v1 against a real assayd, with python3-requests: bodies as the family has them, XML that xmllint
reads, error numbers, registration in bulk. Hosts that attest are in tests/e2e/36-compat.sh. TAP."""
import os
import subprocess
import sys
import xml.etree.ElementTree as ET

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from family import Server, finish, ok  # noqa: E402

AS, MS = "/AttestationService/resources", "/ManagementService/resources"
SECRET = "pa55word-of-xen"


def get(s, path, accept=None, listener="mtwilson", **more):
    return s.ask(listener, "GET", path, token=s.admin, accept=accept, **more)


def is_error(r, status, number, what):
    ok(r.status_code == status and set(r.json()) == {"error_code", "error_message"} and r.json()["error_code"] == number,
       f"{what}: {status}, {number}", r.content)


def well_formed(r, what):
    p = subprocess.run(["xmllint", "--noout", "-"], input=r.content, capture_output=True)
    return ok(p.returncode == 0 and r.headers["content-type"] == "application/xml", f"{what}: xmllint reads it", r.content + p.stderr)


def test_register(s):
    r = s.ask("mtwilson", "POST", MS + "/host", {"HostName": "h1", "AddOn_Connection_String": "intel:https://192.0.2.1:1443/;admin;x"}, token=s.admin)
    ok(r.content == b"true", "a host is registered without naming MLEs", r.content)
    h = s.native("GET", "/hosts/h1").json()
    ok(h["connect"] is None and h["labels"] == {"address": "192.0.2.1:1443"}, "nobody is dialled without a TLS policy; it is bound to no MLE", h)
    r = s.ask("mtwilson", "POST", MS + "/host", {"HostName": "h2", "AddOn_Connection_String": "intel:https://192.0.2.2:1443",
                                                 "tlsPolicyChoice": {"tlsPolicyId": "TRUST_FIRST_CERTIFICATE"}}, token=s.admin)
    ok(r.content == b"true" and s.native("GET", "/hosts/h2").json()["connect"] == "192.0.2.2:1443", "with one it is", r.content)
    is_error(s.ask("mtwilson", "POST", MS + "/host", {"HostName": "h3", "tlsPolicyChoice": {"tlsPolicyId": "INSECURE"}}, token=s.admin),
             400, 4001, "INSECURE is not offered")
    is_error(s.ask("mtwilson", "POST", MS + "/host", {"HostName": "h3", "AddOn_Connection_String": "microsoft:https://w:1443/;a;b"}, token=s.admin),
             400, 1009, "a kind that nothing connects to")
    ok(s.native("GET", "/hosts/h3").status_code == 404, "and nothing is registered then")
    is_error(s.ask("mtwilson", "POST", MS + "/host", {"HostName": ""}, token=s.admin), 400, 1008, "a host without a name")
    records = [{"HostName": f"b{i}", "AddOn_Connection_String": ""} for i in range(3)]
    records.append({"HostName": "xen", "AddOn_Connection_String": f"citrix:https://xen:443/;root;{SECRET}"})
    records.append({"HostName": "bad", "AddOn_Connection_String": "intel:"})
    r = s.ask("mtwilson", "POST", MS + "/host/bulk", {"HostRecords": records}, token=s.admin)
    got = [(h["Host_Name"], h["Status"], h["Error_Code"]) for h in r.json()["HostRecords"]]
    ok(got == [("b0", "true", "OK"), ("b1", "true", "OK"), ("b2", "true", "OK"), ("xen", "false", "MANAGER_UNKNOWN"), ("bad", "false", "BAD_CONNECTION")],
       "registered in bulk, with a result for each", got)
    ok(s.native("GET", "/hosts/bad").status_code == 404, "what cannot be read registers nothing")
    is_error(s.ask("mtwilson", "POST", MS + "/host/whitelist", {"HostName": "h1"}, token=s.admin), 400, 1011, "a whitelist of a host that has no agent")
    is_error(s.ask("mtwilson", "POST", MS + "/host/whitelist", {"HostName": "no"}, token=s.admin), 404, 1003, "a whitelist of nobody")


def test_trust(s):
    r = get(s, AS + "/hosts/trust?hostName=h1")
    ok(r.content == b'{"hostname":"h1","trust":{"bios":false,"vmm":false,"location":false,"asset_tag":false}}', "hosts/trust of a registered host", r.content)
    ok(get(s, AS + "/hosts/trust?hostName=h1", "text/plain").content == b"BIOS:0,VMM:0", "as text")
    is_error(get(s, AS + "/hosts/trust?hostName=nobody"), 404, 1003, "hosts/trust of nobody")
    is_error(get(s, AS + "/hosts/trust"), 404, 1003, "hosts/trust without a name")
    r = get(s, AS + "/hosts/bulk/trust?hosts=h1,nobody")
    ok(r.content == b'{"hosts":[{"host_name":"h1","bios_status":0,"vmm_status":0,"error_code":"OK","error_message":"OK"},'
       b'{"host_name":"nobody","bios_status":0,"vmm_status":0,"error_code":"AS_HOST_NOT_FOUND","error_message":"host not found"}]}', "bulk trust", r.content)
    r = get(s, AS + "/hosts/bulk/trust?hosts=h1&force_verify=true&timeout=5")
    ok(r.json()["hosts"][0]["error_code"] != "OK", "a host that cannot attest is no result", r.content)
    is_error(get(s, AS + "/hosts/bulk/trust?hosts="), 400, 1008, "bulk trust of nobody")
    is_error(get(s, AS + "/hosts/aik-" + "0" * 40 + "/trust.json"), 404, 1003, "an AIK that nobody has")
    is_error(get(s, AS + "/hosts/h1/trust"), 404, 1003, "aik- is needed")
    ok(get(s, "/mtwilson/v1" + AS + "/hosts/trust?hostName=h1").status_code == 200, "under /mtwilson/v1 too")


def test_saml(s):
    r = get(s, AS + "/saml/assertions/host?hostName=h1", "application/samlassertion+xml")
    ok(r.status_code == 200 and r.headers["content-type"] == "application/samlassertion+xml", "an assertion of a registered host", r.content)
    ns = {"s": "urn:oasis:names:tc:SAML:2.0:assertion"}
    attrs = {a.get("Name"): "".join(a.itertext()) for a in ET.fromstring(r.content).iterfind(".//s:Attribute", ns)}
    ok(attrs["Host_Name"] == "h1" and attrs["Trusted"] == "false", "says that it is not trusted", attrs)
    is_error(get(s, AS + "/saml/assertions/host?hostName=nobody"), 404, 1003, "an assertion of nobody")
    many = get(s, AS + "/saml/assertions/host?hostName=h1,nobody").content
    ok(many.count(b'Name="Trusted"') == 2 and b">true<" not in many.replace(b" ", b""), "about several hosts, one unknown: none is trusted", many[:300])
    r = get(s, AS + "/hosts/bulk/trust/saml?hosts=h1,no%3Cbody%26")
    if well_formed(r, "bulk SAML"):
        hosts = ET.fromstring(r.content)
        ok(hosts.tag == "Hosts" and [h.find("ErrorCode").text for h in hosts] == ["OK", "AS_HOST_NOT_FOUND"], "with a code for each host", r.content[:300])
        ok(hosts[1].find("Name").text == "no<body&", "names are escaped")
        ok(ET.fromstring(hosts[0].find("Assertion").text).tag.endswith("}Assertion"), "the assertion stands in it as text")


def test_reports(s):
    r = get(s, AS + "/hosts/reports/trust?hostNames=h1,nobody")
    if well_formed(r, "report of trust"):
        rows = list(ET.fromstring(r.content))
        ok([(x.get("Host_Name"), x.get("Trust_Status")) for x in rows] == [("h1", "0")], "only hosts there are", r.content)
    for path in ("manifest", "attestation", "attestationreport"):
        r = get(s, f"{AS}/hosts/reports/{path}?hostName=h1")
        ok(r.status_code == 404 and "error_code" in r.json(), f"{path}: nothing was attested yet", r.content)
        is_error(get(s, f"{AS}/hosts/reports/{path}?hostName=nobody"), 404, 1003, f"{path} of nobody")


def test_rest(s):
    for name in ("rootca", "saml", "tls", "privacyca"):
        r = get(s, f"{MS}/ca/certificate/{name}/current", "application/x-pem-file")
        pem = subprocess.run(["openssl", "x509", "-noout", "-fingerprint"], input=r.content, capture_output=True)
        der = get(s, f"{MS}/ca/certificate/{name}/current", "application/octet-stream").content
        same = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-fingerprint"], input=der, capture_output=True)
        ok(pem.returncode == 0 and pem.stdout == same.stdout, f"certificate {name}: PEM and DER are one", r.content[:80])
        ok(s.session.get(s.url("mtwilson", f"{MS}/ca/certificate/{name}/current/{name}.pem")).content == r.content, "under a file's name, to anybody")
    root = open(s.ca, "rb").read()
    ok(get(s, f"{MS}/ca/certificate/rootca/current", "application/x-pem-file").content == root, "rootca is the root")
    is_error(get(s, MS + "/ca/certificate/king/current"), 404, 404, "a certificate that there is not")
    ok(get(s, MS + "/msstatus").content == b"true", "msstatus")
    ok("Attestation" in get(s, MS + "/apiclient/availableRoles").json(), "roles as the family calls them")
    ok(s.ask("mtwilson", "GET", AS + "/hosts/trust?hostName=h1").status_code == 401, "no role, no credentials: 401")
    ok(s.ask("oat1", "GET", AS + "/hosts/trust?hostName=h1", token=s.admin).status_code == 404, "OAT1 has no v1")
    ok(get(s, AS + "/hosts/trust?hostName=h1", listener="oat2").status_code == 200, "OAT2 has it")
    found = [os.path.join(d, f) for d, _, files in os.walk(s.dir) for f in files if SECRET.encode() in open(os.path.join(d, f), "rb").read()]
    ok(found == [], "a password of a connection string is nowhere on the disk", found)


def main():
    s = Server("oat1_listen = 127.0.0.1:0\noat2_listen = 127.0.0.1:0\nmtwilson_listen = 127.0.0.1:0\n")
    try:
        test_register(s)
        test_trust(s)
        test_saml(s)
        test_reports(s)
        test_rest(s)
    finally:
        s.stop()
    finish()


main()

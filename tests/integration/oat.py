#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""OpenAttestation in both dialects against a real assayd, with python3-requests: PollHosts as OpenStack's
scheduler filter sends it, whitelists and hosts with their limits, referential rules and error numbers. TAP."""
import datetime
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from family import Server, finish, ok  # noqa: E402

WLM, AS = "/WLMService/resources", "/AttestationService/resources"
MOUNTS = ("/OpenAttestationWebServices/V1.0/PollHosts", AS + "/PollHosts", "/mtwilson/v2/integrations/openstack/PollHosts")
SECRET = "s3cret-of-the-vcenter"


def poll(s, listener, names, path=MOUNTS[0], token=None, **more):
    """Headers and body as the filter of OpenStack sends them."""
    headers = {"content-type": "application/json", "Accept": "application/json", "x-auth-blob": "opaque"}
    return s.ask(listener, "POST", path, dict({"count": len(names), "hosts": names}, **more), token=token, headers=headers)


def test_poll(s):
    raw = re.compile(rb'\{"hosts":\[\{"host_name":"h1","trust_lvl":"unknown","vtime":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000"\}\]\}')
    for listener in ("oat1", "mtwilson"):
        for path in MOUNTS:
            r = poll(s, listener, ["h1"], path)
            ok(r.status_code == 200 and raw.fullmatch(r.content), f"{listener} {path}: a host nobody knows is unknown", r.content)
    ok(r.headers["content-type"] == "application/json", "PollHosts answers application/json")
    when = datetime.datetime.strptime(r.json()["hosts"][0]["vtime"], "%Y-%m-%dT%H:%M:%S.%f%z")
    ok(abs((datetime.datetime.now(datetime.timezone.utc) - when).total_seconds()) < 600, "vtime is UTC, now")
    names = ["Node-1.example.org", "näme", 'quo"te\\', "b b", "", "x" * 5000]
    r = poll(s, "oat1", names)
    ok([h["host_name"] for h in r.json()["hosts"]] == names, "host_name comes back octet by octet", r.content[:300])
    ok(poll(s, "oat1", []).json() == {"hosts": []}, "no hosts, no answers")
    ok(poll(s, "oat1", ["h1"], fancy={"a": [1]}).status_code == 200, "unknown members are passed over")
    ok(s.ask("oat1", "POST", MOUNTS[0], {"hosts": ["h1"]}).status_code == 200, "count may be left out")
    r = poll(s, "oat1", ["h1"], timeThreshold=1000, PCRmask="FFFFFF")
    ok(r.json()["hosts"][0]["trust_lvl"] == "unknown", "OAT1: timeThreshold and PCRmask are taken", r.content)
    for body in ({}, {"hosts": "h1"}, {"hosts": [1]}, {"hosts": ["h1"], "timeThreshold": "x"}, {"hosts": ["h1"], "PCRmask": "xyz"}):
        r = s.ask("oat1", "POST", MOUNTS[0], body)
        ok(r.status_code == 400 and r.json()["error_code"] == 412 and set(r.json()) == {"error_code", "error_message", "detail"},
           f"refused in OAT1's form: {body}", r.content)
    r = s.ask("oat2", "POST", MOUNTS[0], {}, token=s.admin)
    ok(r.status_code == 400 and r.json()["error_code"] == 1008 and set(r.json()) == {"error_code", "error_message"},
       "refused in OAT2's form", r.content)
    r = s.session.post(s.url("oat1", MOUNTS[0]), data=b'{"hosts":["a"],"hosts":["b"]}', headers={"content-type": "application/json"})
    ok(r.status_code == 400, "a doubled member is refused")
    many = [f"compute-{i}" for i in range(10000)]
    r = poll(s, "oat1", many)
    ok(r.status_code == 200 and [h["host_name"] for h in r.json()["hosts"]] == many, "10,000 hosts in one request")


def test_access(s):
    ok(poll(s, "oat2", ["h1"]).status_code == 401, "oat2 has no role: credentials are wanted")
    ok(poll(s, "oat2", ["h1"], token=s.admin).status_code == 200, "with a token it answers")
    ok(poll(s, "oat1", ["h1"], token="asy1.wrong").status_code == 401, "a wrong token is no missing one")
    r = s.ask("mtwilson", "POST", WLM + "/oem", {"Name": "x"})
    ok(r.status_code == 403 and r.json()["error_code"] == 403, "the role of the listener is the limit", r.content)
    for path in MOUNTS + (AS + "/asstatus", AS + "/hosts"):
        ok(s.ask("api", "GET", path, token=s.admin).status_code == 404, f"not on the API's address: {path}")
    ok(s.ask("oat1", "GET", "/api/v1/hosts", token=s.admin).status_code == 404, "the API is not on other addresses")
    ready = s.ask("api", "GET", "/readyz").json()
    ok(len(ready["warnings"]) == 2 and "operator" in ready["warnings"][0], "readyz warns of roles without credentials", ready)
    shown = {w["key"] for w in s.native("GET", "/overview").json()["warnings"]}
    ok({"oat1_role", "mtwilson_role"} <= shown and "oat2_role" not in shown, "so does the overview", shown)
    r = s.native("GET", "/config?limit=1000")
    ok(r.status_code == 200, "the configuration is shown", r.content)
    rows = [c for c in s.native("GET", "/config?limit=1000").json()["items"] if c["key"] == "oat1_role"]
    ok("127.0.0.0/8" in rows[0].get("warning", ""), "and config show", rows)


def change(s, d, method, path, body, number=None, params=None):
    """One change in dialect d: done with its bare text, or refused with this number."""
    token = s.admin if d == "oat2" else None
    r = s.ask(d, method, path, body, token=token, params=params)
    what = f"{d} {method} {path} {body or params}"[:110]
    if number is None:
        ok(r.status_code == 200 and r.content == (b"True" if d == "oat1" else b"true"), what, r.content)
    else:
        ok(r.status_code in (400, 404) and r.json()["error_code"] == number, f"{what}: {number}", r.content)


MLE_BIOS = {"Name": "bios", "Version": "1.0", "OemName": "Dell", "Attestation_Type": "PCR", "MLE_Type": "BIOS",
            "Description": "d", "MLE_Manifests": [{"Name": "0", "Value": "AB" * 20}]}
MLE_VMM = {"Name": "kvm", "Version": "6.1", "OsName": "Debian", "OsVersion": "12", "Attestation_Type": "PCR", "MLE_Type": "VMM",
           "Description": "", "MLE_Manifests": [{"Name": "18", "Value": ""}]}
KEY_BIOS = {"mleName": "bios", "mleVersion": "1.0", "oemName": "Dell"}
KEY_VMM = {"mleName": "kvm", "mleVersion": "6.1", "osName": "Debian", "osVersion": "12"}
HOST = {"HostName": "node-1", "IPAddress": "10.0.0.1", "Port": 9999, "BIOS_Name": "bios", "BIOS_Version": "1.0", "BIOS_Oem": "Dell",
        "VMM_Name": "kvm", "VMM_Version": "6.1", "VMM_OSName": "Debian", "VMM_OSVersion": "12", "Email": "", "Description": "rack 7",
        "AddOn_Connection_String": ""}


def test_whitelist(s, d):
    n = {"oat1": dict(exists=1006, unknown=1006, used=1006, missing=412, host=2000, host_exists=2001, mle=1006, pcr=1006, value=412),
         "oat2": dict(exists=2002, unknown=2001, used=2003, missing=1008, host=1003, host_exists=1005, mle=1004, pcr=2014, value=2021)}[d]
    two = d == "oat2"
    change(s, d, "POST", WLM + "/oem", {"Name": "Dell", "Description": "maker"})
    change(s, d, "POST", WLM + "/oem", {"Name": "Dell", "Description": ""}, n["exists"])
    change(s, d, "PUT", WLM + "/oem", {"Name": "Dell", "Description": "makers"})
    change(s, d, "PUT", WLM + "/oem", {"Name": "HP", "Description": ""}, n["unknown"])
    change(s, d, "POST", WLM + "/oem", {"Name": "", "Description": ""}, n["missing"])
    r = s.ask(d, "GET", WLM + "/oem", token=s.admin)
    ok(r.content == b'[{"Name":"Dell","Description":"makers"}]', f"{d}: the list of OEMs", r.content)
    change(s, d, "POST", WLM + "/os", {"Name": "Debian", "Version": "12", "Description": ""})
    change(s, d, "POST", WLM + "/os", {"Name": "Debian", "Version": "12", "Description": ""}, 2005 if two else n["exists"])
    r = s.ask(d, "GET", WLM + "/os", token=s.admin)
    ok(r.content == b'[{"Name":"Debian","Version":"12","Description":""}]', f"{d}: the list of OSs", r.content)
    change(s, d, "POST", WLM + "/mles", MLE_BIOS)
    change(s, d, "POST", WLM + "/mles", MLE_BIOS, 2007 if two else 1006)
    change(s, d, "POST", WLM + "/mles", dict(MLE_BIOS, Name="x", OemName="HP"), n["unknown"])
    change(s, d, "POST", WLM + "/mles", dict(MLE_BIOS, Name="x", OsName="Debian", OsVersion="12"), 2012 if two else 412)
    change(s, d, "POST", WLM + "/mles", dict(MLE_VMM, MLE_Manifests=[{"Name": "10", "Value": ""}]), 1015 if two else 1006)
    change(s, d, "POST", WLM + "/mles", dict(MLE_VMM, MLE_Manifests=[{"Name": "18", "Value": "@@@"}]), n["value"])
    change(s, d, "POST", WLM + "/mles", MLE_VMM)
    sets = {x["name"]: x for x in s.native("GET", "/reference-sets?limit=100").json()["items"] if x["state"] == "active"}
    ok([k.split()[0] for k in sets] == ["BIOS"], f"{d}: a required PCR without a value keeps the MLE out of force", list(sets))
    change(s, d, "POST", WLM + "/mles/whitelist/pcr", dict(KEY_VMM, pcrName="18", pcrDigest="cd" * 32))
    change(s, d, "POST", WLM + "/mles/whitelist/pcr", dict(KEY_VMM, pcrName="18", pcrDigest="cd" * 32), 2013 if two else 1006)
    change(s, d, "PUT", WLM + "/mles/whitelist/pcr", dict(KEY_VMM, pcrName="18", pcrDigest="ce" * 32))
    change(s, d, "PUT", WLM + "/mles/whitelist/pcr", dict(KEY_VMM, pcrName="19", pcrDigest="cd" * 32), n["pcr"])
    change(s, d, "POST", WLM + "/mles/whitelist/module",
           dict(KEY_VMM, componentName="vmlinuz", eventName="Vim25Api", extendedToPCR="19", digestValue="EF" * 32))
    change(s, d, "POST", WLM + "/mles/whitelist/module", dict(KEY_VMM, componentName="vmlinuz", extendedToPCR="19", digestValue="ef" * 32),
           2016 if two else 1006)
    change(s, d, "DELETE", WLM + "/mles/whitelist/module", None, 2017 if two else 1006, params=dict(KEY_VMM, componentName="initrd"))
    change(s, d, "POST", WLM + "/mles/source", dict(KEY_VMM, hostName="good-1"))
    r = s.ask(d, "GET", WLM + "/mles/source", token=s.admin, params=KEY_VMM)
    ok(r.content == b"good-1", f"{d}: the source of an MLE", r.content)
    r = s.ask(d, "GET", WLM + "/mles/manifest", token=s.admin, params=KEY_VMM)
    ok(r.json()["MLE_Manifests"] == [{"Name": "18", "Value": "ce" * 32}] and r.json()["MLE_Type"] == "VMM", f"{d}: one MLE", r.content)
    ok([m["Name"] for m in s.ask(d, "GET", WLM + "/mles?searchCriteria=kv", token=s.admin).json()] == ["kvm"], f"{d}: MLEs by name")
    test_sets(s, d)


def test_sets(s, d):
    sets = [x for x in s.native("GET", "/reference-sets?limit=100").json()["items"] if x["state"] == "active"]
    vmm = [s.native("GET", "/reference-sets/" + x["id"]).json() for x in sets if x["name"].startswith("VMM")]
    ok(len(vmm) == 1 and list(vmm[0]["parts"]) == ["os"], f"{d}: a VMM is one active reference set of part os", vmm)
    rules = {(r["kind"], r["pcr"]): r for r in vmm[0]["parts"]["os"]}
    ok(rules[("pcr", 18)]["values"] == {"sha256": "ce" * 32}, f"{d}: its PCR whitelist is an exact value", rules)
    ok(rules[("includes", 19)]["events"][0]["digests"] == {"sha256": "ef" * 32}, f"{d}: its module is an event", rules)
    ok(list(vmm[0]["match"]["labels"]) == ["vmm_mle"], f"{d}: it is for hosts registered with it", vmm[0]["match"])


def test_hosts(s, d):
    two = d == "oat2"
    change(s, d, "POST", AS + "/hosts", HOST)
    change(s, d, "POST", AS + "/hosts", dict(HOST, IPAddress="10.0.0.9"), 1005 if two else 2001)
    change(s, d, "POST", AS + "/hosts", dict(HOST, HostName="node-2"), 1006)
    change(s, d, "POST", AS + "/hosts", dict(HOST, HostName="node-2", IPAddress="10.0.0.2", BIOS_Version="9"), 1004 if two else 1006)
    change(s, d, "PUT", AS + "/hosts", dict(HOST, HostName="nobody"), 1003 if two else 2000)
    vcenter = f"vmware:https://vc.example:443/sdk;root;{SECRET};h=esx1"
    change(s, d, "POST", AS + "/hosts", dict(HOST, HostName="esx1", IPAddress="10.0.0.3", AddOn_Connection_String=vcenter),
           1009 if two else 412)
    rows = {h["HostName"]: h for h in s.ask(d, "GET", AS + "/hosts?searchCriteria=", token=s.admin).json()}
    want = {k: v for k, v in HOST.items()}
    ok({k: rows["node-1"].get(k) for k in want} == want, f"{d}: a host record has what was sent", rows["node-1"])
    ok(rows["esx1"]["AddOn_Connection_String"] == "vmware:https://vc.example:443/sdk;h=esx1;u=root",
       f"{d}: a connection string is shown without its password", rows["esx1"])
    host = s.native("GET", "/hosts/node-1").json()
    ok(host["state"] == "registered" and set(host["labels"]) == {"bios_mle", "vmm_mle"}, f"{d}: registered, not enrolled", host)
    got = [h["trust_lvl"] for h in poll(s, d, ["node-1", "esx1"], token=s.admin).json()["hosts"]]
    ok(got == ["unknown", "unknown"], f"{d}: and unknown", got)
    change(s, d, "POST", AS + "/hosts/location", {"hostName": "node-1", "location": "room 4"})
    r = s.ask(d, "GET", AS + "/hosts/location?hostName=node-1", token=s.admin)
    ok(r.json() == {"location": "room 4"}, f"{d}: where it is", r.content)


def test_removal(s, d):
    """Only what nothing refers to can go."""
    two = d == "oat2"
    change(s, d, "DELETE", WLM + "/oem", None, 2003 if two else 1006, params={"Name": "Dell"})
    change(s, d, "DELETE", WLM + "/os", None, 2006 if two else 1006, params={"Name": "Debian", "Version": "12"})
    change(s, d, "DELETE", WLM + "/mles", None, 2010 if two else 1006, params=KEY_BIOS)
    change(s, d, "DELETE", AS + "/hosts", None, 1003 if two else 2000, params={"hostName": "nobody"})
    for name in ("node-1", "esx1"):
        change(s, d, "DELETE", AS + "/hosts", None, params={"hostName": name})
    change(s, d, "DELETE", WLM + "/mles/whitelist/pcr", None, params=dict(KEY_VMM, pcrName="18"))
    change(s, d, "DELETE", WLM + "/mles", None, params=KEY_BIOS)
    change(s, d, "DELETE", WLM + "/mles", None, params=KEY_VMM)
    change(s, d, "DELETE", WLM + "/mles", None, 2009 if two else 1006, params=KEY_VMM)
    change(s, d, "DELETE", WLM + "/oem", None, params={"Name": "Dell"})
    change(s, d, "DELETE", WLM + "/os", None, params={"Name": "Debian", "Version": "12"})
    active = [x["name"] for x in s.native("GET", "/reference-sets?limit=100").json()["items"] if x["state"] == "active"]
    ok(active == [], f"{d}: no reference set is left in force", active)


def test_limits(s):
    for name, good in (("n" * 50, True), ("n" * 51, False)) + tuple((f"a{c}b", False) for c in "#&+:\"'"):
        change(s, "oat1", "POST", WLM + "/oem", {"Name": name, "Description": "d" * 100}, None if good else 412)
    change(s, "oat1", "POST", WLM + "/oem", {"Name": "long", "Description": "d" * 101}, 412)
    change(s, "oat1", "POST", WLM + "/os", {"Name": "o", "Version": "v" * 50, "Description": ""})
    change(s, "oat1", "POST", WLM + "/os", {"Name": "o", "Version": "v" * 51, "Description": ""}, 412)
    change(s, "oat1", "POST", WLM + "/mles", dict(MLE_BIOS, OemName="n" * 50, Version="v" * 100))
    change(s, "oat1", "POST", WLM + "/mles", dict(MLE_BIOS, OemName="n" * 50, Version="v" * 101), 412)
    key = {"mleName": "bios", "mleVersion": "v" * 100, "oemName": "n" * 50}
    change(s, "oat1", "POST", WLM + "/mles/whitelist/pcr", dict(key, pcrName="1" * 11, pcrDigest="ab" * 20), 412)
    change(s, "oat1", "POST", WLM + "/mles/whitelist/pcr", dict(key, pcrName="17", pcrDigest="a" * 101), 412)
    change(s, "oat2", "POST", WLM + "/oem", {"Name": "n" * 51, "Description": ""})


def test_kept(s):
    found = [os.path.join(d, f) for d, _, files in os.walk(s.dir) for f in files
             if SECRET.encode() in open(os.path.join(d, f), "rb").read()]
    ok(found == [], "a password of a connection string is nowhere on the disk", found)
    actions = {r["action"] for r in s.native("GET", "/audit?limit=1000").json()["items"]}
    ok({"OEM_ADD", "MLE_PCR_EDIT", "HOST_ADD", "MLE_REMOVE"} <= actions, "changes stand in the audit", sorted(actions))


def main():
    s = Server("oat1_listen = 127.0.0.1:0\noat1_from = 127.0.0.0/8\noat1_role = operator\noat2_listen = 127.0.0.1:0\n"
               "mtwilson_listen = 127.0.0.1:0\nmtwilson_from = 127.0.0.1\nmtwilson_role = viewer\n")
    try:
        ok(set(s.at) == {"api", "agents", "oat1", "oat2", "mtwilson"}, "endpoints.json has the listeners", s.at)
        ok(s.ask("oat1", "GET", AS + "/asstatus").content == b"True", "OAT1 says True")
        ok(s.ask("oat2", "GET", WLM + "/wlmstatus").content == b"true", "OAT2 says true")
        test_poll(s)
        test_access(s)
        for d in ("oat1", "oat2"):
            test_whitelist(s, d)
            test_hosts(s, d)
            test_removal(s, d)
        test_limits(s)
        test_kept(s)
    finally:
        s.stop()
    finish()


main()

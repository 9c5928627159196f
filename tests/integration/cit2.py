#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CIT v2 (/mtwilson/v2) of a real assayd by python3-requests, with a simulated host; signed requests:
another URL, query, body, date and a replay are refused, also after kill -9. TAP."""
import base64
import json
import subprocess
import sys
import os
import xml.etree.ElementTree as ET

import requests

from family_world import SRC, Signer, World, done, hmac_headers, ok, until

V2 = "/mtwilson/v2"
SAML = "application/samlassertion+xml"


def check_hosts(w):
    r = w.ask("POST", "mtwilson", V2 + "/hosts", {
        "name": "cit1", "connection_url": "intel:https://10.1.2.3:1443/;admin;secret", "description": "rack 4"})
    ok(r.status_code == 200 and r.json()["name"] == "cit1" and r.json()["id"], "POST /hosts registers a host")
    hid = r.json()["id"]
    ok("secret" not in r.text and "10.1.2.3:1443" in r.json()["connection_url"],
       "the connection string is shown without its password")
    r = w.ask("GET", "mtwilson", f"{V2}/hosts/{hid}")
    ok(r.json()["id"] == hid and r.json()["description"] == "rack 4", "GET /hosts/{id}")
    r = w.ask("GET", "mtwilson", f"{V2}/hosts?nameEqualTo=cit1")
    ok([h["id"] for h in r.json()["hosts"]] == [hid], "search by nameEqualTo")
    r = w.ask("GET", "mtwilson", f"{V2}/hosts?nameContains=it1&limit=1&page=1")
    ok([h["id"] for h in r.json()["hosts"]] == [hid], "search by nameContains, limit, page")
    ok(w.ask("GET", "mtwilson", f"{V2}/hosts?nameContains=it1&limit=1&page=2").json()["hosts"] == [],
       "the second page is empty")
    r = w.ask("GET", "mtwilson", f"{V2}/hosts.xml?nameEqualTo=cit1")
    ok(ET.fromstring(r.text).findtext("hosts/host/name") == "cit1", "suffix .xml")
    r = w.ask("GET", "mtwilson", f"{V2}/hosts?nameEqualTo=cit1", accept="application/yaml")
    ok("cit1" in r.text and not r.text.startswith("{"), "YAML by Accept")
    r = w.ask("POST", "mtwilson", V2 + "/hosts", {"name": "cit1"})
    ok(r.status_code == 400 and r.json()["error_code"] == 1005, "a second host of that name: 1005")
    r = w.ask("POST", "mtwilson", V2 + "/hosts", {"description": "x"})
    ok(r.status_code == 400 and r.json()["error_code"] == 1008, "no name: 1008")
    r = w.ask("POST", "mtwilson", V2 + "/hosts", {"name": "esx", "connection_url": "vmware:https://v:443/sdk;u;p"})
    ok(r.status_code == 400 and r.json()["error_code"] == 1017, "a manager that is not there: 1017")
    r = w.ask("PUT", "mtwilson", f"{V2}/hosts/{hid}", {"description": "rack 5"})
    ok(r.status_code == 200 and r.json()["description"] == "rack 5", "PUT changes a part")
    ok(w.ask("DELETE", "mtwilson", f"{V2}/hosts/{hid}").status_code == 204, "DELETE /hosts/{id}")
    r = w.ask("GET", "mtwilson", f"{V2}/hosts/{hid}")
    ok(r.status_code == 404 and "error_code" in r.json(), "it is gone")
    ok(w.ask("GET", "mtwilson", f"{V2}/hosts", token="").status_code == 401, "without credential: 401")
    ok(w.ask("GET", "api", f"{V2}/hosts").status_code == 404, "the API's address does not have these paths")


def check_mles(w):
    hexes = ["ab" * 32, "cd" * 32]
    def put(method, path, body=None):
        return w.ask(method, "mtwilson", V2 + path, body)
    ok(put("POST", "/oems", {"name": "Acme", "description": "boards"}).json()["id"] == "Acme", "POST /oems")
    r = put("POST", "/oems", {"name": "Acme"})
    ok(r.status_code == 400 and r.json()["error_code"] == 2002, "an OEM twice: 2002")
    ok(put("PUT", "/oems/Acme", {"description": "B"}).json()["description"] == "B", "PUT /oems/{id}")
    r = put("POST", "/oss", {"name": "Debian", "version": "12"})
    ok(r.status_code == 200 and put("GET", "/oss/" + r.json()["id"]).json()["version"] == "12", "POST and GET /oss")
    r = put("POST", "/mles", {"name": "b", "version": "1", "mle_type": "BIOS", "attestation_type": "PCR",
                              "oem_uuid": "Acme", "mle_manifests": [{"name": "0", "value": hexes[0]}]})
    ok(r.status_code == 200 and r.json()["mle_manifests"][0]["pcr_value"] == hexes[0], f"POST /mles: {r.text[:160]}")
    mle = r.json().get("id", "x")
    ok(put("POST", f"/mles/{mle}/pcrs", {"pcr_index": "7", "pcr_value": hexes[1]}).status_code == 200, "POST pcrs")
    r = put("GET", f"/mles/{mle}/pcrs/7").json()
    ok(r["pcr_value"] == hexes[1] and r["pcr_bank"].lower() == "sha256", "GET pcrs/{pcr}")
    ok(len(put("GET", f"/mles/{mle}/pcrs").json()["mle_pcrs"]) == 2, "GET pcrs")
    ok(put("DELETE", f"/mles/{mle}/pcrs/7").status_code == 200 and
       len(put("GET", f"/mles/{mle}/pcrs").json()["mle_pcrs"]) == 1, "DELETE pcrs/{pcr}")
    ok([m["id"] for m in put("GET", "/mles?nameEqualTo=b").json()["mles"]] == [mle], "search /mles")
    module = {"module_name": "vmlinuz", "module_value": hexes[0], "extended_to_pcr": 19, "event_name": "Vim25Api.HostTpm", "package_name": "k"}
    r = put("POST", f"/mles/{mle}/modules", module)
    ok(r.status_code == 200 and r.json()["module_value"] == hexes[0] and r.json()["extended_to_pcr"] == 19, f"POST modules: {r.text[:160]}")
    ok(put("POST", f"/mles/{mle}/modules", module).json()["error_code"] == 2016, "a module twice: 2016")
    ok(put("POST", f"/mles/{mle}/modules", {**module, "module_name": "x", "extended_to_pcr": "19 "}).json()["error_code"] == 1015 and
       put("POST", f"/mles/{mle}/modules", {**module, "module_name": "x", "module_value": "xyz"}).json()["error_code"] == 2021, "no PCR, no digest")
    ok([m["id"] for m in put("GET", f"/mles/{mle}/modules").json()["mle_modules"]] == [r.json()["id"]], "GET modules")
    ok(put("DELETE", f"/mles/{mle}/modules/{r.json()['id']}").status_code == 204 and put("GET", f"/mles/{mle}/modules").json()["mle_modules"] == [] and
       put("DELETE", f"/mles/{mle}/modules/{r.json()['id']}").json()["error_code"] == 2017, "DELETE modules/{id}")
    ok(put("POST", f"/mles/{mle}/source", {"name": "h1"}).json()["name"] == "h1" and
       put("POST", f"/mles/{mle}/source", {"name": "h2"}).json()["error_code"] == 2019, "POST source, once: 2019")
    ok(put("PUT", f"/mles/{mle}/source", {"name": "h2"}).status_code == 200 and
       [x["name"] for x in put("GET", f"/mles/{mle}/source").json()["mle_sources"]] == ["h2"], "PUT and GET source")
    ok(put("DELETE", f"/mles/{mle}/source").status_code == 204 and put("DELETE", f"/mles/{mle}/source").json()["error_code"] == 2020, "DELETE source")
    r = put("DELETE", "/oems/Acme")
    ok(r.status_code == 400 and r.json()["error_code"] == 2003, "an OEM that an MLE names stays: 2003")
    ok(put("POST", "/mles", {"name": "v", "version": "1", "mle_type": "VMM"}).json()["error_code"] == 2004,
       "a VMM without OS: 2004")
    ok(put("DELETE", f"/mles/{mle}").status_code == 204 and put("GET", f"/mles/{mle}").status_code >= 400, "DELETE /mles")
    ok(put("DELETE", "/oems/Acme").status_code == 204, "then the OEM goes")


def check_rpc(w):
    body = {"hosts": {"HostRecords": [
        {"host_name": "rpc1", "add_on_connection_string": "https://10.0.0.9:1443"},
        {"host_name": "rpc2", "add_on_connection_string": "citrix:https://x:443/;u;p"}]}}
    r = w.ask("POST", "mtwilson", V2 + "/rpc/register-hosts", body)
    got = {h["host_name"]: h for h in r.json()["result"]["host_records"]}
    ok(r.status_code == 200 and got["rpc1"]["status"] == "true" and got["rpc1"]["error_code"] == "OK" and
       got["rpc2"]["status"] == "false", "rpc/register-hosts tells of each host")
    ok(w.ask("GET", "mtwilson", V2 + "/hosts?nameEqualTo=rpc2").json()["hosts"] == [], "the refused one is not there")
    r = w.ask("POST", "mtwilson", V2 + "/rpc-async/register-hosts",
              {"hosts": {"host_records": [{"txt_host_record": {"host_name": "rpc3"}}]}})
    ok(r.status_code == 202 and r.json()["id"], "rpc-async answers 202 with an id")
    r = w.ask("GET", "mtwilson", f"{V2}/rpcs/{r.json()['id']}")
    ok(r.json()["status"] == "OUTPUT" and r.json()["output"]["result"]["host_records"][0]["status"] == "true",
       "GET /rpcs/{id} tells what came of it")
    ok(len(w.ask("GET", "mtwilson", V2 + "/rpcs").json()["rpcs"]) == 1, "GET /rpcs lists it")


def check_attest(w, name, hid, other):
    r = w.ask("POST", "mtwilson", V2 + "/rpc/create-whitelist", {"wl_config": {
        "add_bios_white_list": True, "add_vmm_white_list": True, "bios_white_list_target": "BIOS_OEM",
        "vmm_white_list_target": "VMM_OEM", "register_host": True, "txt_host_record": {"host_name": name}}})
    ok(r.status_code == 200 and r.json()["result"] == "true", f"rpc/create-whitelist: {r.text[:200]}")
    active = [x for x in w.api("GET", "/api/v1/reference-sets").json()["items"] if x["state"] == "active"]
    ok(len(active) == 2, "two reference sets are in force")
    mles = {m["id"]: m for m in w.ask("GET", "mtwilson", V2 + "/mles").json()["mles"]}
    h = w.ask("GET", "mtwilson", f"{V2}/hosts/{hid}").json()
    ok({mles[h["bios_mle_uuid"]]["mle_type"], mles[h["vmm_mle_uuid"]]["mle_type"]} == {"BIOS", "VMM"}, "the host is registered with both MLEs")
    def again(config):
        r = w.ask("POST", "mtwilson", V2 + "/rpc-async/create-whitelist-with-options", {"wl_config": {"txt_host_record": {"host_name": name}, **config}})
        return w.ask("GET", "mtwilson", f"{V2}/rpcs/{r.json()['id']}").json()["output"] if r.status_code == 202 else r.json()["error_code"]
    def named():
        return {m["name"] for m in w.ask("GET", "mtwilson", V2 + "/mles").json()["mles"]}
    before = named()
    ok(again({}) == {"result": "true"} and named() == before, "the same again: the MLEs there are")
    ok(again({"bios_pcrs": "0,2", "add_vmm_white_list": False, "register_host": False}) == {"result": "true"} and
       named() == before | {name + "_001"}, "other values: another MLE, NAME_001")
    ok(again({"bios_mle_name": "mine", "bios_pcrs": "0", "add_vmm_white_list": False, "register_host": False}) == {"result": "true"} and
       again({"bios_mle_name": "mine", "bios_pcrs": "0,1", "add_vmm_white_list": False}) == 2007, "a name of one's own is taken once")
    ok(again({"bios_mle_name": "mine", "bios_pcrs": "0,1", "overwrite_whitelist": True, "add_vmm_white_list": False, "register_host": False}) ==
       {"result": "true"} and [len(m["mle_manifests"]) for m in w.ask("GET", "mtwilson", V2 + "/mles?nameEqualTo=mine").json()["mles"]] == [2],
       "unless it is to be overwritten")
    ok(again({"bios_pcrs": "0,23"}) == again({"bios_pcrs": "0;1"}) == again({"vmm_pcrs": "17x"}) == 3203, "no list of PCRs: 3203")
    ok(again({"vmm_white_list_target": "VMM_ALL"}) == 1008, "an unknown target: 1008")
    ok(again({"vmm_pcrs": "0,17"}) == 1026, "PCR 17 without a measured launch: 1026")
    own = {"bios_mle_name": "own", "bios_white_list_target": "BIOS_HOST", "bios_pcrs": "0", "add_vmm_white_list": False, "register_host": False}
    ok(again(own) == {"result": "true"}, "a whitelist of target HOST")
    r = w.ask("POST", "mtwilson", V2 + "/rpc/register-hosts-with-options", {"hosts": {"HostRecords": [
        {"bios_white_list_target": "BIOS_HOST", "txt_host_record": {"host_name": n}} for n in (name, other)]}})
    ok([x["error_code"] for x in r.json()["result"]["host_records"]] == ["OK", "OK"], "registered anew")
    of = {n: w.ask("GET", "mtwilson", f"{V2}/hosts?nameEqualTo={n}").json()["hosts"][0] for n in (name, other)}
    ok(of[name]["bios_mle_uuid"] == h["bios_mle_uuid"] and of[other]["bios_mle_uuid"] is None,
       "an MLE of target HOST is for no other host")
    w.ask("POST", "mtwilson", V2 + "/rpc/register-hosts", {"hosts": {"HostRecords": [{"host_name": other}]}})
    of = w.ask("GET", "mtwilson", f"{V2}/hosts?nameEqualTo={other}").json()["hosts"][0]
    ok(of["bios_mle_uuid"] in mles and of["bios_mle_uuid"] != w.ask("GET", "mtwilson", V2 + "/mles?nameEqualTo=own").json()["mles"][0]["id"],
       "registered without a target it gets an MLE that it meets")
    trusted = until(lambda: w.api("GET", f"/api/v1/hosts/{name}").json()["verdict"] == "trusted", 30)
    r = w.ask("POST", "mtwilson", V2 + "/host-attestations", {"host_uuid": hid})
    a = r.json()
    ok(r.status_code == 200 and a["host_uuid"] == hid and a["host_name"] == name and a["id"],
       "POST /host-attestations attests")
    native = w.api("GET", f"/api/v1/hosts/{name}").json()["verdict"]
    ok(a["trust_report"]["trusted"] == (native == "trusted"), f"trusted as the host's verdict ({native})")
    ok(bool(trusted) == (native == "trusted"), "the verdict holds")
    results = a["trust_report"]["results"]
    ok(results and all({"rule", "rule_name", "faults", "trusted"} <= set(x) for x in results),
       "results tell rules, faults and outcome")
    t = w.ask("GET", "mtwilson", f"{V2}/host-attestations?host_id={hid}&latestPerHost=true").json()["host_attestations"]
    trust = t[0]["host_trust_response"]["trust"]
    ok(len(t) == 1 and trust["bios"] == trust["vmm"] == (native == "trusted"), "search shows bios and vmm")
    one = w.ask("GET", "mtwilson", f"{V2}/host-attestations/{t[0]['id']}")
    ok(one.status_code == 200 and one.json()["id"] == t[0]["id"], "GET /host-attestations/{id}")
    r = w.ask("POST", "mtwilson", V2 + "/host-attestations", {"host_name": name}, accept=SAML)
    ok(r.status_code == 200 and r.headers["content-type"] == SAML and f">{name}<" in r.text, "SAML by Accept")
    path = os.path.join(w.dir, "a.xml")
    open(path, "w", encoding="utf-8").write(r.text)
    signer = w.ask("GET", "mtwilson", V2 + "/ca-certificates/saml", token="", accept="application/x-pem-file")
    cert = os.path.join(w.dir, "saml.pem")
    open(cert, "w", encoding="ascii").write(signer.text)
    ok(subprocess.run(["xmlsec1", "--verify", "--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion",
                       "--pubkey-cert-pem", cert, path], capture_output=True).returncode == 0,
       "xmlsec1 verifies it with the certificate of /ca-certificates/saml")
    want = "true" if native == "trusted" else "false"
    ok(f'Name="Trusted"' in r.text and want in r.text, "with the attribute Trusted")
    r = w.ask("GET", "mtwilson", f"{V2}/host-attestations?nameEqualTo={name}", accept=SAML)
    ok(r.status_code == 200 and (b"Assertion" in r.content) == (native != "unknown"), "GET gives the kept assertion")
    r = w.ask("GET", "mtwilson", f"{V2}/host-attestations?nameEqualTo=rpc1", accept=SAML)
    ok(r.status_code == 200 and r.content == b"", "and an empty body when there is none")
    r = w.ask("GET", "mtwilson", f"{V2}/hosts/{hid}/aik-certificates", accept="application/x-pem-file")
    ok(r.text.startswith("-----BEGIN CERTIFICATE"), "the AIK certificate as PEM")
    sha1 = w.ask("GET", "mtwilson", f"{V2}/hosts/{hid}").json()["aik_sha1"]
    ok(len(w.ask("GET", "mtwilson", f"{V2}/hosts?aik_sha1={sha1}").json()["hosts"]) == 1, "search by aik_sha1")
    r = w.ask("POST", "mtwilson", V2 + "/host-attestations", {"host_name": "rpc1"})
    ok(r.status_code >= 400 and "error_code" in r.json(), "a host without agent cannot be attested")
    r = w.ask("POST", "mtwilson", V2 + "/host-attestations", {"host_name": "nobody"})
    ok(r.status_code == 404 and r.json()["error_code"] == 1003, "an unknown host: 1003")


def check_history(w, name, hid):
    def kept():
        items = w.api("GET", f"/api/v1/hosts/{name}/reports?limit=1000").json()["items"]
        return items if len(items) >= 5 else None

    def search(query):
        r = w.ask("GET", "mtwilson", f"{V2}/host-attestations?{query}")
        return [(a["id"], a["created_on"]) for a in r.json()["host_attestations"]] if r.status_code == 200 else r.status_code
    native = until(kept, 60)
    if not ok(native, "the host was attested several times"):
        return
    rows = [(x["id"], x["at"]) for x in native]
    upto = f"host_uuid={hid}&toDate={rows[0][1]}"
    ok(search(f"{upto}&limit=1000") == rows, "host-attestations: the whole history, newest first")
    ok(search(f"{upto}&limit=2&page=2") == rows[2:4], "the second page of two")
    ok(search(f"{upto}&nameEqualTo={name}") == rows[:10], "ten, when no limit is given")
    ok(search(f"{upto}&fromDate={rows[2][1]}&limit=1000") == rows[:3], "fromDate and toDate, both included")
    ok(search(f"nameEqualTo={name}&toDate={rows[-1][1]}") == rows[-1:], "the first of all")
    day = rows[0][1][:10]
    ok(rows[0] in search(f"nameEqualTo={name}&fromDate={rows[-1][1][:10]}&toDate={day}&limit=1000"), "days as dates are whole")
    ok(search(f"nameEqualTo={name}&toDate=2001-01-01") == [] and search(f"nameEqualTo={name}&fromDate=2101-01-01") == [],
       "nothing was attested then")
    ok(set(rows) <= set(search("numberOfDays=2&limit=100000")), "numberOfDays, of every host")
    ok(search("numberOfDays=2x") == 400 and search("fromDate=yesterday") == 400 and search("toDate=2026-02-30") == 400,
       "what is no number or date is refused")
    ok(search("nameEqualTo=nobody") == [] and search(f"id={rows[3][0]}") == rows[3:4], "by id")
    for rid, at in (rows[0], rows[len(rows) // 2], rows[-1]):
        r = w.ask("GET", "mtwilson", f"{V2}/host-attestations/{rid}")
        of = w.api("GET", f"/api/v1/hosts/{name}/reports/{rid}").json()
        ok(r.status_code == 200 and r.json()["id"] == rid and r.json()["created_on"] == at and
           r.json()["trust_report"]["trusted"] in ((of["verdict"] == "trusted"), False) and
           len(r.json()["trust_report"]["results"]) == len(of["findings"]), f"GET of a kept attestation: {at}")
    r = w.ask("GET", "mtwilson", f"{V2}/host-attestations/{rows[-1][0]}", accept=SAML)
    ok(r.status_code == 200 and r.content == b"", "no assertion is made of the past")
    r = w.ask("GET", "mtwilson", V2 + "/host-attestations/01890000-0000-7000-8000-000000000000")
    ok(r.status_code == 404, "an id that nothing has")
    r = w.ask("GET", "mtwilson", f"/AttestationService/resources/hosts/reports/trust?hostNames={name},nobody"
              f"&fromDate={rows[1][1]}&toDate={rows[0][1]}")
    ok([(h.get("Host_Name"), h.get("Verified_On")) for h in ET.fromstring(r.text)] == [(name, t) for _, t in rows[:2]],
       f"v1 reports/trust of a span of time: {r.text[:200]}")


def check_scope(w, name):
    """Somebody for some hosts alone: by these routes, too, he sees those and no other."""
    w.api("POST", "/api/v1/hosts", {"name": "theirs", "labels": {"pool": "theirs"}})
    w.api("PATCH", f"/api/v1/hosts/{name}", {"labels": {"pool": "mine"}})
    w.api("POST", "/api/v1/users", {"name": "few", "grants": [{"role": "viewer", "scope": {"pool": "mine"}}]})
    few = w.api("POST", "/api/v1/users/few/tokens", {}).json()["token"]

    def seen(path, member, key):
        return {x[key] for x in w.ask("GET", "mtwilson", path, token=few).json()[member]}
    ok(seen(V2 + "/hosts", "hosts", "name") == {name}, "hosts of the scope")
    ok(seen(V2 + "/host-attestations?limit=100", "host_attestations", "host_name") == {name}, "attestations of the scope")
    r = w.ask("GET", "mtwilson", "/AttestationService/resources/hosts/bulk/trust?hosts=theirs," + name, token=few).json()
    ok([h["error_code"] for h in r["hosts"]] == ["AS_HOST_NOT_FOUND", "OK"], "bulk trust: the other is not found")
    w.api("PATCH", f"/api/v1/hosts/{name}", {"labels": {"pool": "theirs"}})
    rid = w.ask("GET", "mtwilson", f"{V2}/host-attestations?nameEqualTo={name}&limit=1").json()["host_attestations"][0]["id"]
    ok(w.ask("GET", "mtwilson", f"{V2}/host-attestations/{rid}", token=few).status_code == 404, "an attestation of another's host")
    w.api("PATCH", f"/api/v1/hosts/{name}", {"labels": {}})


def check_tls_policies(w):
    s = Signer()
    digest = s.fingerprint.hex()
    def ask(method, path, body=None):
        return w.ask(method, "mtwilson", V2 + path, body)
    made = {}
    for kind, data in (("certificate", base64.b64encode(s.der).decode()), ("certificate-digest", digest),
                       ("CERTIFICATE_DIGEST", base64.b64encode(s.fingerprint).decode()), ("TRUST_FIRST_CERTIFICATE", None)):
        r = ask("POST", "/tls-policies", {"name": f"p{len(made)}", "comment": "x", "private": False,
                                          "descriptor": {"policy_type": kind, "data": [data] if data else [], "meta": {"digest_algorithm": "SHA-256"}}})
        ok(r.status_code == 200 and r.json()["id"], f"POST /tls-policies: {kind}: {r.text[:120]}")
        made[r.json()["name"]] = r.json()["id"]
    for d in ({"policy_type": "INSECURE"}, {"policy_type": "certificate-digest", "data": [digest[:40]]}, {"policy_type": "public-key", "data": ["x"]},
              {"policy_type": "certificate-digest", "data": [digest, digest]}, {}):
        r = ask("POST", "/tls-policies", {"name": "bad", "descriptor": d})
        ok(r.status_code == 400 and r.json()["error_code"] == 4001, f"refused: {d.get('policy_type')}: {r.text[:120]}")
    ok(ask("POST", "/tls-policies", {"name": "p0", "descriptor": {"policy_type": "TRUST_FIRST_CERTIFICATE"}}).status_code == 400, "a name once")
    ok(len(ask("GET", "/tls-policies").json()["tls_policies"]) == 4 and
       [p["id"] for p in ask("GET", "/tls-policies?nameEqualTo=p1").json()["tls_policies"]] == [made["p1"]], "search")
    r = ask("POST", "/hosts", {"name": "pinned", "connection_url": "intel:https://192.0.2.7:1443", "tls_policy_choice": {"tls_policy_id": made["p1"]}})
    ok(r.status_code == 200 and r.json()["tls_policy_id"] == made["p1"], "a host refers to it")
    def pin():
        return w.api("GET", "/api/v1/hosts/pinned").json()["tls_policy"]
    ok(pin()["kind"] == "certificate_digest" and digest in str(pin()), f"and is known by it: {pin()}")
    ok(ask("DELETE", "/tls-policies/" + made["p1"]).status_code == 400, "one that a host refers to stays")
    ok(ask("PUT", "/tls-policies/" + made["p1"], {"descriptor": {"policy_type": "certificate-digest", "data": ["ab" * 32]}}).status_code == 200 and
       "ab" * 32 in str(pin()), "changed, its hosts are known by the new one")
    ok(ask("POST", "/hosts", {"name": "p9", "tls_policy_choice": {"tls_policy_id": "nobody"}}).json()["error_code"] == 4001, "a policy that there is not")
    ok(ask("DELETE", "/hosts").status_code == 400, "DELETE /hosts without a condition removes nothing")
    ok(ask("DELETE", "/hosts?nameEqualTo=pinned").status_code == 204 and ask("GET", "/hosts?nameEqualTo=pinned").json()["hosts"] == [],
       "DELETE /hosts by name")
    ok(ask("DELETE", "/tls-policies/" + made["p1"]).status_code == 204 and ask("GET", "/tls-policies/" + made["p1"]).status_code == 404, "then it goes")


def check_certificates(w):
    r = w.ask("GET", "mtwilson", V2 + "/ca-certificates/root", token="", accept="application/x-pem-file")
    ok(r.text == open(w.ca, encoding="ascii").read(), "ca-certificates/root is the root")
    r = w.ask("GET", "mtwilson", V2 + "/ca-certificates/tls.der", token="")
    ok(r.content[:1] == b"\x30", "DER by suffix")
    ok(w.ask("GET", "mtwilson", V2 + "/ca-certificates/tag", token="").status_code == 404, "there is no tag CA")
    names = {c["name"] for c in w.ask("GET", "mtwilson", V2 + "/ca-certificates").json()["ca_certificates"]}
    ok({"root", "tls", "saml", "privacy"} <= names, "ca-certificates lists them")
    r = w.ask("GET", "mtwilson", V2 + "/users")
    ok([u["username"] for u in r.json()["users"]] == ["admin"], "users")
    ok("admin" in {x["role_name"] for x in w.ask("GET", "mtwilson", V2 + "/roles").json()["roles"]}, "roles")


def check_xml(w):
    def post(path, text, kind="application/xml", method="POST"):
        return requests.request(method, w.url("mtwilson", V2 + path), data=text.encode(), verify=w.ca, timeout=60, headers={
            "Content-Type": kind, "Accept": "application/xml", "Authorization": "Bearer " + w.admin})
    r = post("/hosts", '<host xmlns="urn:mtwilson"><name>x1</name><description>rack &lt;7&gt;</description><unknown><deep>1</deep></unknown>'
             "<tls_policy_choice><tls_policy_id>TRUST_FIRST_CERTIFICATE</tls_policy_id></tls_policy_choice>"
             "<connection_url>intel:https://192.0.2.9:1443</connection_url></host>")
    ok(r.status_code == 200 and ET.fromstring(r.text).findtext("description") == "rack <7>", f"POST /hosts in XML: {r.text[:160]}")
    ok(w.api("GET", "/api/v1/hosts/x1").json()["connect"] == "192.0.2.9:1443", "with its TLS policy")
    post("/oems", "<oem><name>Xml</name></oem>", "text/xml; charset=utf-8")
    for manifests, n in (("<manifest><name>0</name><value>%s</value></manifest><manifest><name>1</name><value>%s</value></manifest>" % ("ab" * 32, "cd" * 32), 2),
                         ("<mle_manifest><name>0</name><value>%s</value></mle_manifest>" % ("ab" * 32), 1)):
        r = post("/mles", f"<mle><name>x{n}</name><version>1</version><mle_type>BIOS</mle_type><oem_uuid>Xml</oem_uuid><mle_manifests>{manifests}</mle_manifests></mle>")
        ok(r.status_code == 200 and len(ET.fromstring(r.text).findall(".//pcr_value")) == n, f"POST /mles in XML, {n} values: {r.text[:200]}")
    r = post("/rpc/register-hosts", "<register_hosts><hosts><HostRecords><host_record><host_name>x2</host_name></host_record>"
             "<host_record><host_name>x3</host_name></host_record></HostRecords></hosts></register_hosts>")
    ok([x.text for x in ET.fromstring(r.text).iter("error_code")] == ["OK", "OK"], f"rpc/register-hosts in XML: {r.text[:200]}")
    r = post("/hosts", '<!DOCTYPE h [<!ENTITY x SYSTEM "file:///etc/passwd">]><host><name>&x;</name></host>')
    ok(r.status_code == 400 and "root:" not in r.text, "a DOCTYPE is refused")
    ok(post("/hosts", "<host>" * 500).status_code == 400 and post("/hosts", "<host><name>y</host>").status_code == 400, "depth, and what is not well-formed")
    for n in ("x1", "x2", "x3"):
        w.api("DELETE", "/api/v1/hosts/" + n)
    for m in w.ask("GET", "mtwilson", V2 + "/mles?nameContains=x").json()["mles"]:
        w.ask("DELETE", "mtwilson", V2 + "/mles/" + m["id"])


def check_approval():
    """Where two persons must put a set in force or end it, the family's routes wait for the second, too."""
    w = World("[approval]\nreference_activate = yes\nreference_revoke = yes\n")
    def put(method, path, body=None, listener="mtwilson"):
        return w.ask(method, listener, path, body)
    def waiting():
        return len(w.api("GET", "/api/v1/approvals?state=pending").json()["items"])
    def active():
        return [x for x in w.api("GET", "/api/v1/reference-sets").json()["items"] if x["state"] == "active"]
    try:
        put("POST", V2 + "/oems", {"name": "A"})
        r = put("POST", V2 + "/mles", {"name": "b", "version": "1", "mle_type": "BIOS", "oem_uuid": "A", "mle_manifests": [{"name": "0", "value": "ab" * 32}]})
        ok(r.status_code == 200 and active() == [] and waiting() == 1, "an MLE is a draft until somebody else approves")
        hosts = w.simulate(1)
        name = hosts[0]["name"]
        r = put("POST", V2 + "/rpc/create-whitelist", {"wl_config": {"txt_host_record": {"host_name": name}}})
        ok(r.status_code == 200 and active() == [] and waiting() == 3, f"create-whitelist, too: {r.text[:120]}")
        w.api("PATCH", f"/api/v1/hosts/{name}", {"labels": {"address": "192.0.2.5:1443"}})
        r = put("POST", "/hvs/v2/flavors", {"connection_string": "intel:https://192.0.2.5:1443"}, "secl")
        ok(r.status_code == 201 and active() == [] and waiting() == 4, f"and POST /flavors: {r.text[:120]}")
        r = put("DELETE", "/hvs/v2/flavors/" + r.json()["signed_flavors"][0]["flavor"]["meta"]["id"], None, "secl")
        ok(r.status_code != 204 and "revoked" not in {x["state"] for x in w.api("GET", "/api/v1/reference-sets").json()["items"]},
           f"and DELETE /flavors: {r.status_code}")
    finally:
        w.stop()


def check_people(w):
    def ask(method, path, body=None, token=None):
        return w.ask(method, "mtwilson", path, body, token=token)
    r = ask("POST", V2 + "/users", {"username": "ann", "comment": "Ann", "locale": "en_US"})
    ok(r.status_code == 200 and r.json()["username"] == "ann", f"POST /users: {r.text[:120]}")
    uid = r.json()["id"]
    ok(ask("POST", V2 + "/users", {"username": "ann"}).status_code == 400 and ask("POST", V2 + "/users", {"username": " x"}).status_code == 400,
       "a name once, and a name")
    ok(w.api("GET", "/api/v1/users/ann").json()["role"] == "", "she may do nothing yet")
    ok(ask("PUT", f"{V2}/users/{uid}", {"comment": "A.", "enabled": "false"}).json()["enabled"] is False and
       w.api("GET", "/api/v1/users/ann").json()["disabled"] is True, "PUT /users/{id}")
    for kind in ("passwords", "certificates", "hmacs"):
        ok(ask("GET", f"{V2}/users/{uid}/login-{kind}").json()[f"user_login_{kind}"] == [], f"login-{kind}: none")
    ok(ask("DELETE", f"{V2}/users/{uid}").status_code == 204 and ask("GET", f"{V2}/users/{uid}").status_code == 404 and
       "ann" not in {u["username"] for u in ask("GET", V2 + "/users").json()["users"]}, "DELETE /users/{id}")
    admin = next(u["id"] for u in ask("GET", V2 + "/users").json()["users"] if u["username"] == "admin")
    r = ask("DELETE", f"{V2}/users/{admin}")
    ok(r.status_code >= 400 and w.api("GET", "/api/v1/users/admin").json()["disabled"] is False, "the last administrator stays")
    # clients of v1
    ms = "/ManagementService/resources/apiclient"
    s = Signer()
    ok(ask("POST", ms + "/register", {"X509Certificate": base64.b64encode(s.der).decode(), "Name": "v1"}, token="").text == "true", "v1: a client asks")
    r = ask("GET", ms + "?statusEqualTo=Pending").json()
    ok([(x["Fingerprint"], x["Name"], x["Enabled"]) for x in r] == [(s.fingerprint.hex(), "v1", False)], f"an administrator sees it: {r}")
    url = w.url("mtwilson", V2 + "/hosts?limit=1")
    ok(refused(send(w, "GET", url, s.headers("GET", url))), "it opens nothing yet")
    ok(ask("PUT", ms, {"Fingerprint": s.fingerprint.hex(), "Enabled": True, "Status": "Approved", "Roles": ["Attestation", "King"]}).status_code == 400,
       "a role that there is not")
    # who may approve clients, but not more, gives nobody more
    w.api("POST", "/api/v1/roles", {"name": "clerk", "permissions": ["USER_READ", "USER_WRITE"]})
    w.api("POST", "/api/v1/users", {"name": "cleo", "role": "clerk"})
    clerk = w.api("POST", "/api/v1/users/cleo/tokens", {}).json()["token"]
    approve = {"Fingerprint": s.fingerprint.hex(), "Enabled": True, "Status": "Approved", "Roles": ["Attestation"]}
    ok(ask("PUT", ms, approve, token=clerk).status_code == 403, "who has not the role's rights gives them to nobody")
    r = w.ask("POST", "api", f"/api/v1/api-clients/{s.fingerprint.hex()}/approve", {"user": "admin"}, token=clerk)
    ok(r.status_code == 403, f"nor lets a certificate act for the administrator: {r.text[:120]}")
    tid = w.api("GET", "/api/v1/users/admin/tokens").json()["items"][0]["id"]
    ok(w.ask("POST", "api", f"/api/v1/users/admin/tokens/{tid}/signing-key", token=clerk).status_code == 403, "nor makes a key for the administrator's token")
    ok(ask("GET", V2 + "/rpcs", token=clerk).status_code == 200, "a role of one's own need not name ANY")
    ok(ask("PUT", ms, approve).text == "true", "an administrator approves it")
    r = send(w, "GET", url, s.headers("GET", url))
    ok(r.status_code == 200, "its requests are answered")
    post = w.url("mtwilson", V2 + "/oems")
    ok(send(w, "POST", post, s.headers("POST", post, "{}"), "{}").status_code == 403, "within the role: Attestation keeps no whitelists")
    u = next(u for u in ask("GET", V2 + "/users").json()["users"] if u["comment"] == "v1")
    ok([x["id"] for x in ask("GET", f"{V2}/users/{u['id']}/login-certificates").json()["user_login_certificates"]] == [s.fingerprint.hex()],
       "login-certificates of its account")
    ok(ask("PUT", ms, {"Fingerprint": s.fingerprint.hex(), "Enabled": False, "Status": "Rejected"}).text == "true" and
       refused(send(w, "GET", url, s.headers("GET", url))), "ended, it opens nothing")
    w.api("DELETE", "/api/v1/api-clients/" + s.fingerprint.hex())
    ok(ask("GET", "/ManagementService/resources/i18n/locale").text == "en-US", "locale")


def refused(r, code=None):
    return r.status_code == 401 and (code is None or code in r.text)


def send(w, method, url, headers, body=""):
    return requests.request(method, url, data=body.encode(), verify=w.ca, timeout=30,
                            headers={"Content-Type": "application/json", **headers})


def check_x509(w):
    s = Signer()
    body = {"user": {"username": "cloud", "comment": "the scheduler"},
            "user_login_certificate": {"certificate": base64.encodebytes(s.der).decode()}}
    r = w.ask("POST", "mtwilson", V2 + "/rpc/register-user-with-certificate", body, token="")
    ok(r.status_code == 200 and r.json()["result"] is True, "a certificate asks to become a client, without credential")
    url = w.url("mtwilson", V2 + "/hosts?nameEqualTo=rpc1")
    ok(refused(send(w, "GET", url, s.headers("GET", url))), "it opens nothing before it is approved")
    r = w.api("GET", "/api/v1/api-clients")
    ok([(c["fingerprint"], c["state"], c["name"]) for c in r.json()["items"]] ==
       [(s.fingerprint.hex(), "asked", "cloud")], "an administrator sees it")
    w.api("POST", "/api/v1/users", {"name": "scheduler", "role": "viewer"})
    r = w.api("POST", f"/api/v1/api-clients/{s.fingerprint.hex()}/approve", {"user": "scheduler"})
    ok(r.status_code == 200 and r.json()["state"] == "active", "and gives it a user")
    h = s.headers("GET", url)
    r = send(w, "GET", url, h)
    ok(r.status_code == 200 and len(r.json()["hosts"]) == 1, "then a signed request is answered")
    ok(refused(send(w, "GET", url, h)), "the same again is refused: a replay")
    other = url.replace("rpc1", "rpc3")
    ok(refused(send(w, "GET", other, s.headers("GET", url))), "another query than the signed")
    ok(refused(send(w, "GET", w.url("mtwilson", V2 + "/roles"), s.headers("GET", url))), "another URL")
    ok(refused(send(w, "GET", url, s.headers("POST", url))), "another method")
    ok(refused(send(w, "GET", url, s.headers("GET", url, ago=3700))), "a date of more than an hour ago")
    ok(refused(send(w, "GET", url, s.headers("GET", url, ago=-120))), "a date ahead of time")
    h = s.headers("GET", url)
    h["Date"] = s.headers("GET", url, ago=5)["Date"]
    ok(refused(send(w, "GET", url, h)), "another date than the signed")
    h = s.headers("GET", url.replace("127.0.0.1", "other.example"))
    h["Host"] = url.split("/")[2].replace("127.0.0.1", "other.example")
    ok(refused(send(w, "GET", url, h)), "made for another server")
    ok(refused(send(w, "GET", url, Signer().headers("GET", url))), "an unknown certificate")
    post = w.url("mtwilson", V2 + "/hosts")
    text = json.dumps({"name": "signed1"})
    r = send(w, "POST", post, s.headers("POST", post, text), text)
    ok(r.status_code == 403, "the user's rights hold: a viewer registers nothing")
    w.api("PATCH", "/api/v1/users/scheduler", {"role": "operator"})
    r = send(w, "POST", post, s.headers("POST", post, text), json.dumps({"name": "signed2"}))
    ok(refused(r), "another body than the signed")
    r = send(w, "POST", post, s.headers("POST", post, text), text)
    ok(r.status_code == 200 and r.json()["name"] == "signed1", "the signed body is taken")
    return s


def check_hmac(w):
    token = w.api("POST", "/api/v1/users/scheduler/tokens", {"label": "hmac", "role": "viewer"}).json()
    r = w.api("POST", f"/api/v1/users/scheduler/tokens/{token['id']}/signing-key")
    ok(r.status_code == 201 and r.json()["username"] == token["id"], "an API token gets a signing key")
    user, key = r.json()["username"], r.json()["password"]
    url = w.url("mtwilson", V2 + "/hosts?nameEqualTo=rpc1")
    h = hmac_headers(user, key, "GET", url)
    ok(send(w, "GET", url, h).status_code == 200, "MtWilson: a signed request is answered")
    ok(refused(send(w, "GET", url, h)), "MtWilson: a replay")
    ok(refused(send(w, "GET", url.replace("rpc1", "rpc3"), hmac_headers(user, key, "GET", url))),
       "MtWilson: another query")
    ok(refused(send(w, "GET", w.url("mtwilson", V2 + "/rpcs"), hmac_headers(user, key, "GET", url))),
       "MtWilson: another URL")
    ok(refused(send(w, "GET", url, hmac_headers(user, key, "GET", url, ago=3700))), "MtWilson: too old")
    ok(refused(send(w, "GET", url, hmac_headers(user, "x" + key, "GET", url))), "MtWilson: another key")
    ok(refused(send(w, "GET", url, hmac_headers("nobody", key, "GET", url))), "MtWilson: no such user")
    post = w.url("mtwilson", V2 + "/hosts")
    ok(refused(send(w, "POST", post, hmac_headers(user, key, "POST", post, "{}"), '{"name":"x"}')),
       "MtWilson: another body")
    ok(send(w, "POST", post, hmac_headers(user, key, "POST", post, "{}"), "{}").status_code == 403,
       "MtWilson: the token's rights hold")
    raw = open(os.path.join(w.state, "assay.db"), "rb").read()
    wal = os.path.join(w.state, "assay.db-wal")
    raw += open(wal, "rb").read() if os.path.exists(wal) else b""
    ok(key.encode() not in raw and base64.b64encode(key.encode()) not in raw, "the key is not in the store as it is")
    w.api("DELETE", f"/api/v1/users/scheduler/tokens/{token['id']}")
    ok(refused(send(w, "GET", url, hmac_headers(user, key, "GET", url))), "MtWilson: a revoked token's key")


def check_docs():
    rc = subprocess.run([sys.executable, os.path.join(SRC, "src/prog/assayd/family/compat.py"), "--check",
                         os.path.join(SRC, "docs/compat.md")]).returncode
    ok(rc == 0, "docs/compat.md is what the route tables say")


def check_blob(w):
    url = w.url("mtwilson", V2 + "/hosts?nameEqualTo=rpc1")
    ok(send(w, "GET", url, {"x-auth-blob": w.admin}).status_code == 200, "x-auth-blob may carry an API token")
    ok(refused(send(w, "GET", url, {"x-auth-blob": w.admin[:-1] + ("A" if w.admin[-1] != "A" else "B")})),
       "a wrong one is refused")
    ok(refused(send(w, "GET", url, {"x-auth-blob": "anything"})), "anything else is no credential")
    r = requests.get(w.url("api", "/api/v1/hosts"), headers={"x-auth-blob": w.admin}, verify=w.ca, timeout=30)
    ok(r.status_code == 401, "not on the API's own address")


def check_restart(w, s):
    url = w.url("mtwilson", V2 + "/hosts?nameEqualTo=rpc1")
    h = s.headers("GET", url)
    ok(send(w, "GET", url, h).status_code == 200, "a signed request before kill -9")
    port = w.at["mtwilson"]
    w.kill()
    again = w.url("mtwilson", V2 + "/hosts?nameEqualTo=rpc1")
    h["Host"] = port  # as it was signed
    ok(refused(send(w, "GET", again, h), "signed before"), "recorded, it is refused after the restart")
    got = until(lambda: send(w, "GET", again, s.headers("GET", again)).status_code == 200, 20)
    ok(got, "a new one is answered")
    r = w.api("DELETE", f"/api/v1/api-clients/{s.fingerprint.hex()}")
    ok(r.status_code == 204 and refused(send(w, "GET", again, s.headers("GET", again))),
       "an ended certificate opens nothing")


def main():
    check_docs()
    w = World()
    try:
        check_hosts(w)
        check_mles(w)
        check_rpc(w)
        check_tls_policies(w)
        check_certificates(w)
        s = check_x509(w)
        check_people(w)
        check_xml(w)
        check_hmac(w)
        check_blob(w)
        hosts = w.simulate(2)
        if ok(hosts, "a simulated host attests"):
            check_attest(w, hosts[0]["name"], hosts[0]["id"], hosts[1]["name"])
            check_history(w, hosts[0]["name"], hosts[0]["id"])
            check_scope(w, hosts[0]["name"])
        check_restart(w, s)
    finally:
        w.stop()
    check_approval()
    return done()


sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SecL's /hvs/v2 and /aas/v1/token of a real assayd by python3-requests, with a simulated host. TAP."""
import sys

from family_world import World, done, ok, until

V2 = "/hvs/v2"
SAML = "application/samlassertion+xml"


def check_token(w):
    r = w.ask("POST", "secl", "/aas/v1/token", {"username": "admin", "password": w.admin}, token="")
    ok(r.status_code == 200 and r.text == w.admin, "aas/v1/token: an API token as password is the bearer token")
    ok(w.ask("GET", "secl", V2 + "/hosts", token=r.text).status_code == 200, "it opens what its user may")
    for name, password in (("admin", w.admin[:-1] + ("A" if w.admin[-1] != "A" else "B")), ("root", w.admin),
                           ("admin", ""), ("admin", "password")):
        r = w.ask("POST", "secl", "/aas/v1/token", {"username": name, "password": password}, token="")
        ok(r.status_code == 401 and w.admin not in r.text, f"wrong: {name}, a password of {len(password)}")
    ok(w.ask("GET", "secl", V2 + "/hosts", token="").status_code == 401, "without token: 401")


def check_hosts(w):
    r = w.ask("POST", "secl", V2 + "/hosts", {"host_name": "s1", "connection_string": "intel:https://10.0.0.8:1443",
                                              "description": "rack 1", "flavorgroup_names": ["x"]})
    ok(r.status_code == 201 and r.json()["host_name"] == "s1", "POST /hosts")
    hid = r.json()["id"]
    ok(w.ask("GET", "secl", f"{V2}/hosts/{hid}").json()["description"] == "rack 1", "GET /hosts/{id}")
    ok([h["id"] for h in w.ask("GET", "secl", V2 + "/hosts?nameEqualTo=s1").json()["hosts"]] == [hid], "search")
    ok([h["id"] for h in w.ask("GET", "secl", f"{V2}/hosts?hostHardwareId={hid}").json()["hosts"]] == [hid],
       "search by hardware id")
    ok(w.ask("GET", "secl", V2 + "/hosts?trusted=true").json()["hosts"] == [], "none is trusted")
    s = w.ask("GET", "secl", f"{V2}/host-status?hostId={hid}").json()["host_status"]
    ok(s[0]["status"]["host_state"] == "AIK_NOT_PROVISIONED", "host-status of a host without agent")
    ok(w.ask("DELETE", "secl", f"{V2}/hosts/{hid}").status_code == 204, "DELETE /hosts/{id}")
    r = w.ask("GET", "secl", f"{V2}/hosts/{hid}")
    ok(r.status_code == 404 and not r.text.startswith("{"), "it is gone; errors are text")


def check_reports(w, host):
    name, hid = host["name"], host["id"]
    w.api("POST", "/api/v1/reference-sets/learn", {"host": name, "name": "golden", "activate": True})
    until(lambda: w.api("GET", f"/api/v1/hosts/{name}").json()["verdict"] == "trusted", 60)
    r = w.ask("POST", "secl", V2 + "/reports", {"host_name": name})
    native = w.api("GET", f"/api/v1/hosts/{name}").json()["verdict"] == "trusted"
    t = r.json()["trust_information"]
    ok(r.status_code == 200 and r.json()["host_id"] == hid, "POST /reports attests")
    ok(t["OVERALL"] == native and t["flavors_trust"]["PLATFORM"]["trust"] in (True, False), "OVERALL is the verdict")
    ok(t["flavors_trust"]["PLATFORM"]["rules"], "rules of a part")
    r = w.ask("POST", "secl", V2 + "/reports", {"host_id": hid}, accept=SAML)
    ok(r.headers["content-type"] == SAML and "TRUST_OVERALL" in r.text, "SAML by Accept, with SecL's attributes")
    r = w.ask("GET", "secl", f"{V2}/reports?hostName={name}")
    ok(len(r.json()["reports"]) == 1, "GET /reports")
    rid = r.json()["reports"][0]["id"]
    r = w.ask("GET", "secl", f"{V2}/reports/{rid}")
    ok(r.status_code == 200 and r.json()["id"] == rid, "GET /reports/{id}: it is kept, whatever came after it")
    native = w.api("GET", f"/api/v1/hosts/{name}/reports?limit=3").json()["items"]
    r = w.ask("GET", "secl", f"{V2}/reports?hostId={hid}&latestPerHost=false&fromDate={native[2]['at']}&toDate={native[0]['at']}")
    ok([x["id"] for x in r.json()["reports"]] == [x["id"] for x in native], "GET /reports of a span of time")
    r = w.ask("GET", "secl", f"{V2}/reports?hostId={hid}&toDate={native[1]['at']}")
    ok([x["id"] for x in r.json()["reports"]] == [native[1]["id"]], "the latest of each host until then")
    for state, n in (("CONNECTED", 1), ("CONNECTION_FAILURE", 0)):
        ok(len(w.ask("GET", "secl", f"{V2}/reports?hostStatus={state}").json()["reports"]) == n, f"reports of hosts that are {state}")
    r = w.ask("GET", "secl", f"{V2}/reports?hostId={hid}", accept=SAML)
    ok(b"Assertion" in r.content, "SAML of GET /reports")
    f = w.ask("GET", "secl", V2 + "/flavors").json()["signed_flavors"]
    parts = {x["flavor"]["meta"]["description"]["flavor_part"] for x in f}
    ok("PLATFORM" in parts and "OS" in parts, "reference sets as flavors")
    fid = f[0]["flavor"]["meta"]["id"]
    ok(w.ask("GET", "secl", f"{V2}/flavors/{fid}").json()["flavor"]["meta"]["id"] == fid, "GET /flavors/{id}")
    one = w.ask("GET", "secl", V2 + "/flavors?key=flavor_part&value=OS").json()["signed_flavors"]
    ok(one and all(x["flavor"]["meta"]["description"]["flavor_part"] == "OS" for x in one), "flavors by part")
    ok(w.ask("POST", "secl", V2 + "/reports", {"host_name": "nobody"}).status_code == 404, "an unknown host: 404")
    h = w.ask("GET", "secl", f"{V2}/hosts?nameEqualTo={name}&getReport=true&getHostStatus=true").json()["hosts"][0]
    ok(h["status"]["host_state"] == "CONNECTED" and h["report"]["host_id"] == hid, "getReport, getHostStatus")
    ok("report" not in w.ask("GET", "secl", f"{V2}/hosts/{hid}").json(), "not when they are not asked for")
    r = w.ask("POST", "secl", V2 + "/flavors", {"connection_string": "intel:https://192.0.2.5:1443"})
    ok(r.status_code == 404, "a flavor of a host that nobody knows")
    w.ask("PUT", "secl", f"{V2}/hosts/{hid}", {"connection_string": "intel:https://192.0.2.5:1443;admin;secret"})
    r = w.ask("POST", "secl", V2 + "/flavors", {"connection_string": "intel:https://192.0.2.5:1443", "partial_flavor_types": ["PLATFORM"], "label": "plat"})
    got = r.json()["signed_flavors"] if r.status_code == 201 else []
    ok([x["flavor"]["meta"]["description"]["flavor_part"] for x in got] == ["PLATFORM"], f"POST /flavors learns from the host: {r.text[:160]}")
    sets = {x["name"]: x["state"] for x in w.api("GET", "/api/v1/reference-sets").json()["items"]}
    ok(sets.get("plat") == "active", "a reference set, in force")
    ok(w.ask("POST", "secl", V2 + "/flavors", {"connection_string": "intel:https://192.0.2.5:1443", "partial_flavor_types": ["KING"]}).status_code == 400,
       "an unknown part")
    g = w.ask("GET", "secl", V2 + "/flavorgroups").json()["flavorgroups"]
    fid = got[0]["flavor"]["meta"]["id"] if got else "x"
    ok([x["name"] for x in g] == ["automatic"] and fid in g[0]["flavor_ids"], "flavorgroups: automatic")
    links = w.ask("GET", "secl", f"{V2}/flavorgroups/{g[0]['id']}/flavors").json()["flavorgroup_flavor_links"]
    ok(fid in {x["flavor_id"] for x in links}, "flavorgroups/{id}/flavors")
    ok(w.ask("GET", "secl", f"{V2}/hosts/{hid}/flavorgroups").json()["flavorgroup_host_links"][0]["flavorgroup_id"] == g[0]["id"], "hosts/{id}/flavorgroups")
    ok(w.ask("DELETE", "secl", f"{V2}/flavors/{fid}").status_code == 204, "DELETE /flavors/{id}")
    sets = {x["name"]: x["state"] for x in w.api("GET", "/api/v1/reference-sets").json()["items"]}
    ok(sets.get("plat") == "revoked", "the set is revoked")
    ok(len(w.ask("GET", "secl", f"{V2}/host-status?hostStatus=CONNECTED").json()["host_status"]) == 1, "host-status by state")


def flavor(part, label, pcrs, **more):
    return {"flavor": {"meta": {"id": "0b1a2c3d-0000-4000-8000-000000000007", "vendor": "INTEL",
                                "description": dict({"flavor_part": part, "label": label}, **more)}, "pcrs": pcrs}}


def rule(pcr, measurement=None, bank="SHA256", **more):
    return dict({"pcr": {"index": pcr, "bank": bank}}, **({"measurement": measurement, "pcr_matches": True} if measurement else {}), **more)


def event(digest, name):
    return {"type_id": "0x1", "type_name": name, "tags": [name], "measurement": digest}


def measured(w, host):
    """{PCR: value} of SHA-256 that the host showed, {PCR: [digests of its events]}."""
    rid = w.api("GET", f"/api/v1/hosts/{host['name']}/reports?limit=1").json()["items"][0]["id"]
    w.api("POST", "/api/v1/reference-sets/learn", {"host": host["name"], "name": "as it is"})
    sets = [x for x in w.api("GET", "/api/v1/reference-sets").json()["items"] if x["name"] == "as it is"]
    parts = w.api("GET", f"/api/v1/reference-sets/{sets[-1]['id']}").json()["parts"]
    rules = parts["platform"] + parts["os"]
    return (rid, {r["pcr"]: r["values"]["sha256"] for r in rules if r["kind"] == "pcr"},
            {r["pcr"]: [x["digests"]["sha256"] for x in r["events"]] for r in rules if r["kind"] == "events"})


def post(w, *flavors):
    return w.ask("POST", "secl", V2 + "/flavors", {"flavor_collection": {"flavors": list(flavors)}})


def plain(f):
    return {(p["pcr"]["index"], p["pcr"]["bank"]): p for p in f["flavor"]["pcrs"]}


def verdict(w, host):
    r = w.ask("POST", "secl", V2 + "/reports", {"host_id": host["id"]}).json()["trust_information"]
    return {k: v["trust"] for k, v in r["flavors_trust"].items()}, r


def check_by_value(w, host):
    for x in w.api("GET", "/api/v1/reference-sets").json()["items"]:
        if x["state"] == "active":
            w.api("POST", f"/api/v1/reference-sets/{x['id']}/revoke", {"force": True})
    _, pcrs, events = measured(w, host)
    both = sorted(set(pcrs) & set(events))
    good = [rule(n, v) for n, v in sorted(pcrs.items()) if n in (0, 1, 2, 3, 6, 7)]
    os_rules = [rule(n, v) for n, v in sorted(pcrs.items()) if n in (4, 5, 8, 9, 11, 12, 13, 14, 15)]
    r = post(w, flavor("PLATFORM", "Acme 1 platform", good), flavor("OS", "Acme 1 os", os_rules))
    made = {x["flavor"]["meta"]["description"]["flavor_part"]: x for x in r.json()["signed_flavors"]} if ok(r.status_code == 201, f"POST /flavors with flavor_collection: {r.text[:200]}") else {}
    ok(set(made) == {"PLATFORM", "OS"}, "one flavor of each part")
    fid = made["PLATFORM"]["flavor"]["meta"]["id"]
    ok({x["name"]: x["state"] for x in w.api("GET", "/api/v1/reference-sets").json()["items"]}.get("Acme 1 platform") == "active", "in force")
    got = w.ask("GET", "secl", f"{V2}/flavors/{fid}").json()
    ok({k: (p["measurement"], p["pcr_matches"]) for k, p in plain(got).items()} == {(x["pcr"]["index"], "SHA256"): (x["measurement"], True) for x in good},
       "GET /flavors/{id} answers the values it was made of")
    ok(got["flavor"]["meta"]["description"]["label"] == "Acme 1 platform" and got["signature"] == "", "its label; no signature")
    found = w.ask("GET", "secl", V2 + "/flavors?key=label&value=Acme%201%20os").json()["signed_flavors"]
    ok(len(found) == 1 and len(found[0]["flavor"]["pcrs"]) == len(os_rules), "found by its label, with values")
    ok({x["flavor"]["meta"]["description"]["flavor_part"] for x in w.ask("GET", "secl", V2 + "/flavors?flavorParts=OS").json()["signed_flavors"]} == {"OS"}, "by part")
    trust, r = verdict(w, host)
    ok(trust["PLATFORM"] and trust["OS"], f"a host that shows these values is trusted: {trust}")
    # another value: the next version of that label is in force instead
    bad = [dict(x, measurement="ab" * 32) if x["pcr"]["index"] == 0 else x for x in good]
    ok(post(w, flavor("PLATFORM", "Acme 1 platform", bad)).status_code == 201, "another flavor of that label")
    trust, r = verdict(w, host)
    faults = [x["rule"]["rule_name"] for x in r["flavors_trust"]["PLATFORM"]["rules"] if not x["trusted"]]
    ok(not trust["PLATFORM"] and trust["OS"] and faults, f"a host that shows another PCR 0 is not: {trust} {faults}")
    # events, in both forms
    n = next(x for x in both if x in (0, 1, 2, 3, 6, 7))
    listed = [event(d, f"event {i}") for i, d in enumerate(events[n])]
    r = post(w, flavor("PLATFORM", "Acme 1 platform", [x for x in good if x["pcr"]["index"] != n] + [rule(n, eventlog_equals={"events": listed})]))
    got = plain(r.json()["signed_flavors"][0])[(n, "SHA256")] if ok(r.status_code == 201, f"eventlog_equals: {r.text[:200]}") else {}
    ok([x["measurement"] for x in got.get("eventlog_equals", {}).get("events", [])] == events[n] and "measurement" not in got, "its event log is answered")
    ok(verdict(w, host)[0]["PLATFORM"], "the host's log is that one")
    r = post(w, flavor("PLATFORM", "Acme 1 platform", [x for x in good if x["pcr"]["index"] != n] + [rule(n, eventlog_equals={"events": listed + [event("cd" * 32, "more")]})]))
    ok(r.status_code == 201 and not verdict(w, host)[0]["PLATFORM"], "it lacks an event of this one")
    old = {"SHA256": {f"pcr_{k}": {"value": v, "event": [{"value": d, "label": f"e{i}", "digest_type": "com.intel.mtwilson.core.common.model.MeasurementSha256",
                                                           "info": {"ComponentName": f"e{i}"}} for i, d in enumerate(events.get(k, []))]}
                      for k, v in pcrs.items() if k in (0, 1, 2, 3, 6, 7)}}
    r = post(w, flavor("PLATFORM", "Acme 1 platform", old))
    ok(r.status_code == 201 and verdict(w, host)[0]["PLATFORM"], f"pcrs by bank and pcr_N, with events: {r.text[:160]}")
    old["SHA256"][f"pcr_{n}"]["event"][0]["value"] = "ef" * 32
    ok(post(w, flavor("PLATFORM", "Acme 1 platform", old)).status_code == 201 and not verdict(w, host)[0]["PLATFORM"], "an event that is not in its log")
    # of one host
    r = post(w, flavor("HOST_UNIQUE", "own", [rule(n, pcrs[n])], hardware_uuid=host["id"]))
    ok(r.status_code == 201 and r.json()["signed_flavors"][0]["flavor"]["meta"]["description"]["hardware_uuid"] == host["id"], f"HOST_UNIQUE names its host: {r.text[:160]}")
    ok(post(w, flavor("PLATFORM", "Acme 1 platform", good)).status_code == 201 and verdict(w, host)[0]["PLATFORM"], "its own value holds")
    post(w, flavor("HOST_UNIQUE", "own", [rule(n, "ab" * 32)], hardware_uuid=host["id"]))
    ok(not verdict(w, host)[0]["PLATFORM"], "another value of its own does not")
    nobody = "0b1a2c3d-0000-4000-8000-000000000009"
    known = {x["id"] for x in w.api("GET", "/api/v1/reference-sets").json()["items"]}
    for what, status, f in (
            ("a host that nobody knows", 404, [flavor("HOST_UNIQUE", "x", good, hardware_uuid=nobody)]),
            ("no host", 400, [flavor("HOST_UNIQUE", "x", good)]),
            ("a part that is not of PCRs", 400, [flavor("SOFTWARE", "x", good)]),
            ("no PCR", 400, [flavor("OS", "x", [])]),
            ("nothing to compare with", 400, [flavor("OS", "x", [{"pcr": {"index": 4, "bank": "SHA256"}, "measurement": "ab" * 32}])]),
            ("PCR 10", 400, [flavor("OS", "x", [rule(10, "ab" * 32)])]),
            ("a digest of another bank", 400, [flavor("OS", "x", [rule(4, "ab" * 20)])]),
            ("a bank of no name", 400, [flavor("OS", "x", [rule(4, "ab" * 32, bank="MD5")])]),
            ("no label", 400, [flavor("OS", "", os_rules)]),
            ("exclude_tags of the boot log", 400, [flavor("OS", "x", [rule(4, eventlog_equals={"events": [event("ab" * 32, "e")], "exclude_tags": ["shim"]})])]),
            ("events that are no list", 400, [flavor("OS", "x", [rule(4, "ab" * 32, eventlog_includes={"a": 1})])]),
            ("pcr_matches without a value", 400, [flavor("OS", "x", [{"pcr": {"index": 4, "bank": "SHA256"}, "pcr_matches": True, "eventlog_includes": [event("ab" * 32, "e")]}])]),
            ("eventlog_equals that is a list", 400, [flavor("OS", "x", [rule(4, "ab" * 32, eventlog_equals=[event("ab" * 32, "e")])])]),
            ("a PCR twice", 400, [flavor("OS", "x", [rule(4, "ab" * 32), rule(4, "cd" * 32)])]),
            ("its events twice", 400, [flavor("OS", "x", [rule(4, eventlog_includes=[event("ab" * 32, "e")]), rule(4, eventlog_includes=[event("cd" * 32, "e")])])]),
            ("other events in another bank", 400, [flavor("OS", "x", [rule(4, eventlog_includes=[event("ab" * 32, "e")]), rule(4, bank="SHA1", eventlog_includes=[event("ab" * 20, "f")])])]),
            ("a value that is a number", 400, [flavor("OS", "x", {"SHA256": {"pcr_4": {"value": 5, "event": [{"value": "ab" * 32, "label": "e"}]}}})]),
            ("an empty bank", 400, [flavor("OS", "x", {"SHA256": {}})]),
            ("two of one label", 400, [flavor("OS", "x", os_rules), flavor("OS", "x", os_rules)]),
            ("a good one and a bad one", 400, [flavor("OS", "y", os_rules), flavor("KING", "x", os_rules)]),
            ("none", 400, [])):
        r = post(w, *f)
        ok(r.status_code == status, f"{what}: {r.status_code} {r.text[:120]}")
    signed = dict(flavor("OS", "x", os_rules), signature="aGk=")
    r = w.ask("POST", "secl", V2 + "/flavors", {"signed_flavor_collection": {"signed_flavors": [signed]}})
    ok(r.status_code == 400 and "sign" in r.text, f"a signature that nobody checks is not passed over: {r.text[:120]}")
    ok({x["id"] for x in w.api("GET", "/api/v1/reference-sets").json()["items"]} == known, "none of these left a set")


def check_rules_of_import():
    """Who wants signed sets, or two persons, wants them of flavors too."""
    one = flavor("OS", "Acme 1 os", [rule(4, "ab" * 32)])
    w = World("reference_import_unsigned = no\n")
    try:
        r = post(w, one)
        ok(r.status_code == 403 and w.api("GET", "/api/v1/reference-sets").json()["items"] == [], f"reference_import_unsigned = no: {r.text[:100]}")
    finally:
        w.stop()
    w = World("[approval]\nreference_activate = yes\n")
    try:
        r = post(w, one)
        ok(r.status_code == 201, f"two persons: {r.text[:100]}")
        ok([x["state"] for x in w.api("GET", "/api/v1/reference-sets").json()["items"]] == ["draft"], "it is a draft")
        ok([x["state"] for x in w.api("GET", "/api/v1/approvals").json()["items"]] == ["pending"], "until somebody else approves")
    finally:
        w.stop()


def main():
    check_rules_of_import()
    w = World()
    try:
        ok("Version" in w.ask("GET", "secl", V2 + "/version", token="").text, "version")
        check_token(w)
        check_hosts(w)
        r = w.ask("GET", "secl", V2 + "/ca-certificates?domain=root", token="", accept="application/x-pem-file")
        ok(r.text == open(w.ca, encoding="ascii").read(), "ca-certificates?domain=root")
        hosts = w.simulate(1)
        if ok(hosts, "a simulated host attests"):
            check_reports(w, hosts[0])
            check_by_value(w, hosts[0])
    finally:
        w.stop()
    return done()


sys.exit(main())

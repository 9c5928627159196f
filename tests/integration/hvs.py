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


def main():
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
    finally:
        w.stop()
    return done()


sys.exit(main())

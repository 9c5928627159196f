#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""SOAP of a real assayd on loopback by zeep, which we did not write: both versions, roles, faults, hostile messages,
every message held against the schemas by xmllint, the examples of docs/soap.md. TAP."""
import importlib.util
import os
import re
import shutil
import subprocess
import sys

SRC = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SRC, "tests/support"))
if not importlib.util.find_spec("zeep") or not shutil.which("xmllint"):
    print("ok 1 - all # SKIP package not installable (python3-zeep, libxml2-utils)\n1..1")
    sys.exit(0)
from soapclient import NS, Soap, code_in, code_of  # noqa: E402

spec = importlib.util.spec_from_file_location("api", os.path.join(SRC, "tests/integration/api.py"))
api = importlib.util.module_from_spec(spec)
spec.loader.exec_module(api)
ok = api.ok
S11, S12 = "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"
TRUST = f"<GetTrust xmlns='{NS}'><host>web</host></GetTrust>"


def envelope(inside, ns=S11, head=""):
    return f"<s:Envelope xmlns:s='{ns}'>{head}<s:Body>{inside}</s:Body></s:Envelope>"


def descriptions(soap, server):
    wsdl = soap.get("?wsdl")
    ok(wsdl.status_code == 200 and wsdl.headers["content-type"].startswith("text/xml"), "the WSDL is there, without credential")
    ok(wsdl.content == soap.get("?WSDL").content == soap.get("").content, "however it is asked for")
    ok(wsdl.text.count(f"https://{server.addr}:{server.port}/soap/v1") == 3, "it names the server as the client called it")
    other = soap.session.get(soap.server + "/soap/v1?wsdl", headers={"Host": "assay.example:443"}, timeout=30).text
    ok("https://assay.example:443/soap/v1" in other, "and by another name, if that was it")
    versions = {len(p.binding._operations) for p in soap.client.wsdl.services["AssayService"].ports.values()}
    names = set(re.findall(r'^OP\((\w+),', open(os.path.join(SRC, "src/prog/assayd/soap/operations.def"), encoding="utf-8").read(), re.M))
    ok(versions == {len(names)}, "both ports have every operation of the table")


def life(soap, service, name, server):
    """What needs no TPM, by one version; compared with what REST says."""
    host = service.RegisterHost(name=name, labels={"entry": [{"key": "rack", "value": "<b&2>"}]})
    rest = server.call("GET", f"/api/v1/hosts/{name}", server.admin)[1]
    ok((host.id, host.state) == (rest["id"], "registered") and rest["labels"] == {"rack": "<b&2>"}, f"{name}: registered as REST sees it")
    trust = service.GetTrust(host=name)
    ok(trust.verdict == rest["verdict"] == "unknown" and "identity" not in trust, "GetTrust says the verdict and no more")
    service.UpdateHost(host=name, labels={"entry": [{"key": "rack", "value": "c1"}]})
    ok(server.call("GET", f"/api/v1/hosts/{name}", server.admin)[1]["labels"] == {"rack": "c1"}, "UpdateHost")
    page = service.ListHosts(limit=1)
    ok(len(page["items"]) == 1 and service.ListHosts(limit=1, cursor=page.next)["items"][0].id != page["items"][0].id, "lists by pages")
    token = service.CreateEnrolmentToken(host=name, uses=1)
    ok(token.token.startswith("assay1.") and any(t.id == token.id for t in service.ListEnrolmentTokens()["items"]), "an enrolment token")
    service.RevokeEnrolmentToken(token=token.id)
    ok(code_of(service.RevokeEnrolmentToken, token="0" * 32) == "NOENT", "one that is not there cannot be ended")
    ok(code_of(service.GetAssertion, host=name) is not None, "no assertion about a host of which nothing is known")
    ok(code_of(service.RegisterHost, name=name) == "NAME_TAKEN", "a name is taken once")
    service.RemoveHost(host=name)
    ok(code_of(service.GetHost, host=name) is None or server.call("GET", f"/api/v1/hosts/{name}", server.admin)[0] == 404 or
       server.call("GET", f"/api/v1/hosts/{name}", server.admin)[1]["state"] == "retired", "RemoveHost")


def everything_readable(soap, server):
    """Each operation that only reads, and needs no argument, answers as REST does."""
    same = {"ListUsers": "/users", "ListRoles": "/roles", "GetVersion": "/version", "ListPolicies": "/policies", "ListWhitelists": "/reference-sets",
            "ListApprovals": "/approvals", "ListPolicyAttachments": "/policy-attachments", "GetConfiguration": "/config"}
    for op, path in same.items():
        got, want = getattr(soap.v12, op)(), server.call("GET", "/api/v1" + path, server.admin)[1]
        count = len(want["items"]) if "items" in want else None
        ok(count == (len(got["items"] if got else [])) if count is not None else got.version == want["version"], f"{op} is {path}")
    ok(soap.v11.GetAuditHead().size >= 3 and soap.v11.ListAudit(limit=2)["items"][1].number == 1, "the audit and its head")
    ok(soap.v11.GetAikCrl().data[:1] == b"\x30", "the CRL, octets as they are")
    soap.v12.GetOverview()


def accounts(soap, server):
    soap.v11.AddUser(name="rita", role="relying")
    token = soap.v12.CreateApiToken(user="rita", label="t").token
    folder = os.path.join(server.dir, "rita")
    os.mkdir(folder)
    rita = Soap(soap.server, soap.session.verify, token, folder)
    ok(code_of(rita.v11.ListHosts) == "NOT_PERMITTED" and code_of(rita.v12.RemoveHost, host="web") == "NOT_PERMITTED", "a relying party may not")
    ok(rita.v12.GetVersion().api == "v1", "but what is for anybody")
    tokens = soap.v11.ListApiTokens(user="rita")["items"]
    soap.v11.RevokeApiToken(user="rita", token=tokens[0].id)
    ok(code_of(rita.v11.GetVersion) == "AUTH_FAILED", "a token that was revoked by SOAP opens nothing")
    soap.v11.UpdateUser(user="rita", disabled=True)
    ok([u.disabled for u in soap.v12.ListUsers()["items"] if u.name == "rita"] == [True], "an account is disabled")
    audit = server.call("GET", "/api/v1/audit?limit=1000", server.admin)[1]["items"]
    made = [a for a in audit if a["object"] == "rita" and a["actor"] == "user:admin"]
    ok(len(made) >= 2, "and the audit has it as by REST")
    bad, n = rita.misfits()
    ok(not bad and n >= 8, f"refusals fit the schemas ({n})")


def idempotent(soap, server):
    body = envelope(f"<RegisterHost xmlns='{NS}'><name>once</name></RegisterHost>")
    first, again = (soap.post(body, Idempotency_Key="k-1") for _ in range(2))
    ok(first.status_code == again.status_code == 200 and first.text == again.text, "an Idempotency-Key makes a repeat the same answer")
    rest = server.call("POST", "/api/v1/hosts", server.admin, '{"name":"once"}', headers={"Idempotency-Key": "k-1"})
    ok(rest[0] == 201 and rest[2].get("idempotency-replayed") == "true", "also by REST, when it says the same")
    tag = server.call("GET", "/api/v1/hosts/once", server.admin)[2]["etag"]
    change = envelope(f"<UpdateHost xmlns='{NS}'><host>once</host><name>twice</name></UpdateHost>")
    ok(code_in(soap.post(change, If_Match='"x-y"').content) not in (None, "INPUT") and soap.post(change, If_Match=tag).status_code == 200,
       "If-Match holds here too")


def by_hand(soap):
    """Statuses, content types and classes of both versions."""
    for ns, kind, status in ((S11, "text/xml", 500), (S12, "application/soap+xml", 400)):
        r = soap.post(envelope(TRUST.replace("web", "nobody"), ns), Content_Type=kind)
        ok(r.status_code == status and r.headers["content-type"].startswith(kind) and code_in(r.content) == "NOENT", f"{kind}: a fault")
        soap.keep_text(r.content, "in")
        r = soap.post(envelope(TRUST, ns), Content_Type=kind, Authorization="Bearer x")
        ok(r.status_code == 401 and "Bearer" in r.headers["www-authenticate"] and code_in(r.content) == "AUTH_FAILED", f"{kind}: 401")
        r = soap.post(envelope(TRUST, ns, "<s:Header><w:Security xmlns:w='urn:w' s:mustUnderstand='1'/></s:Header>"), Content_Type=kind)
        ok(r.status_code == 500 and ":MustUnderstand<" in r.text, f"{kind}: MustUnderstand")
        soap.keep_text(r.content, "in")
        other = S12 if ns == S11 else S11
        r = soap.post(envelope(TRUST, other), Content_Type=kind)
        ok(r.status_code == 500 and ":VersionMismatch<" in r.text and ("Upgrade" in r.text) == (ns == S12), f"{kind}: VersionMismatch")
        soap.keep_text(r.content, "in")
    ok(code_in(soap.post(envelope(TRUST), SOAPAction=f'"{NS}#RemoveHost"').content) == "SOAP_ACTION", "an action of another operation")
    ok(code_in(soap.post(envelope(TRUST, S12), Content_Type=f'application/soap+xml; action="{NS}#RemoveHost"').content) == "SOAP_ACTION",
       "in 1.2 too")
    ok(soap.post(envelope(TRUST), SOAPAction=f'"{NS}#GetTrust"').status_code == 200, "its own one")
    ok(soap.post("{}", Content_Type="application/json").status_code == 415, "JSON is 415")
    ok(soap.session.put(soap.server + "/soap/v1", data="x", timeout=30).status_code == 405, "PUT is 405")


def hostile(soap):
    deep, many = "<a>" * 200 + "</a>" * 200, "<a/>" * 30000
    attributes = "".join(f" a{i}='1'" for i in range(5000))
    cases = {
        "DOCTYPE": ("<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>" + envelope(TRUST), "XML_DOCTYPE"),
        "billion laughs": ("<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]>" + envelope(TRUST.replace("web", "&b;")), "XML_DOCTYPE"),
        "depth": (envelope(deep), "XML_LIMIT"), "nodes": (envelope(many), "XML_LIMIT"),
        "attributes": (envelope(f"<a{attributes}/>"), "XML_LIMIT"), "size": (envelope("x" * (1 << 20)), "XML_LIMIT"),
        "UTF-16": (envelope(TRUST).encode("utf-16"), "XML_LIMIT"), "UTF-7": ("<?xml version='1.0' encoding='UTF-7'?>" + envelope(TRUST), "XML_LIMIT"),
        "comment": (envelope(TRUST.replace("web", "w<!-- -->eb")), "XML_COMMENT"), "two bodies": (envelope(TRUST + "</s:Body><s:Body>" + TRUST), "SOAP_ENVELOPE"),
        "two operations": (envelope(TRUST + TRUST), "SOAP_ENVELOPE"), "text": (envelope("x" + TRUST), "SOAP_TEXT"),
        "namespace": (envelope(TRUST.replace(NS, "urn:x")), "SOAP_NAMESPACE"), "duplicate": (envelope(TRUST.replace("</host>", "</host><host>x</host>")), "SOAP_DUPLICATE"),
        "attribute": (envelope(TRUST.replace("<host>", "<host a='b'>")), "SOAP_ATTRIBUTE"), "operation": (envelope(f"<Drop xmlns='{NS}'/>"), "SOAP_OPERATION"),
        "path": (envelope(TRUST.replace("web", "web/report")), "INPUT"), "empty": ("", "XML_MALFORMED"), "cut": (envelope(TRUST)[:-9], "XML_MALFORMED"),
    }
    for name, (body, code) in cases.items():
        r = soap.post(body if isinstance(body, bytes) else body.encode())
        ok(code_in(r.content) == code and r.status_code in (413, 500), f"hostile: {name} is {code}")
        r = soap.post(body if isinstance(body, bytes) else body.encode(), Authorization="Bearer x")
        if r.status_code not in (401, 429):
            ok(False, f"hostile: {name} is looked at for nobody")


def examples(server, soap):
    text = open(os.path.join(SRC, "docs/soap.md"), encoding="utf-8").read()
    env = {**os.environ, "ASSAY_SERVER": soap.server, "ASSAY_CA": soap.session.verify, "ASSAY_TOKEN_FILE": os.path.join(server.state, "admin.token")}
    python = re.search(r"```python\n(.*?)```", text, re.S).group(1)
    shell = re.search(r"```sh\n(.*?)```", text, re.S).group(1)
    got = subprocess.run([sys.executable, "-c", python], env=env, capture_output=True, text=True, check=False)
    ok(got.returncode == 0 and got.stdout.split()[1:] == ["unknown", "NAME_TAKEN"], "the example of docs/soap.md with zeep")
    got = subprocess.run(["sh", "-c", shell], env=env, capture_output=True, text=True, check=False)
    ok("<verdict>unknown</verdict>" in got.stdout, "and the one with curl")
    made = subprocess.run([sys.executable, os.path.join(SRC, "src/prog/assayd/soap/doc.py"), "--check", os.path.join(SRC, "docs/soap.md")], check=False)
    ok(made.returncode == 0, "docs/soap.md is as the tables are")


server = api.Server()
try:
    folder = os.path.join(server.dir, "messages")
    os.mkdir(folder)
    s = Soap(f"https://{server.addr}:{server.port}", os.path.join(server.state, "root.pem"), server.admin, folder)
    descriptions(s, server)
    s.v11.RegisterHost(name="web")
    s.v12.RegisterHost(name="web2")
    life(s, s.v11, "alpha", server)
    life(s, s.v12, "beta", server)
    everything_readable(s, server)
    accounts(s, server)
    idempotent(s, server)
    by_hand(s)
    hostile(s)
    bad, n = s.misfits()
    if not ok(not bad and n > 80, f"xmllint: every message fits the schemas ({n})"):
        print("\n".join("# " + b[:300] for b in bad[:10]))
    examples(server, s)
    ok(server.call("GET", "/readyz")[0] == 200, "the server is still there")
finally:
    server.stop()
print(f"1..{api.count}")
sys.exit(api.failed > 0)

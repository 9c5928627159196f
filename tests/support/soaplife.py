#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A host's life by SOAP for tests/e2e/42-soap.sh: soaplife.py FOLDER register|live HOST. Prints a line for each step.
FOLDER keeps the messages. Environment: ASSAY_SERVER, ASSAY_CA, ASSAY_TOKEN_FILE."""
import json
import os
import sys

import lxml.etree
from soapclient import Soap, code_of


def trust(s, host):
    t = s.GetTrust(host=host)
    return " ".join([t.verdict] + sorted(e.key + "=" + e.value.verdict for e in (t.components.entry if t.components else [])))


def attest(s, host):
    report, again = s.Attest(host=host, wait=60).result, s.GetReport(host=host)
    same = [f.code for f in report.findings] == [f.code for f in again.findings] != []
    return f"{report.verdict} {report.id == again.id} {same}"


def keep_assertion(s, host, name):
    content = s.GetAssertion(host=host, audience="https://rp.example")
    with open(os.path.join(os.path.dirname(folder), name), "wb") as out:
        out.write(lxml.etree.tostring(content.xml._value_1))
    return content.mediaType


def register(soap, host):
    soap.v11.RegisterHost(name=host, labels={"entry": [{"key": "by", "value": "soap"}]})
    print("token:", soap.v12.CreateEnrolmentToken(host=host).token)
    print("trust before:", trust(soap.v12, host))


def live(soap, host):
    made = soap.v11.LearnWhitelist(host=host, name="golden", note="by SOAP")
    print("learned:", made.state)
    print("activated:", soap.v12.ActivateWhitelist(set=made.id).result.state)
    print("attached:", soap.v12.AttachPolicy(policy="default", host=host).policy)
    print("attested 11:", attest(soap.v11, host))
    print("attested 12:", attest(soap.v12, host))
    print("trust 11:", trust(soap.v11, host))
    print("trust 12:", trust(soap.v12, host))
    got = soap.v11.GetWhitelist(set=made.id)
    print("whitelist:", got.result.state, json.loads(got.document)["id"] == made.id and len(got.document) > 1000)
    print("assertion 11:", keep_assertion(soap.v11, host, "a11.xml"))
    print("assertion 12:", keep_assertion(soap.v12, host, "a12.xml"))
    print("relied on:", code_of(soap.v12.RevokeWhitelist, set=made.id))
    print("revoked:", soap.v12.RevokeWhitelist(set=made.id, force=True).result.state)
    soap.v11.RemoveHost(host=host)
    print("removed:", code_of(soap.v11.Attest, host=host, wait=1), code_of(soap.v12.GetAssertion, host=host))
    bad, n = soap.misfits()
    print("messages:", n > 30 and not bad, *bad[:3])


folder, verb, name = sys.argv[1:4]
with open(os.environ["ASSAY_TOKEN_FILE"], encoding="utf-8") as f:
    token = f.read().strip()
client = Soap(os.environ["ASSAY_SERVER"], os.environ["ASSAY_CA"], token, folder)
client.keep.n = len(os.listdir(folder))
{"register": register, "live": live}[verb](client, name)

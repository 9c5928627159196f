# SPDX-License-Identifier: Apache-2.0
"""SOAP as a client of somebody else's making speaks it: zeep, with every message kept and held against the schemas by xmllint."""
import os
import subprocess

import lxml.etree
import requests
import zeep
from zeep.transports import Transport

NS = "urn:assay:soap:1"
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WRAPPER = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:import namespace="http://schemas.xmlsoap.org/soap/envelope/" schemaLocation="/usr/share/xml/xmltooling/soap-envelope.xsd"/>
<xs:import namespace="http://www.w3.org/2003/05/soap-envelope" schemaLocation="{source}/tests/vectors/soap/soap12.xsd"/>
<xs:import namespace="urn:assay:soap:1" schemaLocation="{folder}/assay.xsd"/>
</xs:schema>
"""


class Keep(zeep.Plugin):
    def __init__(self, folder):
        self.folder, self.n = folder, 0

    def save(self, envelope, way):
        self.n += 1
        with open(os.path.join(self.folder, f"{self.n:04}-{way}.xml"), "wb") as f:
            f.write(lxml.etree.tostring(envelope))

    def egress(self, envelope, http_headers, operation, binding_options):
        self.save(envelope, "out")
        return envelope, http_headers

    def ingress(self, envelope, http_headers, operation):
        self.save(envelope, "in")
        return envelope, http_headers


class Soap:
    """The service at a server, by both versions: .v11 and .v12. folder: where messages are kept."""

    def __init__(self, server, ca, token, folder):
        self.server, self.folder, self.keep = server, folder, Keep(folder)
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = ca
        with open(os.path.join(folder, "assay.xsd"), "wb") as f:
            f.write(self.get("?xsd=assay").content)
        with open(os.path.join(folder, "all.xsd"), "w", encoding="utf-8") as f:
            f.write(WRAPPER.format(source=SOURCE, folder=os.path.abspath(folder)))
        if token:
            self.session.headers["Authorization"] = "Bearer " + token
        self.client = zeep.Client(server + "/soap/v1?wsdl", transport=Transport(session=self.session), plugins=[self.keep])
        self.v11 = self.client.bind("AssayService", "AssaySoap11")
        self.v12 = self.client.bind("AssayService", "AssaySoap12")

    def get(self, query):
        return self.session.get(self.server + "/soap/v1" + query, timeout=30)

    def post(self, body, **headers):
        """A message by hand; headers with _ for -."""
        named = {k.replace("_", "-"): v for k, v in headers.items() if v is not None}
        named.setdefault("Content-Type", "text/xml; charset=utf-8")
        return self.session.post(self.server + "/soap/v1", data=body, headers=named, timeout=30)

    def keep_text(self, text, way):
        self.keep.save(lxml.etree.fromstring(text), way)

    def misfits(self):
        """What xmllint says of the kept messages: names of those that do not fit, and how many were looked at."""
        names = sorted(n for n in os.listdir(self.folder) if n.endswith(".xml"))
        out = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", os.path.join(self.folder, "all.xsd")] +
                             [os.path.join(self.folder, n) for n in names], capture_output=True, text=True, check=False)
        return [line for line in out.stderr.splitlines() if not line.endswith(" validates")], len(names)


def code_of(call, *args, **kw):
    """Our code in the fault that the call ends with; None when it does not."""
    try:
        call(*args, **kw)
    except zeep.exceptions.Fault as fault:
        return fault.detail.findtext(f".//{{{NS}}}code")
    return None


def code_in(text):
    return lxml.etree.fromstring(text).findtext(f".//{{{NS}}}error/{{{NS}}}code")

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/soap.md from operations.def and api/routes.def: doc.py > docs/soap.md; doc.py --check docs/soap.md"""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def rows(name, pattern):
    return re.findall(pattern, open(os.path.join(HERE, name), encoding="utf-8").read(), re.M)


INTRO = '''# SOAP

Made by `src/prog/assayd/soap/doc.py` from the tables the server runs by.

`https://SERVER:8443/soap/v1` speaks SOAP 1.1 and 1.2, document/literal, wrapped. `GET /soap/v1?wsdl` gives the WSDL 1.1 with a port for each version, `?xsd=assay` its messages; both name
the server as the client called it. An operation stands for one REST route and is done by the same code: it needs the same permission, keeps to the same scope, is in the audit under the same
name, and takes `Idempotency-Key` and `If-Match` as HTTP headers as REST does ([api.md](api.md)).

- **Who asks** stands in the HTTP headers of each message, as in REST: `Authorization: Bearer TOKEN`, or another of the ways in [api.md](api.md). Headers of WS-Security are not read; one
  that must be understood is refused.
- **Messages**: elements are in `urn:assay:soap:1`, in the order of the XSD, without attributes. `labels` and other maps are `<entry><key/><value/></entry>`; `xs:dateTime` is UTC; what has no
  fixed shape (`Json` in the XSD) is JSON text. A member that is null in REST is left out.
- **Answers**: `<NAMEResponse>` with `result`; where something may wait, `location` (where REST will have it) or `approval` (what waits for a second person) stands instead. `document`
  is the whole answer as JSON. An assertion stands in `result/xml` as it was signed, other content in `text` or `data` (base 64).
- **Faults** have our code, field, offset and text in `detail/error`, whatever the version; in 1.2 the code is the Subcode too. HTTP statuses: 401, 405, 413, 415 and 429 as in REST; all others 500
  in SOAP 1.1, and in 1.2 400 when the sender is to blame, else 500.
- **SOAPAction** (1.2: `action` of the content type) may be left out; one that is not `urn:assay:soap:1#OPERATION` of the Body is refused.

## Examples
Python, with zeep (Debian: `python3-zeep`):

```python
import os
import requests
import zeep

session = requests.Session()
session.trust_env = False
session.verify = os.environ["ASSAY_CA"]
session.headers["Authorization"] = "Bearer " + open(os.environ["ASSAY_TOKEN_FILE"]).read().strip()
client = zeep.Client(os.environ["ASSAY_SERVER"] + "/soap/v1?wsdl",
                     transport=zeep.transports.Transport(session=session))

host = client.service.RegisterHost(name="web-7", labels={"entry": [{"key": "rack", "value": "b2"}]})
print(host.id, client.service.GetTrust(host="web-7").verdict)
try:
    client.service.RegisterHost(name="web-7")
except zeep.exceptions.Fault as fault:
    print(fault.detail.findtext("*/{urn:assay:soap:1}code"))  # NAME_TAKEN
```

The shell, with curl:

```sh
curl -sS --cacert "$ASSAY_CA" -H "Authorization: Bearer $(cat "$ASSAY_TOKEN_FILE")" \\
  -H 'Content-Type: application/soap+xml' --data-binary @- "$ASSAY_SERVER/soap/v1" <<'END'
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>
  <GetTrust xmlns="urn:assay:soap:1"><host>web-7</host></GetTrust>
</s:Body></s:Envelope>
END
```

## What is refused
Before anything is asked for: XML_DOCTYPE (a DOCTYPE, any other declaration, XInclude, schema locations), XML_LIMIT (over 1 MiB, too deep, too many elements or attributes, a prefix with two
meanings, anything but UTF-8), XML_COMMENT (comments, processing instructions), XML_MALFORMED; then SOAP_MEDIA (content type or charset), SOAP_VERSION (Envelope of another
version than the content type says), SOAP_ENVELOPE (anything but Header or none, then one Body with one element), SOAP_HEADER, SOAP_MUST_UNDERSTAND, SOAP_NAMESPACE, SOAP_TEXT (text where
only elements stand), SOAP_ATTRIBUTE, SOAP_OPERATION, SOAP_ACTION, SOAP_ELEMENT (unknown), SOAP_ORDER, SOAP_DUPLICATE. Values are refused as in REST (`INPUT` and the member's name). The
credential is looked at before the message, the permission when its operation is known. An answer that is longer than 8 MiB is refused (`LIMIT`): ask page by page.

## Operations
'''


def document():
    routes = {(m, p): perm for m, p, perm in rows("../api/routes.def", r'^X\((\w+), "([^"]+)", (\w+),')}
    ops = rows("operations.def", r'^OP\((\w+), (\w+), "([^"]+)", "[^"]*", "([^"]*)", ([\w |]+), "([^"]*)"\)')
    without = rows("operations.def", r'^WITHOUT\((\w+), "([^"]+)", "([^"]*)"\)')
    out = ["| operation | permission | |", "| --- | --- | --- |"]
    out += [f"| `{n}` | {routes.get((m, p), '?')} | {d} |" for n, m, p, _, _, d in ops]
    out += ["", "## REST routes and their operations", "", "| | path | operation |", "| --- | --- | --- |"]
    for (m, p) in routes:
        names = ", ".join(f"`{o[0]}`" for o in ops if (o[1], o[2]) == (m, p))
        why = next((w[2] for w in without if (w[0], w[1]) == (m, p)), "?")
        out.append(f"| {m} | `{p}` | {names or 'none: ' + why} |")
    return INTRO + "\n".join(out) + "\n"


if len(sys.argv) == 3 and sys.argv[1] == "--check":
    sys.exit(0 if open(sys.argv[2], encoding="utf-8").read() == document() else f"{sys.argv[2]} is out of date: run {__file__} > docs/soap.md")
sys.stdout.write(document())

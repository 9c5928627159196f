#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/compat.md from the route tables, tests/compat-paths.txt and compat_notes.txt: compat.py > docs/compat.md;
compat.py --check docs/compat.md"""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SRC = os.path.normpath(os.path.join(HERE, "../../../.."))
SETS = {"oat1": ["oat"], "oat2": ["oat", "mtw"], "mtwilson": ["mtw", "oat", "cit"], "secl": ["hvs"]}
TITLES = {"PollHosts": "PollHosts", "OAT": "OpenAttestation: whitelist and hosts", "Mt.": "Mt. Wilson v1",
          "CIT": "CIT v2", "SecL": "SecL", "SOAP": "OpenAttestation 1.x: SOAP"}


def routes(name):
    text = open(os.path.join(HERE, f"{name}_routes.def"), encoding="utf-8").read()
    return re.findall(r'^X\((\w+), "([^"]+)", (\w+), \w+, "[^"]*", \w+, \w+, "([^"]*)"\)', text, re.M)


def same(a, b):
    """Two patterns for the same paths: {x} is any text; a suffix like .json is the router's."""
    def plain(p):
        return re.sub(r"\.(json|xml|yaml|saml|txt|pem|crt|der|x509)$", "", re.sub(r"aik-\{\}", "{}", re.sub(r"\{[^}]*\}", "{}", p)))
    return a == b or plain(a) == plain(b)


def notes():
    out = []
    for line in open(os.path.join(HERE, "compat_notes.txt"), encoding="utf-8"):
        if line.strip() and not line.startswith("#"):
            out.append([x.strip() for x in line.split(";", 2)])
    return out


def note(all_notes, path, kind):
    plain = re.sub(r"\{[^}]*\}", "{}", path)
    for prefix, k, text in all_notes:
        if k == kind and plain.startswith(re.sub(r"\{[^}]*\}", "{}", prefix)):
            return text
    return None


def rows():
    """(section, listener, method, path, state, text) of each line of the list."""
    table = {s: sum((routes(x) for x in names), []) for s, names in SETS.items()}
    known, section = notes(), ""
    for line in open(os.path.join(SRC, "tests/compat-paths.txt"), encoding="utf-8"):
        if line.startswith("# ---"):
            section = line[5:].strip()
        if not line.strip() or line.startswith("#"):
            continue
        listener, method, path = line.split()
        row = next((r for r in table[listener] if r[0] == method and same(r[1], path)), None)
        if row is None:
            why = note(known, path, "absent")
            if why is None:
                raise SystemExit(f"compat_notes.txt does not say why {method} {path} is absent")
            yield section, listener, method, path, "absent", why
            continue
        missing = note(known, path, "part")
        yield section, listener, method, path, "part" if missing else "full", missing or row[3]


def document():
    out = ["# Interfaces of the Mt. Wilson family", "",
           "Made by `src/prog/assayd/family/compat.py` from the route tables the server runs by and the list `tests/compat-paths.txt`. "
           "*Full*: a client finds what it expects. *Part*: the text says what is missing. *Absent*: the text says why.", "",
           "Off by default. `[compat]` in assayd.conf: `oat1_listen`, `oat2_listen`, `mtwilson_listen`, `secl_listen` = ADDR:PORT, each with `NAME_cert`, `NAME_key`, and "
           "`NAME_from` with `NAME_role` for requests without credentials. `oat1` answers `True` and errors with `detail`, the others `true`.", "",
           "- Whatever a route is, it stands in the same permission table as the REST API (docs/api.md).",
           "- Credentials: API token (`Authorization: Bearer`, `x-auth-blob`, `AuthorizationToken`), Basic, signed requests (docs/protocol/signed-requests.md); "
           "for SecL `POST /aas/v1/token` with an API token as password, which answers that same token.",
           "- `Trusted`, `trust_lvl`, `OVERALL` are the host's whole verdict; bios and vmm are never both true of a host that is not trusted.",
           "- Bodies are JSON or XML by Content-Type (elements by name; DOCTYPE, entities and the like are refused); CIT v2 and SecL answer JSON, XML and YAML by `Accept` or by a suffix of the path, SAML with `Accept: application/samlassertion+xml`. Unknown members and parameters are passed over.",
           "- OEM, OS, MLE and reference sets: docs/compat-mapping.md.", ""]
    last = None
    for section, listener, method, path, state, text in rows():
        if section != last:
            title = TITLES.get(section.split()[0], section)
            out += ["", f"## {title}", "", "| listener | | path | | |", "| --- | --- | --- | --- | --- |"]
            last = section
        out.append(f"| {listener} | {method} | `{path}` | {state} | {text} |")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out)) + "\n"


def main():
    text = document()
    if len(sys.argv) == 3 and sys.argv[1] == "--check":
        if open(sys.argv[2], encoding="utf-8").read() != text:
            raise SystemExit(f"{sys.argv[2]} is not what the tables say: python3 {os.path.relpath(__file__)} > docs/compat.md")
        return
    sys.stdout.write(text)


main()

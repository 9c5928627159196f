#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/api.md from routes.def, commands.def, schemas*.def, perms.def and roles.def: doc.py > docs/api.md; doc.py --check docs/api.md"""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def rows(name, pattern):
    return re.findall(pattern, open(os.path.join(HERE, name), encoding="utf-8").read(), re.M)


def schema_lines():
    for part in rows("schemas.def", r'^#include "prog/assayd/api/(schemas_\w+\.def)"$'):
        yield from open(os.path.join(HERE, part), encoding="utf-8")


def commands():
    """{(method, path): command} of commands.def"""
    out = {(m, p): c for m, p, c in rows("commands.def", r'^R\((\w+), "([^"]+)", "([^"]+)"\)')}
    lost = set(out) - set(rows("routes.def", r'^X\((\w+), "([^"]+)",'))
    if lost:
        sys.exit(f"commands.def: no such route: {sorted(lost)}")
    return out


def schema_doc():
    out, current = [], None
    for line in schema_lines():
        m = re.match(r'OBJECT\((\w+), "([^"]*)"\)', line)
        if m:
            out += [f"### {m[1]}", m[2], "", "| member | type | | |", "| --- | --- | --- | --- |"]
            continue
        m = re.match(r'F\((\w+), (\w+(?:\(\w+\))?), (\w+), (\w+), "([^"]*)"\)', line)
        if m:
            kind = re.sub(r"REFS\((\w+)\)", r"list of \1", re.sub(r"REF\((\w+)\)", r"\1", m[2]))
            kind = re.sub(r"MAPOF\((\w+)\)", r"\1 by name", kind)
            need = {"REQ": "always", "OPT": "may be left out", "NUL": "may be null"}[m[3]]
            out.append(f"| `{m[1]}` | {kind.lower() if kind.isupper() else kind} | {need} | {m[5]} |")
            continue
        m = re.match(r"LIST\((\w+), (\w+)\)", line)
        if m:
            out += ["", f'### {m[1]}', f'A page: `{{"items":[{m[2]}],"next":cursor or null}}`', ""]
        if line.strip() == "END":
            out.append("")
    return out


def document():
    out = [
        "# REST API", "",
        "Made by `src/prog/assayd/api/doc.py` from the tables the server runs by; the same as an OpenAPI document: `GET /api/v1/openapi.json`.", "",
        "- HTTPS on `listen_api`; every request but those marked PUBLIC carries `Authorization: Bearer TOKEN`. `assayd init` leaves the first token in `STATE/admin.token`.",
        "- A route that is not in this table does not exist; a caller without the route's permission gets 403, without a valid token 401, with too many refused tokens 429.",
        "- Bodies are `application/json`; unknown, doubled, missing and wrongly typed members are refused. Paths and queries are UTF-8, percent-decoded once; an unknown parameter is refused.",
        "- Lists take `limit` (1 to 1000, 100) and `cursor` (the `next` of the page before). Times are RFC 3339 in UTC, digests lower-case hex.",
        "- A failure is `application/problem+json`: [Problem](#problem), with `error.code`, `field`, `offset`, `text`. `offset` is the octet in the body, path or query.", "",
        "## Routes", "", "CLI: the command that reaches it with options and a table; `api`: `assay api METHOD PATH`, which reaches all of them.", "",
        "| | path | permission | query | body | answer | CLI | |", "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    command = commands()
    for m, p, perm, _, q, req, res, doc in rows(
            "routes.def", r'^X\((\w+), "([^"]+)", (\w+), (\w+), "([^"]*)", (\w+), (\w+), "([^"]*)"\)'):
        blank = lambda x: "" if x == "NONE" else x
        out.append(f"| {m} | `{p}` | {perm} | {q.replace(',', ' ')} | {blank(req)} | {blank(res)} | {command.get((m, p), 'api')} | {doc} |")
    out += ["", "## Permissions and roles", "", "| permission | |", "| --- | --- |"]
    out += [f"| {n} | {d} |" for n, d in rows("perms.def", r'^X\((\w+), "([^"]*)"\)')]
    out += ["", "| role | |", "| --- | --- |"]
    out += [f"| {n} | {d} |" for n, d in rows("roles.def", r'^X\((\w+), .*, "([^"]*)"\)')]
    out += ["", "A token never permits more than the role its owner has now.", "", "## Objects", ""] + schema_doc()
    text = "\n".join(out)
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


if len(sys.argv) == 3 and sys.argv[1] == "--check":
    sys.exit(0 if open(sys.argv[2], encoding="utf-8").read() == document() else f"{sys.argv[2]} is out of date: run doc.py")
sys.stdout.write(document())

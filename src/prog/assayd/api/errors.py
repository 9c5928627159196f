#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/errors.md from errors.def and err.def: errors.py > docs/errors.md; errors.py --check docs/errors.md: the page is
made of the tables as they are, and every code that the server gives in its source is in them."""
import glob
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SRC = os.path.normpath(os.path.join(HERE, "../../.."))
# What gives a failure its code, and which argument that is; None: a function of one file that passes it on.
GIVES = {"ay_fail_code": 2, "ay_err_code": 1, "ay_err_coded": 2, "ay_enrol_refuse": 2, "ay_httpd_problem": 3,
         "say_failed": 2, "end_with": 3, "ay_vcenter_fail_code": 2, "refuse": None, "fail": None}
# Beside src/prog/assayd, whose failures reach callers of the API as they are.
ALSO = ["core/authz/approval.c", "core/authz/dsse.c", "core/authz/oidc.c", "core/authz/oidc_claims.c", "core/authz/order.c", "core/authz/replay.c", "core/authz/signed_request.c",
        "core/authz/signed_text.c", "core/soap/media.c", "io/net/httpd.c", "io/store/sqlite_write.c",
        "io/store/sqlite_queue.c", "io/tpmdev/tpm2_tag.c", "core/vim/answer.c", "core/vim/report.c", "prog/assay-agent/orders.c",
        "prog/assay-agent/own.c", "prog/assay-agent/tag.c"]
# Words of a field that look like codes.
NOT_CODES = {"VMM", "BIOS"}
CODE = r'"([A-Z][A-Z0-9_]{2,30})"'


def read(*name):
    return open(os.path.join(SRC, *name), encoding="utf-8").read()


def arguments(text, at):
    """Of the call whose parenthesis opened just before at."""
    args, depth, quoted, begin = [], 1, False, at
    for i in range(at, len(text)):
        c = text[i]
        if c == '"' and text[i - 1] != "\\":
            quoted = not quoted
        elif not quoted and c in "()":
            depth += 1 if c == "(" else -1
        if depth == 0 or (depth == 1 and c == "," and not quoted):
            args.append(text[begin:i])
            begin = i + 1
        if depth == 0:
            return args
    return args


def used():
    """{code: a file that gives it}"""
    out = {}
    names = [os.path.relpath(p, SRC) for p in glob.glob(os.path.join(SRC, "prog/assayd/**/*.c"), recursive=True)]
    for name in sorted(names) + ALSO:
        text = read(name)
        for call in re.finditer(r"\b(" + "|".join(GIVES) + r")\(", text):
            args = arguments(text, call.end())
            at = GIVES[call[1]]
            for a in args if at is None else args[at:at + 1]:
                out.update(dict.fromkeys(re.findall(CODE, a), name))
    return out


def table():
    """[(heading, [(code, status, meaning, advice)])]"""
    out = []
    for line in read("prog/assayd/api/errors.def").splitlines():
        if m := re.match(r'SECTION\("([^"]*)"\)', line):
            out.append((m[1], []))
        elif m := re.match(r'X\((\w+), "([^"]*)", "([^"]*)", "([^"]*)"\)', line):
            out[-1][1].append(m.groups())
        elif line.startswith("X("):
            sys.exit(f"errors.def: {line}")
    return out


def document():
    out = ["# Codes of failures", "",
           "Made by `src/prog/assayd/api/errors.py` from `errors.def`. A code is never given another meaning, nor taken away.", "",
           "A failure of the REST API is a problem document (RFC 9457): `status`, `title`, `detail`, and `error` with `code` (below), `field`",
           "(the part of the request, or the step), `offset` (the octet in it) and `text`. SOAP faults and the command line tell the same codes.",
           "Codes of what a parser refuses (`XML_..`, `CERT_..`, `JWT_..`, `LOG_..`) stand in docs/formats with the format.", "",
           "## When nothing more exact is known", "", "| code | status | meaning |", "| --- | --- | --- |"]
    for code, status, text in re.findall(r'^X\((\w+), +(\d+), "\w+", \d, "([^"]*)"\)', read("core/base/err.def"), re.M):
        out.append(f"| `{code}` | {status} | {text} |")
    for heading, rows in table():
        out += ["", f"## {heading}", "", "| code | status | meaning | what to do |", "| --- | --- | --- | --- |"]
        out += [f"| `{c}` | {s} | {m} | {a} |" for c, s, m, a in rows]
    return "\n".join(out) + "\n"


def check(path):
    known = [row[0] for _, rows in table() for row in rows]
    plain = re.findall(r"^X\((\w+),", read("core/base/err.def"), re.M)
    wrong = [f"{c}: {name} gives it, errors.def does not have it" for c, name in used().items()
             if c not in known and c not in plain and c not in NOT_CODES]
    wrong += [f"{c}: twice in errors.def" for c in sorted({c for c in known if known.count(c) > 1})]
    if open(path, encoding="utf-8").read() != document():
        wrong.append(f"{path} is out of date: run errors.py")
    return "\n".join(wrong)


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--check":
        sys.exit(check(sys.argv[2]) or 0)
    sys.stdout.write(document())

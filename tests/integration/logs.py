#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""assay eventlog and assay ima on every log of the corpus, compared with what other tools gave (expected/)."""
import collections
import glob
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CORPUS = os.environ.get("ASSAY_CORPUS", os.path.join(ROOT, "..", "shared", "corpus"))
ASSAY = os.path.join(os.environ.get("AY_BUILD", os.path.join(ROOT, "build")), "src/prog/assay/assay")
# The tool behind this value passed over a StartupLocality event, against the corpus' own rule; no other confirms it.
DISPUTED = {("evidence/IMN-DELL/eventlog.bin", "sha1", "0")}
# keylime does not read an ima-sig line that lost the blank before its empty signature.
KEYLIME_ONLY = {"ima/secl-ascii.txt"}
count = failed = 0


def ok(what, problems):
    global count, failed
    count += 1
    failed += bool(problems)
    print(("not ok" if problems else "ok"), count, "-", what, flush=True)
    for p in problems:
        print("#", p[:500])


def run(verb, name):
    p = subprocess.run([ASSAY, verb, "--json", os.path.join(CORPUS, name)], capture_output=True, timeout=120, check=False)
    return p.returncode, json.loads(p.stdout) if p.stdout.strip() else None


def expected(name):
    with open(os.path.join(CORPUS, "expected", name + ".json"), encoding="utf-8") as f:
        return json.load(f)["expected"]


def pcr_problems(name, want, got):
    out = []
    for bank in set(want) | set(got):
        for pcr in set(want.get(bank, {})) | set(got.get(bank, {})):
            w, g = want.get(bank, {}).get(pcr), got.get(bank, {}).get(pcr)
            if w != g and (name, bank, pcr) not in DISPUTED:
                out.append(f"{bank} PCR {pcr}: {g}, expected {w}")
    return out


def refused(rc, doc, prefix):
    out = [] if rc == 2 else [f"exit {rc}"]
    if not doc or not doc.get("error", {}).get("code", "").startswith(prefix):
        out.append("no error code")
    return out


def eventlog(name):
    x, (rc, doc) = expected(name), run("eventlog", name)
    if x["verdict"] == "refuse":
        return refused(rc, doc, "LOG_")
    out = [] if rc == 0 else [f"exit {rc}: {doc}"]
    if out:
        return out
    if len(doc["events"]) != x["events"] or doc["padding"] != x.get("trailing", 0):
        out.append(f"{len(doc['events'])} events, {doc['padding']} octets of padding")
    if (doc["format"] == "crypto-agile") != (x["format"] == "crypto-agile"):
        out.append("format " + doc["format"])
    types = collections.Counter(hex(e["type_id"]) for e in doc["events"])
    if types != collections.Counter(x["event_types"]):
        out.append(f"types {types}")
    if (doc["padding"] > 0) != any(f["code"] == "LOG_PADDING" and f["result"] == "pass" for f in doc["findings"]):
        out.append("padding without its note")
    return out + pcr_problems(name, x["pcrs"], doc["pcrs"])


def ima(name):
    x, (rc, doc) = expected(name), run("ima", name)
    if x.get("n_parse_errors"):
        return refused(rc, doc, "IMA_")
    bad = x.get("template_hash_mismatches", 1 if name == "ima/acs-imasig.bin" else 0)
    out = [] if rc == (1 if bad else 0) or "tss-sml" in name else [f"exit {rc}"]
    if (doc["entries"], doc["violations"], doc["templates"]) != (x["entries"], x["violations"], x["templates"]):
        out.append(f"{doc['entries']} entries, {doc['violations']} violations, {doc['templates']}")
    if bool(bad) != any(f["code"] == "IMA_TEMPLATE_HASH" and f["result"] == "fail" for f in doc["findings"]):
        out.append("template hashes")
    if "pcr_all_sha1" in x:
        want = {b: {"10": x["pcr_all_" + b]} for b in ("sha1", "sha256")}
        return out + pcr_problems(name, want, doc["pcrs"])
    out += pcr_problems(name, x["pcrs"], doc["pcrs"])
    return out + pcr_problems(name, x["pcrs_if_bank_extended_with_zero_padded_sha1"], doc["padded"])


def main():
    if not os.path.isdir(CORPUS):
        strict = os.environ.get("ASSAY_TEST_STRICT")
        print(("not ok" if strict else "ok"), "1 - logs of the corpus # SKIP no corpus")
        return 1 if strict else 0
    for path in sorted(glob.glob(CORPUS + "/eventlogs/*.bin") + glob.glob(CORPUS + "/evidence/*/eventlog.bin")):
        name = os.path.relpath(path, CORPUS)
        ok("eventlog " + name, eventlog(name))
    for path in sorted(glob.glob(CORPUS + "/ima/*.bin") + glob.glob(CORPUS + "/ima/*.txt")):
        name = os.path.relpath(path, CORPUS)
        if name not in KEYLIME_ONLY:
            ok("ima " + name, ima(name))
    rc, doc = run("eventlog", "txt/txt-logs.bin")
    ok("eventlog txt/txt-logs.bin", [] if rc == 0 and set(doc["pcrs"]["sha256"]) == {"17", "18"} else [str(doc)])
    rc, doc = run("ima", "ima/secl-ascii.txt")
    ok("ima ima/secl-ascii.txt has its lines", [] if doc and doc.get("entries") == 101 else [str(doc)[:300]])
    print(f"1..{count}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

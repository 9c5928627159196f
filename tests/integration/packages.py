#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""assay reference compute --deb and --repository: packages that dpkg-deb builds here, digests by hashlib; and hostile ones."""
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ASSAY = os.path.join(os.environ.get("AY_BUILD", os.path.join(ROOT, "build")), "src/prog/assay/assay")
count = 0


def ok(what, problems):
    global count
    count += 1
    print(("not ok" if problems else "ok"), count, "-", what, flush=True)
    for p in problems:
        print("#", str(p)[:500])


def compute(w, *args):
    out = w + "/set.json"
    if os.path.exists(out):
        os.unlink(out)
    p = subprocess.run([ASSAY, "reference", "compute", *args, "--out", out], capture_output=True, timeout=60, check=False)
    return p.returncode, json.load(open(out, encoding="utf-8")) if p.returncode == 0 else p.stderr.decode()


def files_of(doc, bank="sha256"):
    return doc["parts"]["runtime"][0]["digests"][bank]


FILES = {"usr/bin/tool": (b"#!/bin/sh\necho tool\n", 0o755), "usr/lib/x86_64-linux-gnu/libtool.so.1": (b"\x7fELF library", 0o644),
         "usr/share/doc/tool/copyright": (b"Copyright", 0o644), "lib/modules/6.1/tool.ko": (b"module", 0o644), "usr/share/tool/empty": (b"", 0o644)}
SCRIPT = b"#!/bin/sh\nexit 0\n"


def build(w, name, compression):
    tree = f"{w}/{name}-tree"
    for path, (data, mode) in FILES.items():
        full = f"{tree}/{path}"
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as f:
            f.write(data + (name.encode() if data else b""))
        os.chmod(full, mode)
    os.link(f"{tree}/usr/bin/tool", f"{tree}/usr/bin/tool-too")
    os.symlink("tool", f"{tree}/usr/bin/link")
    os.makedirs(f"{tree}/DEBIAN")
    with open(f"{tree}/DEBIAN/control", "w", encoding="ascii") as f:
        f.write(f"Package: {name}\nVersion: 1:2.3-4~x\nArchitecture: amd64\nMaintainer: T <t@example.org>\nDescription: a test\n Package: no\n")
    with open(f"{tree}/DEBIAN/postinst", "wb") as f:
        f.write(SCRIPT)
    os.chmod(f"{tree}/DEBIAN/postinst", 0o755)
    deb = f"{w}/{name}.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", f"-Z{compression}", "--uniform-compression", "-b", tree, deb], check=True, capture_output=True)
    return deb


def expected(name, programs, bank="sha256"):
    out = {}
    for path, (data, mode) in FILES.items():
        if programs and not (mode & 0o111 or ".so" in path or path.endswith(".ko")):
            continue
        out[hashlib.new(bank, data + (name.encode() if data else b"")).hexdigest()] = f"/{path} ({name} 1:2.3-4~x amd64)"
    out[hashlib.new(bank, SCRIPT).hexdigest()] = f"/var/lib/dpkg/info/{name}.postinst ({name} 1:2.3-4~x amd64)"
    return out


def same(got, want):
    # a hard link has the octets of its target: either name may stand
    got = {k: v.replace("tool-too", "tool") for k, v in got.items()}
    return [f"{k}: {got.get(k)}, expected {want.get(k)}" for k in set(got) | set(want) if got.get(k) != want.get(k)]


def good(w):
    for compression in ["xz", "gzip", "zstd", "none"]:
        deb = build(w, "t-" + compression, compression)
        rc, doc = compute(w, "--deb", deb)
        ok(f"files of a package, {compression}", [doc] if rc else same(files_of(doc), expected("t-" + compression, False)))
    rc, doc = compute(w, "--deb", deb, "--programs", "--ima-hash", "sha512")
    ok("only programs, SHA-512", [doc] if rc else same(files_of(doc, "sha512"), expected("t-none", True, "sha512")))
    ok("provenance names the package", [] if not rc and doc["provenance"]["source"] == "computed" and
       "t-none 1:2.3-4~x amd64" in doc["provenance"]["note"] and doc["state"] == "draft" else [doc])
    os.makedirs(w + "/repo/pool/main")
    shutil.move(w + "/t-xz.deb", w + "/repo/pool/main")
    shutil.move(w + "/t-gzip.deb", w + "/repo")
    rc, doc = compute(w, "--repository", w + "/repo")
    want = {**expected("t-gzip", False), **expected("t-xz", False)}
    ok("a repository folder", [doc] if rc else [k for k in set(want) ^ set(files_of(doc))])
    rc, doc = compute(w, "--deb", w + "/repo/t-gzip.deb", w + "/t-none.deb")
    ok("several files", [doc] if rc else [k for k in set(files_of(doc)) ^ set({**expected("t-gzip", False), **expected("t-none", False)})])


def ar(*members):
    out = b"!<arch>\n"
    for name, data in members:
        out += b"%-16s%-12d%-6d%-6d%-8s%-10d`\n" % (name, 0, 0, 0, b"100644", len(data)) + data + b"\n" * (len(data) % 2)
    return out


def tar(*files, kind="w:gz"):
    buf = io.BytesIO()
    with tarfile.open(fileobj=buf, mode=kind, format=tarfile.GNU_FORMAT) as t:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    return buf.getvalue()


CONTROL = b"Package: p\nVersion: 1\nArchitecture: all\n"


def hostile(w):
    head, control = (b"debian-binary", b"2.0\n"), (b"control.tar.gz", tar(("./control", CONTROL)))
    data = (b"data.tar.gz", tar(("./x", b"x")))
    whole = ar(head, control, data)
    cases = [
        ("no archive", b"PK\3\4", "deb.magic"),
        ("another format", ar((b"debian-binary", b"3.0\n"), control, data), "deb.format"),
        ("data before control", ar(head, data, control), "deb.control"),
        ("no data", ar(head, control), "deb.data"),
        ("no control file", ar(head, (b"control.tar.gz", tar(("./md5sums", b""))), data), "deb.control"),
        ("no version", ar(head, (b"control.tar.gz", tar(("./control", b"Package: p\nArchitecture: all\n"))), data), "deb.control"),
        ("control twice", ar(head, control, control, data), "deb.control"),
        ("a version with a terminal's escape", ar(head, (b"control.tar.gz", tar(("./control", b"Package: p\nVersion: \x1b[2J\nArchitecture: all\n"))), data), "deb.control"),
        ("a control file of a mebibyte", ar(head, (b"control.tar.gz", tar(("./control", CONTROL + b"X: " + bytes(1 << 20)))), data), "deb.control"),
        ("data of another kind", ar(head, control, (b"data.tar.gz", b"PK\3\4" + bytes(600))), "deb.tar"),
        ("a zip in place of the tar", ar(head, control, (b"data.tar", b"PK\3\4\x14" + bytes(600))), "deb.tar"),
        ("compressed data cut short", ar(head, control, (b"data.tar.gz", data[1][:-40])), "deb.tar"),
        ("the file cut short", whole[:-30], "deb"),
        ("a member longer than the file", whole[:8] + whole[8:56] + b"9999999999`\n" + whole[68:], "deb.member"),
    ]
    for what, raw, word in cases:
        with open(w + "/bad.deb", "wb") as f:
            f.write(raw)
        rc, text = compute(w, "--deb", w + "/bad.deb")
        ok("refused: " + what, [] if rc == 2 and word in str(text) else [f"exit {rc}", text])
    paths(w, head, control)


def paths(w, head, control):
    """Names are text: nothing is written, and what a terminal would obey is not passed on."""
    names = ["../../../../tmp/assay-escaped", "/etc/absolute", "./\x1b]0;x\x07name", "./" + "long/" * 400 + "end"]
    raw = ar(head, control, (b"data.tar.gz", tar(*[(n, b"%d" % i) for i, n in enumerate(names)])))
    with open(w + "/paths.deb", "wb") as f:
        f.write(raw)
    rc, doc = compute(w, "--deb", w + "/paths.deb")
    got = files_of(doc) if rc == 0 else {}
    want = {hashlib.sha256(b"%d" % i).hexdigest() for i in range(len(names))}
    bad = [] if set(got) == want else [doc]
    bad += [v for v in got.values() if not v.isascii() or not v.isprintable()]
    bad += ["written"] if os.path.exists("/tmp/assay-escaped") else []
    ok("names of files are text only", bad)


def main():
    if not shutil.which("dpkg-deb"):
        return print("ok 1 - packages # SKIP package not installable")
    with tempfile.TemporaryDirectory() as w:
        good(w)
        hostile(w)
    print(f"1..{count}")


main()

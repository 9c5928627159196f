#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Numbered migrations to one C table: embed.py OUT NNNN_name.sql..."""
import os
import sys

out, files = sys.argv[1], sorted(sys.argv[2:], key=os.path.basename)
with open(out, "w", encoding="ascii") as f:
    f.write("/* Made by embed.py from schema/. */\n")
    for number, path in enumerate(files, 1):
        name = os.path.basename(path)
        if int(name[:4]) != number:
            sys.exit(f"{path}: migration {number:04d} is missing")
        text = open(path, encoding="ascii").read()
        quoted = "\n".join('\t"' + line.replace("\\", "\\\\").replace('"', '\\"') + '\\n"' for line in text.splitlines())
        f.write(f'MIGRATION({number}, "{name[5:-4]}",\n{quoted})\n')

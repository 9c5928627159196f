#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Numbered migrations to one C table: embed.py OUT NNNN_name.sql..."""
import os
import sys

out, files = sys.argv[1], sorted(sys.argv[2:], key=os.path.basename)
table = []
with open(out, "w", encoding="ascii") as f:
    f.write("/* Made by embed.py from schema/. */\n")
    for number, path in enumerate(files, 1):
        name = os.path.basename(path)
        if int(name[:4]) != number:
            sys.exit(f"{path}: migration {number:04d} is missing")
        data = open(path, "rb").read() + b"\0"
        f.write(f"static const char migration_{number}[] = {{\n")
        for at in range(0, len(data), 20):
            f.write("\t" + ", ".join(str(b) for b in data[at : at + 20]) + ",\n")
        f.write("};\n")
        table.append(f'\t{{ {number}, "{name[5:-4]}", migration_{number} }},\n')
    f.write("static const struct migration migrations[] = {\n" + "".join(table) + "};\n")

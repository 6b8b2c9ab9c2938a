#!/usr/bin/env python3
"""Write Sources/ActSyntax/Syntax/CompatibleNames.swift: what letters and digits of names become in NFKC, by Python's Unicode tables.

    Tools/reference/make_names.py > Sources/ActSyntax/Syntax/CompatibleNames.swift

Characters whose form would be no name (a space before an accent) stay as they are; Python does not allow them in names. So do the
subscript digits, which Python does not allow either: x₁ is not x1.
"""
import sys
import unicodedata

LETTERS = {"Lu", "Ll", "Lt", "Lm", "Lo", "Nl"}
PARTS = LETTERS | {"Nd", "Mn", "Mc"}


def is_part(c):
    return c == "_" or unicodedata.category(c) in PARTS


entries = []
for code in range(0x80, sys.maxunicode + 1):
    c = chr(code)
    if not is_part(c):
        continue
    form = unicodedata.normalize("NFKC", c)
    # Strings are compared in NFC anyway, so only other forms matter, and those in ASCII, which is looked up by its bytes.
    if form == unicodedata.normalize("NFC", c) and not form.isascii():
        continue
    if all(map(is_part, form)):
        entries.append((code, form))

# Runs whose forms are one character each that stays the same or counts along: first, last, form of the first, 0 or 1.
runs, sequences, pool = [], [], []
for code, form in entries:
    if len(form) > 1:
        sequences += [code, len(pool), len(form)]
        pool += map(ord, form)
        continue
    target = ord(form)
    if runs and runs[-1][1] == code - 1:
        first, last, start, step = runs[-1]
        if last == first and target - start in (0, 1):
            runs[-1] = (first, code, start, target - start)
            continue
        if last > first and target == start + step * (code - first):
            runs[-1] = (first, code, start, step)
            continue
    runs.append((code, code, target, 0))


def table(name, comment, numbers):
    print(f"    /// {comment}\n    static let {name}: [UInt32] = [")
    line = "        "
    for number in numbers:
        piece = f"{number:#x}, "
        if len(line) + len(piece) > 160:
            print(line.rstrip())
            line = "        "
        line += piece
    print(line.rstrip() + "\n    ]")


print(f"// Written by Tools/reference/make_names.py from Unicode {unicodedata.unidata_version}. CompatibleNames+Form.swift reads it.\n\npackage enum CompatibleNames {{")
table("runs", "Four numbers each, in order: the first and last character of a run, the form of the first, and by how much forms grow.", [n for run in runs for n in run])
print()
table("sequences", "Three numbers each, in order: a character, where its form begins in `pool`, and how long it is.", sequences)
print()
table("pool", "Forms of several characters.", pool)
print("}")

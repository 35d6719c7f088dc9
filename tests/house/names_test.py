#!/usr/bin/env python3
"""Hold that every type has a name of its own.

usage: tests/house/names_test.py

Two types of one name in two files of the tree (tests apart) are a fault, even where no file sees both: a name means
one thing. Ends 1 and prints both places for each such name.
"""
import collections
import os
import re
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDERS = ("ir", "frontend", "passes", "codegen", "runtime", "library")
# Where a type is defined or, in a header, only declared: `typedef struct Name {` or `typedef struct Name Name;`.
DEFINITION = re.compile(r"^typedef (?:struct|union|enum) (\w+)(?: \{| \1;)", re.M)


def definitions(root):
    """Name -> the files that define it; a struct declared in a header and defined in its .c counts once."""
    found = collections.defaultdict(set)
    for folder in FOLDERS:
        for path, _, names in os.walk(os.path.join(root, folder)):
            for name in names:
                if name.endswith((".c", ".h", ".cc", ".re")):
                    with open(os.path.join(path, name), encoding="utf-8") as file:
                        for match in DEFINITION.finditer(file.read()):
                            found[match.group(1)].add(os.path.relpath(os.path.join(path, name), root))
    return found


def faults(root):
    return [f"{name}: {' and '.join(sorted(files))}"
            for name, files in sorted(definitions(root).items()) if len(files) > 1]


def notices_a_second():
    with tempfile.TemporaryDirectory() as root:
        for folder in ("ir", "runtime"):
            os.mkdir(os.path.join(root, folder))
            with open(os.path.join(root, folder, "a.h"), "w", encoding="utf-8") as file:
                file.write("typedef struct Source {\n    int x;\n} Source;\n")
        return faults(root) == ["Source: ir/a.h and runtime/a.h"]


def main():
    if not notices_a_second():
        sys.exit("names_test: two types of one name went unnoticed")
    count = len(definitions(ROOT))
    found = faults(ROOT)
    for fault in found:
        print(f"names_test: one name, two types: {fault}")
    if not count:
        sys.exit(f"names_test: {ROOT} has no types")
    print(f"{count} types, {len(found)} faults")
    sys.exit(1 if found else 0)


main()

#!/usr/bin/env python3
"""Hold `vlc schema` to what editors need of it.

usage: tests/frontend/vlc/schema_test.py BUILD_DIR

It takes every .vg file of models/, and every case of the frontend that vlc takes; it refuses a misspelt element
and a misspelt attribute; and each element and attribute in it says what it means. Skips (77) without xmllint.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
VLC = os.path.join(sys.argv[1], "frontend", "vlc")
RELAXNG = "{http://relaxng.org/ns/structure/1.0}"
DOCUMENTATION = "{http://relaxng.org/ns/compatibility/annotations/1.0}documentation"
MODEL = '<model name="m" xmlns="urn:vlgraph:1">{}</model>'


def files():
    for place, _, names in os.walk(os.path.join(ROOT, "models")):
        yield from (os.path.join(place, name) for name in sorted(names) if name.endswith(".vg"))
    cases = os.path.join(ROOT, "tests", "frontend", "cases")
    for name in sorted(os.listdir(cases)):
        if name.endswith(".expected"):
            with open(os.path.join(cases, name), encoding="utf-8") as file:
                if file.read().endswith("exit 0\n") and name != "fmt.expected":
                    yield os.path.join(cases, name.replace(".expected", ".vg"))


def validate(schema, paths):
    done = subprocess.run(["xmllint", "--noout", "--relaxng", schema, *paths], capture_output=True, text=True,
                          check=False)
    return done.returncode == 0, done.stderr


def undocumented(schema):
    """Named elements and attributes without a text."""
    for node in ElementTree.parse(schema).iter():
        if node.tag in (RELAXNG + "element", RELAXNG + "attribute") and node.get("name"):
            text = node.find(DOCUMENTATION)
            if text is None or not text.text:
                yield node.get("name")


def main():
    if not shutil.which("xmllint"):
        print("skipped: needs xmllint")
        sys.exit(77)
    faults = []
    with tempfile.TemporaryDirectory() as work:
        schema, model = os.path.join(work, "vg.rng"), os.path.join(work, "model.vg")
        with open(schema, "w", encoding="utf-8") as file:
            subprocess.run([VLC, "schema"], stdout=file, check=True)
        faults += [f"{name} says nothing of what it means" for name in undocumented(schema)]
        paths = list(files())
        if len(paths) < 100:
            faults.append(f"only {len(paths)} files")
        fits, messages = validate(schema, paths)
        if not fits:
            faults += [line for line in messages.splitlines() if not line.endswith(" validates")]
        for inside in ('<const nmae="x" value="1"/>', '<const a="1" min="0"/>', '<const a="1" when="1"/>', '<set/>',
                       '<set when="1"/>', '<const name="x" value="1" b="2"/>', '<task name="t"><data value="1"/></task>',
                       '<backbone name="b" outputs="y"><size name="s" value="1"/></backbone>', '<trian params="**"/>', '<train parms="**"/>', '<else/>', '<schedule xmlns:a="a" when="1"/>'):
            with open(model, "w", encoding="utf-8") as file:
                file.write(MODEL.format(inside))
            if validate(schema, [model])[0]:
                faults.append(f"the schema takes {inside}")
    for fault in faults:
        print(f"schema_test: {fault}")
    print(f"{len(paths)} files, {len(faults)} faults")
    sys.exit(1 if faults else 0)


main()

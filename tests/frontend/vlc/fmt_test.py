#!/usr/bin/env python3
"""Hold `vlc fmt` to its word: nothing is lost, nothing else is said, and once is enough.

usage: tests/frontend/vlc/fmt_test.py BUILD_DIR

Every .vg file of models/ and of tests/frontend/cases is formatted as it is and with its blanks, and the order
of its attributes, changed at random. What comes out is read by Python's own reader of XML: the same elements,
attributes, comments and instructions in the same order, whatever blanks are between them; and formatting it
again changes nothing. A file that is refused must be one that `vlc check` refuses, too.
"""
import os
import random
import re
import stat
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
VLC = os.path.join(sys.argv[1], "frontend", "vlc")
PIECE = re.compile(r'<!--.*?-->|<\?.*?\?>|<[^>"\']*(?:"[^"]*"[^>"\']*|\'[^\']*\'[^>"\']*)*>', re.S)
ATTRIBUTE = re.compile(r'([\w:.-]+)\s*=\s*("[^"]*"|\'[^\']*\')', re.S)
LONGEST = 100
faults = []


def run(*arguments, text=None):
    return subprocess.run([VLC, *arguments], input=text, capture_output=True, text=True, timeout=60, check=False)


def words(text):
    return " ".join(text.split())


def tree(text):
    """What a text says: (tag, attributes, children) of every element, and the words of all else."""
    builder = ElementTree.TreeBuilder(insert_comments=True, insert_pis=True)
    parser = ElementTree.XMLParser(target=builder)
    # What stands outside of the root is not in a tree; it is compared as text.
    root = ElementTree.fromstring(text, parser=parser)
    outside = [words(piece) for piece in PIECE.findall(text)
               if piece.startswith(("<!--", "<?")) and not piece.startswith("<?xml ")]

    def of(node):
        if not isinstance(node.tag, str):
            return words(node.text)
        attributes = {name: words(value) if "\n" in value or "  " in value else value
                      for name, value in node.attrib.items()}
        return node.tag, attributes, [of(child) for child in node]
    return outside, of(root)


def scrambled(text, chance):
    """The same, in another form: other blanks, attributes in another order."""
    def blanks():
        return "".join(chance.choice(" \n\t") for _ in range(chance.choice((1, 1, 1, 3, 9))))

    def element(piece):
        head = re.match(r"</?[\w:.-]+", piece).group()
        found = ATTRIBUTE.findall(piece)
        chance.shuffle(found)
        end = "/>" if piece.endswith("/>") else ">"
        return head + "".join(f"{blanks()}{name}{chance.choice(('=', ' = '))}{value}"
                              for name, value in found) + chance.choice(("", " ", "\n")) + end

    made, at = [], 0
    for match in PIECE.finditer(text):
        gap = text[at:match.start()]
        made.append(chance.choice(("", gap, blanks())) if at else gap)
        piece = match.group()
        made.append(piece if piece.startswith(("<!--", "<?")) else element(piece))
        at = match.end()
    return "".join(made).replace("\n", chance.choice(("\n", "\r\n")))


def check(path, text, what):
    once = run("fmt", "-", text=text)
    if once.returncode:
        if once.stdout or not once.stderr.startswith("<stdin>"):
            faults.append(f"{path}: {what}: refused, but printed {once.stdout!r} {once.stderr!r}")
        return False
    if tree(once.stdout) != tree(text):
        faults.append(f"{path}: {what}: says something else than before")
    if run("fmt", "-", text=once.stdout).stdout != once.stdout:
        faults.append(f"{path}: {what}: formatting it twice gives another text")
    for number, line in enumerate(once.stdout.split("\n"), 1):
        if line != line.rstrip() and "=" not in line:
            faults.append(f"{path}: {what}: {number}: blanks at the end of the line")
        attributes = ATTRIBUTE.findall(line)
        if len(line) > LONGEST and len(attributes) > 1 and "<!--" not in line:
            faults.append(f"{path}: {what}: {number}: {len(line)} columns")
    return True


def check_one_line():
    """As many elements as a file may have, on one line: counting its columns anew for each takes minutes."""
    text = '<library xmlns="urn:vlgraph:1"><block name="b" inputs="x" outputs="y">' + '<tanh out="y" x="x"/>' * 190000
    lines = run("fmt", "-", text=text + "</block></library>").stdout.split("\n")
    if lines.count('    <tanh out="y" x="x"/>') != 190000:
        faults.append(f"a line of 190000 elements: {len(lines)} lines came out")


def files():
    for folder in ("models", os.path.join("tests", "frontend", "cases")):
        for place, _, names in sorted(os.walk(os.path.join(ROOT, folder))):
            for name in sorted(names):
                if name.endswith(".vg"):
                    yield os.path.join(place, name)


def check_all():
    formatted = refused = 0
    chance = random.Random(11)
    for path in files():
        with open(path, "rb") as file:
            data = file.read()
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            if run("fmt", "--check", path).returncode != 1:
                faults.append(f"{path}: formatted, though it is not UTF-8")
            continue
        if not check(path, text, "as it is"):
            refused += 1
            if run("check", path).returncode == 0:
                faults.append(f"{path}: refused, though vlc check takes it")
            continue
        formatted += 1
        for turn in range(3 if "models" in path else 1):
            check(path, scrambled(text, chance), f"scrambled, turn {turn}")
    if formatted < 100 or refused < 5:
        faults.append(f"only {formatted} files formatted, {refused} refused")
    return formatted, refused


def check_files():
    """Files are written in place, keep their mode, are named by --check, and stay if they are refused."""
    ugly = '<?xml version="1.0"?>\n<library   xmlns="urn:vlgraph:1"><const value="1" name="a"/></library>'
    neat = '<library xmlns="urn:vlgraph:1"><const name="a" value="1"/></library>\n'
    with tempfile.TemporaryDirectory() as work:
        paths = {name: os.path.join(work, f"{name}.vg") for name in ("ugly", "neat", "broken")}
        for name, text in (("ugly", ugly), ("neat", neat), ("broken", ugly + "<")):
            with open(paths[name], "w", encoding="utf-8") as file:
                file.write(text)
        os.chmod(paths["ugly"], 0o640)
        before = os.stat(paths["neat"])
        named = run("fmt", "--check", paths["neat"], paths["ugly"])
        if named.returncode != 1 or named.stdout != paths["ugly"] + "\n" or named.stderr:
            faults.append(f"--check: {named}")
        done = run("fmt", *paths.values())
        if done.returncode != 1 or "broken.vg:2:" not in done.stderr or done.stdout:
            faults.append(f"three files: {done}")
        found = {}
        for name, path in paths.items():
            with open(path, encoding="utf-8") as file:
                found[name] = file.read()
        if found != {"ugly": neat, "neat": neat, "broken": ugly + "<"}:
            faults.append(f"three files became {found}")
        if stat.S_IMODE(os.stat(paths["ugly"]).st_mode) != 0o640:
            faults.append("the mode of a file is lost")
        if os.stat(paths["neat"]).st_ino != before.st_ino:
            faults.append("a file that has its form is written anew")
        if run("fmt", "--check", paths["ugly"], paths["neat"]).returncode != 0:
            faults.append("--check: not done after it is formatted")
        if run("fmt", "--check", "-", text=ugly).stdout != "<stdin>\n":
            faults.append("--check -: does not name standard input")


def notices_a_change():
    """The comparison above sees what it is there to see."""
    text = '<a><!-- c --><b x="1"/></a>'
    return all(tree(text) != tree(other) for other in (
        '<a><b x="1"/></a>', '<a><!-- d --><b x="1"/></a>', '<a><b x="1"/><!-- c --></a>',
        '<a><!-- c --><b x="2"/></a>', '<a><!-- c --><b/></a>', '<a><!-- c --><b x="1"/><b/></a>'))


def main():
    if not notices_a_change():
        sys.exit("fmt_test: a change went unnoticed")
    formatted, refused = check_all()
    check_files()
    check_one_line()
    for fault in faults:
        print(f"fmt_test: {fault}")
    print(f"{formatted} files formatted, {refused} refused, {len(faults)} faults")
    sys.exit(1 if faults else 0)


main()

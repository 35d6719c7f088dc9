#!/usr/bin/env python3
"""What the pages of docs/ show in the language is true: examples_test.py BUILD PAGE...

  ```xml NAME.vg      a file, in its one form; where the page has several, one may name another
  ```xml in NAME.vg   a part of one: it takes the place of <?here?> in around/NAME.vg beside this
                      script, which may name the files of the page
  ```console          commands after `$ `, with vlc among them, and all that they print

Every model must pass `vlc check`, unless its name begins with mistake: its messages are shown by a
console. The rows of tables that begin with an element must be those of `vlc ops --elements`.
"""
import os
import re
import subprocess
import sys
import tempfile

build = os.path.abspath(sys.argv[1])
here = os.path.dirname(os.path.abspath(__file__))
root = os.path.dirname(os.path.dirname(here))
vlc = os.path.join(build, "frontend", "vlc")
environment = dict(os.environ, PATH=os.path.dirname(vlc) + os.pathsep + os.environ["PATH"])
failures = 0


def fail(page, line, text):
    global failures
    failures += 1
    print(f"{page}:{line}: {text}")


def run(command, directory):
    done = subprocess.run(command, shell=True, cwd=directory, env=environment, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60, check=False)
    return done.returncode, done.stdout


def blocks(text):
    """Of each fenced block the line it begins in, what it says it is, and its text."""
    for match in re.finditer(r"^```([^\n]+)\n(.*?)^```$", text, re.M | re.S):
        yield text.count("\n", 0, match.start()) + 1, match[1].split(), match[2]


def write(directory, name, text):
    path = os.path.join(directory, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def check_model(page, line, directory, name):
    status, output = run(f"vlc check {name}", directory)
    if status:
        fail(page, line, f"vlc check {name}\n{output}")


def check_file(page, line, directory, name, text):
    if name.startswith("mistake"):
        return
    if "<model " in text:
        check_model(page, line, directory, name)
    status, output = run(f"vlc fmt --check {name}", directory)
    if status:
        fail(page, line, f"vlc fmt {name}\n{output}")


def check_part(page, line, directory, name, text):
    with open(os.path.join(here, "around", name), encoding="utf-8") as file:
        around = file.read()
    assert "<?here?>" in around, name
    name = f"line{line}.vg"
    write(directory, name, around.replace("<?here?>", text))
    check_model(page, line, directory, name)


def check_console(page, line, directory, text):
    for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.M):
        _, output = run(command, directory)
        if output != expected:
            fail(page, line, f"$ {command}\nprints\n{output}and not\n{expected}")


def is_vlgraph(kind):
    return kind[0] == "xml" and len(kind) > 1


def check_page(page):
    with open(os.path.join(root, page), encoding="utf-8") as file:
        found = list(blocks(file.read()))
    with tempfile.TemporaryDirectory() as directory:
        os.symlink(os.path.join(root, "models"), os.path.join(directory, "models"))
        for _, kind, text in found:
            if is_vlgraph(kind) and kind[1] != "in":
                write(directory, kind[1], text)
        for line, kind, text in found:
            if is_vlgraph(kind) and kind[1] == "in":
                check_part(page, line, directory, kind[2], text)
            elif is_vlgraph(kind):
                check_file(page, line, directory, kind[1], text)
            elif kind[0] == "console":
                check_console(page, line, directory, text)
    return len(found)


def element(text):
    """<tag name! other ...> as its tag and its attributes, without order."""
    tag, *attributes = re.match(r"<([^>]*)>", text)[1].split()
    return tag, tuple(sorted(attributes))


def check_elements(page):
    with open(os.path.join(root, page), encoding="utf-8") as file:
        section = re.search(r"^## Elements\n(.*?)^## ", file.read(), re.M | re.S)[1]
    rows = re.findall(r"^\| (`<.*?) \| ", section, re.M)
    shown = [element(part) for row in rows for part in re.findall(r"`(<[^`]*)`", row)]
    _, output = run("vlc ops --elements", root)
    known = [element(line) for line in output.splitlines()]
    for row in sorted(set(shown + known)):
        if shown.count(row) != known.count(row):
            fail(page, 1, f"<{' '.join((row[0],) + row[1])}>: {shown.count(row)} rows, and "
                 f"{known.count(row)} of `vlc ops --elements`")


checked = sum(check_page(page) for page in sys.argv[2:])
check_elements("docs/language.md")
sys.exit(failures > 0 or checked == 0)

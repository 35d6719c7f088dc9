#!/usr/bin/env python3
"""Every command in the documentation is right: commands_test.py BUILD [PAGE...]

Commands are lines of indented blocks that begin with the name of a program. Of those of vlc and vlrun the
command, every option and the number of operands must be what their tables say; spans such as `vlrun eval
--best`, and options in spans, likewise. Then the commands of a page are run in its order in a directory that
is made for it, but for those that pages.py beside this script names with the reason. It also says what is
changed in commands so that they take little time. What it names and no page has is an error.

Links must lead to files and headings that are there, and README.md must lead to every page.
"""
import concurrent.futures
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

import command_tables
import markdown
import pages

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(sys.argv[1])
OURS = ("vlc", "vlrun")
FOLDERS = [os.path.join(BUILD, name) for name in ("frontend", "runtime")]
ENVIRONMENT = dict(os.environ, PATH=os.pathsep.join(FOLDERS + [os.environ["PATH"]]), COLUMNS="100")
os.environ["PATH"] = ENVIRONMENT["PATH"]
TABLES = {program: command_tables.read(program) for program in OURS}
OPTIONS = {name for table in TABLES.values() for command in table.values()
           for name in command.options} | set(pages.OPTIONS_OF_OTHERS)
failures = []


def fail(page, line, text):
    failures.append(f"{page}:{line}: {text}")


def read(page):
    with open(os.path.join(ROOT, page), encoding="utf-8") as file:
        return file.read()


def commands(text):
    """(line, command) of the lines of indented blocks that are commands, without comments; lines that
    end with a backslash go on."""
    for block in markdown.blocks(text):
        if block.kind:
            continue
        numbered = iter(enumerate(block.lines, block.line))
        for number, line in numbered:
            while line.endswith("\\"):
                line = line[:-1].rstrip() + " " + next(numbered)[1].strip()
            words = [word for word in line.split() if not re.match(r"[A-Z_]+=", word)]
            if words and words[0] in pages.PROGRAMS + OURS and words[1:2] != ["="]:
                yield number, re.sub(r"\s+#\s.*", "", line).strip()


def simple_commands(command):
    """The words of each program that a line of the shell runs, without redirections."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="|&;<>()")
    lexer.whitespace_split, lexer.commenters = True, ""
    words, tokens = [], iter(lexer)
    for token in tokens:
        if re.fullmatch(r"[<>]+", token):
            next(tokens)
        elif re.fullmatch(r"[|&;()]+", token):
            yield words
            words = []
        elif words or not re.match(r"[A-Z_]+=", token):
            words.append(token)
    yield words


def split_words(words, options):
    """The names of the options among words, and the operands."""
    names, operands, at = [], [], 0
    while at < len(words):
        name, equals, _ = words[at].partition("=")
        if not words[at].startswith("-") or words[at] == "-":
            operands.append(words[at])
        else:
            names.append(name)
            at += bool(options.get(name) and not equals)
        at += 1
    return names, operands


def check_operands(page, line, name, synopsis, operands):
    least, most = command_tables.operands(synopsis)
    if any("*" in operand for operand in operands):
        return
    if len(operands) < least or most is not None and len(operands) > most:
        fail(page, line, f"{name}: {len(operands)} operands: {' '.join(operands)}; expected {synopsis}")


def check_words(page, line, words, is_whole):
    """Words of a command of ours; `is_whole` unless they are but a mention of it."""
    table = TABLES[words[0]]
    if len(words) > 1 and words[1].startswith("-"):
        name, rest = "", words[1:]
    else:
        name, rest = (words + [""])[1], words[2:]
    if name not in table:
        fail(page, line, f"{words[0]} has no command '{name}'")
        return
    names, operands = split_words(rest, table[name].options)
    for option in names:
        if option not in table[name].options:
            fail(page, line, f"{' '.join(words[:1 + bool(name)])} has no option '{option}'")
    if is_whole and name and "--help" not in names:
        check_operands(page, line, f"{words[0]} {name}", table[name].synopsis, operands)


def check_span(page, found):
    text = re.sub(r"\.\.\.|[][|]", " ", found.text)
    words = text.split()
    if words and words[0] in OURS and len(words) > 1 and not found.text.startswith(f"{words[0]} ..."):
        check_words(page, found.line, words, False)
    for name in re.findall(r"(?<![\w-])--[a-z][a-z-]*", found.text):
        if name not in OPTIONS:
            fail(page, found.line, f"no command has the option '{name}'")


def check_link(page, found):
    if re.match(r"[a-z]+:", found.text):
        return
    path, _, anchor = found.text.partition("#")
    path = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
    if not os.path.exists(os.path.join(ROOT, path)):
        fail(page, found.line, f"a link to {path}, which is not there")
    elif anchor and anchor not in markdown.anchors(read(path)):
        fail(page, found.line, f"a link to '{anchor}', which is no heading of {path}")


def check_text(page, text):
    """What can be said of a page without running anything; its commands."""
    found = list(commands(text))
    for line, command in found:
        for words in simple_commands(command):
            if words and words[0] in OURS:
                check_words(page, line, words, True)
    for span in markdown.spans(text):
        check_span(page, span)
    for link in markdown.links(text):
        check_link(page, link)
    return found


def notices_mistakes():
    """What is wrong in this page is noticed: two things of an unknown option, whose value is an operand."""
    check_text("README.md", """
    vlrun eval runs/mine --limit 3 > out && vlc params a.vg b.vg   # right
    vlrun evall runs/mine

    vlrun eval runs/mine --limits 3

    vlrun eval runs/mine other/mine

text [here](docs/nowhere.md), and [there](HACKING.md#nowhere),
`vlc chek FILE`, `vlrun --task`, and `--tsak NAME`

    cmake --any thing
""")
    noticed = len(failures)
    failures.clear()
    if noticed != 9:
        sys.exit(f"{noticed} mistakes are noticed, of 9")


def matches(rules, used, page, command):
    """The rules for the page that the command fits, which are noted as used."""
    for rule in rules:
        if rule.page in (None, page) and re.search(rule.pattern, command):
            used.add(rule)
            yield rule


def to_run(page, found, used):
    """(line, command) of what is run of a page, as it is changed."""
    for line, command in found:
        if any(matches(pages.NOT_RUN, used, page, command)):
            continue
        for rule in matches(pages.CHANGES, used, page, command):
            command = re.sub(rule.pattern, rule.text, command)
        yield line, command


def run(command, directory):
    return subprocess.run(["timeout", "600", "bash", "-c", command], cwd=directory, env=ENVIRONMENT, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)


def prepare(directory):
    for name in pages.COPIES:
        shutil.copytree(os.path.join(ROOT, name), os.path.join(directory, name))
    os.makedirs(os.path.join(directory, "build"))
    os.symlink(BUILD, os.path.join(directory, "build", "release"))
    for command in pages.SETUP:
        done = run(command, directory)
        if done.returncode:
            sys.exit(f"{command}\n{done.stdout}")


def run_page(page, planned, template):
    if not planned:
        return
    with tempfile.TemporaryDirectory() as above:
        directory = os.path.join(above, "here")
        shutil.copytree(template, directory, symlinks=True)
        for line, command in planned:
            done = run(command, directory)
            if done.returncode:
                fail(page, line, f"{command}\nends with {done.returncode}:\n{done.stdout}")
                return  # what follows needs it


def run_pages(found):
    used = set()
    planned = {page: list(to_run(page, of_page, used)) for page, of_page in found.items()}
    with tempfile.TemporaryDirectory() as template:
        prepare(template)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda page: run_page(page, planned[page], template), planned))
    for rule in set(pages.NOT_RUN + pages.CHANGES) - used:
        if rule.page in (None, *found) and len(found) == len(pages.all_pages(ROOT)):
            failures.append(f"pages.py: no command of {rule.page or 'any page'} fits '{rule.pattern}'")
    return sum(map(len, planned.values()))


def check_readme_names_all():
    linked = {link.text.partition("#")[0] for link in markdown.links(read("README.md"))}
    for page in pages.all_pages(ROOT):
        if page not in linked | {"README.md"}:
            failures.append(f"README.md: no link to {page}")


def main():
    chosen = sys.argv[2:] or pages.all_pages(ROOT)
    notices_mistakes()
    found = {page: check_text(page, read(page)) for page in chosen}
    check_readme_names_all()
    count = 0 if failures else run_pages(found)
    print("\n".join(failures) or f"{sum(map(len, found.values()))} commands, {count} of them run")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

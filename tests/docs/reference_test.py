#!/usr/bin/env python3
"""docs/commands.md is what the programs' tables of commands say: reference_test.py BUILD [--bless]

--bless writes the page anew.
"""
import os
import subprocess
import sys

import command_tables

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.path.join(ROOT, "docs", "commands.md")
BUILD = os.path.abspath(sys.argv[1])
PROGRAMS = {"vlc": "frontend", "vlrun": "runtime"}
HEAD = """# Commands

What `--help` prints of both programs and each of their commands; `vlc --man COMMAND` and `man vlc-COMMAND` have the same as
manual pages. `--task vqa` may be `--task=vqa`, and options may stand before and behind operands; behind `--` all are
operands. What a model's constants are, which `--set` takes, is printed by `vlc constants FILE`, and what can be set of a plan when
it is trained by `vlrun train --settings plan.bin`.

This page is made by `tests/docs/reference_test.py build/release --bless`.
"""


def help_of(program, *command):
    done = subprocess.run([program, *command, "--help"], check=True, text=True,
                          stdout=subprocess.PIPE, env=dict(os.environ, COLUMNS="100"))
    return done.stdout.rstrip()


def section(level, title, text):
    return f"\n{'#' * level} {title}\n\n```text\n{text}\n```\n"


def page():
    parts = [HEAD]
    for name, folder in PROGRAMS.items():
        program = os.path.join(BUILD, folder, name)
        parts.append(section(2, name, help_of(program)))
        for command in filter(None, command_tables.read(program)):
            parts.append(section(3, f"{name} {command}", help_of(program, command)))
    return "".join(parts)


def main():
    made = page()
    if "--bless" in sys.argv[2:]:
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(made)
        return 0
    with open(PAGE, encoding="utf-8") as file:
        if file.read() == made:
            return 0
    print("docs/commands.md is not what the programs say; "
          "tests/docs/reference_test.py build/release --bless writes it anew")
    return 1


if __name__ == "__main__":
    sys.exit(main())

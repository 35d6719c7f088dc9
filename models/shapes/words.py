#!/usr/bin/env python3
"""Prints the words of a directory of data sets and of the prompts, one to a line.

usage: models/shapes/words.py DIR
"""
import json
import pathlib
import re
import string
import sys

KEYS = {"sent", "raw", "text", "q", "desc", "answer", "a0", "a1", "a2", "a3", "a4"}
PROMPTS = """vqa: gpa: nlvr: caption: tvqa: how2qa: tvc: yc2c: [Subs] [Q] [TS] [Choices] true false
    a0 a1 a2 a3 a4 a0: a1: a2: a3: a4: (0.00-25.50) ([0.0, 25.5]) 0 1 2 3 4 5 6 7 8 9""".split()
SPLIT = re.compile(r"[A-Za-z]+[0-9]?(?:qa|c)?|[^\w\s]|[0-9]")


def texts(value):
    """Every text below a value, and every answer of a label."""
    if isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "label" and isinstance(item, dict):
                yield from item
            elif key in KEYS and isinstance(item, str):
                yield item
            else:
                yield from texts(item)


def main():
    words = set(SPLIT.findall(" ".join(PROMPTS))) | set(string.ascii_letters)
    for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.json*")):
        with open(path, encoding="utf-8") as file:
            records = [json.loads(line) for line in file] if path.suffix == ".jsonl" \
                else [json.load(file)]
        for text in texts(records):
            words.update(SPLIT.findall(text))
    for word in sorted(words):
        print(word)


if __name__ == "__main__":
    main()

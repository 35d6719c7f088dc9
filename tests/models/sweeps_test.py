#!/usr/bin/env python3
"""Hold the files of models/sweeps to what they sweep over: every row names a recipe that has its constants and, but for
what is made first, weights that are there; rows of the table of all methods train as many parameters as
docs/results.tsv says, under the same names and in the same order.

usage: sweeps_test.py BUILD_DIR
"""
import csv
import glob
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VLC, VLRUN = os.path.join(sys.argv[1], "frontend/vlc"), os.path.join(sys.argv[1], "runtime/vlrun")
MADE_FIRST = "runs/"
LEAST_FILES, AT_A_TIME = 6, 2


class Row:
    def __init__(self, line):
        _, self.name, self.model, words = line.split("\t")
        words = words.split(" --")[0], words.split()
        self.sets, self.words = split_sets(words[0]), words[1]

    def option(self, name):
        return self.words[self.words.index(name) + 1] if name in self.words else None

    def count(self):
        """Trained and all parameters, or None and what vlc says."""
        words = [word for value in self.sets for word in ("--set", value)]
        result = subprocess.run([VLC, "params", self.model, "--format", "json", *words], capture_output=True, text=True)
        if result.returncode != 0:
            return None, result.stderr
        counts = json.loads(result.stdout)
        return (0 if self.option("--steps") == "0" else counts["trained"]), counts["total"]


def split_sets(text):
    """Constants of a line of --list: quoted texts may have blanks."""
    sets = []
    for word in text.split(" "):
        if sets and sets[-1].count("'") % 2:
            sets[-1] += " " + word
        else:
            sets.append(word)
    return sets


def check_rows(path, faults):
    result = subprocess.run([VLRUN, "sweep", path, "--list"], capture_output=True, text=True)
    if result.returncode != 0:
        faults.append(result.stderr)
    rows = [Row(line) for line in result.stdout.splitlines()]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        counts = list(pool.map(Row.count, rows))
    for row, (trained, total) in zip(rows, counts):
        weights = row.option("--weights")
        if trained is None:
            faults.append(f"{path}: {row.name}: {total}")
        if not weights or not (weights.startswith(MADE_FIRST) or os.path.exists(weights)):
            faults.append(f"{path}: {row.name}: no weights: {weights}")
    return [(row.name, trained, total) for row, (trained, total) in zip(rows, counts)]


def main():
    faults, rows = [], {}
    paths = sorted(glob.glob(os.path.join(ROOT, "models/sweeps/*.json")))
    for path in paths:
        rows[os.path.basename(path)] = check_rows(path, faults)
    if len(paths) < LEAST_FILES:
        faults.append(f"only {len(paths)} sweeps")
    with open(os.path.join(ROOT, "docs/results.tsv"), encoding="utf-8") as file:
        published = [(f"{row['backbone']}, {row['method']}", int(row["trained"]), int(row["total"]))
                     for row in csv.DictReader(file, delimiter="\t")]
    for found, expected in zip(rows["shapes_table.json"], published):
        if found != expected:
            faults.append(f"shapes_table.json: {found}, but docs/results.tsv has {expected}")
    if len(rows["shapes_table.json"]) != len(published):
        faults.append(f"shapes_table.json has {len(rows['shapes_table.json'])} rows, not {len(published)}")
    for fault in faults:
        print(f"sweeps_test: {fault}", file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Compare what the recipes train with published counts, and with complete lists where there are.

usage: tests/counts/counts_test.py BUILD_DIR [LISTS_DIR]

counts.tsv beside this file has a row per recipe and constants: the numbers trained, those of the
model, and their ratio in percent with four decimals; `vlc params --summary` must print them, too.
LISTS_DIR (default: VLG_PARAMS, or
../shared/spec/params beside the project) may hold <list>.tsv with names and shapes of everything
trained, and <model>_base.tsv with all names, aliases and weight decays; without it, only counts are
compared.
"""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def rows(path):
    with open(path, encoding="utf-8") as file:
        return [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]


def run_params(vlc, recipes, constants, *options):
    sets = [word for constant in constants.split() for word in ("--set", constant)]
    paths = [os.path.join(ROOT, "models", recipe + ".vg") for recipe in recipes]
    result = subprocess.run([vlc, "params", *paths, *options, *sets],
                            capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"vlc params {' '.join(recipes)} {constants}: {result.stderr}")
    return result.stdout


def params(vlc, recipe, constants):
    return json.loads(run_params(vlc, [recipe], constants, "--format", "json"))


def summary(vlc, recipes, constants):
    """By recipe, as printed: trained, total and per cent, without the commas."""
    lines = run_params(vlc, recipes, constants, "--summary").splitlines()[1:]
    return {words[0]: [word.replace(",", "") for word in words[1:]]
            for words in map(str.split, lines)}


def check_counts(found, trained, total, percent):
    problems = []
    if found["trained"] != int(trained):
        problems.append(f"trains {found['trained']}, expected {trained}")
    if found["total"] != int(total):
        problems.append(f"has {found['total']}, expected {total}")
    ratio = f"{100 * found['trained'] / found['total']:.4f}"
    if ratio != percent:
        problems.append(f"trains {ratio} %, expected {percent}")
    return problems


def check_summaries(vlc, expected):
    """The recipes that need equal constants, in one call each."""
    problems = []
    for constants in sorted({row[1] for row in expected}):
        numbers = {row[0]: row[2:5] for row in expected if row[1] == constants}
        found = summary(vlc, list(numbers), constants)
        problems += differences(found, numbers, f"summary {constants}:")
    return problems


def differences(found, expected, what):
    """What stands in one dictionary only, or differs."""
    return [f"{what} {name}: found {found.get(name)}, expected {expected.get(name)}"
            for name in sorted(found.keys() | expected.keys())
            if found.get(name) != expected.get(name)]


def check_list(found, path):
    expected = {row[0]: row[1] for row in rows(path)[1:]}
    trained = {param["name"]: "x".join(map(str, param["shape"]))
               for param in found["parameters"] if param["trained"]}
    return differences(trained, expected, "trained")


def check_base(found, path):
    """Names, aliases and decays of everything in a model that is trained whole."""
    expected, decays = {}, {}
    for name, shape, _, alias_of, decay in rows(path)[1:]:
        expected[name] = shape
        if alias_of == "-":
            decays[name] = float(decay)
    named, decayed = {}, {}
    for param in found["parameters"]:
        for name in [param["name"], *param["aliases"]]:
            named[name] = "x".join(map(str, param["shape"]))
        if param["trained"]:
            decayed[param["name"]] = param["weight_decay"]
    return differences(named, expected, "name") + differences(decayed, decays, "decay of")


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    vlc = os.path.join(os.path.abspath(sys.argv[1]), "frontend", "vlc")
    lists = sys.argv[2] if len(sys.argv) == 3 else os.environ.get(
        "VLG_PARAMS", os.path.join(ROOT, "..", "shared", "spec", "params"))
    counts = rows(os.path.join(HERE, "counts.tsv"))
    problems = check_summaries(vlc, counts)
    for recipe, constants, trained, total, percent, name in counts:
        found = params(vlc, recipe, constants)
        wrong = check_counts(found, trained, total, percent)
        path = os.path.join(lists, name + ".tsv")
        if name != "-" and os.path.exists(path):
            wrong += check_list(found, path)
        base = os.path.join(lists, recipe.replace("_full", "_base") + ".tsv")
        if recipe.endswith("_full") and os.path.exists(base):
            wrong += check_base(found, base)
        problems += [f"{recipe} {constants}: {problem}" for problem in wrong]
    print("\n".join(problems) or "all counts agree"
          + ("" if os.path.isdir(lists) else f"; no lists in {lists}"))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()

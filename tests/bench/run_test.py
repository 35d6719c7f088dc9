#!/usr/bin/env python3
"""bench/run on models of two layers: every contender does the same work, and no column is missing.

usage: tests/bench/run_test.py BUILD_DIR

Skips (77) where Python has no PyTorch. Nothing is asked of the times.
"""
import importlib.util
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RUN = os.path.join(ROOT, "bench/run")
STEPS = ["t5-adapter-ragged-16", "t5-lora-caption-16", "bart-lora-vqa-16", "bart-full-ragged-16"]
SEARCHES = ["t5-adapter-beams-16", "bart-full-greedy-16"]
PROCESSOR = "x86-64-v2"
MODULES = os.path.join(ROOT, "build/onnx/node_modules/onnxruntime-node")
# the loss of f32 beside f32, as close as rounding allows on such small models
SAME_LOSS = 2e-6


def check(is_true, *words):
    if not is_true:
        sys.exit("run_test.py: " + " ".join(map(str, words)))


def bench(build, work, *arguments, code=0):
    done = subprocess.run(
        [sys.executable, RUN, "--build", build, "--work", work, "--size", "golden", "--rounds", "2",
         "--processor", PROCESSOR, *arguments], capture_output=True, text=True)
    check(done.returncode == code, *arguments, f": exit code {done.returncode}:", done.stdout, done.stderr)
    return done.stdout if code == 0 else done.stderr


def check_case(case):
    who = {one["name"]: one for one in case["contenders"]}
    ours = [name for name in who if name.startswith("ours ")]
    is_onnx = case["case"] == SEARCHES[1] and os.path.isdir(MODULES)
    check(("onnxruntime f32" in who) == is_onnx, case["case"], list(who))
    check(list(who)[:2] == ["torch f32", "torch bf16"], case["case"], list(who))
    check(len(ours) >= 2 and ours[-1].endswith(PROCESSOR), case["case"], ours)
    for name, one in who.items():
        check(one["agrees"], case["case"], name, one)
        check(len(one["seconds"]) == len(one["speed_of_torch_f32"]) == 2, case["case"], name, one)
        check(min(one["seconds"]) > 0 and one["peak_bytes"] > 1 << 20, case["case"], name, one)
    for name in ("ours highest", f"ours highest {PROCESSOR}"):
        most = 0 if case["case"] in SEARCHES else SAME_LOSS
        check(who[name]["difference"] <= most, case["case"], name, who[name])
    bf16 = who["torch bf16"]["difference"]
    check(bf16 > 0 or case["case"] in SEARCHES, "autocast changes nothing:", case["case"])


def check_table(table):
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("|")]
    check(len(rows) >= 6 and {len(row) for row in rows} == {8}, "table:", table)
    check(all(all(cell.strip() for cell in row) for row in rows), "an empty cell:", table)


def main():
    if not importlib.util.find_spec("torch"):
        print("skipped: needs python3-torch")
        sys.exit(77)
    build = sys.argv[1]
    with tempfile.TemporaryDirectory() as work:
        measured = json.loads(bench(build, work, "--json", *STEPS, *SEARCHES))
        check([case["case"] for case in measured["cases"]] == STEPS + SEARCHES, measured)
        for case in measured["cases"]:
            check_case(case)
        check_table(bench(build, work, "--table", "--precision", "highest", "t5-full-start"))
        check("no case 't6-*'" in bench(build, work, "t6-*", code=2), "an unknown case is taken")
        listed = bench(build, work, "--list").split()
        check(set(STEPS + SEARCHES) <= set(listed), "--list:", listed)


if __name__ == "__main__":
    main()

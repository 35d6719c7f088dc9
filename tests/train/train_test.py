#!/usr/bin/env python3
"""Train a tiny model per recipe, dropout on, and check what must hold of every training.

usage: tests/train/train_test.py BUILD_DIR [--bless]

- all steps give the same checkpoint, bit for bit, on 1, 2, 3 and 8 lanes (some recipes: 1 and 3);
- and the same trained parameters whether or not the freeze pass pruned the gradients of the rest;
- frozen parameters are afterwards what they were, bit for bit;
- losses follow the recorded trace in tests/train/<recipe>.trace within TOLERANCE (another processor
  sums in vectors of another width). --bless records the trace anew.
"""
import hashlib
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TOLERANCE = 2e-3
SETS = ["size=tiny", "dropout=0.1", "tokens=220", "sequences=12", "warmup=0.1"]
# recipe -> steps, and numbers of lanes
RECIPES = {"vlt5_tiny_adapter": (50, (1, 2, 3, 8)), "vlt5_adapter": (16, (1, 3)),
           "vlt5_full": (16, (1, 3)), "vlt5_ladder": (16, (1, 3)), "vlt5_mixed": (16, (1, 3))}


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {result.returncode}\n{result.stderr}")


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def tensors(path):
    """The bytes of every tensor of a safetensors file, by name."""
    with open(path, "rb") as file:
        data = file.read()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    return {name: data[start + entry["data_offsets"][0]:start + entry["data_offsets"][1]]
            for name, entry in header.items() if name != "__metadata__"}


class Recipe:
    """A recipe, compiled and trained in a scratch directory."""

    def __init__(self, name, steps, build, scratch):
        self.name, self.steps, self.scratch = name, steps, scratch
        self.vlc = os.path.join(build, "frontend", "vlc")
        self.vlrun = os.path.join(build, "runtime", "vlrun")

    def compile(self, plan, *options):
        path = os.path.join(self.scratch, plan)
        sets = [word for value in (*SETS, f"steps={self.steps}") for word in ("--set", value)]
        run(self.vlc, "compile", f"models/{self.name}.vg", "-o", path, *sets, *options)
        return path

    def train(self, plan, out, *options):
        directory = os.path.join(self.scratch, out)
        run(self.vlrun, "train", plan, "--out", directory, "--random-weights", "--eval-every", "0", *options)
        return directory

    def export(self, plan, directory, *options):
        path = directory + ".safetensors"
        run(self.vlrun, "export", plan, "--from", directory, "-o", path, *options)
        return tensors(path)


def losses(directory):
    with open(os.path.join(directory, "metrics.jsonl"), encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    return [(line["task"], line["loss"]) for line in lines if "loss" in line]


def check_trace(recipe, directory, bless):
    path = os.path.join(HERE, recipe.name + ".trace")
    found = losses(directory)
    if bless:
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"{task} {loss:.6f}\n" for task, loss in found)
        return
    with open(path, encoding="utf-8") as file:
        wanted = [line.split() for line in file]
    if len(found) != len(wanted):
        sys.exit(f"{recipe.name}: {len(found)} losses, expected {len(wanted)}")
    for step, ((task, loss), (wanted_task, text)) in enumerate(zip(found, wanted)):
        if task != wanted_task or not abs(loss - float(text)) <= TOLERANCE * abs(float(text)):
            sys.exit(f"{recipe.name}: step {step}: {task} {loss}, expected {wanted_task} {text}")


def check(recipe, lane_counts, bless):
    plan = recipe.compile("plan.bin")
    runs = {lanes: recipe.train(plan, f"lanes{lanes}", "--threads", str(lanes))
            for lanes in lane_counts}
    digests = {lanes: digest(os.path.join(path, "checkpoint.safetensors"))
               for lanes, path in runs.items()}
    if len(set(digests.values())) != 1:
        sys.exit(f"{recipe.name}: the number of lanes changes the result: {digests}")
    check_trace(recipe, runs[1], bless)

    trained = recipe.export(plan, runs[1])
    unpruned = recipe.compile("unpruned.bin", "--skip", "freeze")
    if recipe.export(unpruned, recipe.train(unpruned, "unpruned")) != trained:
        sys.exit(f"{recipe.name}: pruning changes the result")

    before = recipe.export(plan, recipe.train(plan, "untrained", "--steps", "0"), "--merge")
    after = recipe.export(plan, runs[1], "--merge")
    frozen = [name for name in before if name not in trained]
    if any(before[name] != after[name] for name in frozen):
        sys.exit(f"{recipe.name}: a frozen parameter has changed")
    if any(before[name] == after[name] for name in trained):
        sys.exit(f"{recipe.name}: a trained parameter has not changed")
    print(f"{recipe.name}: {len(trained)} trained and {len(frozen)} frozen tensors as expected")


def main():
    build, bless = sys.argv[1], "--bless" in sys.argv
    for name, (steps, lane_counts) in RECIPES.items():
        with tempfile.TemporaryDirectory() as scratch:
            check(Recipe(name, steps, os.path.abspath(build), scratch), lane_counts, bless)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Methods whose additions are nothing at first begin from the backbone's own answers.

usage: tests/models/start_test.py BUILD_DIR

With their initial values over a pretrained backbone, recipes generate word for word what the
backbone alone does (its `visual` recipe attaches nothing). Adapters, which begin with random maps, do
not: this comparison can fail.
"""
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# a recipe and what it is compiled with, after the backbone's name
SAME = ["dora", "vera", "ladder", "vl_pet granularity=middleY zero_up=1 encoder_scale=1"]
OTHER = {"vlt5": ["adapter"], "vlbart": []}


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if result.returncode:
        sys.exit(f"{' '.join(command)}: {result.stderr}")
    return result.stdout


def answers(build, directory, backbone, choice):
    """What the recipe says about the first examples of every task."""
    recipe, *constants = choice.split()
    plan = os.path.join(directory, "plan.bin")
    sets = [word for constant in ["size=tiny", "task_prompts=1", "tokens=512", *constants]
            for word in ("--set", constant)]
    run(os.path.join(build, "frontend/vlc"), "compile", f"models/{backbone}_{recipe}.vg",
        "-o", plan, *sets)
    return run(os.path.join(build, "runtime/vlrun"), "generate", plan, "--data", "shapes",
               "--weights", f"models/shapes/{backbone}_tiny.safetensors", "--random-weights",
               "--limit", "12")


def main():
    build, wrong = sys.argv[1], []
    with tempfile.TemporaryDirectory() as directory:
        for backbone in OTHER:
            own = answers(build, directory, backbone, "visual")
            wrong += [f"{backbone}_{choice} begins with other answers" for choice in SAME
                      if answers(build, directory, backbone, choice) != own]
            wrong += [f"{backbone}_{choice} begins with the same answers"
                      for choice in OTHER[backbone]
                      if answers(build, directory, backbone, choice) == own]
    sys.exit("\n".join(wrong) or 0)


if __name__ == "__main__":
    main()

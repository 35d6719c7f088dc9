#!/usr/bin/env python3
"""Exported graphs answer in ONNX Runtime as `vlrun generate` does.

usage: tests/runtime/onnx/answers_test.py BUILD_DIR

For each recipe, small and with parameters that all matter, ids and scores of the example (examples/onnx)
are those of greedy generation, one by one and padded to a batch. Skips (77) without node, or without the
example's packages in build/onnx, where `./quickstart test` puts them.
"""
import json
import os
import shutil
import sys
import tempfile

import exported
from exported import CASES, ROOT, VLRUN, run

MODULES = ROOT + "/build/onnx/node_modules"
EXAMPLES, BATCH = 5, 4


def close(a, b):
    return abs(a - b) <= 1e-3 * max(1, abs(a))


def check_answers(recipe, task, expected, answered):
    assert len(expected) == len(answered) == EXAMPLES, (recipe, task, len(answered))
    for ours, theirs in zip(expected, answered):
        assert ours["index"] == theirs["index"] and ours["ids"] == theirs["ids"], (recipe, task, ours["ids"], theirs)
        assert close(ours["score"], theirs["score"]), (recipe, task, ours["score"], theirs)


def check_task(recipe, task, work):
    plan, given = work + "/plan.bin", work + "/shaken.safetensors"
    lines = run(VLRUN, "generate", plan, "--from", given, "--weights", given, "--data", work + "/data", "--task", task,
                "--beams", "1", "--limit", str(EXAMPLES), "--inputs")
    expected = [json.loads(line) for line in lines.splitlines()]
    for batch in (1, BATCH):
        out = run("node", work + "/example/greedy.mjs", work + "/graphs", task, str(batch), stdin=lines)
        check_answers(recipe, task, expected, [json.loads(line) for line in out.splitlines()])
    return {(*answer["ids"], answer["score"]) for answer in expected}


def check_recipe(recipe, tasks, work):
    plan, given, graphs = work + "/plan.bin", work + "/shaken.safetensors", work + "/graphs"
    exported.compile_small(recipe, plan)
    run(VLRUN, "export", plan, "--random-weights", "--format", "onnx", "-o", work + "/first")
    exported.write_safetensors(given, exported.shake(exported.parameters(work + "/first"), 1))
    # One task's graphs may be asked for, or all.
    only = ["--task", tasks[0]] if len(tasks) == 1 else []
    run(VLRUN, "export", plan, "--from", given, "--weights", given, "--format", "onnx", "-o", graphs, *only)
    with open(graphs + "/generation.json", encoding="utf-8") as file:
        assert set(json.load(file)["tasks"]) >= set(tasks)
    said = set().union(*[check_task(recipe, task, work) for task in tasks])
    assert len(said) > 1, (recipe, "all examples have one answer", said)
    shutil.rmtree(graphs)
    shutil.rmtree(work + "/first")


def main():
    if not shutil.which("node") or not os.path.isdir(MODULES):
        print("answers_test: needs node, and npm ci of examples/onnx in build/onnx")
        return 77
    with tempfile.TemporaryDirectory() as work:
        shutil.copytree(ROOT + "/examples/onnx", work + "/example", ignore=shutil.ignore_patterns("node_modules"))
        os.symlink(MODULES, work + "/example/node_modules")
        run(VLRUN, "make-data", "shapes", work + "/data", "--size", "60")
        for recipe, tasks in CASES.items():
            check_recipe(recipe, tasks, work)
    print(f"answers_test: {len(CASES)} recipes answer alike")
    return 0


sys.exit(main())

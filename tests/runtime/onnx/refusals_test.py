#!/usr/bin/env python3
"""What has no ONNX is refused by name, and nothing is left half-written.

usage: tests/runtime/onnx/refusals_test.py BUILD_DIR
"""
import json
import os
import sys
import tempfile

import exported
import numpy
from exported import VLRUN, run

BACKBONE = exported.ROOT + "/models/shapes/vlt5_tiny.safetensors"


def refused(code, text, *arguments):
    said = run(VLRUN, "export", *arguments, code=code)
    assert text in said, (arguments, said)


def check_tasks(work):
    plan, out = work + "/plan.bin", work + "/graphs"
    exported.compile_small("vlt5_adapter", plan)
    onnx = [plan, "--random-weights", "--format", "onnx", "-o", out]
    refused(1, "no task 'vqq'; did you mean 'vqa'?", *onnx, "--task", "vqq")
    refused(2, "found 'onyx'; did you mean 'onnx'?", plan, "--format", "onyx", "-o", out)
    refused(2, "--merge is of --format safetensors", *onnx, "--merge")
    refused(2, "--task is of --format onnx", plan, "--from", "run", "-o", out, "--task", "vqa")
    refused(2, "expected RUN -o PATH", plan, "--format", "onnx", "-o", out)
    assert not os.path.exists(out)


def check_extractor(work):
    exported.run(exported.VLC, "compile", exported.ROOT + "/models/extract_vit_b32.vg", "-o", work + "/extract.bin")
    refused(1, "the plan generates for none of its tasks", work + "/extract.bin", "--random-weights", "--format",
            "onnx", "-o", work + "/none")


def check_numbers(work):
    """A number that is not finite is named, and ends 3."""
    plan, first = work + "/plan.bin", work + "/first"
    run(VLRUN, "export", plan, "--random-weights", "--format", "onnx", "-o", first)
    tensors = exported.shake(exported.parameters(first), 1)
    name = "encoder.block.0.layer.0.layer_norm.weight"
    tensors[name][3] = numpy.nan
    exported.write_safetensors(work + "/bad.safetensors", tensors)
    given = ["--from", work + "/bad.safetensors", "--weights", work + "/bad.safetensors"]
    refused(3, f"parameter '{name}': number 3 is nan", plan, *given, "--format", "onnx", "-o", work + "/bad")
    assert not os.path.exists(work + "/bad")


def check_writing(work):
    """What was there stays where the new one cannot be written, and goes where it is."""
    plan, out = work + "/plan.bin", work + "/first"
    before = sorted(os.listdir(out))
    onnx = [plan, "--random-weights", "--format", "onnx"]
    assert before[-1].startswith("weights-") and before[:2] == ["caption.decode.onnx", "caption.encode.onnx"], before
    # other weights, and one task: other files
    shaken = work + "/shaken.safetensors"
    exported.write_safetensors(shaken, exported.shake(exported.parameters(out), 1))
    other = [plan, "--from", shaken, "--weights", shaken, "--format", "onnx", "--task", "vqa", "-o", out]
    limited = 'ulimit -f 100; exec "$0" "$@"'
    said = run("bash", "-c", limited, VLRUN, "export", *other, code=1)
    assert "error: cannot be written: File too large" in said, said
    assert sorted(os.listdir(out)) == before
    run(VLRUN, "export", *other)
    after = sorted(os.listdir(out))
    assert after[:3] == ["generation.json", "vqa.decode.onnx", "vqa.encode.onnx"] and len(after) == 4, after
    assert after[-1].startswith("weights-") and after[-1] != before[-1], (before, after)
    with open(out + "/generation.json", encoding="utf-8") as file:
        assert list(json.load(file)["tasks"]) == ["vqa"]
    # nothing else is taken for an export
    with open(out + "/mine.onnx", "w", encoding="utf-8"):
        pass
    refused(1, "holds 'mine.onnx', which is not of an earlier export", *onnx, "-o", out)
    assert sorted(os.listdir(out)) == sorted([*after, "mine.onnx"])
    refused(1, "mine.onnx", *onnx, "-o", out + "/mine.onnx")


def check_precision(work):
    """Integers of frozen weights are no part of ONNX."""
    plan = work + "/int8.bin"
    run(exported.VLC, "compile", exported.ROOT + "/models/vlt5_tiny_adapter.vg", "-o", plan, "--frozen", "int8")
    done = exported.subprocess.run([VLRUN, "export", plan, "--weights", BACKBONE, "--random-weights", "--format",
                                    "onnx", "-o", work + "/int8"], capture_output=True, text=True)
    assert done.returncode == 0 and "products are as accurate as 'int8' in the plan, and f32 in ONNX" in done.stderr, \
        done.stderr


def main():
    with tempfile.TemporaryDirectory() as work:
        check_tasks(work)
        check_extractor(work)
        check_numbers(work)
        check_writing(work)
        check_precision(work)
    print("refusals_test: refused as it should be")


sys.exit(main())

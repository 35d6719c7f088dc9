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
    """What was there stays where the new one cannot be written."""
    plan, out = work + "/plan.bin", work + "/first"
    before = sorted(os.listdir(out))
    with open(out + "/generation.json", encoding="utf-8") as file:
        old = file.read()
    assert json.loads(old)["tasks"]["vqa"]["decode"]["file"] == "vqa.decode.onnx"
    os.remove(out + "/weights.bin")
    os.mkdir(out + "/weights.bin")
    onnx = [plan, "--random-weights", "--format", "onnx"]
    refused(1, "weights.bin", *onnx, "-o", out)
    assert sorted(os.listdir(out)) == before
    with open(out + "/generation.json", encoding="utf-8") as file:
        assert file.read() == old
    with open(work + "/file", "w", encoding="utf-8"):
        pass
    refused(1, "file", *onnx, "-o", work + "/file")
    full = f'ulimit -f 100; exec "$0" "$@" -o {work}/full'
    said = run("bash", "-c", full, VLRUN, "export", *onnx, code=1)
    assert "weights.bin: error: cannot be written: File too large" in said, said
    assert os.listdir(work + "/full") == []


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

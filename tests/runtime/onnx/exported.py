"""What the tests of exported graphs share: plans, parameters and programs."""
import glob
import json
import os
import struct
import subprocess
import sys

import numpy
import onnx
import onnx.numpy_helper

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.path.abspath(sys.argv[1])
VLC, VLRUN = BUILD + "/frontend/vlc", BUILD + "/runtime/vlrun"

# Both backbones, what methods add to them in different ways, and every kind of task.
CASES = {
    "vlt5_adapter": ["vqa", "gqa", "nlvr", "caption"],
    "vlbart_lora": ["caption", "nlvr"],
    "vlt5_hyperformer": ["gqa"],
    "vlbart_compacter": ["vqa"],
    "vlt5_prompt": ["vqa"],
    "vlbart_prompt": ["nlvr"],
    "vlbart_ia3": ["vqa"],
    "vlt5_ladder": ["caption"],
    "vlt5_attention_adapter": ["vqa"],
    "vlbart_dora": ["gqa"],
    "vlt5_tiny_video": ["tvqa"],
}


def run(*command, code=0, stdin=""):
    done = subprocess.run(command, input=stdin, capture_output=True, text=True)
    assert done.returncode == code, f"{command}: exit {done.returncode}: {done.stderr}"
    return done.stdout if code == 0 else done.stderr


def compile_small(recipe, plan, *sets):
    run(VLC, "compile", f"{ROOT}/models/{recipe}.vg", "-o", plan,
        *[word for text in ("size=tiny", *sets) for word in ("--set", text)])


def parameters(directory):
    """Name -> numbers of every parameter of exported graphs."""
    found = {}
    for path in glob.glob(directory + "/*.onnx"):
        for tensor in onnx.load(path).graph.initializer:
            if not tensor.name.startswith(("i64", "f32")):
                found[tensor.name] = onnx.numpy_helper.to_array(tensor)
    return found


def write_safetensors(path, tensors):
    header, offset = {}, 0
    for name, numbers in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(numbers.shape),
                        "data_offsets": [offset, offset + numbers.nbytes]}
        offset += numbers.nbytes
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for numbers in tensors.values():
            file.write(numbers.tobytes())


def shake(tensors, seed):
    """Initial values make most methods do nothing; others do not."""
    random = numpy.random.default_rng(seed)
    return {name: (numbers + random.normal(0, 0.08, numbers.shape)).astype(numpy.float32)
            for name, numbers in sorted(tensors.items())}

"""What ONNX Runtime is given of a case: graphs, and the inputs that they read."""
import os
import shutil
import subprocess

import numpy as np

import tensor_file
from cases import BATCHES, MODELS

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
EXAMPLE = os.path.join(ROOT, "examples/onnx")
MODULES = os.path.join(ROOT, "build/onnx/node_modules")


def is_there():
    """Whether node is, and what `./quickstart test` has installed of the example."""
    return shutil.which("node") is not None and os.path.isdir(os.path.join(MODULES, "onnxruntime-node"))


def write_inputs(path, batch, side):
    """The padded batch as the encode graph reads it: the first boxes of each image, with their areas."""
    arrays = tensor_file.read(batch + ".safetensors")
    boxes = arrays["in/boxes"][:, :side * side]
    area = (boxes[..., 3] - boxes[..., 2]) * (boxes[..., 1] - boxes[..., 0])
    tensor_file.write_arrays(path, {
        "input_ids": arrays["in/input_ids"].astype(np.int64),
        "text_mask": arrays["in/attention_mask"].astype(np.int64),
        "features": arrays["in/vis_feats"],
        "boxes": np.concatenate([boxes, area[..., None]], -1)})


def write_program(directory):
    """The example's program, where it finds the packages; its path."""
    os.makedirs(directory, exist_ok=True)
    packages = os.path.join(directory, "node_modules")
    if not os.path.islink(packages):
        os.symlink(MODULES, packages)
    return shutil.copy(os.path.join(EXAMPLE, "model.mjs"), directory)


def command(job, precision, settings):
    """The process that answers, its files written."""
    task = BATCHES[job.case.batch][0]
    directory = os.path.join(settings.work, f"{job.case.model}-{job.case.method}-{job.size['name']}-onnx")
    subprocess.run([settings.vlrun, "export", job.plan(precision), "--weights", job.weights, "--random-weights",
                    "--format", "onnx", "--task", task, "-o", directory],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    inputs = job.batch + "-inputs.safetensors"
    write_inputs(inputs, job.batch, job.size["side"])
    return ["node", os.path.join(ROOT, "bench/onnx_serve.mjs"),
            write_program(os.path.join(settings.work, "onnx")), directory, task, inputs, str(settings.threads),
            *(str(MODELS[job.case.model][key]) for key in ("start", "end"))]

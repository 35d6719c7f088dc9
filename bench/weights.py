"""Random parameters, in one file that all read: every method's, of a model of one size."""
import hashlib
import json
import os
import zlib

import numpy as np

import tensor_file
from cases import MODELS

IS_NORM = ("norm.weight", "norm_embedding.weight", "embedding.1.weight", "LayerNorm.weight")


def deviation(name, shape, model):
    """As of a fresh model, where nothing is zero."""
    is_method = "sampler" in name or "lora" in name
    if len(shape) == 1 or model == "bart" and not is_method:
        return 0.02
    if name.endswith(("shared.weight", "order_embedding.weight")):
        return 1.0
    if name.endswith(".q.weight"):
        return shape[1] ** -0.5 * 0.125  # scores are not scaled
    return shape[1] ** -0.5


def values(name, shape, model, end):
    """The row of the token that closes an answer is zero, so that no answer ends early."""
    generator = np.random.default_rng(zlib.crc32(name.encode()))
    drawn = generator.standard_normal(shape, np.float32)
    drawn *= np.float32(deviation(name, shape, model))
    if name.endswith(IS_NORM):
        drawn += 1
    if name == MODELS[model]["table"]:
        drawn[end] = 0
    return drawn


def write_weights(directory, model, parameters):
    """The path of the file; parameters are those of all methods, as `vlc params` lists them."""
    shapes = {one["name"]: one["shape"] for one in parameters if one["name"] != "final_logits_bias"}
    digest = hashlib.sha256(json.dumps(sorted(shapes.items())).encode()).hexdigest()[:12]
    path = os.path.join(directory, f"{model}-{digest}.safetensors")
    if not os.path.exists(path):
        end = MODELS[model]["end"]
        tensor_file.write(path, shapes, dict.fromkeys(shapes, np.float32),
                          lambda name: values(name, shapes[name], model, end))
    return path

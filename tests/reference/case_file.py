"""Cases as files: NAME.safetensors and NAME.json."""
import json
import math
import os

import torch

DTYPES = {"F32": torch.float32, "F64": torch.float64, "I64": torch.int64}
NAMES = {dtype: name for name, dtype in DTYPES.items()}


def read_tensors(path):
    with open(path, "rb") as file:
        data = bytearray(file.read())
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    return {name: torch.frombuffer(data, dtype=DTYPES[entry["dtype"]],
                                   count=math.prod(entry["shape"]),
                                   offset=8 + length + entry["data_offsets"][0])
            .reshape(entry["shape"]).clone() for name, entry in header.items()}


def write_tensors(path, tensors):
    header, offset = {}, 0
    for name, tensor in tensors.items():
        size = tensor.numel() * tensor.element_size()
        header[name] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for tensor in tensors.values():
            file.write(tensor.contiguous().numpy().tobytes())


def read(directory, name):
    """A case's settings and tensors."""
    path = os.path.join(directory, name)
    with open(path + ".json", encoding="utf-8") as file:
        return json.load(file), read_tensors(path + ".safetensors")


def write(directory, name, case, tensors):
    path = os.path.join(directory, name)
    write_tensors(path + ".safetensors", tensors)
    with open(path + ".json", "w", encoding="utf-8") as file:
        json.dump(case, file, indent=1)


def folder(tensors, name):
    """The tensors under name/, without it."""
    return {key[len(name) + 1:]: value for key, value in tensors.items()
            if key.startswith(name + "/")}

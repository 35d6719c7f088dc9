"""Files of tensors in the safetensors format, read and written with NumPy."""
import json
import math
import os

import numpy as np

DTYPES = {"F32": np.float32, "I64": np.int64}
NAMES = {np.dtype(dtype): name for name, dtype in DTYPES.items()}


def read(path):
    """name -> array over the mapped file; what is written to an array stays in this process."""
    data = np.memmap(path, mode="c")
    length = int.from_bytes(data[:8].tobytes(), "little")
    header = json.loads(data[8:8 + length].tobytes())
    header.pop("__metadata__", None)
    arrays = {}
    for name, entry in header.items():
        first, end = (8 + length + offset for offset in entry["data_offsets"])
        arrays[name] = data[first:end].view(DTYPES[entry["dtype"]]).reshape(entry["shape"])
    return arrays


def write(path, shapes, dtypes, make):
    """Writes make(name) of every name in shapes, one at a time; the file appears when it is whole."""
    header, offset = {}, 0
    for name, shape in shapes.items():
        size = math.prod(shape) * np.dtype(dtypes[name]).itemsize
        header[name] = {"dtype": NAMES[np.dtype(dtypes[name])], "shape": list(shape),
                        "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 64 + 56)  # tensors begin at a multiple of 64 bytes
    part = f"{path}.part"
    with open(part, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in shapes:
            make(name).tofile(file)
    os.replace(part, path)


def write_arrays(path, arrays):
    """Writes arrays by name."""
    write(path, {name: array.shape for name, array in arrays.items()},
          {name: array.dtype for name, array in arrays.items()}, arrays.get)

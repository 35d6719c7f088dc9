"""Files as PyTorch saves them, made without PyTorch, so that they can be made wrong."""
import collections
import io
import pickle
import struct
import sys
import types
import zipfile


def _module(name):
    module = sys.modules[name] = types.ModuleType(name)
    return module


_torch, _utils = _module("torch"), _module("torch._utils")


def _rebuild_tensor_v2(*_):
    """Named in the pickle, never called."""


_rebuild_tensor_v2.__module__ = "torch._utils"
_utils._rebuild_tensor_v2 = _rebuild_tensor_v2
for _name in ("FloatStorage", "HalfStorage", "LongStorage"):
    setattr(_torch, _name, type(_name, (), {"__module__": "torch"}))


class Storage:
    def __init__(self, key, count, kind="FloatStorage"):
        self.id = ("storage", getattr(_torch, kind), key, "cpu", count)


class Tensor:
    def __init__(self, storage, size, stride=None, offset=0):
        if stride is None:
            stride, step = [], 1
            for axis in reversed(size):
                stride.insert(0, step)
                step *= axis
        self.made = (storage, offset, tuple(size), tuple(stride), False,
                     collections.OrderedDict())

    def __reduce__(self):
        return _rebuild_tensor_v2, self.made


class _Pickler(pickle.Pickler):
    def persistent_id(self, value):
        return value.id if isinstance(value, Storage) else None


def dump(value, protocol=2):
    out = io.BytesIO()
    _Pickler(out, protocol).dump(value)
    return out.getvalue()


def floats(*numbers):
    return struct.pack(f"<{len(numbers)}f", *numbers)


def archive(entries, method=zipfile.ZIP_STORED, zip64=False):
    """A list of (name, bytes), in a folder "a" unless the name begins with a slash."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, data in entries:
            info = zipfile.ZipInfo(name[1:] if name.startswith("/") else f"a/{name}")
            info.compress_type = method
            with file.open(info, "w", force_zip64=zip64) as entry:
                entry.write(data)
    return out.getvalue()


def saved(value, *storages, **options):
    """What torch.save writes, with the bytes of storages "0", "1", .."""
    return archive([("data.pkl", dump(value)), ("byteorder", b"little")] +
                   [(f"data/{i}", data) for i, data in enumerate(storages)] +
                   [("version", b"3\n")], **options)

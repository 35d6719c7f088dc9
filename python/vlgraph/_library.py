"""libvlgraph, found and loaded; its calls as functions that raise."""
from __future__ import annotations

import os
import re
import subprocess
from typing import Any, Iterator

import cffi
import numpy

_NAME = "libvlgraph.so.0"
_HERE = os.path.dirname(os.path.abspath(__file__))


class Error(Exception):
    """What a call refused, in the words of the programs: file, line, what was found and what was expected."""


class InputError(Error, ValueError):
    """What was given is at fault, or a file cannot be written."""


class NumbersError(Error, ArithmeticError):
    """A number is not finite."""


def _declarations() -> str:
    """The header without what only a C compiler understands."""
    with open(os.path.join(_HERE, "vlgraph.h"), encoding="utf-8") as file:
        text = file.read()
    text = re.sub(r"#ifdef __cplusplus.*?#endif", "", text, flags=re.S)
    return re.sub(r"^#.*$", "", text, flags=re.M).replace("VLG_API", "")


def _candidates() -> Iterator[str]:
    """Where the library may be: beside this package, in the build of its sources, or where the system knows."""
    above = _HERE
    while above != os.path.dirname(above):
        above = os.path.dirname(above)
        for path in ("lib", "build/release/library"):
            file = os.path.join(above, path, _NAME)
            if os.path.exists(file):
                yield file
    yield _NAME
    try:
        found = subprocess.run(["pkg-config", "--variable=libdir", "vlgraph"], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True, check=False).stdout.strip()
    except OSError:
        found = ""
    if found:
        yield os.path.join(found, _NAME)


def _load() -> Any:
    given = os.environ.get("VLGRAPH_LIBRARY")
    problem = None
    for path in [given] if given else _candidates():
        try:
            return ffi.dlopen(path)
        except OSError as error:
            problem = problem or error
    raise ImportError(f"{problem}; VLGRAPH_LIBRARY=PATH/{_NAME} says where the library is")


ffi = cffi.FFI()
ffi.cdef(_declarations())
lib = _load()


def version() -> str:
    """Version, commit and LLVM's version of the library."""
    return ffi.string(lib.vlg_version()).decode()


def call(function: Any, *arguments: Any) -> Any:
    """Calls a function whose last argument is an error, and raises what it says."""
    error = ffi.gc(ffi.new("VlgError *"), lib.vlg_error_clear)
    result = function(*arguments, error)
    if error.status == lib.VLG_OK:
        return result
    text = ffi.string(error.text).decode(errors="replace").rstrip()
    raise (NumbersError if error.status == lib.VLG_NUMBERS else InputError)(text)


def name(text: str) -> Any:
    """As a C string."""
    return ffi.new("char[]", os.fspath(text).encode())


def path(value: Any) -> Any:
    """A path as a C string; NULL of None."""
    return ffi.NULL if value is None else ffi.new("char[]", os.fsencode(value))


def text_of(value: Any) -> str:
    """Of a C string."""
    return ffi.string(value).decode()


def types(kind: int) -> type:
    """NumPy's type for a VlgType."""
    return numpy.int32 if kind == lib.VLG_I32 else numpy.float32


def view(pointer: Any, kind: Any, shape: tuple[int, ...], owner: Any) -> numpy.ndarray:
    """An array over memory of the library, which `owner` has and which lives as long as the array."""
    count = int(numpy.prod(shape, dtype=numpy.int64))
    if count == 0:
        return numpy.empty(shape, kind)
    held = ffi.gc(ffi.cast("char *", pointer), lambda _, owner=owner: None)
    buffer = ffi.buffer(held, count * numpy.dtype(kind).itemsize)
    return numpy.frombuffer(buffer, kind).reshape(shape)


class Handle:
    """What a free function ends. Views keep it, so that their memory outlives what is closed."""

    def __init__(self, pointer: Any, free: Any, needs: Any = None):
        self.pointer, self._free, self._needs = pointer, free, needs

    def __del__(self) -> None:
        self._free(self.pointer)

"""Data sets as batches."""
from __future__ import annotations

from typing import Any, Iterator

import numpy

from ._library import Handle, call, ffi, lib, name, text_of, types, view
from .batch import Batch


def _batch(pointer: Any, data: Handle) -> Batch:
    """Over the library's memory."""
    owner = Handle(pointer, lib.vlg_batch_free, data)
    lengths = {text_of(pointer.axes[i].axis): view(pointer.axes[i].lengths, numpy.int32, (pointer.sequences,), owner)
               for i in range(pointer.axis_count)}
    fields = {}
    for i in range(pointer.field_count):
        field = pointer.fields[i]
        fields[text_of(field.name)] = view(field.data, types(field.type), (field.rows, field.width), owner)
    return Batch(text_of(pointer.task), lengths, fields, pointer.group, owner)


class Data:
    """Made by `Plan.data`."""

    def __init__(self, pointer: Any, plan: Handle):
        self._handle = Handle(pointer, lib.vlg_data_close, plan)

    @property
    def epoch_steps(self) -> int:
        """Training steps of an epoch."""
        return lib.vlg_data_steps(self._handle.pointer)

    def step(self, step: int) -> Batch:
        """The batch of a training step, counted from 0 over all epochs: the same each time."""
        return _batch(call(lib.vlg_data_step, self._handle.pointer, step), self._handle)

    def batches(self, task: str, split: str = "test") -> Iterator[Batch]:
        """Those of a split, in order."""
        index = 0
        while True:
            pointer = call(lib.vlg_data_batch, self._handle.pointer, name(task), name(split), index)
            if pointer == ffi.NULL:
                return
            yield _batch(pointer, self._handle)
            index += 1

    def text(self, ids: Any) -> str:
        """What ids say, in words."""
        array = numpy.ascontiguousarray(ids, numpy.int32)
        given = ffi.cast("int32_t *", array.ctypes.data)
        size = lib.vlg_data_text(self._handle.pointer, given, array.size, ffi.NULL, 0)
        out = ffi.new("char[]", max(0, size) + 1)
        lib.vlg_data_text(self._handle.pointer, given, array.size, out, size + 1)
        return ffi.string(out).decode(errors="replace")

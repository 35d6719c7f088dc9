"""Batches: named arrays of one task's sequences."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping

import numpy

from ._library import InputError, ffi, lib, name


@dataclass
class Batch:
    """Sequences of one task, end to end: nothing is padded.

    lengths: of every axis the rows of each sequence, int32.
    fields: of every input an array [rows, width], or [rows] where the width is 1; float32 or int32. Arrays of these
        types in C order are read where they lie, others are converted.
    group: so many sequences in a row share the rows of some axes (vlgraph.h); 0: none do.
    """
    task: str
    lengths: Mapping[str, Any]
    fields: Mapping[str, Any]
    group: int = 0
    _owner: Any = field(default=None, repr=False, compare=False)

    @property
    def sequences(self) -> int:
        """How many there are."""
        return len(next(iter(self.lengths.values()))) if self.lengths else 0


def _array(label: str, value: Any) -> numpy.ndarray:
    array = numpy.asarray(value)
    kind = numpy.int32 if array.dtype.kind in "iub" else numpy.float32
    if array.dtype.kind not in "iubf":
        raise InputError(f"batch: {label} is an array of {array.dtype}; expected numbers")
    if kind is numpy.int32 and array.dtype != kind and array.size:
        limits = numpy.iinfo(kind)
        if array.min() < limits.min or array.max() > limits.max:
            raise InputError(f"batch: {label} has numbers that are no int32")
    return numpy.ascontiguousarray(array, kind)


def _field(label: str, value: Any, out: Any, keep: list) -> None:
    array = _array(f"field {label}", value)
    if array.ndim not in (1, 2):
        raise InputError(f"batch: field {label} has {array.ndim} dimensions; expected [rows, width] or [rows]")
    c_name = name(label)
    out.name = c_name
    out.type = lib.VLG_I32 if array.dtype == numpy.int32 else lib.VLG_F32
    out.rows = array.shape[0]
    out.width = array.shape[1] if array.ndim == 2 else 1
    out.data = ffi.cast("void *", array.ctypes.data)
    keep += [array, c_name]


def to_c(batch: Batch) -> tuple[Any, list]:
    """The batch as C has it, and what must be kept meanwhile."""
    sequences, keep = batch.sequences, []
    axes = ffi.new("VlgLengths[]", max(1, len(batch.lengths)))
    fields = ffi.new("VlgField[]", max(1, len(batch.fields)))
    for i, (axis, value) in enumerate(batch.lengths.items()):
        lengths = _array(f"lengths of axis {axis}", value)
        if lengths.dtype != numpy.int32 or lengths.shape != (sequences,):
            raise InputError(f"batch: lengths of axis {axis} are {lengths.dtype}{list(lengths.shape)}; "
                             f"expected int32[{sequences}]")
        c_name = name(axis)
        axes[i].axis = c_name
        axes[i].lengths = ffi.cast("int32_t *", lengths.ctypes.data)
        keep += [lengths, c_name]
    for i, (label, value) in enumerate(batch.fields.items()):
        _field(label, value, fields[i], keep)
    task = name(batch.task)
    keep += [axes, fields, task]
    return ffi.new("VlgBatch *", {"task": task, "sequences": sequences, "axes": axes, "fields": fields,
                                  "axis_count": len(batch.lengths), "field_count": len(batch.fields),
                                  "group": batch.group}), keep

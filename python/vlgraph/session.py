"""Sessions: a plan with its parameters, at work."""
from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Iterator, Optional, Union

import numpy

from ._library import Handle, InputError, call, ffi, lib, name, path, text_of, types, view
from .batch import Batch, to_c
from .data import Data

Path = Union[str, "os.PathLike[str]"]


@dataclass(frozen=True)
class Step:
    """What a step says."""
    loss: float
    gradient_norm: float
    steps: int


@dataclass(frozen=True)
class Evaluation:
    """The loss, and each result of the evaluate graph: [rows, width]."""
    loss: float
    results: "dict[str, numpy.ndarray]"
    starts: "dict[str, Optional[numpy.ndarray]]"


@dataclass(frozen=True)
class Generated:
    """Hypotheses, the best first: ids [sequences, best, width], and lengths, scores and sums of log-probabilities
    [sequences, best]."""
    ids: numpy.ndarray
    lengths: numpy.ndarray
    scores: numpy.ndarray
    sums: numpy.ndarray

    def tokens(self, sequence: int, hypothesis: int = 0) -> numpy.ndarray:
        """Of one hypothesis, without what fills it up."""
        return self.ids[sequence, hypothesis, :self.lengths[sequence, hypothesis]]


class Parameters(Mapping):
    """Parameters by name, as arrays over the session's own memory: what is written there is what the model has.
    Frozen ones may be a mapped file, and then are not writable."""

    def __init__(self, session: "Session"):
        self._session = session
        pointer = session._pointer()
        self._places, one = {}, ffi.new("VlgParameter *")
        for index in range(lib.vlg_parameter_count(pointer)):
            lib.vlg_parameter(pointer, index, one)
            self._places[text_of(one.name)] = index

    def _find(self, label: str) -> Any:
        one = ffi.new("VlgParameter *")
        lib.vlg_parameter(self._session._pointer(), self._places[label], one)
        return one

    def __getitem__(self, label: str) -> numpy.ndarray:
        one = self._find(label)
        array = view(one.data, numpy.float32, tuple(one.shape[0:one.rank]), self._session._handle)
        array.flags.writeable = not one.is_read_only
        return array

    def gradient(self, label: str) -> numpy.ndarray:
        """As `Session.gradients` left it; KeyError if it has none."""
        one = self._find(label)
        if one.gradient == ffi.NULL:
            raise KeyError(f"{label} has no gradient")
        array = view(one.gradient, numpy.float32, tuple(one.shape[0:one.rank]), self._session._handle)
        array.flags.writeable = False
        return array

    @property
    def trained(self) -> "list[str]":
        """The names of those that are trained."""
        return [label for label in self._places if self._find(label).is_trained]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


class Session:
    """Made by `Plan.open`. Calls of several threads wait for each other."""

    def __init__(self, pointer: Any, plan: Handle):
        self._handle: Optional[Handle] = Handle(pointer, lib.vlg_close, plan)
        self._plan, self._lock = plan, threading.Lock()

    def _pointer(self) -> Any:
        if self._handle is None:
            raise InputError("the session is closed")
        return self._handle.pointer

    def _on_batch(self, function: Any, batch: Batch, *arguments: Any) -> None:
        given, keep = to_c(batch)
        call(function, self._pointer(), given, *arguments)
        del keep

    def close(self) -> None:
        """Frees everything, once no array over it is left."""
        self._handle = None

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    # -- training ---------------------------------------------------------------------------------------

    def step(self, batch: Batch, rate: float) -> Step:
        """Loss, gradients and update. NumbersError if the loss or a gradient is not finite: then parameters are as
        they were."""
        out = ffi.new("VlgStep *")
        with self._lock:
            self._on_batch(lib.vlg_step, batch, rate, out)
        return Step(out.loss, out.gradient_norm, out.steps)

    def gradients(self, batch: Batch) -> float:
        """The loss; gradients are in `parameters.gradient(name)` until the next call."""
        out = ffi.new("double *")
        with self._lock:
            self._on_batch(lib.vlg_gradients, batch, out)
        return out[0]

    def update(self, task: str, rate: float) -> Step:
        """With what the gradients of the task hold."""
        out = ffi.new("VlgStep *")
        with self._lock:
            call(lib.vlg_update, self._pointer(), name(task), rate, out)
        return Step(out.loss, out.gradient_norm, out.steps)

    # -- answers ----------------------------------------------------------------------------------------

    def evaluate(self, batch: Batch) -> Evaluation:
        """The results are copies."""
        out = ffi.new("VlgResults *")
        results, starts = {}, {}
        with self._lock:
            self._on_batch(lib.vlg_evaluate, batch, out)
            for i in range(out.count):
                item = out.items[i]
                label = text_of(item.name)
                results[label] = view(item.data, types(item.type), (item.rows, item.width), None).copy()
                starts[label] = (None if item.starts == ffi.NULL else
                                 view(item.starts, numpy.int64, (batch.sequences + 1,), None).copy())
        return Evaluation(out.loss, results, starts)

    def generate(self, batch: Batch, *, beams: int = 0, max_length: int = 0, no_repeat: int = 0,
                 best: int = 0) -> Generated:
        """What is 0 is as the task says; see VlgGenerate in vlgraph.h."""
        how = ffi.new("VlgGenerate *", {"beams": beams, "max_length": max_length, "no_repeat": no_repeat,
                                        "best": best})
        said = ffi.gc(ffi.new("VlgGenerated *"), lib.vlg_generated_clear)
        with self._lock:
            self._on_batch(lib.vlg_generate, batch, how, said)
        shape = (said.sequences, said.best)
        return Generated(view(said.ids, numpy.int32, shape + (said.width,), said),
                         view(said.lengths, numpy.int64, shape, said), view(said.scores, numpy.float64, shape, said),
                         view(said.sums, numpy.float64, shape, said))

    def score(self, data: Data, task: str, split: str = "test", limit: int = 0) -> float:
        """The main metric of a task on the first `limit` examples of a split; 0: all."""
        out = ffi.new("double *")
        with self._lock:
            call(lib.vlg_score, self._pointer(), data._handle.pointer, name(task), name(split), limit, out)
        return out[0]

    # -- parameters -------------------------------------------------------------------------------------

    @property
    def parameters(self) -> Parameters:
        """By name, over the session's memory."""
        return Parameters(self)

    def weights_changed(self) -> None:
        """After frozen parameters were written: what was computed of them is computed anew."""
        with self._lock:
            lib.vlg_weights_changed(self._pointer())

    def save(self, file: Path) -> None:
        """Writes a checkpoint: trained parameters, states of the optimizer and the number of steps."""
        with self._lock:
            call(lib.vlg_save, self._pointer(), path(file))

    def load(self, file: Path) -> None:
        """Reads a checkpoint, the directory of a run, or trained parameters alone."""
        with self._lock:
            call(lib.vlg_load, self._pointer(), path(file))

    def export(self, file: Path, *, all: bool = False) -> None:
        """Writes trained parameters, or `all`, as safetensors."""
        with self._lock:
            call(lib.vlg_export, self._pointer(), path(file), all)

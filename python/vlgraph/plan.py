"""Plans: compiled models."""
from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Mapping, Optional, Union

from ._library import Handle, call, ffi, lib, name, path, text_of, types
from .data import Data
from .session import Session

Path = Union[str, "os.PathLike[str]"]


@dataclass(frozen=True)
class Axis:
    """An axis on which sequences have lengths of their own, of at most `longest` rows."""
    name: str
    longest: int


@dataclass(frozen=True)
class Input:
    """An array that batches bring. See VlgInput in vlgraph.h."""
    name: str
    axis: str
    sequence_rows: int
    dtype: type
    width: int
    limit: int
    trains: bool
    evaluates: bool
    generates: bool


@dataclass(frozen=True)
class Task:
    """What a task wants of its batches."""
    name: str
    sequences: int
    axes: Mapping[str, Axis]
    inputs: Mapping[str, Input]
    generates: bool


def _input(given: Any) -> Input:
    return Input(text_of(given.name), text_of(given.axis), given.sequence_rows, types(given.type), given.width,
                 given.limit, bool(given.purpose & lib.VLG_TRAINS), bool(given.purpose & lib.VLG_EVALUATES),
                 bool(given.purpose & lib.VLG_GENERATES))


def _task(given: Any) -> Task:
    axes = [Axis(text_of(given.axes[i].name), given.axes[i].longest) for i in range(given.axis_count)]
    inputs = [_input(given.inputs[i]) for i in range(given.input_count)]
    return Task(text_of(given.name), given.sequences, {a.name: a for a in axes}, {i.name: i for i in inputs},
                given.generates)


class Plan:
    """A compiled model; made by `compile` or `Plan.read`."""

    def __init__(self, pointer: Any):
        self._handle = Handle(pointer, lib.vlg_plan_free)

    @classmethod
    def read(cls, file: Path) -> "Plan":
        """Of a file, as `vlc compile` and `Plan.write` write it."""
        return cls(call(lib.vlg_plan_read, path(file)))

    def write(self, file: Path) -> None:
        """For `vlrun` and `Plan.read`."""
        call(lib.vlg_plan_write, self._handle.pointer, path(file))

    @property
    def name(self) -> str:
        """Of the model."""
        return text_of(lib.vlg_plan_name(self._handle.pointer))

    @property
    def tasks(self) -> Mapping[str, Task]:
        """By name."""
        pointer = self._handle.pointer
        tasks = [_task(lib.vlg_task(pointer, i)) for i in range(lib.vlg_task_count(pointer))]
        return {task.name: task for task in tasks}

    def rate(self, step: int, total_steps: int) -> float:
        """The learning rate of a step, counted from 0: the recipe's schedule."""
        return lib.vlg_rate(self._handle.pointer, total_steps, step)

    def open(self, weights: Optional[Path] = None, *, random_weights: bool = False, lanes: int = 0,
             processor: Optional[str] = None, cache: bool = True) -> Session:
        """A session: parameters from `weights` (a directory, an index or a file of safetensors) and by their rules,
        on so many lanes (0: one per processor). Frozen parameters that nothing gives are an error, unless
        `random_weights`. `cache` keeps compiled kernels in the user's cache directory."""
        held = [path(weights), path(processor)]
        options = ffi.new("VlgOpen *", {"weights": held[0], "random_weights": random_weights, "lanes": lanes,
                                        "processor": held[1], "no_cache": not cache})
        return Session(call(lib.vlg_open, self._handle.pointer, options), self._handle)

    def data(self, directory: Optional[Path] = None, *, tokenizer: Optional[Path] = None,
             weights: Optional[Path] = None) -> Data:
        """The data sets of the plan's tasks; without a directory the built-in shapes."""
        held = [path(directory), path(tokenizer), path(weights)]
        options = ffi.new("VlgDataOptions *", {"directory": held[0], "tokenizer": held[1], "weights": held[2]})
        return Data(call(lib.vlg_data_open, self._handle.pointer, options), self._handle)

    def __repr__(self) -> str:
        return f"<vlgraph.Plan {self.name}: {', '.join(self.tasks)}>"


def compile(model: Path, settings: Optional[Mapping[str, object]] = None, *, matmul_precision: Optional[str] = None,
            frozen: Optional[str] = None, memory_budget: int = 0) -> Plan:
    """A .vg file, or a model by its name, as `vlc compile` does; `settings` are those of --set."""
    pairs = [name(f"{key}={value}") for key, value in (settings or {}).items()]
    held = [ffi.new("char *[]", pairs), path(matmul_precision), path(frozen)]
    options = ffi.new("VlgCompile *", {"settings": held[0], "setting_count": len(pairs), "matmul_precision": held[1],
                                       "frozen": held[2], "memory_budget": memory_budget})
    return Plan(call(lib.vlg_compile, path(model), options))

"""Compile, train and run parameter-efficient vision-language models on CPUs.

    import vlgraph
    plan = vlgraph.compile("vlt5_tiny_adapter")
    with plan.open(weights="vlt5_tiny.safetensors") as session:
        session.step(batch, rate=1e-3)

A thin layer over libvlgraph (vlgraph.h says what each call does). Arrays go in and come out as NumPy's, without
copies where their types are right; mistakes are exceptions with the messages of the programs.
"""
from ._library import Error, InputError, NumbersError, version
from .batch import Batch
from .data import Data
from .plan import Axis, Input, Plan, Task, compile
from .session import Evaluation, Generated, Parameters, Session, Step

__all__ = ["Axis", "Batch", "Data", "Error", "Evaluation", "Generated", "Input", "InputError", "NumbersError",
           "Parameters", "Plan", "Session", "Step", "Task", "compile", "version"]

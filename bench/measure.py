"""A case from its files to its figures."""
import dataclasses
import functools
import json
import os
import re
import subprocess
import sys

import batches
import weights
from cases import BATCHES, METHODS, MODELS, SIZES
from contenders import LATER, TOKENS_APART, can, free_bytes, start

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RATE, ALPHA = 1e-4, 32
COMPARED_STEPS = 3


@dataclasses.dataclass(frozen=True)
class Settings:
    vlc: str
    vlrun: str
    work: str  # directory for plans, weights, batches
    threads: int
    rounds: int
    part: int  # sequences that PyTorch takes at once
    dropout: float
    size: str  # of both models; "": as published
    torch_environment: dict  # what the user says beyond contenders.torch_environment


@dataclasses.dataclass
class Figures:
    """Of a contender in a case."""
    name: str
    seconds: list  # by round
    peak: int  # bytes
    results: list  # losses of the first steps, or tokens
    difference: float = 0.0  # relative of the first loss, or the share of tokens that differ
    agrees: bool = True


def run(arguments):
    return subprocess.run(arguments, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout


class Job:
    """The files of a case."""

    def __init__(self, case, settings):
        self.case, self.settings = case, settings
        name = settings.size or MODELS[case.model]["size"]
        self.size = {"name": name, **SIZES[name]}
        os.makedirs(settings.work, exist_ok=True)
        self.weights = weights.write_weights(settings.work, case.model, self.all_parameters())
        self.batch = os.path.join(settings.work,
                                  f"{case.model}-{name}-{case.batch}-{case.sequences}")
        batches.write_batch(self.batch, case, self.size, self.table()["shape"][0])

    def constants(self, method):
        given = {"size": self.size["name"], "dropout": self.settings.dropout, "lr": RATE,
                 **METHODS[method][1]}
        return [word for name, value in given.items() for word in ("--set", f"{name}={value}")]

    @functools.lru_cache(maxsize=None)
    def parameters(self, method):
        recipe = f"models/vl{self.case.model}_{METHODS[method][0]}.vg"
        listed = run([self.settings.vlc, "params", recipe, "--format", "json",
                      *self.constants(method)])
        return json.loads(listed)["parameters"]

    def all_parameters(self):
        """Of all methods: one file of weights serves them."""
        found = {one["name"]: one for method in METHODS for one in self.parameters(method)}
        return list(found.values())

    def table(self):
        name = MODELS[self.case.model]["table"]
        return next(one for one in self.parameters(self.case.method) if one["name"] == name)

    def layers(self):
        """How many the encoder has."""
        names = (re.search(r"encoder\.(?:block|layers)\.(\d+)\.", one["name"])
                 for one in self.parameters(self.case.method))
        return 1 + max(int(found[1]) for found in names if found)

    @functools.lru_cache(maxsize=None)
    def plan(self, precision):
        path = os.path.join(self.settings.work,
                            f"{self.case.model}-{self.case.method}-{precision}.bin")
        option = "--frozen" if precision == "int8" else "--matmul-precision"
        run([self.settings.vlc, "compile", self.case.recipe, "-o", path, option, precision,
             *self.constants(self.case.method)])
        return path

    def spec(self, half):
        """What torch_serve.py is told."""
        ids = {key: MODELS[self.case.model][key] for key in ("start", "pad", "end")}
        return {"model": self.case.model, "weights": self.weights, "batch": self.batch,
                "parameters": self.parameters(self.case.method), "heads": self.size["heads"],
                "side": self.size["side"], "layers": self.layers(), "alpha": ALPHA, "lr": RATE,
                "task": BATCHES[self.case.batch][0], "dropout": self.settings.dropout,
                "half": half, "threads": self.settings.threads, "part": self.settings.part, **ids}


def measure(case, kinds, settings):
    """Figures of every kind; the first is what the others are compared with."""
    job = Job(case, settings)
    kinds = [kind for kind in kinds if can(kind, case)]
    found = (measure_starts if case.work == "start" else measure_work)(job, kinds, settings)
    for figures, kind in zip(found, kinds):
        compare(figures, found[0], kind, case, settings)
    return found


def measure_work(job, kinds, settings):
    """All take turns; the first turn of each is not timed."""
    running = []
    try:
        found = []
        for kind in kinds:
            check_memory(found, kind)
            running.append(start(kind, job, settings))
            _, result = running[-1].ask(job.case.command)
            found.append(Figures(kind.name, [], running[-1].peak_bytes(), [result]))
        for _ in range(settings.rounds):
            for one, figures in zip(running, found):
                seconds, result = one.ask(job.case.command)
                figures.seconds.append(seconds)
                figures.results.append(result)
        for one, figures in zip(running, found):
            figures.peak = one.peak_bytes()
        return found
    finally:
        for one in running:
            one.close()


def check_memory(found, kind):
    """All are in memory together."""
    needed = max((figures.peak for figures in found), default=0)
    if free_bytes() < needed:
        sys.exit(f"too little memory for {kind.name} beside the others, which take up to {needed >> 20} MiB "
                 "each: give fewer --precision or --processor")


def measure_starts(job, kinds, settings):
    """From the start of a process to the end of its first step. In the first turn of each, which is not
    timed, files come into memory and compiled kernels into their cache."""
    found = [Figures(kind.name, [], 0, []) for kind in kinds]
    for turn in range(1 + settings.rounds):
        for kind, figures in zip(kinds, found):
            one = start(kind, job, settings)
            try:
                result = one.ask(job.case.command)[1]
                seconds = one.age()
                figures.peak = max(figures.peak, one.peak_bytes())
            finally:
                one.close()
            figures.results = [result]
            if turn > 0:
                figures.seconds.append(seconds)
    return found


def compare(figures, reference, kind, case, settings):
    """Whether it is the same work: equal losses or, where tokens are chosen, many equal tokens."""
    if case.command != "step":
        pairs = list(zip(figures.results[0], reference.results[0]))
        figures.difference = sum(a != b for a, b in pairs) / max(1, len(pairs))
        figures.agrees = len(figures.results[0]) == len(reference.results[0]) and (
            kind.precision not in ("f32", "highest") or figures.difference <= TOKENS_APART)
        return
    apart = [abs(own[0] / other[0] - 1) for own, other
             in zip(figures.results, reference.results)][:COMPARED_STEPS]
    figures.difference = apart[0]
    if settings.dropout == 0:
        figures.agrees = apart[0] <= kind.tolerance and max(apart) <= LATER * kind.tolerance

"""The processes that are measured: each does a step, or generates, when it is asked to."""
import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time

import onnx_files

HERE = os.path.dirname(os.path.abspath(__file__))
SERVER = os.path.join(HERE, "torch_serve.py")
PRECISIONS = ("highest", "high", "medium", "int8")  # the last is --frozen int8
TORCH = ("torch f32", "torch bf16")
ONNX = "onnxruntime f32"
# how far the loss of the first step may be from that of PyTorch in f32, relative; of later steps, for
# what optimizers make of rounding, LATER times as far
TOLERANCES = {"f32": 1e-4, "highest": 1e-4, "high": 1e-3, "medium": 2e-2, "bf16": 2e-2,
              "int8": 5e-2}
LATER = 10
TOKENS_APART = 0.1  # share of generated tokens that may differ where every number is f32


@dataclasses.dataclass(frozen=True)
class Kind:
    """What a contender is, before it is started for a case."""
    name: str
    precision: str
    processor: str = ""  # for --processor; "": native
    is_ours: bool = True

    @property
    def tolerance(self):
        return TOLERANCES[self.precision]


def kinds(precisions, processors):
    """PyTorch first: all are compared with it. ONNX Runtime last, where it is there."""
    ours = [Kind(f"ours {precision}", precision) for precision in precisions]
    ours += [Kind(f"ours {precisions[0]} {name}", precisions[0], name) for name in processors]
    others = [Kind(name, name.split()[1], is_ours=False) for name in TORCH]
    return others + ours + [Kind(ONNX, "f32", is_ours=False)] * onnx_files.is_there()


def can(kind, case):
    """ONNX Runtime only generates, and searches no beams."""
    return kind.name != ONNX or case.work == "greedy"


class Contender:
    """A process. While others work it is stopped, so that no thread of it waits in a loop."""

    def __init__(self, name, arguments, environment, log):
        self.name, self.log, self.begun = name, log, time.perf_counter()
        with open(log, "wb") as errors:
            self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stderr=errors,
                                            stdout=subprocess.PIPE, text=True,
                                            env={**os.environ, **environment})

    def ask(self, line):
        """Seconds, and the numbers that the work made."""
        try:
            self.process.send_signal(signal.SIGCONT)
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            words = self.process.stdout.readline().split()
        except BrokenPipeError:
            words = []
        if not words:
            code, command = self.process.wait(), " ".join(self.process.args)
            with open(self.log, encoding="utf-8", errors="replace") as errors:
                sys.exit(f"{self.name} ended with exit code {code}: {command}\n{errors.read()}")
        self.process.send_signal(signal.SIGSTOP)
        return float(words[0]), [float(word) for word in words[1:]]

    def age(self):
        """Seconds since it was started."""
        return time.perf_counter() - self.begun

    def peak_bytes(self):
        """Most memory that was resident, mapped files included."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", file.read()).group(1))

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def read_facts(path):
    """Lines 'name: value' up to an empty one."""
    with open(path, encoding="utf-8") as file:
        lines = (line.partition(":") for line in file.read().split("\n\n")[0].splitlines())
        return {key.strip(): value.strip() for key, _, value in lines}


def processor():
    return read_facts("/proc/cpuinfo")


def best_unit(facts):
    """The fastest of what products can be computed on."""
    flags = set(facts.get("flags", "").split())
    units = {"amx_bf16": "AMX", "avx512_bf16": "AVX-512 with bf16", "avx512f": "AVX-512",
             "avx2": "AVX2"}
    return next((unit for flag, unit in units.items() if flag in flags), "no wide vectors")


def free_bytes():
    return 1024 * int(read_facts("/proc/meminfo")["MemAvailable"].split()[0])


def blas_kernel(facts):
    """The kernel of OpenBLAS that runtime/exec/processor.c would take; None: what it finds itself."""
    flags, is_amd = set(facts.get("flags", "").split()), facts.get("vendor_id") in (
        "AuthenticAMD", "HygonGenuine")
    if is_amd and int(facts["cpu family"]) < 0x17:
        return None
    if {"avx512f", "avx512vl", "avx512bw", "avx512dq", "avx512cd"} <= flags:
        return "SkylakeX"
    if not {"avx2", "fma", "bmi1", "bmi2"} <= flags:
        return None
    return "Zen" if is_amd else "Haswell"


def torch_environment(threads, facts):
    """Threads; the best kernel of OpenBLAS; an allocator that keeps what it has, for large tensors would
    else be mapped and cleared anew in every step; and no waiting in a loop for the next piece of work: such
    a thread of OpenMP takes the processor from those of OpenBLAS, which do not know each other."""
    kernel = os.environ.get("OPENBLAS_CORETYPE") or blas_kernel(facts)
    return {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads),
            "MALLOC_MMAP_THRESHOLD_": str(1 << 40), "MALLOC_TRIM_THRESHOLD_": str(1 << 40),
            "OMP_WAIT_POLICY": "passive", "PYTHONDONTWRITEBYTECODE": "1",
            **({"OPENBLAS_CORETYPE": kernel} if kernel else {})}


def start(kind, job, settings):
    """Starts a contender for a job (measure.py)."""
    log = os.path.join(settings.work, f"{job.case.name}-{kind.name.replace(' ', '-')}.log")
    if kind.is_ours:
        arguments = [settings.vlrun, "bench", job.plan(kind.precision), "--weights", job.weights,
                     "--serve", job.batch + ".safetensors", "--lanes", str(settings.threads)]
        if kind.processor:
            arguments += ["--processor", kind.processor]
        return Contender(kind.name, arguments, {}, log)
    if kind.name == ONNX:
        return Contender(kind.name, onnx_files.command(job, "highest", settings), {}, log)
    spec = job.spec(half=kind.precision == "bf16")
    path = os.path.join(settings.work, f"{job.case.name}-{kind.precision}.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(spec, file)
    environment = {**torch_environment(settings.threads, processor()), **settings.torch_environment}
    return Contender(kind.name, [sys.executable, SERVER, path], environment, log)

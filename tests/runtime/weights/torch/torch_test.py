#!/usr/bin/env python3
"""Files that PyTorch writes are read as PyTorch reads them, and as weights of a model.

usage: torch_test.py BUILD

Exits with 77 where python3-torch is not installed.
"""
import collections
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

try:
    import torch
    from torch import nn
except ImportError as error:
    print(f"skipped: {error}; python3-torch is needed")
    sys.exit(77)

BUILD = pathlib.Path(sys.argv[1]).resolve()
ROOT = pathlib.Path(__file__).resolve().parents[4]
VLC, VLRUN = BUILD / "frontend/vlc", BUILD / "runtime/vlrun"
LISTER = BUILD / "tests/runtime/weights/torch/list_tensors"
TYPES = {torch.float32: "F32", torch.float64: "F64", torch.float16: "F16", torch.bfloat16: "BF16",
         torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8",
         torch.uint8: "U8", torch.bool: "BOOL", torch.complex64: "C64", torch.complex128: "C128"}
problems = []


def run(*command, code=0, cwd=None):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, cwd=cwd,
                            stdin=subprocess.DEVNULL, check=False)
    if result.returncode != code:
        problems.append(f"{' '.join(map(str, command))}: exit {result.returncode}, expected {code}\n"
                        f"{result.stdout}{result.stderr}")
    return result.stdout + result.stderr


def line(name, tensor):
    whole = tensor.detach().contiguous()
    data = bytes(whole.clone().reshape(-1).view(torch.uint8).tolist()) if whole.numel() else b""
    return f"{name} {TYPES[tensor.dtype]} [{','.join(map(str, tensor.shape))}] {data.hex()}"


def expect(path, tensors, label):
    lines = sorted(line(name, tensor) for name, tensor in tensors.items())
    printed = run(LISTER, path)
    if printed.split("\n")[:-1] != lines:
        problems.append(f"{label}: printed\n{printed}expected\n" + "\n".join(lines))


def refuse(path, message):
    printed = run(LISTER, path, code=1)
    if message not in printed:
        problems.append(f"expected '{message}': {printed}")


class Tower(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 2, 2, bias=False)
        self.layers = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.BatchNorm1d(3))
        self.class_embedding = nn.Parameter(torch.randn(3))
        self.register_buffer("steps", torch.tensor(3))
        self.side = 7

    def forward(self, x):
        return self.layers(self.conv1(x).flatten(1).mean(1, keepdim=True) + self.class_embedding)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.visual = Tower()
        self.logit_scale = nn.Parameter(torch.tensor(4.6))

    def forward(self, x):
        return self.visual(x) * self.logit_scale


def views():
    base = torch.randn(3, 4, 5)
    kinds = {str(kind)[6:]: torch.arange(6).to(kind).reshape(2, 3) for kind in TYPES}
    noted = nn.Parameter(base[0])
    noted.note = "an attribute of Python"
    return {**kinds, "whole": base, "turned": base.permute(2, 0, 1), "part": base[1:, ::2, 3],
            "last": base[2, 3], "one": base[0, 0, 0], "wide": base[:, :1].expand(3, 4, 5), "none": base[:0],
            "channels": torch.randn(2, 3, 2, 2).to(memory_format=torch.channels_last),
            "parameter": nn.Parameter(base), "noted": noted}


def check_dicts(path):
    for protocol in range(2, 6):
        torch.save(views(), path, pickle_protocol=protocol)
        tensors = torch.load(path)
        expect(path, tensors, f"protocol {protocol}")
    model = Model()
    state = model.state_dict()
    torch.save(state, path)
    expect(path, state, "a state_dict")
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.randn(2, 3, 4, 4)).sum().backward()
    optimizer.step()
    state = model.state_dict()
    for wrap in (lambda x: {"model": x}, lambda x: {"state_dict": x}, lambda x: {"a": {"b": x}}):
        torch.save({**wrap(state), "optimizer": optimizer.state_dict(), "epoch": 3, "best": torch.tensor(0.5),
                    "history": collections.defaultdict(list, {"loss": [0.25, 1e-9]}), "size": torch.Size([3]),
                    "type": torch.float16, "rng": torch.get_rng_state()[:0].tolist(), "set": {1}}, path)
        expect(path, state, "a checkpoint of a training")
    torch.save({"model": state, "ema": state}, path)
    refuse(path, f"it has 'ema', of 11 tensors: {path}#ema")
    expect(f"{path}#model", state, "a member")


def check_scripts(path):
    model = Model().eval()
    for label, script in (("traced", torch.jit.trace(model, torch.randn(2, 3, 4, 4))),
                          ("scripted", torch.jit.script(model)),
                          ("half", torch.jit.script(Model().eval().half()))):
        torch.jit.save(script, str(path))
        expect(path, script.state_dict(), label)


def check_refused(path):
    for value, message in ((Model(), "wants to call '__main__.Model'"),
                           ({"x": torch.eye(3).to_sparse()}, "_rebuild_sparse_tensor"),
                           ({"x": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8)}, "_rebuild_qtensor"),
                           (torch.ones(3), "no dict of tensors"), ({"a": 1}, "no dict of tensors")):
        torch.save(value, path)
        refuse(path, message)
    torch.save({"x": torch.ones(3)}, path, _use_new_zipfile_serialization=False)
    refuse(path, "in the form from before version 1.6")


# -- as weights ----------------------------------------------------------------------------------------------

def read_safetensors(path):
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    return {name: torch.frombuffer(bytearray(data[8 + size + entry["data_offsets"][0]:
                                                  8 + size + entry["data_offsets"][1]]),
                                   dtype=torch.float32).reshape(entry["shape"])
            for name, entry in header.items()}


def check_weights(work):
    """A run over a file of PyTorch is the run over the same numbers in safetensors."""
    plain = ROOT / "models/shapes/vlt5_tiny.safetensors"
    state, plan = read_safetensors(plain), work / "plan.bin"
    hub, snapshot, turned = work / "hub", work / "LAST.pth", work / "turned.pt"
    hub.mkdir()
    torch.save(state, hub / "pytorch_model.bin")
    torch.save({f"module.{name}": value for name, value in state.items()}, snapshot)
    torch.save({"model": {name: value.t().contiguous().t() if value.dim() == 2 else value
                          for name, value in state.items()}, "epoch": 1}, turned)
    run(VLC, "compile", ROOT / "models/vlt5_tiny_adapter.vg", "-o", plan, "--set", "tasks=vqa")
    run(VLRUN, "make-data", "shapes", work / "data", "--size", "20")
    if problems:
        return
    exports = {}
    for weights in (plain, hub, snapshot, turned):
        out = work / f"run_{weights.name}"
        said = run(VLRUN, "train", plan, "--data", work / "data", "--weights", weights, "--out", out, "--steps", "2",
                   "--tokenizer", ROOT / "models/shapes",
                   "--eval-every", "0")
        mapped = 12 if weights == turned else 47  # those of one axis, or of one row
        if f"54 parameters read, {mapped} of them mapped" not in said:
            problems.append(f"{weights}: {mapped} parameters should be mapped: {said}")
        run(VLRUN, "export", out, "-o", out / "trained.safetensors")
        if problems:
            return
        exports[weights] = (out / "trained.safetensors").read_bytes()
        if read_numbers(exports[weights]) != read_numbers(exports[plain]):
            problems.append(f"{weights}: another run than over {plain}")
    if exports[hub] != exports[plain] or exports[turned] != exports[plain]:
        problems.append("the same weights in files of two kinds have two fingerprints")
    run(VLRUN, "eval", plan, "--data", work / "data", "--from", out / "trained.safetensors", "--weights", hub,
        "--limit", "2", "--tokenizer", ROOT / "models/shapes")


def read_numbers(data):
    return data[8 + struct.unpack("<Q", data[:8])[0]:]


def main():
    torch.manual_seed(3)
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        check_dicts(work / "file.pt")
        check_scripts(work / "file.pt")
        check_refused(work / "file.pt")
        check_weights(work)
    print("\n".join(problems) or "all files are read as PyTorch reads them")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()

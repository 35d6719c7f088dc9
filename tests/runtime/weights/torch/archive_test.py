#!/usr/bin/env python3
"""Files of PyTorch that are right in unusual ways, and files that lie: none is run, and none crashes
the reader. Needs no PyTorch: recorded files of it are in files/.

usage: archive_test.py BUILD
"""
import collections
import io
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import tarfile
import tempfile
import warnings
import zipfile

import archive
from archive import Storage, Tensor, dump, floats, saved

HERE = pathlib.Path(__file__).resolve().parent
LISTER = os.path.join(sys.argv[1], "tests/runtime/weights/torch/list_tensors")
BIG = 1 << 62
problems = []


def listed(*paths):
    result = subprocess.run([LISTER, *map(str, paths)], capture_output=True, text=True,
                            errors="replace", check=False)
    if result.returncode not in (0, 1):
        problems.append(f"{paths[0]}: crashed: {result.stderr[-3000:]}")
    return result.returncode, result.stdout, result.stderr


def expect(path, label, lines):
    code, out, err = listed(path)
    if code or out.split("\n")[:-1] != lines:
        problems.append(f"{label}: exit {code}, printed\n{out}{err}expected\n" + "\n".join(lines))


def refuse(path, label, message):
    code, out, err = listed(path)
    if code != 1 or message not in err or str(path).split("#", maxsplit=1)[0] not in err:
        problems.append(f"{label}: exit {code}, expected '{message}': {out}{err}")


def global_call(module, name, protocol=2):
    """What runs a command when Python reads it."""
    text = f"c{module}\n{name}\n".encode()
    if protocol == 4:
        text = b"".join(b"\x8c" + bytes([len(part)]) + part.encode() for part in (module, name)) + b"\x93"
    return b"\x80" + bytes([protocol]) + text + b"X\x04\0\0\0true\x85R."


def overlapping():
    """Storage 1 lies within storage 0: a bomb that is small in the file."""
    inner = archive.archive([("data/1", floats(1, 2))])
    inner = inner[:inner.index(b"PK\1\2")]
    whole = saved({"x": Tensor(Storage("0", len(inner) // 4), [1]), "y": Tensor(Storage("1", 2), [2])},
                  inner[:len(inner) // 4 * 4], floats(1, 2))
    directory = whole.index(b"PK\1\2")
    entry = whole.index(b"a/data/1", directory) - 46
    return whole[:entry + 42] + struct.pack("<I", whole.index(inner[:40])) + whole[entry + 46:]


def patched(whole, name, offset, code, value):
    """A number of an entry in the directory, and in its header, another."""
    entry = whole.index(name, whole.index(b"PK\1\2")) - 46
    local = whole.index(name) - 30
    bytes_, size = bytearray(whole), struct.calcsize(code)
    bytes_[entry + offset:entry + offset + size] = struct.pack(code, value)
    bytes_[local + offset - 2:local + offset - 2 + size] = struct.pack(code, value)
    return bytes(bytes_)


def tar():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        info = tarfile.TarInfo("sys_info")
        info.size = 4
        file.addfile(info, io.BytesIO(b"\x80\2}."))
    return out.getvalue()


ONE = {"x": Tensor(Storage("0", 4), [2, 2])}
NUMBERS = floats(1, 2, 3, 4)
X = "x F32 [2,2] " + NUMBERS.hex()


def right_files():
    yield "stored", saved(ONE, NUMBERS), [X]
    yield "deflated", saved(ONE, NUMBERS, method=zipfile.ZIP_DEFLATED), [X]
    yield "zip64", saved(ONE, NUMBERS, zip64=True), [X]
    yield "odd paths", archive.archive([("/../../../../etc/passwd", b"!"), ("//x", b"!"),
                                        ("data.pkl", dump(ONE)), ("data/0", NUMBERS)]), [X]
    for protocol in range(2, 6):
        yield f"protocol {protocol}", archive.archive(
            [("data.pkl", dump(collections.OrderedDict(ONE, big=list(range(2000)), text="ä", real=0.5,
                                                       long=1 << 90, none=None, raw=b"\0", group={1},
                                                       frozen=frozenset([2])), protocol)),
             ("data/0", NUMBERS)]), [X]
    shared = Storage("0", 4)
    yield "one storage", saved({"a": Tensor(shared, [2, 2], [1, 2]), "b": Tensor(shared, [2], [2], 1),
                                "c": Tensor(shared, [3, 2], [0, 3]), "d": Tensor(shared, [0, 9], [7, 7]),
                                "e": Tensor(shared, [1, 4], [BIG, 1]), "f": Tensor(shared, [], [], 3)},
                               NUMBERS), [
        "a F32 [2,2] " + floats(1, 3, 2, 4).hex(), "b F32 [2] " + floats(2, 4).hex(),
        "c F32 [3,2] " + floats(1, 4, 1, 4, 1, 4).hex(), "d F32 [0,9] ",
        "e F32 [1,4] " + NUMBERS.hex(), "f F32 [] " + floats(4).hex()]
    yield "half", saved({"h": Tensor(Storage("0", 2, "HalfStorage"), [2])}, b"\0\x3c\0\x40"), ["h F16 [2] 003c0040"]
    yield "a number beside a dict", saved({"epoch": Tensor(Storage("1", 1), []), "net": ONE}, NUMBERS,
                                          floats(7)), [X]


def wrong_pickles():
    """A pickle, and what is said of it."""
    for protocol in (2, 4):
        yield global_call("os", "system", protocol), "wants to call 'os.system'"
        yield global_call("builtins", "eval", protocol), "wants to call 'builtins.eval'"
        yield global_call("torch", "load", protocol), "wants to call 'torch.load'"
    yield global_call("__torch__.evil", "Class"), "wants to call '__torch__.evil.Class'"
    yield global_call("torch._utils", "_rebuild_tensor_v2"), "argument 1 of a call is missing"
    yield global_call("torch._utils", "_rebuild_tensor_v3"), "argument 7 of a call is missing"
    yield global_call("torch._tensor", "_rebuild_from_type_v2"), "argument 1 of a call is missing"
    yield global_call("torch", "FloatStorage"), "calls what is no function"
    yield b"\x80\2K\1Q.", "no storage"
    yield b"\x80\2(K\1", "ends before it is complete"
    yield b"\x80\2X\xff\xff\xff\x7f.", "ends in the middle of a value"
    yield b"\x80\5\x8e\xff\xff\xff\xff\xff\xff\xff\xff.", "ends in the middle of a value"
    yield b"\x80\2\x8b\xff\xff\xff\xff.", "ends in the middle of a value"
    yield b"\x80\2cos", "ends in the middle of a name"
    yield b"\x80\2.", "takes from an empty stack"
    yield b"\x80\2\x85.", "takes from an empty stack"
    yield b"\x80\2K\1(\x85.", "takes from an empty stack"
    yield b"\x80\2K\1(0t.", "takes from an empty stack"
    yield b"\x80\2K\1(2.", "takes from an empty stack"
    yield b"\x80\2t.", "has no mark"
    yield b"\x80\2(.", "ends within a container"
    yield b"\x80\2K\1K\1a.", "adds to what is no container"
    yield b"\x80\2](K\1u.", "a key without a value"
    yield b"\x80\2}K\1K\1K\1s.", "adds to what is no container"
    yield b"\x80\2h\7.", "recalls value 7, which was never kept"
    yield b"\x80\2]r\xff\xff\xff\xff.", "keeps a value under the number 4294967295"
    yield b"\x80\x09].", "is of protocol 9"
    yield b"\x80\2(ios\nsystem\n.", "opcode 0x69"
    yield b"\x80\2\x82\1.", "opcode 0x82"
    yield b"\x80\2K\1}b.", "gives attributes to what is no container"
    yield b"\x80\2].", "holds no dict of tensors"
    yield b"\x80\2}.", "has no dict of tensors"
    yield b"\x80\2}q\0(X\1\0\0\0ah\0u.", "has no dict of tensors"


def wrong_tensors():
    four = Storage("0", 4)
    beyond, began, shape = "reaches beyond its storage", "begins outside", "an impossible shape"
    for size, stride, offset, message in (
            ([5], [1], 0, beyond), ([2, 2], [3, 1], 1, beyond), ([2], [BIG], 0, beyond),
            ([3], [BIG], 0, beyond), ([2, 2], [BIG, BIG], 0, beyond), ([2], [-1], 1, beyond),
            ([1], [1], 4, beyond), ([1], [1], -1, began), ([0], [1], 5, began),
            ([-1], [1], 0, shape), ([BIG, BIG], [0, 0], 0, shape), ([BIG], [0], 0, shape),
            ([1] * 9, [1] * 9, 0, "9 axes"), ([1], [1, 1], 0, "other strides than axes"),
            ([1 << 14, 1 << 14], [0, 0], 0, "would take too much memory")):
        yield saved({"x": Tensor(four, size, stride, offset)}, NUMBERS), message
    yield saved({"x": Tensor(Storage("5", 4), [4])}, NUMBERS), "no entry 'a/data/5'"
    yield saved({"x": Tensor(Storage("../data.pkl", 4), [4])}, NUMBERS), "no entry 'a/data/../data.pkl'"
    for count in (3, 5, -4, BIG):
        yield saved({"x": Tensor(Storage("0", count), [1])}, NUMBERS), "has 16 bytes, which are not"
    yield saved({"x": Tensor(four, [4]), "y": Tensor(Storage("0", 2, "LongStorage"), [2])},
                NUMBERS), "of two types"
    one = dump(ONE["x"])[2:-1]
    yield archive.archive([("data.pkl", b"\x80\2}(X\1\0\0\0x" + one + b"X\1\0\0\0x" + one + b"u."),
                           ("data/0", NUMBERS)]), "duplicate tensor 'x'"
    yield saved({"a": ONE, "b": ONE}, NUMBERS), "several dicts of tensors"


def wrong_archives():
    good = saved(ONE, NUMBERS)
    yield archive.archive([("other", b"")]), "no '.../data.pkl', but 'a/other'"
    yield archive.archive([("data.pkl", b""), ("/b/data.pkl", b"")]), "two pickles"
    yield archive.archive([("data.pkl", dump(ONE)), ("data/0", NUMBERS), ("byteorder", b"big")]), "'big'"
    yield saved(ONE, NUMBERS, method=zipfile.ZIP_BZIP2), "other than deflate"
    yield archive.archive([("data.pkl", dump(ONE)), ("data/0", NUMBERS), ("data/0", NUMBERS)]), \
        "damaged: File already exists"
    yield saved({"x": Tensor(Storage("0", 20 << 20), [4])}, bytes(80 << 20),
                method=zipfile.ZIP_DEFLATED), "would take too much memory"
    yield archive.archive([("data.pkl", dump("x" * (17 << 20)))]), "at most 16777216 are read"
    yield good.replace(dump(ONE), dump(ONE)[:-4] + b"]]]."), "is damaged"
    yield patched(good, b"a/data/0", 24, "<I", 8), "damaged"
    yield patched(good, b"a/data/0", 24, "<I", 1 << 30), "damaged"
    yield patched(good, b"a/data/0", 8, "<H", 1), "is encrypted"
    yield overlapping(), "overlap"
    yield b"PK\3\4", "cut short or damaged"
    yield b"PK\5\6" + bytes(18), "an empty zip archive"
    yield tar(), "a tar archive, as PyTorch's files were"
    yield dump(ONE), "a Python pickle"


def check_mutations(scratch):
    """Cut anywhere, or with a byte that is another: taken or refused."""
    random.seed(5)
    paths = []
    for name in ("nested.pt", "script.pt"):
        whole = (HERE / "files" / name).read_bytes()
        for i in range(400):
            changed = bytearray(whole)
            if i % 4 == 0:
                changed = changed[:random.randrange(len(whole))]
            else:
                for _ in range(i % 4):
                    changed[random.randrange(len(whole))] = random.randrange(256)
            paths.append(scratch / f"{name}_{i}")
            paths[-1].write_bytes(changed)
    pickled = dump({"model": ONE, "list": [1, "a", (2, 3)]}, 4)
    for i in range(len(pickled)):
        paths.append(scratch / f"cut_{i}")
        paths[-1].write_bytes(archive.archive([("data.pkl", pickled[:i]), ("data/0", NUMBERS)]))
    listed(*paths)


def check_recorded():
    for path in sorted((HERE / "files").glob("*.txt")):
        expect(path.with_suffix(".pt"), path.name, path.read_text().split("\n")[:-1])
    refuse(HERE / "files/legacy.pth", "legacy", "in the form from before version 1.6")
    refuse(HERE / "files/nested.pt#ema", "member", "no dict of tensors 'ema'")
    refuse(HERE / "files/script.pt#ema", "member", "has no part 'ema'")


def check_members(scratch):
    path = scratch / "two.pt"
    path.write_bytes(saved({"a": ONE, "b": {"c": {"y": Tensor(Storage("0", 4), [4])}}}, NUMBERS))
    expect(f"{path}#a", "member a", [X])
    expect(f"{path}#b.c", "member b.c", ["y F32 [4] " + NUMBERS.hex()])
    refuse(path, "members", f"{path}#b.c")
    named = scratch / "odd#a"
    named.write_bytes(saved(ONE, NUMBERS))
    expect(named, "a name with a mark", [X])


def check_cycle(scratch):
    """An object of TorchScript that is its own attribute."""
    path = scratch / "cycle.pt"
    path.write_bytes(archive.archive([("constants.pkl", b"\x80\2)."), (
        "data.pkl", b"\x80\2c__torch__\nM\n)\x81q\0}X\1\0\0\0ah\0sb.")]))
    refuse(path, "cycle", "nests its values too deeply")


def check_directories(scratch):
    (scratch / "pytorch_model.bin").write_bytes(saved(ONE, NUMBERS))
    expect(scratch, "a directory", [X])
    (scratch / "pytorch_model.bin").unlink()
    (scratch / "one.bin").write_bytes(saved(ONE, NUMBERS))
    (scratch / "two.bin").write_bytes(saved({"y": Tensor(Storage("0", 2), [2])}, floats(5, 6)))
    (scratch / "pytorch_model.bin.index.json").write_text(
        json.dumps({"weight_map": {"y": "two.bin", "x": "one.bin"}}))
    expect(scratch, "shards", [X, "y F32 [2] " + floats(5, 6).hex()])
    (scratch / "two.bin").unlink()
    refuse(scratch, "a shard that is missing", "two.bin")


def main():
    warnings.simplefilter("ignore")  # of names that are there twice
    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        for label, data, lines in right_files():
            (scratch / "right.pt").write_bytes(data)
            expect(scratch / "right.pt", label, lines)
        wrong = [(archive.archive([("data.pkl", data)]), message) for data, message in wrong_pickles()]
        for data, message in [*wrong, *wrong_tensors(), *wrong_archives()]:
            (scratch / "wrong.pt").write_bytes(data)
            refuse(scratch / "wrong.pt", message, message)
        check_members(scratch)
        check_cycle(scratch)
        check_recorded()
        check_mutations(scratch)
        folder = scratch / "folder"
        folder.mkdir()
        check_directories(folder)
    print("\n".join(problems) or "all files are read or refused as they should be")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()

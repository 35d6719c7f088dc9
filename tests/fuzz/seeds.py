#!/usr/bin/env python3
"""Writes a folder of small valid inputs per fuzzer: from the tests' own files, and made.

usage: seeds.py OUT VLC
"""
import io
import json
import pathlib
import re
import struct
import subprocess
import sys
import zipfile
import zlib

tests = pathlib.Path(__file__).resolve().parent.parent
models = tests.parent / "models"


def put(folder, name, data):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())


def modules():
    """The inputs and the expected outputs of the passes' goldens."""
    for path in sorted(tests.glob("passes/golden/*/*.vir")):
        lines = path.read_text().split("\n")
        text = "\n".join(line for line in lines if not line.startswith("#"))
        for part, half in enumerate(text.split("\n=>\n")):
            yield f"{path.parent.name}_{path.stem}_{part}", half.lstrip() + "\n"


def plan_file(text):
    raw = text.encode()
    packed = zlib.compress(raw, 6)
    start = 16 + 32 + 4
    head = b"VLGPLAN\n" + struct.pack("<II", 1, 1)
    head += struct.pack("<IIQQQ", 1, zlib.crc32(packed), start, len(packed), len(raw))
    return head + struct.pack("<I", zlib.crc32(head)) + packed


def safetensors_header():
    entries = {"__metadata__": {"format": "pt"}}
    offset = 0
    for dtype, size in (("F32", 4), ("F16", 2), ("BF16", 2), ("F64", 8), ("I64", 8)):
        entries[f"layer.{dtype}"] = {"dtype": dtype, "shape": [3, 2],
                                     "data_offsets": [offset, offset + 6 * size]}
        offset += 6 * size
    return json.dumps(entries)


def npy(descr, array):
    head = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': (2, 3), }}"
    head = head.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + array


def npz(array, method):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("features.npy", array)
    return out.getvalue()


def png():
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data +
                struct.pack(">I", zlib.crc32(kind + data)))
    rows = b"".join(b"\0" + bytes(range(i, i + 12)) for i in range(4))
    return (b"\x89PNG\r\n\x1a\n" +
            chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def torch_files():
    """Files of PyTorch, whole after a 0; their pickles after a 1, or a 2 of TorchScript."""
    for path in sorted((tests / "runtime/weights/torch/files").glob("*.pt")):
        data = path.read_bytes()
        yield path.stem, b"\0" + data
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            kind = b"\2" if any(name.endswith("/constants.pkl") for name in names) else b"\1"
            for name in names:
                if name.endswith(".pkl"):
                    yield f"{path.stem}_{pathlib.Path(name).stem}", kind + archive.read(name)


def adapter():
    """A configuration with headers, of which the plan of fuzz_exchange takes one."""
    config = {"peft_type": "SCALE", "r": 2, "alpha_pattern": {"first": 4}, "modules": ["second", "first"],
              "is_last": True, "config": {"scaling": 1.0}, "name": "a", "more": "pissa", "nothing": None}
    tensors = {"model.first.a.by": {"dtype": "F32", "shape": [4, 1], "data_offsets": [0, 16]},
               "model.second.a.length": {"dtype": "F32", "shape": [4], "data_offsets": [16, 32]},
               "model.third.a.pad": {"dtype": "F32", "shape": [8], "data_offsets": [32, 64]}}
    yield "unknown", json.dumps(config) + "\0" + json.dumps(tensors)
    del tensors["model.third.a.pad"]
    for number, tensor in enumerate(tensors.values()):
        tensor.update(dtype="F64", data_offsets=[32 * number, 32 * number + 32])
    tensors["__metadata__"] = {"format": "pt"}
    yield "taken", json.dumps(config) + "\0" + json.dumps(tensors)


RECORDS = {
    "array": b"\1[{\"question_id\": 1, \"label\": {\"yes\": 1.0}}, {\"a\": [1, \"\\u00e9\"]}]",
    "member": b"\4{\"info\": {}, \"images\": [{\"id\": 7, \"split\": \"val\"}], \"x\": 1}",
    "lines": b"\0{\"vid_name\": \"a\"}\n\n{\"vid_name\": \"b\", \"sub\": null}\n",
}
# After the number of the file.
TOKENIZER_FILES = [
    b'\0{"added_tokens": [{"id": 5, "content": "[LOC]", "lstrip": true, "single_word": true}],'
    b' "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": true},'
    b' "model": {"vocab": {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}}}',
    b'\1{"extra_ids": 2, "added_tokens_decoder": {"5": {"content": "{box}", "special": true}},'
    b' "additional_special_tokens": ["<new>"], "clean_up_tokenization_spaces": false}',
    b'\2{"[LOC]": 5, "{box}": 6}',
    b'\3{"eos_token": {"content": "</s>"}, "additional_special_tokens": ["[LOC]"]}']

CAPTIONS = ("A man's dog, isn't it?! (3 1/2 ft.)", "don't e.g. U.S. $5.00 -- ``quoted''",
            "350 \u00b0F 8\u00d710 no. 5 o'clock colour http://a.b/c x@y.org :-)")


def vocabulary():
    words = ["<s>", "<pad>", "</s>", "<unk>", "A", "r", "e", "d", "re", "red",
             "\u0120s", "\u0120", "s"]
    merges = "#version: 0.2\nr e\nre d\n\u0120 s\n"
    return json.dumps({w: i for i, w in enumerate(words)}) + "\0" + merges


def with_imports(path, known):
    """A .vg file with the definitions that it imports in it: a fuzzer has one file."""
    def definitions(match):
        library = (path.parent / match[1].decode()).resolve()
        if library in known or not library.is_file():
            return b""
        known.add(library)
        text = re.sub(rb"<\?.*?\?>", b"", with_imports(library, known), flags=re.S)
        return re.sub(rb"</?library[^>]*>", b"", text)
    return re.sub(rb'<import href="([^"]*)"/>', definitions, path.read_bytes())


def main():
    out, vlc = pathlib.Path(sys.argv[1]), sys.argv[2]
    for name, text in modules():
        put(out / "module", name, text)
        put(out / "run", name, text)
        put(out / "plan", name, b"\1" + plan_file(text))
    for path in sorted(tests.parent.glob("models/sweeps/*.json")):
        put(out / "sweep", path.name, b"\1" + path.read_bytes())
    for name, data in torch_files():
        put(out / "torch", name, data)
    for path in sorted(tests.glob("frontend/cases/*.vg")):
        put(out / "model", path.name, with_imports(path, set()))
        for number, text in enumerate(re.findall(r'="([^"]*[$(][^"]*)"', path.read_text(errors="replace"))):
            put(out / "expr", f"{path.stem}{number}", text)
        planned = subprocess.run([vlc, "dump", path], capture_output=True, check=False)
        if planned.returncode == 0 and len(planned.stdout) < 1 << 16:
            put(out / "module", path.stem, planned.stdout)
            put(out / "run", path.stem, planned.stdout)
    put(out / "safetensors", "header", b"\1" + safetensors_header().encode())
    put(out / "index", "index",
        json.dumps({"metadata": {}, "weight_map": {"x": "a.safetensors"}}))
    for name, text in adapter():
        put(out / "exchange", name, text)
    for name, data in RECORDS.items():
        put(out / "records", name, data)
    for descr, size in (("<f2", 2), ("<f4", 4), ("<f8", 8)):
        array = npy(descr, bytes(6 * size))
        put(out / "npz", f"npy{size}", array)
        put(out / "npz", f"stored{size}", npz(array, zipfile.ZIP_STORED))
        put(out / "npz", f"deflated{size}", npz(array, zipfile.ZIP_DEFLATED))
    put(out / "sentencepiece", "shapes", (models / "shapes/spiece.model").read_bytes())
    put(out / "bpe", "small", vocabulary())
    for i, text in enumerate(TOKENIZER_FILES):
        put(out / "tokenizer", str(i), text)
    put(out / "picture", "png", png())
    for path in sorted((tests / "fuzz/pictures").glob("*")):
        put(out / "picture", path.name, path.read_bytes())
    for path in sorted((tests / "fuzz/hdf5").glob("*")):
        put(out / "hdf5", path.name, path.read_bytes())
    for path in sorted((tests / "runtime/data/features/damaged").glob("*")):
        put(out / "hdf5", path.name, path.read_bytes())
    for path in sorted((tests / "runtime/media/videos").glob("*.*")):
        put(out / "video", path.name, path.read_bytes())
    for i, text in enumerate(CAPTIONS):
        put(out / "caption", str(i), text)


if __name__ == "__main__":
    main()

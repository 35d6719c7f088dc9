#!/usr/bin/env python3
"""Hold the files for TensorBoard and spreadsheets to the lines of metrics.jsonl.

usage: tests/runtime/train/tensorboard_test.py BUILD_DIR

The events are read here by the format's description, with a decoder of its own, and by protoc. Of a run that was
killed and resumed nothing is missing, and nothing twice.
"""
import csv
import io
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.path.abspath(sys.argv[1])
VLC, VLRUN = BUILD + "/frontend/vlc", BUILD + "/runtime/vlrun"
EVENTS = "events.out.tfevents.vlgraph"
STEPS = 30


# -- the format -------------------------------------------------------------------------------------

def crc32c_table():
    table = []
    for crc in range(256):
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return table


TABLE = crc32c_table()


def masked(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    at = 0
    while at < len(data):
        (length,), (head,) = struct.unpack_from("<Q", data, at), struct.unpack_from("<I", data, at + 8)
        assert head == masked(data[at:at + 8]), f"checksum of the length at {at}"
        message = data[at + 12:at + 12 + length]
        assert len(message) == length and struct.unpack_from("<I", data, at + 12 + length)[0] == masked(message), at
        yield message
        at += length + 16


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(message):
    at, found = 0, []
    while at < len(message):
        key, at = varint(message, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(message, at)
        else:
            size = {1: 8, 5: 4}.get(kind)
            if size is None:
                assert kind == 2, kind
                size, at = varint(message, at)
            value, at = message[at:at + size], at + size
        found.append((key >> 3, value))
    return found


def curves(data):
    """Tag -> [(step, value)], of a file that begins with its version; protoc agrees on every message."""
    found, version = {}, None
    for message in records(data):
        said = subprocess.run(["protoc", "--decode=events.Event", "-I", ROOT + "/runtime/tensorboard", "event.proto"],
                              input=message, capture_output=True, check=True).stdout if version is None else None
        event = dict(fields(message))
        if version is None:
            version = event[3].decode()
            assert version == "brain.Event:2" and b'file_version: "brain.Event:2"' in said, said
            continue
        assert struct.unpack("<d", event[1])[0] > 1.5e9, event
        for number, value in fields(event[5]):
            scalar = dict(fields(value))
            assert number == 1, number
            found.setdefault(scalar[1].decode(), []).append((event.get(2, 0), struct.unpack("<f", scalar[2])[0]))
    return found


# -- what it must say -------------------------------------------------------------------------------

def f32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def expected(directory):
    with open(directory + "/metrics.jsonl", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    found = {}
    for line in lines:
        if "loss" in line:
            for tag, value in (("loss/" + line["task"], line["loss"]), ("train/lr", line["lr"]),
                               ("train/gradient_norm", line["gradient_norm"]),
                               ("train/tokens_per_second", line["tokens"] / line["seconds"])):
                found.setdefault(tag, []).append((line["step"] + 1, f32(value)))
        elif "score" in line:
            tag = f"{line['split']}/{line['task']}/{line['metric']}"
            found.setdefault(tag, []).append((line["step"], f32(line["score"])))
    return found, lines


def check_events(directory, path=None):
    with open(path or f"{directory}/{EVENTS}", "rb") as file:
        found = curves(file.read())
    wanted, _ = expected(directory)
    assert found == wanted, [(tag, found.get(tag), wanted.get(tag)) for tag in found.keys() | wanted.keys()
                             if found.get(tag) != wanted.get(tag)]
    assert [step for step, _ in found["train/lr"]] == list(range(1, STEPS + 1)), found["train/lr"]
    assert "valid/nlvr/accuracy" in found and "test/vqa/accuracy" in found, found.keys()


def run(*command, code=0):
    found = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert found.returncode == code, f"{command}: exit {found.returncode}: {found.stdout}{found.stderr}"
    return found.stdout + found.stderr


def train(*options, code=0):
    return run(VLRUN, "train", *options, code=code)


GIVEN = ("plan.bin", "--data", "data", "--random-weights", "--eval-every", "10", "--checkpoint-every", "3")


def check_killed():
    process = subprocess.Popen([VLRUN, "train", *GIVEN, "--out", "killed", "--tensorboard"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    while process.poll() is None and not os.path.exists("killed/checkpoint.safetensors"):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with open("killed/" + EVENTS, "ab") as file:
        file.write(b"\x12half a record")
    train("--resume", "killed")  # which remembers that it draws
    check_events("killed")


def check_tables(directory):
    _, lines = expected(directory)
    for rows, member in (("steps", "loss"), ("scores", "score")):
        table = list(csv.DictReader(io.StringIO(run(VLRUN, "metrics", directory, "--rows", rows))))
        wanted = [line for line in lines if member in line]
        assert len(table) == len(wanted) and wanted, (rows, len(table))
        for row, line in zip(table, wanted):
            for name, text in row.items():
                value = line[name]
                same = text == value if isinstance(value, str) else abs(float(text) - value) <= 1e-8 * abs(value)
                assert same, (row, line)
        assert set(table[0]) == set(wanted[0]) - {"event"}, (set(table[0]), set(wanted[0]))
    run(VLRUN, "metrics", directory, "-o", "steps.csv")
    with open("steps.csv", encoding="utf-8") as file:
        assert file.read().count("\n") == STEPS + 1


def check_refused(directory):
    assert "nowhere/metrics.jsonl" in run(VLRUN, "metrics", "nowhere", code=1)
    assert "needs -o FILE" in run(VLRUN, "metrics", directory, "--format", "tensorboard", code=2)
    with open(directory + "/metrics.jsonl", "a", encoding="utf-8") as file:
        file.write('{"step": 99, "lo')
    run(VLRUN, "metrics", directory)  # a last line that was not written to its end
    with open(directory + "/metrics.jsonl", "a", encoding="utf-8") as file:
        file.write("\n")
    with open(directory + "/metrics.jsonl", encoding="utf-8") as file:
        count = len(file.readlines())
    said = run(VLRUN, "metrics", directory, "-o", "steps.csv", code=1)
    assert f"metrics.jsonl:{count}: error: " in said, said
    with open("steps.csv", encoding="utf-8") as file:
        assert file.read().count("\n") == STEPS + 1, "a table was lost"
    os.mkdir("taken")
    os.symlink("../steps.csv", "taken/" + EVENTS)
    assert "is a link" in train(*GIVEN, "--out", "taken", "--tensorboard", code=1)


def main():
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        run(VLC, "compile", ROOT + "/models/vlt5_tiny_adapter.vg", "-o", "plan.bin", "--set", "tasks=vqa nlvr",
            "--set", "sequences=6", "--set", f"steps={STEPS}")
        run(VLRUN, "make-data", "shapes", "data", "--size", "16")
        train(*GIVEN, "--out", "whole", "--tensorboard")
        check_events("whole")
        check_killed()
        train(*GIVEN, "--out", "plain")
        assert not os.path.exists("plain/" + EVENTS)
        run(VLRUN, "metrics", "plain", "--format", "tensorboard", "-o", "tfevents.plain")
        check_events("plain", "tfevents.plain")
        check_tables("plain")
        check_refused("plain")


main()

#!/usr/bin/env python3
"""Hold what `vlrun profile` prints and writes to what a training step does.

usage: tests/runtime/vlrun/profile_test.py BUILD_DIR

Every row of every table is read, and every event of a trace: each call of each micro-batch is there once,
each lane does one thing at a time, and both agree with each other. No time is looked at.
"""
import collections
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.path.abspath(sys.argv[1])
VLC, VLRUN = BUILD + "/frontend/vlc", BUILD + "/runtime/vlrun"
TABLES = ["pass", "class", "layer", "scope", "kernel", "call"]
ROW = re.compile(r" *(?P<share>\d+\.\d+) % +(?P<ms>\d+\.\d+)  .*?  +(?P<calls>\d+)  (?P<what>\S.*)$")
BATCH = ["--sequences", "12", "--lengths", "text=40,grid=49,dec=40"]


def run(*command, code=0):
    found = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert found.returncode == code, f"{command}: exit {found.returncode}: {found.stdout}{found.stderr}"
    return found.stdout, found.stderr


def profile(plan, *options, code=0):
    return run(VLRUN, "profile", plan, "--steps", "2", *options, code=code)


# -- tables ------------------------------------------------------------------------------------------

def tables(text):
    """Name of a table -> its rows; and the lines above the first."""
    blocks = text.split("\n\n")
    found = {}
    for block in blocks[2:]:
        title, heads, *lines = block.rstrip().split("\n")
        rows = [ROW.match(line) for line in lines]
        assert all(rows), f"a row that is none in:\n{block}"
        assert len({len(line) - len(row["what"]) for line, row in zip(lines, rows)}) == 1, f"ragged:\n{block}"
        assert heads.endswith("calls  what"), heads
        found[title.split(":")[0]] = [row.groupdict() for row in rows]
    return blocks[0] + "\n" + blocks[1], found


def check_tables(text):
    head, found = tables(text)
    assert list(found) == TABLES, list(found)
    for name, rows in found.items():
        assert [row["what"] for row in rows[-2:]] == ["idle", "all"], f"{name} ends with {rows[-2:]}"
        assert rows[-1] == found["pass"][-1], f"{name} adds up to another sum"
        for column, slack in (("share", 0.01), ("ms", 0.001), ("calls", 1)):
            total = sum(float(row[column]) for row in rows[:-2])
            assert abs(total - float(rows[-1][column])) <= slack * len(rows), f"{name}: {column} {total}"
    names = {table: {row["what"] for row in rows} for table, rows in found.items()}
    assert {"forward", "backward", "update"} < names["pass"], names["pass"]
    assert {"matmul", "rows", "attention", "vocab", "move", "accumulate", "check"} < names["class"], names["class"]
    assert {"encoder.block.0", "encoder.block.1", "decoder.block.1", "shared"} < names["layer"], names["layer"]
    assert "encoder.block.*.layer.*.SelfAttention.q" in names["scope"], names["scope"]
    assert any(what.startswith("@vqa.update:") for what in names["call"])
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        has_amx = " amx_bf16 " in file.read()
    assert ("no AMX" in head) != has_amx and ("of AMX" in text) == has_amx, head
    assert re.search(r"\d GFLOP/s +FMA: f32, \d+ in a vector\n", head), head
    assert re.search(r"\d GB/s +memory: a = b \+ s c$", head.rstrip()), head
    return found


# -- traces ------------------------------------------------------------------------------------------

def check_lane(spans):
    """Frames, each with what lies in it; and no two things at once."""
    frame, last = None, 0.0
    for event in spans:
        begun, ended = event["ts"], event["ts"] + event["dur"]
        if event["cat"] == "micro-batch":
            frame = (begun, ended)
        assert frame and frame[0] - 0.002 <= begun and ended <= frame[1] + 0.002, f"outside its frame: {event}"
        if event["cat"] != "micro-batch":
            assert last <= begun + 0.002, f"before the one before: {event}"
            last = ended


def check_trace(path, lanes, found):
    with open(path, encoding="utf-8") as file:
        trace = json.load(file)
    assert "floats in a vector" in trace["otherData"]["computed on"]
    events = trace["traceEvents"]
    tracks = {event["tid"]: event["args"]["name"] for event in events if event["name"] == "thread_name"}
    assert tracks == {lane: f"lane {lane}" for lane in range(lanes)}, tracks
    spans = [event for event in events if event["ph"] == "X"]
    assert all(event["dur"] >= 0 for event in spans)
    assert {event["tid"] for event in spans} == set(tracks)
    assert {event["cat"] for event in spans} == {"forward", "backward", "update", "micro-batch"}
    for lane in tracks:
        check_lane([event for event in spans if event["tid"] == lane])
    check_calls([event["args"] | {"name": event["name"]} for event in spans if "call" in event["args"]], found)


def check_calls(calls, found):
    assert {call["step"] for call in calls} == {0, 1}
    counts = collections.Counter((call["step"], call["call"], call["micro-batch"])
                                 for call in calls if ":" in call["call"])
    assert set(counts.values()) == {1}, [key for key, count in counts.items() if count != 1][:5]
    by_step = [{(call, microbatch) for step, call, microbatch in counts if step == which} for which in (0, 1)]
    assert by_step[0] == by_step[1], "steps differ"
    train = {call for call, _ in by_step[0] if call.startswith("@vqa.train:")}
    microbatches = {microbatch for _, microbatch in by_step[0]}
    assert len(microbatches) > 1 and microbatches == set(range(len(microbatches))), microbatches
    assert {pair for pair in by_step[0] if pair[0] in train} == {(c, m) for c in train for m in microbatches}
    sums = collections.Counter(call["call"] for call in calls if call["class"] == "accumulate")
    assert sums and set(sums.values()) == {2 * len(microbatches)}, sums
    for call in calls:
        assert call["class"] != "matmul" or call["flops"] > 0 and call["bytes"] > 0, call
        assert ":" not in call["call"] or re.match(r".*\.vg:\d+:\d+$", call["place"]), call
    assert any(call.get("value", "").startswith("encoder.block.1.layer.0.") for call in calls), "no names"
    # The same as in the tables, which are of one step; short waits are in these alone.
    for name in ("matmul", "attention", "accumulate", "check"):
        rows = [int(row["calls"]) for row in found["class"] if row["what"] == name]
        assert rows == [sum(call["class"] == name for call in calls) // 2], name


# -- the command -------------------------------------------------------------------------------------

def check_random(plan, work):
    path = work + "/trace.json"
    text, _ = profile(plan, *BATCH, "--lanes", "2", "--rows", "1000", "--trace", path)
    assert text.startswith("task vqa, 12 sequences\non "), text
    check_trace(path, 2, check_tables(text))
    text, _ = profile(plan, "--task", "nlvr", "--tables", "pass,class", "--lanes", "1", "--rows", "1")
    assert text.startswith("task nlvr, 16 sequences\n"), text
    found = tables(text)[1]
    assert list(found) == ["pass", "class"], found
    assert [row["what"] for row in found["pass"][1:]] == ["2 more rows", "idle", "all"], found["pass"]
    made = os.listdir(os.environ["XDG_CACHE_HOME"] + "/vlgraph")
    assert made and not any(name.startswith("shapes") for name in made), f"in the cache: {made}"


def check_data(plan, work):
    run(VLRUN, "make-data", "shapes", work + "/data", "--size", "20")
    text, _ = profile(plan, "--data", work + "/data", "--tables", "pass")
    assert text.startswith(f"all tasks of '{work}/data'\n"), text
    path = work + "/caption.json"
    text, _ = profile(plan, "--data", work + "/data", "--task", "caption", "--tables", "call", "--trace", path)
    assert text.startswith(f"task caption of '{work}/data'\n"), text
    with open(path, encoding="utf-8") as file:
        calls = {event["args"].get("call", "@caption.") for event in json.load(file)["traceEvents"]
                 if event["ph"] == "X"}
    assert all(call.startswith("@caption.") for call in calls), calls


def check_faults(plan, work):
    text, _ = run(VLC, "dump", plan)
    wild = work + "/wild.vir"
    with open(wild, "w", encoding="utf-8") as file:
        file.write(re.sub("init normal \\S+ \\S+", "init constant 3e38", text))
    _, said = profile(wild, "--sequences", "2")
    assert "warning: 2 of 2 steps had a loss or a gradient that is not finite, and no update" in said, said
    path = work + "/never.json"
    profile(plan, "--trace", path, "--sequences", "2", "--lengths", "text=400,grid=49,dec=5", code=1)
    assert not os.path.exists(path), "half a trace is left"


def main():
    with tempfile.TemporaryDirectory() as work:
        os.environ["XDG_CACHE_HOME"] = work + "/cache"
        plan = work + "/plan.bin"
        run(VLC, "compile", ROOT + "/models/vlt5_tiny_adapter.vg", "-o", plan)
        check_random(plan, work)
        check_data(plan, work)
        check_faults(plan, work)


main()

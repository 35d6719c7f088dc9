#!/usr/bin/env python3
"""Hold how `vlrun train` shows steps: on terminals of any width, in files, as JSON, and not at all.

usage: tests/runtime/train/progress_test.py BUILD_DIR
"""
import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.path.abspath(sys.argv[1])
VLC, VLRUN = BUILD + "/frontend/vlc", BUILD + "/runtime/vlrun"
STEPS = 8


def command(*options):
    return [VLRUN, "train", "plan.bin", "--data", "data", "--random-weights", "--out", "run", "--overwrite",
            "--eval-every", "4", *options]


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "TERM", "NO_COLOR")}
    return {**kept, **more}


def train(*options, code=0, **more):
    found = subprocess.run(command(*options), capture_output=True, text=True, stdin=subprocess.DEVNULL,
                           env=environment(TERM="xterm", **more))
    assert found.returncode == code, f"{options}: exit {found.returncode}: {found.stdout}{found.stderr}"
    return found.stdout, found.stderr


def on_terminal(columns, *options, **more):
    """All that reaches a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(command(*options), stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.PIPE,
                               env=environment(**more))
    os.close(theirs)
    said = b""
    while True:
        try:
            some = os.read(ours, 65536)
        except OSError:
            break
        if not some:
            break
        said += some
    os.close(ours)
    errors = process.communicate()[1]
    assert process.returncode == 0, errors
    return said.decode().replace("\r\n", "\n")


def written_over(text):
    """The texts of lines that are written over: what stands between a carriage return and the erasure."""
    return [part.split("\x1b[K")[0] for part in text.split("\r")[1:]]


def check_terminals():
    for columns in (20, 40, 200):
        shown = written_over(on_terminal(columns, TERM="xterm"))
        assert any(f"{STEPS}/{STEPS}" in line for line in shown), shown
        assert any(" 1 exa" in line for line in shown), shown
        assert all(len(line) < columns for line in shown), [line for line in shown if len(line) >= columns]
    assert any("lr " in line and "norm " in line and " tokens/s" in line and line.endswith("]") for line in shown), shown
    shown = written_over(on_terminal(200, TERM="xterm", COLUMNS="30"))
    assert shown and all(len(line) < 30 for line in shown), shown
    for said in (on_terminal(80, TERM="dumb"), on_terminal(80), on_terminal(80, "--progress", "plain", TERM="xterm")):
        assert "\x1b" not in said and "\r" not in said and f"step {STEPS}/{STEPS}" in said, said
    assert "\x1b[3" not in on_terminal(80, TERM="xterm", NO_COLOR="1"), "colours"


def check_plain():
    out, errors = train()
    assert "\x1b" not in out + errors and "\r" not in out, out
    steps = [line for line in out.splitlines() if line.startswith("step ")]
    assert 2 <= len(steps) <= STEPS, steps
    assert all(word in steps[-1] for word in ("lr ", "norm ", "tokens/s", "left", "nlvr ")), steps
    assert "after step 4:" in out and "\nsaved in run" in out, out


def check_json():
    out, errors = train("--progress", "json")
    lines = [json.loads(line) for line in out.splitlines()]
    steps = [line for line in lines if "event" not in line]
    events = {line["event"] for line in lines if "event" in line}
    assert events == {"start", "scores", "end"}, events
    assert steps[-1]["step"] == STEPS - 1 and steps[-1]["tokens"] > steps[-1]["sequences"] > 0, steps
    assert "saved in run" in errors, errors
    with open("run/metrics.jsonl", encoding="utf-8") as file:
        kept = [json.loads(line) for line in file]
    assert all(line in kept for line in lines), "standard output and metrics.jsonl differ"
    assert len([line for line in kept if "event" not in line]) == STEPS, kept


def check_quiet():
    out, errors = train("--progress", "quiet")
    assert "step" not in out and "kernels" not in out and "after" not in out, out
    assert "accuracy" in out and out.endswith("saved in run/checkpoint.safetensors\n"), out
    _, errors = train("--progress", "quite", code=2)
    assert "quiet" in errors, errors


def main():
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        subprocess.run([VLC, "compile", ROOT + "/models/vlt5_tiny_adapter.vg", "-o", "plan.bin", "--set", "tasks=nlvr",
                        "--set", f"steps={STEPS}"], check=True)
        subprocess.run([VLRUN, "make-data", "shapes", "data", "--size", "8"], check=True, stdout=subprocess.DEVNULL)
        check_plain()
        check_json()
        check_quiet()
        check_terminals()


main()

#!/usr/bin/env python3
"""Sweep as users do: list the rows of a file, run them, stop and go on, let one fail; and be told of mistakes by their
place.

usage: sweep_test.py BUILD_DIR
"""
import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

TESTS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROOT = os.path.dirname(TESTS)
sys.path.insert(0, os.path.join(TESTS, "support"))
import browser as chromium  # noqa: E402

VLRUN = os.path.join(sys.argv[1], "runtime/vlrun")
faults = []


def check(condition, text):
    if not condition:
        faults.append(text)


def write(work, name, value):
    path = os.path.join(work, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(value if isinstance(value, str) else json.dumps(value, indent=2))
    return path


def sweep(*words, code=0):
    result = subprocess.run([VLRUN, "sweep", *words], capture_output=True, text=True)
    check(result.returncode == code,
          f"sweep {words}: exit {result.returncode}, not {code}: {result.stdout}{result.stderr}")
    return result


def check_list(work):
    """Rows come in the order of the file, the last constant of a grid the fastest; inner settings win."""
    path = write(work, "list.json", {
        "set": {"lr": 0.003, "size": "tiny", "flag": True}, "train": {"skip-bad": True, "weights": "../w.safetensors"},
        "grid": {"a": [1, 2], "b": ["x", "y"]},
        "rows": [{"model": "./m.vg", "label": {"kind": "one"}},
                 {"model": "name", "set": {"lr": 1e-3, "size": None}, "train": {"skip-bad": False}}]})
    lines = sweep(path, "--list", "--set", "flag=0", "--train", "data=d").stdout.splitlines()
    check(len(lines) == 8, f"{len(lines)} rows")
    check(lines[0] == f"1\t1, x, one\t{work}/./m.vg\tlr=0.003 size=tiny flag=0 a=1 b=x --skip-bad --weights "
          f"{work}/../w.safetensors --data d", lines[0])
    check(lines[3] == f"4\t1, y\tname\tlr=0.001 flag=0 a=1 b=y --weights {work}/../w.safetensors --data d", lines[3])
    check(sweep(path, "--list", "--only", "4", "--set", "flag=0", "--train", "data=d").stdout == lines[3] + "\n",
          "--list --only")
    few = sweep(path, "--list", "--steps", "7").stdout.splitlines()
    check(few[0].endswith("--steps 7"), few[0])


MISTAKES = [  # a file, and what must be said of it
    ('{"rows": [\n {"model": "m",\n  "sett": {}}]}', ":3:3: error: unknown member \"sett\"; did you mean \"set\"?"),
    ('{"rows": [\n {"model": "m", "train": {"step": 3}}]}', ":2:27: error: vlrun train has no option '--step'; did you"),
    ('{"model": "m", "train": {"steps": "3"}}', ":1:26: error: steps: expected a whole number"),
    ('{"model": "m", "train": {"out": "x"}}', ":1:26: error: --out is for the sweep to give"),
    ('{"model": "m", "compile": {"output": "x"}}', ":1:28: error: --output is for the sweep to give"),
    ('{"model": "m", "set": {"a": [1]}}', ":1:24: error: a: expected a number, a text, true or false"),
    ('{"model": "m", "grid": {"a": 1}}', ":1:25: error: a: expected an array of values"),
    ('{"model": "m", "grid": {"a": [1, {}]}}', ":1:34: error: a: expected a number"),
    ('{"rows": [{"set": {}}]}', ":1:11: error: the row has no \"model\""),
    ('{"rows": []}', ":1:2: error: expected an array of rows"),
    ('{"model": 3}', ":1:2: error: expected a recipe"),
    ('{"model": "m", "scale": {"vqa": "x"}}', ":1:26: error: vqa: expected a number"),
    ('{"rows": [{"model": "m"}, {"model": "m"}]}', ": error: rows 1 and 2 are the same"),
    ('{"model": "m", "rows": [{"scale": {}}]}', ":1:26: error: unknown member \"scale\""),
    ('{"model": "m"', ":1:13: error: "),
    ("[]", ":1:1: error: expected an object"),
]


def check_mistakes(work):
    for text, message in MISTAKES:
        said = sweep(write(work, "wrong.json", text), "--list", code=1).stderr
        check("wrong.json" + message in said, f"{text}: {said}")
    good = write(work, "good.json", '{"model": "m"}')
    for words, code, message in (([good], 2, "give -o DIR, or --list"), ([good, "--list", "--only", "2"], 1, "no row 2"),
                                 ([good, "--list", "--train", "steps"], 1, "expected NAME=VALUE"),
                                 ([good, "--list", "--train", "stepz=1"], 1, "did you mean 'steps'"),
                                 ([work + "/none.json", "--list"], 1, "none.json")):
        said = sweep(*words, code=code).stderr
        check(message in said, f"{words}: {said}")


def sweep_file(work, steps=2, **more):
    return {"about": "Widths <of> adapters", "scale": {"caption": 0.1},
            "set": {"size": "tiny", "dropout": 0, "sequences": 4, "tasks": "caption"},
            "train": {"eval-every": 0, "steps": steps, "data": work + "/data", "checkpoint-every": 1,
                      "weights": ROOT + "/models/shapes/vlt5_tiny.safetensors"}, **more}


ADAPTERS = [{"label": {"method": "Adapter"}, "model": ROOT + "/models/vlt5_adapter.vg", "grid": {"reduction": [4, 8]}},
            {"label": {"method": "None"}, "model": ROOT + "/models/vlt5_visual.vg", "train": {"steps": 0}}]


def check_rows(work):
    """All rows, in parallel; what their table says; and that the second time nothing is done again."""
    path, out = write(work, "rows.json", sweep_file(work, rows=ADAPTERS)), os.path.join(work, "rows")
    said = sweep(path, "-o", out, "--jobs", "2").stdout
    check("3 of 3 rows finished" in said, said)
    with open(os.path.join(out, "table.tsv"), encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    check([(row["row"], row["method"], row["reduction"], row["trained"]) for row in rows] ==
          [("1", "Adapter", "4", "52944"), ("2", "Adapter", "8", "29784"), ("3", "None", "", "0")], str(rows))
    for row in rows:
        check(row["state"] == "finished" and row["mean"] == row["caption"], str(row))
        check(0 < float(row["mean"]) <= 100 and float(row["test_examples_per_second"]) > 0, str(row))
        check((row["train_examples_per_second"] == "") == (row["method"] == "None"), str(row))
        check(float(row["peak_mb"]) > 1, str(row))
        with open(os.path.join(out, row["directory"], "run/metrics.jsonl"), encoding="utf-8") as file:
            scores = [line["score"] for line in map(json.loads, file) if line.get("event") == "scores" and line["main"]]
        check(abs(scores[-1] / 10 - float(row["caption"])) < 1e-3, f"{scores}: {row}")
    before = os.stat(os.path.join(out, rows[0]["directory"], "run/metrics.jsonl")).st_mtime_ns
    said = sweep(path, "-o", out).stdout
    check(said.count("(kept)") == 3, said)
    check(os.stat(os.path.join(out, rows[0]["directory"], "run/metrics.jsonl")).st_mtime_ns == before, "done again")
    said = sweep(path, "-o", out, "--only", "2").stdout
    check(said.startswith("2/3 Adapter, 8") and said.endswith("(kept)\n"), said)
    return os.path.join(out, "page.html")


def check_samples(work):
    """A report with answers, of a run that can be asked, and of one whose data have gone."""
    rows, out = os.path.join(work, "rows/rows"), os.path.join(work, "samples.html")
    run = os.path.join(rows, next(name for name in sorted(os.listdir(rows)) if name.startswith("Adapter_4")), "run")
    for moved, code in ((False, 0), (True, 1)):
        if moved:
            os.rename(work + "/data", work + "/elsewhere")
        result = subprocess.run([VLRUN, "report", run, "--samples", "2", "-o", out], capture_output=True, text=True)
        check(result.returncode == code, f"report --samples: exit {result.returncode}, not {code}: {result.stderr}")
        with open(out, encoding="utf-8") as file:
            text = file.read()
        check(text.count("<article>") == (0 if moved else 2), f"{text.count('<article>')} samples")
        check(("cannot be asked" in text) == moved, "what became of samples is not told")
    os.rename(work + "/elsewhere", work + "/data")


def check_failure(work):
    """A row that fails ends no other, and is told by exit code, message and page."""
    rows = [{"label": {"row": "wrong"}, "model": ROOT + "/models/vlt5_adapter.vg", "set": {"reductoin": 4}},
            {"label": {"row": "numbers"}, "model": ROOT + "/models/vlt5_visual.vg", "train": {"weights": work + "/no"}},
            {"label": {"row": "right"}, "model": ROOT + "/models/vlt5_visual.vg", "train": {"steps": 0}}]
    path, out = write(work, "failing.json", sweep_file(work, rows=rows)), os.path.join(work, "failing")
    result = sweep(path, "-o", out, code=1)
    check("did you mean 'reduction'" in result.stderr and "row 1, wrong, ended with exit code 1" in result.stderr
          and work + "/no" in result.stderr, result.stderr)
    check("3/3 right" in result.stdout and "1 of 3 rows finished" in result.stdout, result.stdout)
    with open(os.path.join(out, "page.html"), encoding="utf-8") as file:
        check("2 of 3 rows are not finished" in file.read(), "the page does not say what is missing")


def steps_of(out):
    for folder, _, names in os.walk(out):
        if "metrics.jsonl" in names:
            with open(os.path.join(folder, "metrics.jsonl"), encoding="utf-8") as file:
                return [json.loads(line) for line in file if line.endswith("}\n")]
    return []


def wait_for_steps(out, process):
    for _ in range(1200):
        if os.path.exists(out) and any("checkpoint.safetensors" in names for _, _, names in os.walk(out)):
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    check(False, f"no row has begun in {out}")


def check_stopping(work, number, code):
    """A sweep that is killed, or interrupted, ends its rows, and goes on with them."""
    path = write(work, "stopped.json", sweep_file(work, 400, rows=ADAPTERS[:1]))
    out = os.path.join(work, f"stopped{number}")
    with subprocess.Popen([VLRUN, "sweep", path, "-o", out, "--only", "1"], stdout=subprocess.DEVNULL) as process:
        wait_for_steps(out, process)
        process.send_signal(number)
        process.wait()
        check(process.returncode == code, f"signal {number}: exit {process.returncode}, not {code}")
    said = sweep(path, "-o", out, "--only", "1").stdout
    check("(kept)" not in said and "1/2 Adapter, 4" in said, said)
    lines = steps_of(out)
    check([line["step"] for line in lines if "loss" in line] == list(range(400)), "steps are missing, or twice")
    check(any(line.get("event") == "start" and line["step"] > 0 for line in lines)
          or any(line.get("event") == "resume" for line in lines), "it did not go on, but began anew")


def main():
    with tempfile.TemporaryDirectory() as work:
        subprocess.run([VLRUN, "make-data", "shapes", work + "/data", "--size", "40"], check=True, capture_output=True)
        check_list(work)
        check_mistakes(work)
        page = check_rows(work)
        check_samples(work)
        check_failure(work)
        check_stopping(work, signal.SIGINT, 128 + signal.SIGINT)
        check_stopping(work, signal.SIGKILL, -signal.SIGKILL)
        if chromium.CHROMIUM:
            with chromium.Browser() as browser:
                faults.extend(chromium.faults_of(browser, page))
                check(browser.evaluate("document.querySelectorAll('figure').length") >= 6, "charts are missing")
    for fault in faults:
        print(f"sweep_test: {fault}", file=sys.stderr)
    sys.exit(1 if faults else 0 if chromium.CHROMIUM else 77)


if __name__ == "__main__":
    main()

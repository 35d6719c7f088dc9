#!/usr/bin/env python3
"""Write pages about runs as they come: finished, of an earlier version, cut short, broken, huge, hostile; and look at
them in a browser.

usage: report_test.py BUILD_DIR
"""
import html
import json
import os
import subprocess
import sys
import tempfile

TESTS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROOT = os.path.dirname(TESTS)
sys.path.insert(0, os.path.join(TESTS, "support"))
import browser as chromium  # noqa: E402

HOSTILE = "<script>document.title='hurt'</script>\"'"
LONG = 100000
faults = []


def check(condition, text):
    if not condition:
        faults.append(text)


def write_run(work, name, lines, record=None):
    directory = os.path.join(work, name)
    os.makedirs(directory)
    with open(os.path.join(directory, "metrics.jsonl"), "w", encoding="utf-8") as file:
        file.writelines(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines)
    if record is not None:
        with open(os.path.join(directory, "run.json"), "w", encoding="utf-8") as file:
            json.dump(record, file)
    return directory


def step(number, task="vqa", **more):
    return {"step": number, "task": task, "loss": 5 / (number + 1), "lr": 1e-3, "gradient_norm": 2.5, "sequences": 40,
            "microbatches": 4, "seconds": 0.5, **more}


def scores(number, split, score, task="vqa", **more):
    return {"event": "scores", "step": number, "split": split, "task": task, "metric": "accuracy", "score": score,
            "unit": "%", "examples": 300, **more}


END = {"event": "end", "step": 4, "seconds": 2, "samples_per_second": 80, "peak_resident_bytes": 1 << 27}


def report(build, out, *runs, code=0):
    result = subprocess.run([os.path.join(build, "runtime/vlrun"), "report", *runs, "-o", out],
                            capture_output=True, text=True)
    check(result.returncode == code, f"report {runs}: exit {result.returncode}, not {code}: {result.stderr}")
    if not os.path.exists(out):
        return "", result.stderr
    with open(out, encoding="utf-8") as file:
        return file.read(), result.stderr


def check_kinds(build, work):
    """Runs of an earlier version, which have less in their lines, and a newer one; what differs between two."""
    out = os.path.join(work, "kinds.html")
    old = write_run(work, "old", [step(0), step(1), scores(2, "valid", 51), scores(2, "valid", 52, metric="other"),
                                  step(2), step(3), scores(4, "test", 61.25), END])
    new = write_run(work, "new", [scores(0, "test", 11, main=True), *[step(i, tokens=100) for i in range(4)],
                                  scores(4, "test", 71.25, main=True, seconds=3), END],
                    {"model": "m", "steps": 4, "data": "shapes", "files": {"a.json": "12"}, "run": "77"})
    other = write_run(work, "other", [step(0)], {"model": "m", "steps": 9, "data": "shapes", "files": {"a.json": "13"}})
    text, _ = report(build, out, old, new, other)
    for part in ("old has no run.json", ">61.2<", "best\">71.2<", ">51.0<", ">100.0<", ">128<", ">80.0<", ">200<",
                 "other ended after step 1 of 9", "<td class=\"\">files: a.json</td>", "<td class=\"\">steps</td>"):
        check(part in text, f"no '{part}' in the page of three runs")
    early = write_run(work, "early", [step(0), {**END, "step": 1}], {"model": "m", "steps": 9, "data": "shapes", "files": {}})
    page, _ = report(build, os.path.join(work, "early.html"), early)
    check("ended early" in page and "goes on with" not in page, "a run that --patience ended goes on")
    for part in (">52.0<", "<td class=\"\">run</td>"):
        check(part not in text, f"'{part}' in the page of three runs")
    return out


def check_cut(build, work):
    """A line that is being written is none; one that is broken is a fault that leaves the rest readable."""
    out = os.path.join(work, "cut.html")
    cut = write_run(work, "cut", [step(0), '{"step": 1, "ta'], {"steps": 2})
    text, said = report(build, out, cut)
    check("not whole" in text and not said, f"a cut line: {said}")
    broken = write_run(work, "broken", [step(0), '{"step": 1, "ta\n', '{"step": "x"}\n', step(2)])
    text, said = report(build, os.path.join(work, "broken.html"), broken, code=1)
    for line in (2, 3):
        check(f"broken/metrics.jsonl:{line}: error: is no line of a run's metrics" in said, f"line {line}: {said}")
    check("Curves" in text, "a broken line leaves no page")
    empty = write_run(work, "empty", [])
    text, _ = report(build, os.path.join(work, "empty.html"), empty)
    check("Curves" in text, "no page of a run that has not begun")
    return out


def check_refusals(build, work):
    out = os.path.join(work, "none.html")
    for run, message in ((os.path.join(work, "olx"), "is no directory of a run"), (ROOT + "/docs", "it has no metrics.jsonl")):
        _, said = report(build, out, run, code=1)
        check(message in said, f"report {run}: {said}")
    bad = write_run(work, "bad_record", [step(0)])
    with open(os.path.join(bad, "run.json"), "w", encoding="utf-8") as file:
        file.write("[1]")
    report(build, out, bad, code=1)


def check_huge(build, work):
    """However long a run, its page is small, and a step that stands out is in it."""
    lines = [step(i, loss=1, seconds=0.1) for i in range(LONG)]
    lines[LONG // 3]["loss"] = 500
    out = os.path.join(work, "huge.html")
    text, _ = report(build, out, write_run(work, "huge", lines, {"steps": LONG}))
    check(len(text) < 300000, f"a page of {len(text)} bytes")
    check(">500<" in text, "the axis does not reach the peak")
    return out


def check_hostile(build, work):
    out = os.path.join(work, "hostile.html")
    text, _ = report(build, out, write_run(work, HOSTILE.replace("/", "_"), [
        step(0, HOSTILE), step(1, HOSTILE), scores(2, "valid", 3, HOSTILE, metric=HOSTILE, unit=HOSTILE)],
        {"model": HOSTILE, "steps": 2, HOSTILE: HOSTILE}))
    check(text.count("<script") == 1, "a script came out of a text")
    check(html.escape(HOSTILE).replace("&#x27;", "&#39;") in text, "the text is not there")
    return out


def main():
    build = sys.argv[1]
    with tempfile.TemporaryDirectory() as work:
        pages = [check_kinds(build, work), check_cut(build, work), check_huge(build, work), check_hostile(build, work)]
        check_refusals(build, work)
        if chromium.CHROMIUM:
            with chromium.Browser() as browser:
                for page in pages:
                    faults.extend(f"{os.path.basename(page)}: {fault}" for fault in chromium.faults_of(browser, page))
                    check(browser.evaluate("document.title") != "hurt", "a script ran")
    for fault in faults:
        print(f"report_test: {fault}", file=sys.stderr)
    sys.exit(1 if faults else 0 if chromium.CHROMIUM else 77)


if __name__ == "__main__":
    main()

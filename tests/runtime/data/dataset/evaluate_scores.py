#!/usr/bin/env python3
"""Scores answers as the papers say, with nothing of the program's, and compares.

usage: evaluate_scores.py metrics METRICS_JSONL
       evaluate_scores.py scores DATA SPLIT ANSWERS SCORES
       evaluate_scores.py places GENERATED PREDICTED
       evaluate_scores.py files DATA DIRECTORY
"""
import collections
import json
import os
import re
import sys


def load(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return json.load(file)


def load_lines(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def need(condition, *what):
    if not condition:
        sys.exit(f"evaluate_scores: {what}")


# -- scores ------------------------------------------------------------------------------------

NUMBERS = {word: str(i) for i, word in enumerate(
    "zero one two three four five six seven eight nine ten".split())}
NUMBERS["none"] = "0"


def vqa_words(text):
    """The shapes' words need no more: they have neither punctuation nor apostrophes."""
    need(re.fullmatch(r"[A-Za-z0-9 ]*", text), "unexpected characters", text)
    words = (NUMBERS.get(word, word) for word in text.lower().split())
    return " ".join(word for word in words if word not in ("a", "an", "the"))


def vqa_accuracy(said, answers):
    said = vqa_words(said)
    shares = [min(1, sum(answer == said for j, answer in enumerate(answers) if j != i) / 3)
              for i in range(len(answers))]
    return sum(shares) / len(shares)


def mean(values):
    values = list(values)
    return 100 * sum(values) / len(values) if values else 0


def score_vqa(data, split, said):
    questions = load(data, "vqa", {"valid": "karpathy_val.json",
                                   "test": "karpathy_test.json"}[split])
    answers = {}
    for year in ("train", "val"):
        for entry in load(data, "vqa", f"v2_mscoco_{year}2014_annotations.json")["annotations"]:
            answers[str(entry["question_id"])] = [a["answer"] for a in entry["answers"]]
    scores = collections.defaultdict(list)
    for question in questions:
        name = str(question["question_id"])
        accuracy = vqa_accuracy(said[name], answers[name])
        scores["accuracy"].append(accuracy)
        kind = "optimal" if question.get("is_topk_optimal", True) else "other"
        scores["accuracy, " + kind].append(accuracy)
        scores["top-k score"].append(question["label"].get(said[name], 0))
    return {name: mean(scores[name])
            for name in ("accuracy", "accuracy, optimal", "accuracy, other", "top-k score")}


def score_gqa(data, _split, said):
    questions = load(data, "GQA", "testdev.json")
    need(len(questions) == len(said), "questions and answers", len(questions), len(said))
    return {"accuracy": mean(q["label"].get(said[str(q["question_id"])], 0) for q in questions)}


def compare_scores(data, split, answers, scores):
    said = collections.defaultdict(dict)
    for line in load_lines(answers):
        said[line["task"]][line["id"]] = line["text"]
    got = collections.defaultdict(dict)
    for line in load(scores):
        need(line["split"] == split and line["main"] == (not got[line["task"]]), line)
        got[line["task"]][line["metric"]] = line["value"]
    for task, score in (("vqa", score_vqa), ("gqa", score_gqa)):
        want = score(data, split, said[task])
        need(list(want) == list(got[task]), task, want, got[task])
        for name, value in want.items():
            need(abs(value - got[task][name]) < 0.00501, task, name, value, got[task][name])
        need(len(set(said[task].values())) > 1, task, "the model says one thing only")
        need(want["accuracy"] > 0, task, "nothing is right: that shows nothing")


def compare_places(generated, predicted):
    """Either way the same examples count for the same metrics, and something is right."""
    generated, predicted = ({(s["task"], s["metric"]): s for s in load(path)}
                            for path in (generated, predicted))
    need(list(generated) == list(predicted), list(generated), list(predicted))
    for (task, metric), score in generated.items():
        need(score["examples"] == predicted[task, metric]["examples"], task, metric)
    need(predicted["gqa", "accuracy"]["value"] > 0, predicted)


# -- files for leaderboards --------------------------------------------------------------------


def check_choices(data, path, *files):
    qids = [str(line["qid"]) for name in files for line in load_lines(data, name)]
    said = load(path)
    for name in files:
        first = load_lines(data, name)[0]
        need(str(first["qid"]) in said, path, "lacks", first["qid"])
    need(set(said) <= set(qids) and said, path, list(said)[:3])
    need(all(type(choice) is int and 0 <= choice <= 9 for choice in said.values()), path)


def check_descriptions(data, path, name, has_moment):
    clips = load_lines(data, name)
    for clip, line in zip(clips, load_lines(path)):
        need(line["vid_name"] == clip["vid_name"] and line["clip_id"] == clip["clip_id"], line)
        need(("ts" in line) == has_moment and line.get("ts") == (
            clip["ts"] if has_moment else None), line, clip)
        need(len(line["descs"]) == 1 and isinstance(line["descs"][0]["desc"], str), line)
    need(len(load_lines(path)) == min(40, len(clips)), path)


def check_files(data, directory):
    image, video = (os.path.join(directory, kind) for kind in ("image", "video"))
    need(sorted(os.listdir(image)) == ["karpathy_test_predict.json", "nlvr_submit.csv"],
         os.listdir(image))
    need(sorted(os.listdir(video)) == [
        "how2qa_test_public_predictions.json", "tvc_test_predictions.jsonl",
        "tvqa_test_predictions.json", "yc2c_test_predictions.jsonl"], os.listdir(video))
    questions = load(data, "vqa", "karpathy_test.json")
    said = load(image, "karpathy_test_predict.json")
    need([a["question_id"] for a in said] == [q["question_id"] for q in questions][:40], said)
    need(all(list(a) == ["answer", "question_id"] for a in said), said)
    with open(os.path.join(image, "nlvr_submit.csv"), encoding="utf-8") as file:
        rows = [line.rstrip("\n").split(",") for line in file]
    statements = load(data, "nlvr", "test.json")
    need([row[0] for row in rows] == [s["identifier"] for s in statements][:40], rows)
    need(all(len(row) == 2 and row[1] in ("True", "False") for row in rows), rows)
    ann = "video/ann/"
    check_choices(data, os.path.join(video, "tvqa_test_predictions.json"),
                  ann + "tvqa/tvqa_test_public.jsonl", ann + "tvqa/tvqa_test_release.jsonl")
    check_choices(data, os.path.join(video, "how2qa_test_public_predictions.json"),
                  ann + "how2qa/how2qa_test_public_release.jsonl")
    check_descriptions(data, os.path.join(video, "tvc_test_predictions.jsonl"),
                       ann + "tvc/tvc_test_release.jsonl", True)
    check_descriptions(data, os.path.join(video, "yc2c_test_predictions.jsonl"),
                       ann + "yc2c/yc2c_test_release.jsonl", False)


def check_metrics(path):
    scores = [line for line in load_lines(path) if line.get("event") == "scores"]
    places = {(line["split"], line["step"]) for line in scores}
    need(places == {("valid", 40), ("test", 60)}, places)
    need({"task", "metric", "score", "unit", "examples"} <= set(scores[0]), scores[0])


{"metrics": check_metrics, "scores": compare_scores,
 "places": compare_places, "files": check_files}[sys.argv[1]](
    *sys.argv[2:])

#!/usr/bin/env python3
"""Writes small data sets in the published layout with h5py, numpy and SentencePiece.

usage: write_layout.py DIR
"""
import json
import pathlib
import sys

import h5py
import numpy
import sentencepiece

ROOT = pathlib.Path(sys.argv[1])
WIDTH, COUNT = 48, 8
RANDOM = numpy.random.default_rng(0)


def write_json(path, value):
    path = ROOT / path
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        if path.suffix == ".jsonl":
            file.writelines(json.dumps(item) + "\n" for item in value)
        else:
            json.dump(value, file, indent=1)


def write_image(folder, name, dtype=numpy.float16):
    directory = ROOT / folder / "clip_features/data_clip_RN101_att"
    directory.mkdir(parents=True, exist_ok=True)
    with h5py.File(directory / f"{name}.h5", "w") as file:
        file.create_group(name)["features"] = RANDOM.random((49, WIDTH)).astype(dtype)
    return name


def write_video(folder, name, frames, dtype=numpy.float32, compressed=False):
    directory = ROOT / "video/vis_features" / folder / "clip-vit"
    directory.mkdir(parents=True, exist_ok=True)
    save = numpy.savez_compressed if compressed else numpy.savez
    save(directory / f"{name}.npz", features=RANDOM.random((frames, WIDTH)).astype(dtype))
    return name


def write_vqa():
    for offset, split in enumerate(["train", "val", "test"]):
        write_json(f"vqa/karpathy_{split}.json",
                   [{"img_id": write_image("COCO", f"coco {split} {i}"),
                     "sent": "Is the café open?", "question_id": 10 * i + offset,
                     "label": {"yes": 1, "no": 0.3} if i % 3 else {},
                     "answer_type": "yes/no", "question_type": "is the"} for i in range(COUNT)])
    for part, offsets in [("train", [0]), ("val", [1, 2])]:
        write_json(f"vqa/v2_mscoco_{part}2014_annotations.json",
                   {"info": {}, "annotations": [
                       {"question_id": 10 * j + offset, "question_type": "is the",
                        "answer_type": "yes/no",
                        "answers": [{"answer": "yes", "answer_confidence": "yes",
                                     "answer_id": k + 1} for k in range(10)]}
                       for j in range(COUNT) for offset in offsets]})


def write_gqa():
    for folder, split in [("VG", "train"), ("VG", "valid"), ("GQA", "testdev")]:
        write_json(f"GQA/{split}.json",
                   [{"img_id": write_image(folder, f"{split}{i}", numpy.float32),
                     "sent": "what is it?", "question_id": str(i), "label": {"pipe": 1.0}}
                    for i in range(COUNT)])


def write_nlvr():
    for split in ["train", "valid", "test"]:
        write_json(f"nlvr/{split}.json",
                   [{"identifier": f"{split}-{i}-0-0",
                     "img0": write_image("nlvr", f"{split}-{i}-img0", numpy.float64),
                     "img1": write_image("nlvr", f"{split}-{i}-img1"), "label": i % 2,
                     "sent": "there are two", "uid": f"nlvr2_{split}_{i}"}
                    for i in range(COUNT)])


def write_coco():
    write_json("COCO/dataset_coco.json", {"dataset": "coco", "images": [
        {"filename": write_image("COCO", f"caption {split} {i}") + ".jpg", "split": split,
         "sentids": [i], "sentences": [{"raw": "A man walks. ", "tokens": []},
                                       {"raw": "Someone walks", "tokens": []}]}
        for split in ["train", "restval", "val", "test"] for i in range(3)]})


def write_videos():
    subtitles = {"tv": [], "how2": [], "yc2": []}

    def video(source, name, i):
        subtitles[source].append({"vid_name": name, "sub": [
            {"text": " Hello ", "start": 0.5, "end": 1}, {"text": "there", "start": 1, "end": 2}]})
        return write_video(source, name, 20 + 40 * (i % 4),
                           [numpy.float16, numpy.float32, numpy.float64][i % 3], i % 2 == 1)

    for task, source, choices, splits in [
            ("tvqa", "tv", 5, ["train", "val", "test_public", "test_release"]),
            ("how2qa", "how2", 4, ["train_release", "val_release", "test_public_release"])]:
        for split in splits:
            answer = {} if "test" in split else {"answer_idx": 2}
            write_json(f"video/ann/{task}/{task}_{split}.jsonl",
                       [{"vid_name": video(source, f"{task}_{split}_{i}", i), "qid": i,
                         "show_name": "show", "q": "Why? ", "ts": "20.16-25.12",
                         **{f"a{k}": f" choice {k}." for k in range(choices)}, **answer}
                        for i in range(COUNT)])
    for task, source in [("tvc", "tv"), ("yc2c", "yc2")]:
        for split in ["train_release", "val_release", "test_release"]:
            answer = {} if "test" in split else {
                "descs": [{"desc": "He leaves.", "desc_id": 1, "type": "v"},
                          {"desc": "He goes", "desc_id": 2, "type": "v"}]}
            write_json(f"video/ann/{task}/{task}_{split}.jsonl",
                       [{"vid_name": video(source, f"{task}_{split}_{i}", i), "duration": 30.5,
                         "ts": [20.16, 25.12], "clip_id": i, **answer} for i in range(COUNT)])
    for source, lines in subtitles.items():
        write_json(f"video/ann/{source}_subtitles.jsonl", lines)


def write_tokenizer():
    text = ROOT / "text"
    words = "yes no true false pipe what is it there are two a man walks someone café open why he"
    text.write_text("\n".join(" ".join(RANDOM.permutation(words.split())) for _ in range(200)),
                    encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(ROOT / "spiece"), vocab_size=40, pad_id=0, eos_id=1,
        unk_id=2, bos_id=-1, num_threads=1, minloglevel=2)


def main():
    write_vqa()
    write_gqa()
    write_nlvr()
    write_coco()
    write_videos()
    write_tokenizer()


if __name__ == "__main__":
    main()

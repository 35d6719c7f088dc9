#!/usr/bin/env python3
"""Exported graphs are what ONNX says they should be.

usage: tests/runtime/onnx/graphs_test.py BUILD_DIR

ONNX's own checker takes the graphs of every recipe, shapes can be inferred strictly, and what is said of
them and of how they go together is so.
"""
import glob
import json
import os
import sys
import tempfile

import exported
import onnx
from exported import VLRUN, run


def check_names(graph):
    """Parameters are constants of their own names, and no value has the name of another."""
    names = [tensor.name for tensor in graph.initializer] + [value.name for value in graph.input]
    names += [name for node in graph.node for name in node.output]
    assert len(names) == len(set(names)), graph.name
    assert any(name.endswith("SelfAttention.q.weight") or name.endswith("self_attn.q_proj.weight") for name in names)


def check_graphs(directory):
    for path in sorted(glob.glob(directory + "/*.onnx")):
        onnx.checker.check_model(path)
        model = onnx.load(path)
        onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
        check_names(model.graph)
        facts = {entry.key: entry.value for entry in model.metadata_props}
        assert os.path.basename(path) == facts["graph"] + ".onnx", facts
        assert (model.producer_name, model.opset_import[0].version) == ("VLGraph", 17), path


def check_ports(directory, task):
    """Every input of the decode graph is the token, kept, or a cache, and comes from a result."""
    def names(graph, what):
        return {value["name"] for value in task[graph][what]}

    assert names("decode", "inputs") == {task["token"], *task["kept"], *task["caches"]}
    assert set(task["kept"].values()) <= names("encode", "outputs")
    assert {task["logits"], *task["caches"].values()} == names("decode", "outputs")
    assert set(task["masks"]) <= names("encode", "inputs")
    for graph in ("encode", "decode"):
        model = onnx.load(os.path.join(directory, task[graph]["file"]), load_external_data=False)
        assert [value.name for value in model.graph.input] == [value["name"] for value in task[graph]["inputs"]]
    assert task["generation"]["max_length"] > 1 and "prompt" in task["data"], task


def check_weights(directory):
    """Each parameter lies once in the file, whichever graphs read it."""
    places = {}
    for path in glob.glob(directory + "/*.onnx"):
        for tensor in onnx.load(path, load_external_data=False).graph.initializer:
            if tensor.external_data:
                entries = {entry.key: entry.value for entry in tensor.external_data}
                assert entries["location"] in os.listdir(directory) and int(entries["offset"]) % 4096 == 0, entries
                assert places.setdefault(tensor.name, entries) == entries, tensor.name
    assert len({entries["offset"] for entries in places.values()}) == len(places) > 10


def main():
    with tempfile.TemporaryDirectory() as work:
        plan = work + "/plan.bin"
        for recipe, tasks in exported.CASES.items():
            directory = f"{work}/{recipe}"
            exported.compile_small(recipe, plan)
            run(VLRUN, "export", plan, "--random-weights", "--format", "onnx", "-o", directory)
            check_graphs(directory)
            check_weights(directory)
            with open(directory + "/generation.json", encoding="utf-8") as file:
                said = json.load(file)
            assert (said["format"], said["version"], said["model"]) == ("vlgraph-onnx", 1, recipe)
            for task in tasks:
                check_ports(directory, said["tasks"][task])
    print(f"graphs_test: {len(exported.CASES)} recipes have valid graphs")


sys.exit(main())

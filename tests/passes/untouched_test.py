#!/usr/bin/env python3
"""A side network leaves the backbone alone: what the freeze pass leaves of the backward pass.

usage: tests/passes/untouched_test.py BUILD_DIR

In the frozen train graphs of the ladder recipes, no backward node reads a weight of a backbone's
layer (a gradient through a layer would need them), and of all that the backbone makes before it meets
the side network, the backward pass reads just what the rungs take in. The recipes with adapters, of
which neither holds, show that these checks can fail.
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LINE = re.compile(r'  (%\d+) = (\w+)( "(?P<name>[^"]*)")?(?P<rest>.*)')
# recipe -> the weights between the sum of both networks and the loss
AFTER_THE_SUM = {
    "vlt5_ladder": {"shared.weight", "decoder.final_layer_norm.weight"},
    "vlbart_ladder": {"model.shared.weight", "final_logits_bias"},
}
LAYERS = 2  # of the tiny size, in each stack


class Node:
    """A line of a graph's text."""

    def __init__(self, match, nodes):
        self.op, self.name = match[2], match["name"]
        rest = re.split(" named | at ", match["rest"])[0]
        self.args = [nodes[arg] for arg in re.findall(r"%\d+", rest)]
        self.backward = rest.endswith(" backward")
        self.touched = self.op == "param" or any(arg.touched for arg in self.args)
        self.frozen = self.op == "weight" or any(arg.frozen for arg in self.args)

    def storage(self):
        """The node whose numbers these are."""
        return self.args[0].storage() if self.op == "reshape" else self


def frozen_graph(vlc, recipe):
    """The nodes of the recipe's train graph after freezing."""
    command = [vlc, "dump", os.path.join(ROOT, "models", recipe + ".vg"), "--after", "freeze",
               "--graph", "vqa.train", "--set", "size=tiny"]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{' '.join(command)}: {result.stderr}")
    nodes = {}
    for line in result.stdout.splitlines():
        match = LINE.match(line)
        if match:
            nodes[match[1]] = Node(match, nodes)
    return list(nodes.values())


def read_backward(nodes):
    return {arg.storage() for node in nodes if node.backward for arg in node.args}


def main():
    vlc, problems = os.path.join(sys.argv[1], "frontend", "vlc"), []
    for recipe, allowed in AFTER_THE_SUM.items():
        nodes = frozen_graph(vlc, recipe)
        read = read_backward(nodes)
        weights = {node.name for node in read if node.op == "weight"}
        if weights != allowed:
            problems.append(f"{recipe}: reads weights {weights}, expected {allowed}")
        kept = {node for node in read
                if node.frozen and not (node.touched or node.backward or node.op == "weight")}
        taken_in = {node.args[0].storage() for node in nodes
                    if node.op == "matmul" and not node.backward and node.args[1].op == "param"}
        if kept - taken_in:
            problems.append(f"{recipe}: keeps {[node.op for node in kept - taken_in]}")
        if len(kept) != 2 * (1 + LAYERS):  # both stacks: the embedded input, a state per layer
            problems.append(f"{recipe}: keeps {len(kept)} values")
        adapters = frozen_graph(vlc, recipe.replace("ladder", "adapter"))
        through = {node.name for node in read_backward(adapters) if node.op == "weight"}
        if through <= allowed:
            problems.append(f"{recipe}: with adapters, no more weights are read")
    print("\n".join(problems) or "the backward pass leaves the backbone alone")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()

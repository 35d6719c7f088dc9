"""PyTorch's side: a process that takes lines as `vlrun bench --serve` does, and answers alike.

usage: torch_serve.py SPEC.json
"""
import json
import os
import sys
import time

import torch
import torch.nn.functional as F

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tests/reference"))

import tensor_file
from batches import IGNORED
from torch_bart import Bart
from torch_layers import Weights
from torch_search import search
from torch_t5 import T5

BETAS, EPS, CLIP_NORM = (0.9, 0.999), 1e-6, 5.0


class Texts:
    """Part of a batch: the inputs of the encoder and the decoder, the labels and their weights."""

    def __init__(self, tensors, rows, weights, spec):
        mask = tensors["attention_mask"][rows] != 0
        targets, size = tensors["target_ids"][rows], int(mask.sum(1).max())
        self.encoder = (tensors["input_ids"][rows, :size], mask[:, :size], tensors["vis_feats"][rows],
                        tensors["boxes"][rows])
        self.labels = targets[:, :int((targets != IGNORED).sum(1).max())].contiguous()
        self.weights = weights[rows, :self.labels.shape[1]]
        first = torch.full_like(self.labels[:, :1], spec["start"])
        rest = self.labels[:, :-1]
        self.decoder = torch.cat([first, rest.masked_fill(rest == IGNORED, spec["pad"])], 1)


def loss_weights(tensors, task):
    """What the loss of each target counts: of captions alike, else sequences alike, by their scores."""
    real = (tensors["target_ids"] != IGNORED).float()
    if task == "caption":
        return real / real.sum()
    return real * (tensors["scores"] / len(real) / real.sum(1))[:, None]


def read_parts(spec):
    """The batch in parts of at most spec["part"] sequences, those of like length together, and the
    place of every sequence in all parts."""
    arrays = tensor_file.read(spec["batch"] + ".safetensors")
    tensors = {name[3:]: torch.from_numpy(array) for name, array in arrays.items()}
    weights = loss_weights(tensors, spec["task"])
    order = tensors["attention_mask"].sum(1).argsort(stable=True)
    if len(order) <= spec["part"]:
        order = torch.arange(len(order))
    parts = [Texts(tensors, rows, weights, spec) for rows in order.split(spec["part"])]
    return parts, order.argsort()


class Server:
    def __init__(self, spec):
        self.spec, self.steps = spec, 0
        self.parts, self.places = read_parts(spec)
        weights = Weights(tensor_file.read(spec["weights"]), spec["parameters"], spec["half"])
        self.network = (T5 if spec["model"] == "t5" else Bart)(weights, spec)
        self.trained = [tensor for tensor, _ in weights.trained]
        decays = sorted({decay for _, decay in weights.trained})
        self.optimizer = torch.optim.AdamW(
            [{"params": [tensor for tensor, own in weights.trained if own == decay],
              "weight_decay": decay} for decay in decays],
            lr=spec["lr"], betas=BETAS)

    def autocast(self):
        return torch.autocast("cpu", torch.bfloat16, enabled=self.spec["half"])

    def loss(self, part):
        with self.autocast():
            memory, unseen = self.network.encode(*part.encoder)
            logits = self.network.logits(self.network.decode(part.decoder, memory, unseen))
        losses = F.cross_entropy(logits.flatten(0, 1), part.labels.flatten(), reduction="none",
                                 ignore_index=IGNORED)
        return (losses * part.weights.flatten()).sum()

    def step(self):
        total = 0.0
        for part in self.parts:
            loss = self.loss(part)
            loss.backward()
            total += float(loss)
        self.steps += 1
        for group in self.optimizer.param_groups:  # models/optimizers/adamw.vg: eps is not corrected
            group["eps"] = EPS * (1 - BETAS[1] ** self.steps) ** -0.5
        torch.nn.utils.clip_grad_norm_(self.trained, CLIP_NORM)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return [f"{total:.9g}"]

    @torch.inference_mode()
    def generate(self, beams, length):
        self.network.training = False
        said = []
        for part in self.parts:
            with self.autocast():
                ids = search(self.network, part.encoder, int(beams), int(length), self.spec["start"],
                             self.spec["end"], self.spec["pad"])
            said.append(ids)
        return torch.cat(said)[self.places].flatten().tolist()

    def serve(self):
        for line in sys.stdin:
            command, *arguments = line.split()
            begun = time.perf_counter()
            answer = {"step": self.step, "generate": self.generate}[command](*arguments)
            print(f"{time.perf_counter() - begun:.6f}", *answer, flush=True)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        spec = json.load(file)
    torch.set_num_threads(spec["threads"])
    torch.set_flush_denormal(True)
    Server(spec).serve()


if __name__ == "__main__":
    main()

"""Everything that a case records, computed from its settings, parameters and batches."""
import torch

from case_file import folder
from methods import Method, Weights
from model_bart import Bart
from model_t5 import T5
from parameters import Settings, is_trained
from search import beam_search, greedy
from training import (IGNORED, AdamW, clip_factor, gradient_norm, reduce_loss, token_losses)
from vision import keep_boxes, order_ids, pool, visual_embedding

GREEDY_LENGTH = 12


class Reference:
    """A case's model; parameters are a dictionary, so that each call can have its own."""

    def __init__(self, case, tensors, dtype=torch.float32):
        self.case, self.tasks, self.dtype = case, case["tasks_in_order"], dtype
        self.parameters = self.cast(folder(tensors, "param"))
        self.buffers = self.cast(folder(tensors, "buffer"))
        self.final_logits_bias = self.buffers.get("final_logits_bias")
        self.batches = {step["batch"]: self.cast(folder(tensors, step["batch"]))
                        for step in case["steps"]}
        self.side = round(case["visual_tokens_per_image"] ** 0.5)
        settings = Settings(case)
        self.lora_alpha = int(settings.flags.get("lora_alpha", 32))
        self.gate_scale = float(settings.flags.get("encoder_gating_scaling_factor", 1))
        self.adapter_heads = int(settings.flags.get("adapter_heads", 1))
        self.trained = {name for name in self.parameters if is_trained(name, settings)}
        self.norms_image = bool(settings.flags.get("share_vis_lang_layer_norm"))

    def cast(self, tensors):
        return {name: tensor.to(self.dtype) if tensor.is_floating_point() else tensor
                for name, tensor in tensors.items()}

    def model(self, parameters):
        w, architecture = Weights(parameters, self.tasks), self.case["architecture"]
        if self.case["model"] == "t5":
            return T5(w, architecture)
        return Bart(w, architecture, self.final_logits_bias, self.norms_image)

    def encode(self, model, batch, task, mid):
        pooled = mid["vis_feats_pooled"] = pool(batch["vis_feats"], self.side)
        boxes = mid["boxes_kept"] = keep_boxes(batch["boxes"], self.side)
        images, objects = order_ids(batch["vis_feats"], self.side)
        if task == "nlvr":
            mid["img_order_ids"] = images.expand(len(pooled), -1)
            mid["obj_order_ids"] = objects.expand(len(pooled), -1)
        image = mid["visual_embedding"] = visual_embedding(
            model.w, model.root + "encoder", model.w[model.shared], pooled, boxes, images, objects)
        method = Method(model.w, model.root, task, self.lora_alpha, self.gate_scale,
                        self.adapter_heads, self.buffers)
        encoded, seen = model.encode(batch["input_ids"], image, method, mid)
        return encoded, seen, method

    def forward(self, parameters, batch, task):
        """mid/ and out/ tensors of a batch; out["loss"] has the graph of the gradients."""
        model, mid, out = self.model(parameters), {}, {}
        encoded, seen, method = self.encode(model, batch, task, mid)
        targets = batch["target_ids"]
        inputs = shift_right(targets, model.start, model.pad)
        out["encoder_hidden"] = encoded
        out["logits"] = model.decode(inputs, encoded, seen, method, mid)
        scores = batch.get("scores")
        if task != "vqa" and not self.case.get("overrides", {}).get("score_loss"):
            scores = None
        out["token_loss"] = token_losses(out["logits"], targets)
        out["loss"] = reduce_loss(out["token_loss"], targets, task, scores)
        return mid, out

    def gradients(self, parameters, batch, task):
        """Those that there are: a trained parameter without a use has none."""
        leaves = {name: value.clone().requires_grad_(name in self.trained)
                  for name, value in parameters.items()}
        mid, out = self.forward(leaves, batch, task)
        out["loss"].backward()
        return mid, out, {name: leaf.grad for name, leaf in leaves.items()
                          if leaf.grad is not None}

    def train(self):
        """Parameters after all steps, and what is recorded of each step."""
        parameters, steps = dict(self.parameters), []
        optimiser = self.case["optimiser"]
        update = AdamW(optimiser["weight_decay"])
        for step in self.case["steps"]:
            _, out, gradients = self.gradients(parameters, self.batches[step["batch"]],
                                               step["task"])
            norm = float(gradient_norm(gradients))
            factor = clip_factor(norm, optimiser["clip_grad_norm"])
            update.step(parameters, {name: gradient * factor
                                     for name, gradient in gradients.items()}, step["lr"])
            steps.append({**step, "loss": float(out["loss"]), "grad_norm_before_clip": norm,
                          "clip_factor": factor})
        changed = set(update.state)
        return {name: parameters[name] for name in parameters if name in changed}, steps

    def rules(self):
        """The rules of generation; those that are not recorded do not apply."""
        recorded, architecture = self.case.get("generation") or {}, self.case["architecture"]
        return {"no_repeat_ngram_size": 0, "early_stopping": False, "forced_end": False,
                "length_penalty": 1.0, **recorded,
                "start": architecture["decoder_start_token_id"],
                "pad": architecture["pad_token_id"], "end": architecture["eos_token_id"]}

    def generate(self, beams, length):
        """Ids of the first batch's answers, and for one beam the smallest lead."""
        step, model = self.case["steps"][0], self.model(self.parameters)
        batch = self.batches[step["batch"]]
        with torch.no_grad():
            encoded, seen, method = self.encode(model, batch, step["task"], {})

            def logits_of(sequences, rows):
                at = torch.tensor(list(sequences))
                logits = model.decode(torch.tensor(rows), encoded[at], seen[at], method, {})
                return logits[:, -1].float()
            if beams == 1:
                return greedy(logits_of, len(encoded), self.rules(), length)
            return beam_search(logits_of, len(encoded), beams, self.rules(), length), None

    def first(self):
        """Forward and gradients of step 1."""
        step = self.case["steps"][0]
        return self.gradients(self.parameters, self.batches[step["batch"]], step["task"])


def shift_right(targets, start, pad):
    first = torch.full_like(targets[:, :1], start)
    return torch.cat([first, targets[:, :-1].masked_fill(targets[:, :-1] == IGNORED, pad)], 1)

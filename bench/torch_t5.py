"""VL-T5 in PyTorch: norms before sub-layers, relative positions among texts, no biases."""
import torch
import torch.nn.functional as F

from model_t5 import buckets
from torch_layers import Network, causal


class T5(Network):
    parts = "q", "k", "v", "o"

    def __init__(self, weights, spec):
        super().__init__(weights, spec)
        self.layers = spec["layers"]
        self.buckets = {}

    def positions(self, stack, rows):
        """[heads, rows, rows]"""
        table = self.w[f"{stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"]
        key = stack, rows
        if key not in self.buckets:
            self.buckets[key] = buckets(rows, rows, table.shape[0], stack == "encoder")
        return table[self.buckets[key]].permute(2, 0, 1).float()

    def ready(self, name, x):
        """Normed, and of the type of products."""
        return self.norm(name, x).to(self.dtype)

    def feed_forward(self, name, x):
        return self.linear(name + ".wo", self.drop(torch.relu(self.linear(name + ".wi", x))))

    def encode(self, ids, mask, features, boxes):
        """The encoder's output, and what its rows add to scores as keys."""
        text, image = self.embed(ids), self.see(features, boxes)
        x = self.drop(torch.cat([text, image], 1))
        bias = F.pad(self.positions("encoder", ids.shape[1]), (0, image.shape[1]) * 2)[None]
        unseen = self.unseen(F.pad(mask, (0, image.shape[1]), value=True))
        bias = bias if unseen is None else bias + unseen
        for i in range(self.layers):
            name = f"encoder.block.{i}.layer."
            y = self.attend(name + "0.SelfAttention", self.ready(name + "0.layer_norm", x), bias)
            x = x + self.drop(self.adapt(name + "0.attn_adapter", y))
            y = self.feed_forward(name + "1.DenseReluDense", self.ready(name + "1.layer_norm", x))
            x = x + self.drop(self.adapt(name + "1.ff_adapter", y))
        return self.drop(self.ready("encoder.final_layer_norm", x)), unseen

    def decode(self, ids, memory, unseen, cache=None):
        """The last layer's output at every position, ready for logits."""
        x = self.drop(self.embed(ids))
        if cache:
            at = cache.at
            bias = self.positions("decoder", cache.length)[:, at:at + 1, :at + 1]
        else:
            bias = self.positions("decoder", ids.shape[1]) + causal(ids.shape[1])
        for i in range(self.layers):
            name = f"decoder.block.{i}.layer."
            y = self.attend(name + "0.SelfAttention", self.ready(name + "0.layer_norm", x), bias,
                            cache=cache)
            x = x + self.drop(self.adapt(name + "0.attn_adapter", y))
            y = self.attend(name + "1.EncDecAttention", self.ready(name + "1.layer_norm", x), unseen,
                            memory, cache)
            x = x + self.drop(self.adapt(name + "1.enc_attn_adapter", y))
            y = self.feed_forward(name + "2.DenseReluDense", self.ready(name + "2.layer_norm", x))
            x = x + self.drop(self.adapt(name + "2.ff_adapter", y))
        x = self.drop(self.norm("decoder.final_layer_norm", x))
        return (x * x.shape[-1] ** -0.5).to(self.dtype)

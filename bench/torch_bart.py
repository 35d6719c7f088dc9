"""VL-BART in PyTorch: norms after the residual sums, learned positions, biases everywhere."""
import torch
import torch.nn.functional as F

from torch_layers import Network, causal

POSITION_OFFSET = 2


class Bart(Network):
    root, parts = "model.", ("q_proj", "k_proj", "v_proj", "out_proj")

    def __init__(self, weights, spec):
        super().__init__(weights, spec)
        self.layers = spec["layers"]

    def scaled(self, q):
        return q * (q.shape[-1] // self.heads) ** -0.5

    def placed(self, stack, ids, first=0):
        table = self.w[f"model.{stack}.embed_positions.weight"]
        first += POSITION_OFFSET
        x = self.embed(ids) + table[first:first + ids.shape[1]].float()
        return self.norm(f"model.{stack}.layernorm_embedding", x)

    def after(self, name, x, y):
        """norm(x + drop(y))"""
        return self.norm(name, x + self.drop(y))

    def feed_forward(self, name, x):
        return self.linear(name + "fc2", self.drop(F.gelu(self.linear(name + "fc1", x))))

    def encode(self, ids, mask, features, boxes):
        """The encoder's output, and what its rows add to scores as keys."""
        text, image = self.placed("encoder", ids), self.see(features, boxes)
        x = self.drop(torch.cat([text, image], 1))
        unseen = self.unseen(F.pad(mask, (0, image.shape[1]), value=True))
        for i in range(self.layers):
            name = f"model.encoder.layers.{i}."
            y = self.attend(name + "self_attn", x.to(self.dtype), unseen)
            x = self.after(name + "self_attn_layer_norm", x, self.adapt(name + "attn_adapter", y))
            y = self.feed_forward(name, x.to(self.dtype))
            x = self.after(name + "final_layer_norm", x, self.adapt(name + "ff_adapter", y))
        return x.to(self.dtype), unseen

    def decode(self, ids, memory, unseen, cache=None):
        """The last layer's output at every position, ready for logits."""
        x = self.drop(self.placed("decoder", ids, cache.at if cache else 0))
        bias = None if cache else causal(ids.shape[1])
        for i in range(self.layers):
            name = f"model.decoder.layers.{i}."
            y = self.attend(name + "self_attn", x.to(self.dtype), bias, cache=cache)
            x = self.after(name + "self_attn_layer_norm", x,
                           self.adapt(name + "self_attn_adapter", y))
            y = self.attend(name + "encoder_attn", x.to(self.dtype), unseen, memory, cache)
            x = self.after(name + "encoder_attn_layer_norm", x,
                           self.adapt(name + "enc_attn_adapter", y))
            y = self.feed_forward(name, x.to(self.dtype))
            x = self.after(name + "final_layer_norm", x, self.adapt(name + "ff_adapter", y))
        return x.to(self.dtype)

"""VL-BART: norms after the residual sums, learned positions for text, biases everywhere."""
import torch

from layers import attention, gelu_erf, linear, named_norm

POSITION_OFFSET = 2


class Bart:
    root, shared = "model.", "model.shared.weight"

    def __init__(self, w, architecture, final_logits_bias, norms_image=False):
        self.w, self.final_logits_bias, self.norms_image = w, final_logits_bias, norms_image
        self.heads = architecture["encoder_attention_heads"]
        self.layers = architecture["encoder_layers"], architecture["decoder_layers"]
        self.start, self.pad = architecture["decoder_start_token_id"], architecture["pad_token_id"]

    def attend(self, name, x, memory, bias, method):
        q = method.projection(name + ".q_proj", x)
        q = q * (q.shape[-1] // self.heads) ** -0.5
        k = linear(self.w, name + ".k_proj", memory)
        v = method.projection(name + ".v_proj", memory)
        return linear(self.w, name + ".out_proj", attention(q, k, v, self.heads, bias))

    def feed_forward(self, name, x):
        return linear(self.w, name + ".fc2", gelu_erf(linear(self.w, name + ".fc1", x)))

    def embed(self, stack, ids):
        rows = POSITION_OFFSET + torch.arange(ids.shape[1])
        return self.w[self.shared][ids] + self.w[f"model.{stack}.embed_positions.weight"][rows]

    def encode(self, ids, image, method, mid):
        """Encoder output and its key mask."""
        norm = "model.encoder.layernorm_embedding"
        x, prompts = method.with_prompt(self.embed("encoder", ids))
        seen = torch.cat([torch.ones(len(ids), prompts, dtype=torch.bool), ids != self.pad,
                          torch.ones(image.shape[:2], dtype=torch.bool)], 1)
        if self.norms_image:
            x = named_norm(self.w, norm, torch.cat([x, image], 1))
        else:
            x = torch.cat([named_norm(self.w, norm, x), image], 1)
        mid["encoder_input"], method.seen = x, seen
        bias = torch.where(seen, 0.0, torch.finfo(torch.float32).min)[:, None, None, :]
        for i in range(self.layers[0]):
            name = f"model.encoder.layers.{i}."
            y = self.attend(name + "self_attn", x, x, bias, method)
            y = method.adapt("encoder", i, "self_attention", name + "attn_adapter", y, bias, x)
            x = named_norm(self.w, name + "self_attn_layer_norm", x + y)
            y = self.feed_forward(name[:-1], x)
            y = method.adapt("encoder", i, "feed_forward", name + "ff_adapter", y, bias, x)
            x = mid[f"encoder_block{i}"] = named_norm(self.w, name + "final_layer_norm", x + y)
        return x, seen

    def decode(self, ids, encoded, seen, method, mid):
        """Logits of every position."""
        x = named_norm(self.w, "model.decoder.layernorm_embedding", self.embed("decoder", ids))
        causal = torch.full((ids.shape[1], ids.shape[1]), -torch.inf).triu(1)
        cross = torch.where(seen, 0.0, torch.finfo(torch.float32).min)[:, None, None, :]
        for i in range(self.layers[1]):
            name = f"model.decoder.layers.{i}."
            y = self.attend(name + "self_attn", x, x, causal, method)
            y = method.adapt("decoder", i, "self_attention", name + "self_attn_adapter", y, causal)
            x = named_norm(self.w, name + "self_attn_layer_norm", x + y)
            y = self.attend(name + "encoder_attn", x, encoded, cross, method)
            y = method.adapt("decoder", i, "cross_attention", name + "enc_attn_adapter", y, causal)
            x = named_norm(self.w, name + "encoder_attn_layer_norm", x + y)
            y = self.feed_forward(name[:-1], x)
            y = method.adapt("decoder", i, "feed_forward", name + "ff_adapter", y, causal)
            x = mid[f"decoder_block{i}"] = named_norm(self.w, name + "final_layer_norm", x + y)
        mid["decoder_hidden"] = x
        return x @ self.w[self.shared].T + self.final_logits_bias

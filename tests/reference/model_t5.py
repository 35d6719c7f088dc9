"""VL-T5: norms before sub-layers, relative positions among prompt and text, no biases."""
import torch

from layers import attention, linear, rms_norm

MASKED, CROSS_MASKED = -1e4, -1e9


def buckets(rows, columns, count, both_ways):
    """The bucket of every (query, key) pair."""
    distance = torch.arange(columns)[None, :] - torch.arange(rows)[:, None]
    base = torch.zeros_like(distance)
    if both_ways:
        count //= 2
        base = (distance > 0) * count
        distance = distance.abs()
    else:
        distance = (-distance).clamp(min=0)
    exact = count // 2
    scaled = (torch.log(distance.clamp(min=1).float() / exact) /
              torch.log(torch.tensor(128 / exact)) * (count - exact))
    far = (exact + scaled.long()).clamp(max=count - 1)
    return base + torch.where(distance < exact, distance, far)


class T5:
    root, shared = "", "shared.weight"

    def __init__(self, w, architecture):
        self.w = w
        self.heads = architecture["num_heads"]
        self.layers = architecture["num_layers"], architecture["num_decoder_layers"]
        self.start, self.pad = architecture["decoder_start_token_id"], architecture["pad_token_id"]

    def position_bias(self, stack, rows, both_ways):
        table = self.w[f"{stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"]
        return table[buckets(rows, rows, table.shape[0], both_ways)].permute(2, 0, 1)

    def attend(self, name, x, memory, bias, method):
        q, v = method.projection(name + ".q", x), method.projection(name + ".v", memory)
        k = linear(self.w, name + ".k", memory)
        return linear(self.w, name + ".o", attention(q, k, v, self.heads, bias))

    def feed_forward(self, name, x):
        return linear(self.w, name + ".wo", torch.relu(linear(self.w, name + ".wi", x)))

    def norm(self, name, x):
        return rms_norm(x, self.w[name + ".weight"])

    def encode(self, ids, image, method, mid):
        """Encoder output and its key mask."""
        text, prompts = method.with_prompt(self.w[self.shared][ids])
        length, size = text.shape[1], text.shape[1] + image.shape[1]
        seen = torch.cat([torch.ones(len(ids), prompts, dtype=torch.bool), ids != self.pad,
                          torch.ones(image.shape[:2], dtype=torch.bool)], 1)
        method.seen = seen
        x = mid["encoder_input"] = torch.cat([text, image], 1)
        bias = torch.zeros(self.heads, size, size, dtype=x.dtype)
        bias[:, :length, :length] = self.position_bias("encoder", length, True)
        bias = bias + torch.where(seen, 0.0, MASKED)[:, None, None, :]
        hidden = torch.where(seen, 0.0, -torch.inf)[:, None, None, :]
        for i in range(self.layers[0]):
            name = f"encoder.block.{i}.layer."
            read = self.norm(name + "0.layer_norm", x)
            y = self.attend(name + "0.SelfAttention", read, read, bias, method)
            x = x + method.adapt("encoder", i, "self_attention", name + "0.attn_adapter", y, hidden,
                                 read)
            read = self.norm(name + "1.layer_norm", x)
            y = self.feed_forward(name + "1.DenseReluDense", read)
            x = x + method.adapt("encoder", i, "feed_forward", name + "1.ff_adapter", y, hidden, read)
            mid[f"encoder_block{i}"] = x
        return self.norm("encoder.final_layer_norm", x), seen

    def decode(self, ids, encoded, seen, method, mid):
        """Logits of every position."""
        x, length = self.w[self.shared][ids], ids.shape[1]
        causal = torch.ones(length, length).tril() == 0
        bias = self.position_bias("decoder", length, False) + causal * MASKED
        hidden = torch.where(causal, -torch.inf, 0.0)
        cross = torch.where(seen, 0.0, CROSS_MASKED)[:, None, None, :]
        for i in range(self.layers[1]):
            name = f"decoder.block.{i}.layer."
            y = self.norm(name + "0.layer_norm", x)
            y = self.attend(name + "0.SelfAttention", y, y, bias, method)
            x = x + method.adapt("decoder", i, "self_attention", name + "0.attn_adapter", y, hidden)
            y = self.attend(name + "1.EncDecAttention", self.norm(name + "1.layer_norm", x),
                            encoded, cross, method)
            x = x + method.adapt("decoder", i, "cross_attention", name + "1.enc_attn_adapter", y,
                                 hidden)
            y = self.feed_forward(name + "2.DenseReluDense", self.norm(name + "2.layer_norm", x))
            x = x + method.adapt("decoder", i, "feed_forward", name + "2.ff_adapter", y, hidden)
            mid[f"decoder_block{i}"] = x
        x = mid["decoder_hidden"] = self.norm("decoder.final_layer_norm", x)
        return x * x.shape[-1] ** -0.5 @ self.w[self.shared].T

"""Layers that both backbones share in PyTorch, over padded batches.

They are written for speed: nothing is computed twice, nothing that is frozen has a gradient, scores get
a mask only where something is padded, and, where products are of bfloat16, what several of them read is
converted once."""
import torch
import torch.nn.functional as F

NEVER = torch.finfo(torch.float32).min


class Weights:
    """Tensors by their names and aliases; the parts of a bfloat16 model that are frozen are kept so."""

    def __init__(self, arrays, parameters, half):
        self.tensors, self.trained = {}, []
        for one in parameters:
            if one["name"] not in arrays:
                continue
            tensor = torch.from_numpy(arrays[one["name"]])
            if one["trained"]:
                tensor = tensor.clone().requires_grad_()
                self.trained.append((tensor, one["weight_decay"]))
            elif half and tensor.dim() == 2:
                tensor = tensor.bfloat16()
            self.tensors.update(dict.fromkeys([one["name"], *one["aliases"]], tensor))

    def __getitem__(self, name):
        return self.tensors[name]

    def __contains__(self, name):
        return name in self.tensors


class Cache:
    """Keys and values of a generation: those of the answers so far, with room for all, and those of the
    encoder's output, which the beams of a sequence share."""

    def __init__(self, rows, beams, length):
        self.rows, self.beams, self.length, self.at = rows, beams, length, 0
        self.own, self.cross = {}, {}

    def extend(self, name, k, v):
        if name not in self.own:
            size = (k.shape[0], k.shape[1], self.length, k.shape[3])
            self.own[name] = k.new_empty(size), v.new_empty(size)
        for whole, new in zip(self.own[name], (k, v)):
            whole[:, :, self.at:self.at + 1] = new
        return (whole[:, :, :self.at + 1] for whole in self.own[name])

    def reorder(self, rows):
        """Row i goes on from what was row rows[i]."""
        for pair in self.own.values():
            for whole in pair:
                whole[:, :, :self.at] = whole[rows, :, :self.at]


class Network:
    """A backbone with the parameters of a method, of one task."""
    root, parts = "", {}

    def __init__(self, weights, spec):
        self.w, self.spec = weights, spec
        self.heads, self.side, self.task = spec["heads"], spec["side"], spec["task"]
        self.dropout = spec["dropout"]
        self.dtype = torch.bfloat16 if spec["half"] else torch.float32
        self.training = True

    def linear(self, name, x):
        bias = name + ".bias"
        y = F.linear(x, self.w[name + ".weight"], self.w[bias] if bias in self.w else None)
        down = f"{name}.lora_As.{self.task}"
        if down in self.w:
            a, b = self.w[down], self.w[f"{name}.lora_Bs.{self.task}"]
            y = y + F.linear(F.linear(self.drop(x), a), b) * (self.spec["alpha"] / a.shape[0])
        return y

    def norm(self, name, x):
        """In f32; a layer norm if it has a bias, else that of the root mean square."""
        weight = self.w[name + ".weight"]
        if name + ".bias" in self.w:
            return F.layer_norm(x, weight.shape, weight, self.w[name + ".bias"])
        return weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6))

    def drop(self, x):
        return F.dropout(x, self.dropout, self.training) if self.dropout else x

    def adapt(self, site, x):
        name = f"{site}.adapters.{self.task}."
        if name + "down_sampler.weight" not in self.w:
            return x
        h = F.gelu(self.linear(name + "down_sampler", x), approximate="tanh")
        return x + self.linear(name + "up_sampler", h)

    def split(self, x):
        """[B, rows, inner] to [B, heads, rows, inner / heads]"""
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)

    def attention(self, q, k, v, bias):
        """[B, heads, rows, d] to [B, rows, inner]; q is scaled where the model scales it."""
        scores = q @ k.transpose(2, 3)
        if bias is not None:
            scores = scores + bias.to(scores.dtype)
        mixed = self.drop(torch.softmax(scores, -1)) @ v
        return mixed.transpose(1, 2).flatten(2)

    def attend(self, name, x, bias, memory=None, cache=None):
        """Attention over x itself, or over `memory`, in layer `name`."""
        to_q, to_k, to_v, to_o = (f"{name}.{part}" for part in self.parts)
        q = self.split(self.scaled(self.linear(to_q, x)))
        if cache and memory is not None:
            if name not in cache.cross:
                cache.cross[name] = [self.split(self.linear(part, memory)) for part in (to_k, to_v)]
            rows, heads, _, width = q.shape
            beams = q.view(-1, cache.beams, heads, width).transpose(1, 2)
            y = self.attention(beams, *cache.cross[name], bias).reshape(rows, 1, -1)
        else:
            source = x if memory is None else memory
            k, v = (self.split(self.linear(part, source)) for part in (to_k, to_v))
            y = self.attention(q, *(cache.extend(name, k, v) if cache else (k, v)), bias)
        return self.linear(to_o, y)

    def scaled(self, q):
        return q

    def embed(self, ids):
        return F.embedding(ids, self.w[self.root + "shared.weight"]).float()

    def see(self, features, boxes):
        """Image tokens, [B, side * side, d], of grids of features and the boxes of their cells."""
        name, cells = self.root + "encoder.visual_embedding.", self.side**2
        edge = round(features.shape[1] ** 0.5)
        grid = features.transpose(1, 2).unflatten(2, (edge, edge))
        pooled = F.adaptive_max_pool2d(grid, self.side).flatten(2).transpose(1, 2)
        boxes = boxes[:, :cells]
        area = (boxes[..., 3] - boxes[..., 2]) * (boxes[..., 1] - boxes[..., 0])
        places = torch.cat([boxes, area[..., None]], -1)
        table = self.w[self.root + "shared.weight"]
        order = table[table.shape[0] - cells:].flip(0) + self.w[name + "img_order_embedding.weight"][0]

        def part(which, x):
            return self.norm(f"{name}{which}.1", self.linear(f"{name}{which}.0", x).float())
        return (part("feat_embedding", pooled) + part("absolute_vis_pos_embedding", places)
                + order.float())

    def unseen(self, mask):
        """What keys add to scores: nothing (None) where there is no padding."""
        if bool(mask.all()):
            return None
        return torch.zeros(mask.shape).masked_fill(~mask, NEVER)[:, None, None]

    def logits(self, x):
        return F.linear(x, self.w[self.root + "shared.weight"]).float()


def causal(rows):
    return torch.full((rows, rows), NEVER).triu(1)

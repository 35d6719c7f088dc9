"""What the methods of fine-tuning compute. Which method it is shows in the parameters there are."""
import torch

from layers import attention, gelu_tanh, layer_norm, linear

BLOCK_TYPES = ("feed_forward", "self_attention", "cross_attention")


class Weights:
    """Parameters by name. A task without a module of its own uses that of the first task."""

    def __init__(self, tensors, tasks):
        self.tensors, self.tasks = tensors, tasks

    def canonical(self, name):
        if name in self.tensors:
            return name
        return ".".join(self.tasks[0] if part in self.tasks else part
                        for part in name.split("."))

    def __contains__(self, name):
        return self.canonical(name) in self.tensors

    def __getitem__(self, name):
        return self.tensors[self.canonical(name)]


def kronecker_linear(w, name, x):
    """y = x H + b with H = sum_i kron(rule[i], W[i])."""
    rule = w[name + ".phm_rule" if name + ".phm_rule" in w else "phm_rule"]
    slices = (w[name + ".W"] if name + ".W" in w
              else w[name + ".W_left"] @ w[name + ".W_right"])
    h = sum(torch.kron(rule[i], slices[i]) for i in range(rule.shape[0]))
    return x @ h + w[name + ".b"]


def sampler(w, name, x):
    """The down or up map of an adapter."""
    if name + ".weight" in w:
        return linear(w, name, x)
    if name + ".W" in w or w[name + ".W_left"].dim() == 3:
        return kronecker_linear(w, name, x)
    return x @ w[name + ".W_left"] @ w[name + ".W_right"] + w[name + ".b"]


def attend_among_rows(w, name, z, heads, hidden):
    """z and attention among its rows, from which the mask `hidden` takes keys."""
    q, k, v = (linear(w, f"{name}.attention.{part}", z) for part in "qkv")
    q = q * (q.shape[-1] // heads) ** -0.5
    return z + linear(w, name + ".attention.o", attention(q, k, v, heads, hidden))


def bottleneck(w, root, site, task, x, heads, hidden):
    name = f"{site}.adapters.{task}"

    def norm(which, y):
        key = f"{site}.{which}_layer_norm"
        return layer_norm(y, w[key + ".weight"], w[key + ".bias"]) if key + ".weight" in w else y
    seen = norm("pre", x)
    if f"{root}task_vectors.{task}" in w:
        seen = torch.cat([seen, w[f"{root}task_vectors.{task}"].expand(*x.shape[:-1], -1)], -1)
    z = gelu_tanh(sampler(w, name + ".down_sampler", seen))
    if name + ".attention.o.weight" in w:
        z = attend_among_rows(w, name, z, heads, hidden)
    return x + norm("post", sampler(w, name + ".up_sampler", z))


def task_vector(w, root, net, task, layer, kind):
    """The vector of (task, block, kind of sub-layer) from which adapters are made."""
    parts = [w[f"{root}shared_task_embed.task_to_embeddings.{task}"],
             w[net + ".layer_id_embeddings.weight"][layer]]
    if net + ".adapters_block_type.weight" in w:
        parts.append(w[net + ".adapters_block_type.weight"][BLOCK_TYPES.index(kind)])
    maker = net + ".task_hypernet.task_embeding_generator"
    hidden = torch.relu(linear(w, maker + ".0", torch.cat(parts)))
    e = linear(w, maker + ".2", hidden)
    return layer_norm(e, w[net + ".LayerNorm.weight"], w[net + ".LayerNorm.bias"], 1e-6)


def made_adapter(w, root, net, task, layer, kind, x):
    e = task_vector(w, root, net, task, layer, kind)
    prefix = net + "." if net + ".adapters_block_type.weight" in w else f"{net}.{kind}_"

    def made_linear(half, y):
        maker = f"{prefix}{half}_sampler_hyper_net"
        weight = linear(w, maker + ".weight_generator.0", e).reshape(-1, y.shape[-1])
        return y @ weight.T + linear(w, maker + ".bias_generator.0", e)
    return x + made_linear("up", gelu_tanh(made_linear("down", x)))


class Method:
    """The modules that a batch's task uses; root is "model." for BART, else nothing."""

    def __init__(self, w, root, task, lora_alpha, gate_scale, heads, random):
        self.w, self.root, self.task, self.lora_alpha = w, root, task, lora_alpha
        self.gate_scale = gate_scale
        self.heads = heads  # of adapters with attention
        self.random = random  # matrices that are never trained, by name
        self.seen = None  # of the encoder's rows, those that are not padding

    def adapt(self, stack, layer, kind, site, x, hidden, read=None):
        """x is the output of a sub-layer, before the residual sum, `read` what the sub-layer reads;
        `hidden` is minus infinity where a row must not see another."""
        gate = f"{site}.adapters.{self.task}.gate"
        if any(gate + part + ".weight" in self.w for part in ("", ".down_sampler")):
            y = bottleneck(self.w, self.root, site, self.task, x, self.heads, hidden)
            return self.gate_scale * self.gate(gate, y, read) * y
        if any(f"{site}.adapters.{self.task}.down_sampler.{part}" in self.w
               for part in ("weight", "W", "W_left")):
            return bottleneck(self.w, self.root, site, self.task, x, self.heads, hidden)
        net = f"{self.root}{stack}.adapter_layers_hyper_net"
        if net + ".LayerNorm.weight" in self.w:
            return made_adapter(self.w, self.root, net, self.task, layer, kind, x)
        return x

    def gate(self, name, y, read):
        """What weighs the numbers of y: each, those of a column, of a row, or of a sequence."""
        if name + ".down_sampler.weight" in self.w:
            hidden = gelu_tanh(linear(self.w, name + ".down_sampler", read))
            return torch.sigmoid(linear(self.w, name + ".up_sampler", hidden))
        weight = self.w[name + ".weight"]
        if weight.dim() == 1:
            return 1 + weight
        if weight.shape[1] == y.shape[-1]:
            return torch.sigmoid(linear(self.w, name, read + y))
        by_row = torch.sigmoid(linear(self.w, name, torch.cat([read, y], -1)))
        seen = self.seen[..., None].to(y.dtype)
        return (by_row * seen).sum(1, keepdim=True) / seen.sum(1, keepdim=True)

    def projection(self, name, x):
        """A linear map, and the branch that a method puts beside it."""
        y = linear(self.w, name, x)
        if name + ".vera_d" in self.w:
            a, b = (next(value for key, value in self.random.items() if key.endswith(which))
                    for which in (".A", ".B"))
            return y + x @ a.T * self.w[name + ".vera_d"] @ b.T * self.w[name + ".vera_b"]
        beside = f"{name}.adapters.{self.task}"
        if beside + ".down_sampler.weight" in self.w:
            hidden = gelu_tanh(linear(self.w, beside + ".down_sampler", x))
            return y + linear(self.w, beside + ".up_sampler", hidden)
        if f"{name}.lora_As.{self.task}" not in self.w:
            return y
        a, b = self.w[f"{name}.lora_As.{self.task}"], self.w[f"{name}.lora_Bs.{self.task}"]
        scale = self.lora_alpha / a.shape[0]
        if f"{name}.lora_magnitudes.{self.task}" in self.w:
            return self.weight_decomposed(name, x, scale * b @ a)
        return y + x @ a.T @ b.T * scale

    def weight_decomposed(self, name, x, difference):
        """A map whose rows have lengths of their own and the directions of weight + difference, whose
        norms are constants to the gradient."""
        weight = self.w[name + ".weight"]
        lengths = self.w[f"{name}.lora_magnitudes.{self.task}"] * weight.norm(dim=1)
        directions = weight + difference
        y = x @ (directions * (lengths / directions.norm(dim=1).detach())[:, None]).T
        return y + self.w[name + ".bias"] if name + ".bias" in self.w else y

    def with_prompt(self, x):
        """Text embeddings with the task's prompt in front, and the prompt's length."""
        name = f"{self.root}encoder.prompt_modules.prompts.{self.task}.prefix_embedding"
        if name + ".0.weight" not in self.w:
            return x, 0
        hidden = torch.tanh(linear(self.w, name + ".1", self.w[name + ".0.weight"]))
        prompt = linear(self.w, name + ".3", hidden)
        return torch.cat([prompt.expand(x.shape[0], -1, -1), x], 1), prompt.shape[0]

"""What the methods of fine-tuning compute. Which method it is shows in the parameters there are."""
import torch

from layers import gelu_tanh, layer_norm, linear

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


def bottleneck(w, site, task, x):
    name = f"{site}.adapters.{task}"

    def norm(which, y):
        key = f"{site}.{which}_layer_norm"
        return layer_norm(y, w[key + ".weight"], w[key + ".bias"]) if key + ".weight" in w else y
    z = gelu_tanh(sampler(w, name + ".down_sampler", norm("pre", x)))
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

    def __init__(self, w, root, task, lora_alpha):
        self.w, self.root, self.task, self.lora_alpha = w, root, task, lora_alpha

    def adapt(self, stack, layer, kind, site, x):
        """x is the output of a sub-layer, before the residual sum."""
        if any(f"{site}.adapters.{self.task}.down_sampler.{part}" in self.w
               for part in ("weight", "W", "W_left")):
            return bottleneck(self.w, site, self.task, x)
        net = f"{self.root}{stack}.adapter_layers_hyper_net"
        if net + ".LayerNorm.weight" in self.w:
            return made_adapter(self.w, self.root, net, self.task, layer, kind, x)
        return x

    def projection(self, name, x):
        """A linear map, and its low-rank branch if it has one."""
        y = linear(self.w, name, x)
        if f"{name}.lora_As.{self.task}" not in self.w:
            return y
        a, b = self.w[f"{name}.lora_As.{self.task}"], self.w[f"{name}.lora_Bs.{self.task}"]
        return y + x @ a.T @ b.T * (self.lora_alpha / a.shape[0])

    def with_prompt(self, x):
        """Text embeddings with the task's prompt in front, and the prompt's length."""
        name = f"{self.root}encoder.prompt_modules.prompts.{self.task}.prefix_embedding"
        if name + ".0.weight" not in self.w:
            return x, 0
        hidden = torch.tanh(linear(self.w, name + ".1", self.w[name + ".0.weight"]))
        prompt = linear(self.w, name + ".3", hidden)
        return torch.cat([prompt.expand(x.shape[0], -1, -1), x], 1), prompt.shape[0]

"""Names and shapes of all parameters, their aliases, which are trained, and values for new cases."""
import torch

SITES = {  # model -> stack -> (kind of sub-layer, its adapter's name)
    "t5": {"encoder": [("self_attention", "encoder.block.{}.layer.0.attn_adapter"),
                       ("feed_forward", "encoder.block.{}.layer.1.ff_adapter")],
           "decoder": [("self_attention", "decoder.block.{}.layer.0.attn_adapter"),
                       ("cross_attention", "decoder.block.{}.layer.1.enc_attn_adapter"),
                       ("feed_forward", "decoder.block.{}.layer.2.ff_adapter")]},
    "bart": {"encoder": [("self_attention", "model.encoder.layers.{}.attn_adapter"),
                         ("feed_forward", "model.encoder.layers.{}.ff_adapter")],
             "decoder": [("self_attention", "model.decoder.layers.{}.self_attn_adapter"),
                         ("cross_attention", "model.decoder.layers.{}.enc_attn_adapter"),
                         ("feed_forward", "model.decoder.layers.{}.ff_adapter")]},
}
NORMS = ("layer_norm", "layernorm_embedding", "LayerNorm",
         "feat_embedding.1", "absolute_vis_pos_embedding.1")
T5_NORMS_OF_METHODS = ("pre_layer_norm", "post_layer_norm", "LayerNorm")


class Shapes(dict):
    """name -> shape; linear maps add a weight and perhaps a bias."""

    def linear(self, name, rows, columns, bias=True):
        self[name + ".weight"] = [rows, columns]
        if bias:
            self[name + ".bias"] = [rows]

    def norm(self, name, width, bias=True):
        self[name + ".weight"] = [width]
        if bias:
            self[name + ".bias"] = [width]


class Settings:
    """What of a case decides which parameters there are."""

    def __init__(self, case, task_width=None, hyper_hidden=None):
        self.model, self.flags, self.tasks = case["model"], flags_of(case), case["tasks_in_order"]
        self.root = "model." if self.model == "bart" else ""
        self.arch = case["architecture"]
        self.d = self.arch["d_model"]
        self.vocabulary, self.features = case["vocab_size_after_resize"], case["feat_dim"]
        self.layers = ({"encoder": self.arch["num_layers"],
                        "decoder": self.arch["num_decoder_layers"]} if self.model == "t5" else
                       {stack: self.arch[stack + "_layers"] for stack in ("encoder", "decoder")})
        self.bottleneck = self.d // int(self.flags.get("reduction_factor", 16))
        self.task_width, self.hyper_hidden = task_width or 512, hyper_hidden or 128

    def sites(self):
        for stack, kinds in SITES[self.model].items():
            for layer in range(self.layers[stack]):
                for _, name in kinds:
                    yield name.format(layer)


def flags_of(case):
    """The options as a dictionary; the last of equal ones counts."""
    if "flags" in case:
        return dict(case["flags"])
    words, flags = case["script_flags"] + case["flags_appended"], {}
    for i, word in enumerate(words):
        if word.startswith("--"):
            value = words[i + 1] if i + 1 < len(words) else "--"
            flags[word[2:]] = True if value.startswith("--") else value
    return {name: value if value not in ("True", "False") else value == "True"
            for name, value in flags.items()}


# -- shapes -----------------------------------------------------------------------------

def visual_shapes(shapes, settings):
    name, bias = settings.root + "encoder.visual_embedding", settings.model == "bart"
    single = settings.flags.get("individual_vis_layer_norm", True)
    for part, width in (("feat_embedding", settings.features), ("absolute_vis_pos_embedding", 5)):
        shapes.linear(f"{name}.{part}.0", settings.d, width)
        if single:
            shapes.norm(f"{name}.{part}.1", settings.d, bias)
    shapes[name + ".img_order_embedding.weight"] = [2, settings.d]
    if not single:
        shapes.norm(name + ".layer_norm", settings.d, bias)


def t5_shapes(shapes, settings):
    arch, d = settings.arch, settings.d
    inner = arch["num_heads"] * arch["d_kv"]

    def attention(name, norm):
        for part in "qkv":
            shapes.linear(f"{name}.{part}", inner, d, bias=False)
        shapes.linear(name + ".o", d, inner, bias=False)
        shapes.norm(norm + ".layer_norm", d, bias=False)
    shapes.linear("shared", settings.vocabulary, d, bias=False)
    for stack, count in settings.layers.items():
        for i in range(count):
            name = f"{stack}.block.{i}.layer."
            attention(name + "0.SelfAttention", name + "0")
            if stack == "decoder":
                attention(name + "1.EncDecAttention", name + "1")
            last = f"{name}{2 if stack == 'decoder' else 1}"
            shapes.linear(last + ".DenseReluDense.wi", arch["d_ff"], d, bias=False)
            shapes.linear(last + ".DenseReluDense.wo", d, arch["d_ff"], bias=False)
            shapes.norm(last + ".layer_norm", d, bias=False)
        shapes.linear(f"{stack}.block.0.layer.0.SelfAttention.relative_attention_bias",
                      arch["relative_attention_num_buckets"], arch["num_heads"], bias=False)
        shapes.norm(stack + ".final_layer_norm", d, bias=False)


def bart_shapes(shapes, settings):
    arch, d = settings.arch, settings.d
    shapes.linear("model.shared", settings.vocabulary, d, bias=False)
    for stack, count in settings.layers.items():
        shapes.linear(f"model.{stack}.embed_positions", arch["max_position_embeddings"] + 2, d,
                      bias=False)
        shapes.norm(f"model.{stack}.layernorm_embedding", d)
        for i in range(count):
            name = f"model.{stack}.layers.{i}."
            for attention in ["self_attn"] + ["encoder_attn"] * (stack == "decoder"):
                for part in ("k_proj", "v_proj", "q_proj", "out_proj"):
                    shapes.linear(f"{name}{attention}.{part}", d, d)
                shapes.norm(f"{name}{attention}_layer_norm", d)
            shapes.linear(name + "fc1", arch[stack + "_ffn_dim"], d)
            shapes.linear(name + "fc2", d, arch[stack + "_ffn_dim"])
            shapes.norm(name + "final_layer_norm", d)


def sampler_shapes(shapes, name, settings, width, out):
    flags = settings.flags
    if flags.get("use_adapter"):
        return shapes.linear(name, out, width)
    shapes[name + ".b"] = [out]
    if flags.get("use_lradapter"):
        rank = int(flags.get("low_rank_rank", 1))
        shapes[name + ".W_left"], shapes[name + ".W_right"] = [width, rank], [rank, out]
        return None
    n = int(flags.get("hypercomplex_division", 4))
    if flags.get("shared_phm_rule", True):
        shapes["phm_rule"] = [n, n, n]
    else:
        shapes[name + ".phm_rule"] = [n, n, n]
    if flags.get("factorized_phm", True):
        rank = int(flags.get("phm_rank", 1))
        shapes[name + ".W_left"] = [n, width // n, rank]
        shapes[name + ".W_right"] = [n, rank, out // n]
    else:
        shapes[name + ".W"] = [n, width // n, out // n]
    return None


def attention_shapes(shapes, name, settings):
    """What attends among the rows of a bottleneck."""
    for part in "qkv":
        shapes.linear(f"{name}.attention.{part}", settings.bottleneck, settings.bottleneck)
    shapes.linear(name + ".attention.o", settings.bottleneck, settings.bottleneck, bias=False)


def adapter_shapes(shapes, settings):
    flags, tasks = settings.flags, settings.tasks
    read = int(flags.get("task_vector_dim", 0))
    for task in tasks if read else []:
        shapes[f"{settings.root}task_vectors.{task}"] = [read]
    for site in settings.sites():
        if flags.get("adapter_heads"):
            attention_shapes(shapes, f"{site}.adapters.{tasks[0]}", settings)
        for half, width, out in (("down", settings.d + read, settings.bottleneck),
                                 ("up", settings.bottleneck, settings.d)):
            shared = flags.get("use_single_adapter") or flags.get(f"share_{half}_sampler")
            for task in tasks[:1] if shared else tasks:
                sampler_shapes(shapes, f"{site}.adapters.{task}.{half}_sampler", settings, width,
                               out)
        for when, norm in (("before", "pre"), ("after", "post")):
            if flags.get(f"add_layer_norm_{when}_adapter"):
                shapes.norm(f"{site}.{norm}_layer_norm", settings.d)


def hyper_shapes(shapes, settings):
    d, m, width = settings.d, settings.bottleneck, settings.task_width
    p = int(settings.flags.get("projected_task_embedding_dim", 64))
    one_net = settings.flags.get("efficient_unique_hyper_net")
    for task in settings.tasks:
        shapes[f"{settings.root}shared_task_embed.task_to_embeddings.{task}"] = [width]
    for stack, kinds in SITES[settings.model].items():
        net = f"{settings.root}{stack}.adapter_layers_hyper_net."
        shapes.linear(net + "layer_id_embeddings", settings.layers[stack], width, bias=False)
        if one_net:
            shapes.linear(net + "adapters_block_type", 3, width, bias=False)
        maker = net + "task_hypernet.task_embeding_generator."
        shapes.linear(maker + "0", settings.hyper_hidden, width * (3 if one_net else 2))
        shapes.linear(maker + "2", p, settings.hyper_hidden)
        shapes.norm(net + "LayerNorm", p)
        for prefix in [""] if one_net else [kind + "_" for kind, _ in kinds]:
            for half, out in (("up", d), ("down", m)):
                maker = f"{net}{prefix}{half}_sampler_hyper_net."
                shapes.linear(maker + "weight_generator.0", d * m, p)
                shapes.linear(maker + "bias_generator.0", out, p)


def lora_shapes(shapes, settings):
    rank, tasks = int(settings.flags["lora_dim"]), settings.tasks
    maps = (".q_proj.weight", ".v_proj.weight", ".q.weight", ".v.weight")
    for name in [name for name in shapes if name.endswith(maps)]:
        for task in tasks[:1] if settings.flags.get("use_single_lora") else tasks:
            shapes[name.replace("weight", f"lora_As.{task}")] = [rank, settings.d]
            shapes[name.replace("weight", f"lora_Bs.{task}")] = [settings.d, rank]
            if settings.flags.get("use_dora"):
                shapes[name.replace("weight", f"lora_magnitudes.{task}")] = [settings.d]


def vl_pet_shapes(shapes, settings):
    """Adapters with gates in the encoder, adapters beside the values of the decoder's attention to it."""
    d, flags, task = settings.d, settings.flags, settings.tasks[0]

    def adapter(name, width):
        shapes.linear(name + ".down_sampler", width, d)
        shapes.linear(name + ".up_sampler", d, width)
    for site in [site for site in settings.sites() if "encoder." in site]:
        name = f"{site}.adapters.{task}"
        adapter(name, int(flags["adapter_down_dim"]))
        if flags["vl_pet"] == "large":
            adapter(name + ".gate", int(flags["adapter_gating_down_dim"]))
        elif flags["vl_pet"] == "middleY":
            shapes[name + ".gate.weight"] = [d]
        else:
            shapes.linear(name + ".gate", 1, d * (1 + (flags["vl_pet"] == "small")))
    values = ("EncDecAttention.v.weight", "encoder_attn.v_proj.weight")
    for name in [name for name in shapes if name.endswith(values)]:
        adapter(name.replace("weight", f"adapters.{task}"),
                int(flags["decoder_enc_attn_value_parallel_adapter_down_dim"]))


def vera_shapes(shapes, settings):
    """Vectors beside queries and values; random_matrices are what they scale."""
    for name in [name for name in shapes if name.endswith(
            ("q_proj.weight", "v_proj.weight", ".q.weight", ".v.weight"))]:
        shapes[name.replace("weight", "vera_d")] = [int(settings.flags["vera_dim"])]
        shapes[name.replace("weight", "vera_b")] = [settings.d]


def random_matrices(settings):
    """name -> shape of what is never trained."""
    if not settings.flags.get("use_vera"):
        return {}
    d, rank = settings.d, int(settings.flags["vera_dim"])
    return {f"vera.{d}_{rank}_{d}.A": [rank, d], f"vera.{d}_{rank}_{d}.B": [d, rank]}


def prompt_shapes(shapes, settings):
    length, hidden = (int(settings.flags[flag]) for flag in ("encoder_prompt_len", "mid_dim"))
    single = settings.flags.get("use_single_prompt")
    for task in settings.tasks[:1] if single else settings.tasks:
        name = f"{settings.root}encoder.prompt_modules.prompts.{task}.prefix_embedding."
        shapes[name + "0.weight"] = [length, settings.d]
        shapes.linear(name + "1", hidden, settings.d)
        shapes.linear(name + "3", settings.d, hidden)


def shapes_of(settings):
    shapes, flags = Shapes(), settings.flags
    (t5_shapes if settings.model == "t5" else bart_shapes)(shapes, settings)
    visual_shapes(shapes, settings)
    if any(flags.get(f"use_{kind}") for kind in ("adapter", "compacter", "lradapter")):
        adapter_shapes(shapes, settings)
    if flags.get("use_hyperformer"):
        hyper_shapes(shapes, settings)
    if flags.get("use_lora") and settings.model == "bart" or flags.get("use_dora"):
        lora_shapes(shapes, settings)
    if flags.get("vl_pet"):
        vl_pet_shapes(shapes, settings)
    if flags.get("use_vera"):
        vera_shapes(shapes, settings)
    if flags.get("encoder_prompt_len"):
        prompt_shapes(shapes, settings)
    return shapes


# -- aliases and training ---------------------------------------------------------------

def aliases_of(shapes, settings):
    """Other names of shared tensors -> the names under which they are kept."""
    root, first = settings.root, settings.tasks[0]
    aliases = {name: root + "shared.weight" for name in (
        root + "encoder.embed_tokens.weight", root + "decoder.embed_tokens.weight",
        root + "encoder.visual_embedding.obj_order_embedding.weight", "lm_head.weight")}
    for name in shapes:
        parts = name.split(".")
        for task in settings.tasks[1:] if first in parts else []:
            other = ".".join(task if part == first else part for part in parts)
            if other not in shapes:
                aliases[other] = name
    return aliases


def is_trained(name, settings):
    """The freezing code of the reference: everything is frozen, then each option unfreezes some."""
    flags = settings.flags
    norms = NORMS if settings.model == "bart" else T5_NORMS_OF_METHODS
    adapters = any(flags.get(f"use_{kind}") for kind in ("adapter", "compacter", "lradapter"))
    return any((
        "visual_embedding" in name,
        flags.get("unfreeze_language_model"),
        flags.get("use_lora") and ("lora" in name or "bias" in name),
        flags.get("use_dora") and "lora" in name,
        flags.get("unfreeze_bias") and settings.model == "bart" and "bias" in name,
        flags.get("vl_pet") and ".adapters." in name,
        flags.get("unfreeze_encoder_layer_norms") and "encoder." in name and
        ("layer_norm" in name or "layernorm" in name),
        flags.get("use_vera") and "vera" in name,
        "task_vectors" in name,
        flags.get("encoder_prompt_len") and "prompt_modules" in name,
        flags.get("unfreeze_layer_norms") and any(norm in name for norm in norms),
        adapters and ("_adapter." in name or "phm_rule" in name),
        flags.get("use_hyperformer") and ("task_embed" in name or "hyper_net" in name)))


# -- values for new cases ---------------------------------------------------------------

def spread(name, shape, model):
    """The deviation of a parameter's values: like a fresh model, with nothing too small to show."""
    if "phm_rule" in name:
        return 0.3
    if name.endswith((".W", ".W_left", ".W_right")):
        return 0.35
    if name.endswith(("vera_d", "vera_b")):
        return 0.3
    if "task_to_embeddings" in name or "task_vectors" in name or "layer_id_embeddings" in name:
        return 1.0
    if len(shape) == 1 or model == "bart" or "relative_attention_bias" in name:
        return 0.1
    if name.endswith(("shared.weight", "order_embedding.weight", "prefix_embedding.0.weight")):
        return 1.0
    return 0.8 * shape[1] ** -0.5


def new_value(name, shape, model, generator):
    is_gain = len(shape) == 1 and (name.endswith(".weight") or "lora_magnitudes" in name)
    values = torch.randn(shape, generator=generator) * spread(name, shape, model)
    return values + 1 if is_gain else values

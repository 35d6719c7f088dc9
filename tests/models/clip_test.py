#!/usr/bin/python3
"""Compare CLIP's image encoders with the same networks in PyTorch, random weights and pixels.

usage: tests/models/clip_test.py BUILD_DIR [--full]

The networks here are written from their descriptions, module by module, with the names of the
published checkpoints; nothing is read from models/. Weights go through a file as the hub has them,
text tower and counters included, and those of the ResNet also through a TorchScript archive, as
OpenAI publishes them. Sizes are tiny; --full adds ViT-B/32, RN50 and RN101. Exits with
77 where python3-torch is not installed.
"""
import ctypes
import json
import math
import os
import struct
import subprocess
import sys
import tempfile

try:
    import torch
    from torch import nn
except ImportError as error:
    print(f"skipped: {error}; python3-torch is needed")
    sys.exit(77)

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


# -- the vision transformer, as in the transformers library -------------------------------------

class VitEmbeddings(nn.Module):
    def __init__(self, image, patch, width):
        super().__init__()
        self.class_embedding = nn.Parameter(torch.empty(width))
        self.patch_embedding = nn.Conv2d(3, width, patch, patch, bias=False)
        self.position_embedding = nn.Embedding((image // patch) ** 2 + 1, width)

    def forward(self, x):
        x = self.patch_embedding(x).flatten(2).transpose(1, 2)
        first = self.class_embedding.expand(x.shape[0], 1, -1)
        return torch.cat([first, x], 1) + self.position_embedding.weight


class VitAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            setattr(self, name, nn.Linear(width, width))

    def forward(self, x):
        def split(y):
            return y.view(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2)
        q, k, v = split(self.q_proj(x)), split(self.k_proj(x)), split(self.v_proj(x))
        scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[-1])
        return self.out_proj((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))


class VitMlp(nn.Module):
    def __init__(self, width, inner):
        super().__init__()
        self.fc1 = nn.Linear(width, inner)
        self.fc2 = nn.Linear(inner, width)

    def forward(self, x):
        h = self.fc1(x)
        return self.fc2(h * torch.sigmoid(1.702 * h))


class VitLayer(nn.Module):
    def __init__(self, width, inner, heads):
        super().__init__()
        self.self_attn = VitAttention(width, heads)
        self.layer_norm1 = nn.LayerNorm(width)
        self.mlp = VitMlp(width, inner)
        self.layer_norm2 = nn.LayerNorm(width)

    def forward(self, x):
        x = x + self.self_attn(self.layer_norm1(x))
        return x + self.mlp(self.layer_norm2(x))


class Vit(nn.Module):
    def __init__(self, image, patch, width, inner, heads, layers, projection):
        super().__init__()
        tower = nn.Module()
        tower.embeddings = VitEmbeddings(image, patch, width)
        tower.pre_layrnorm = nn.LayerNorm(width)
        tower.encoder = nn.Module()
        tower.encoder.layers = nn.ModuleList(VitLayer(width, inner, heads)
                                             for _ in range(layers))
        tower.post_layernorm = nn.LayerNorm(width)
        self.vision_model = tower
        self.visual_projection = nn.Linear(width, projection, bias=False)

    def forward(self, x):
        tower = self.vision_model
        x = tower.pre_layrnorm(tower.embeddings(x))
        for layer in tower.encoder.layers:
            x = layer(x)
        return {"features": self.visual_projection(tower.post_layernorm(x[:, 0]))}


# -- the residual network, as published with CLIP ------------------------------------------------

class Bottleneck(nn.Module):
    def __init__(self, width, planes, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(width, planes, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.avgpool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        self.conv3 = nn.Conv2d(planes, 4 * planes, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * planes)
        self.downsample = None
        if stride > 1 or width != 4 * planes:
            self.downsample = nn.Sequential()
            self.downsample.add_module("-1", nn.AvgPool2d(stride))
            self.downsample.add_module("0", nn.Conv2d(width, 4 * planes, 1, bias=False))
            self.downsample.add_module("1", nn.BatchNorm2d(4 * planes))

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        y = torch.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(self.avgpool(y)))
        return torch.relu(y + (self.downsample(x) if self.downsample else x))


class AttentionPool(nn.Module):
    def __init__(self, side, width, heads, projection):
        super().__init__()
        self.heads = heads
        self.positional_embedding = nn.Parameter(torch.empty(side * side + 1, width))
        self.k_proj, self.q_proj, self.v_proj = (nn.Linear(width, width) for _ in range(3))
        self.c_proj = nn.Linear(width, projection)

    def forward(self, x):
        x = x.flatten(2).permute(2, 0, 1)
        x = torch.cat([x.mean(0, keepdim=True), x], 0) + self.positional_embedding[:, None]
        y, _ = nn.functional.multi_head_attention_forward(
            query=x[:1], key=x, value=x, embed_dim_to_check=x.shape[-1], num_heads=self.heads,
            q_proj_weight=self.q_proj.weight, k_proj_weight=self.k_proj.weight,
            v_proj_weight=self.v_proj.weight, in_proj_weight=None,
            in_proj_bias=torch.cat([self.q_proj.bias, self.k_proj.bias, self.v_proj.bias]),
            bias_k=None, bias_v=None, add_zero_attn=False, dropout_p=0,
            out_proj_weight=self.c_proj.weight, out_proj_bias=self.c_proj.bias,
            use_separate_proj_weight=True, training=False, need_weights=False)
        return y[0]


class ResNetTower(nn.Module):
    def __init__(self, image, width, blocks, projection):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width // 2, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width // 2)
        self.conv2 = nn.Conv2d(width // 2, width // 2, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width // 2)
        self.conv3 = nn.Conv2d(width // 2, width, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(width)
        before = width
        for stage, count in enumerate(blocks):
            planes = width << stage
            layers = []
            for block in range(count):
                layers.append(Bottleneck(before, planes, 2 if stage and not block else 1))
                before = 4 * planes
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layers))
        self.attnpool = AttentionPool(image // 32, 32 * width, width // 2, projection)

    def forward(self, x):
        for conv, bn in ((self.conv1, self.bn1), (self.conv2, self.bn2), (self.conv3, self.bn3)):
            x = torch.relu(bn(conv(x)))
        x = nn.functional.avg_pool2d(x, 2)
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
        return {"features": x.flatten(2).transpose(1, 2), "pooled": self.attnpool(x)}


class ResNet(nn.Module):
    def __init__(self, *sizes):
        super().__init__()
        self.visual = ResNetTower(*sizes)

    def forward(self, x):
        return self.visual(x)


# -- cases ---------------------------------------------------------------------------------------

def randomize(network):
    """Every number matters: none is 0 or 1, and activations stay of ordinary size."""
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if value.dtype != torch.float32:
                continue
            last = name.rsplit(".", 1)[-1]
            if last == "running_var" or (last == "weight" and value.dim() == 1):
                value.uniform_(0.5, 1.5)
                if ".layer" in name and name.endswith("bn3.weight"):
                    value.mul_(0.3)  # the sum over many blocks grows, and then attention is sharp
            elif value.dim() == 1:
                value.normal_(0, 0.2)
            else:
                value.normal_(0, (value[0].numel()) ** -0.5)


def write_safetensors(path, tensors):
    kinds = {torch.float32: "F32", torch.int64: "I64"}
    tensors = {name: value.contiguous() for name, value in tensors.items()}
    header, begin = {}, 0
    for name, value in tensors.items():
        header[name] = {"dtype": kinds[value.dtype], "shape": list(value.shape),
                        "data_offsets": [begin, begin + value.numel() * value.element_size()]}
        begin = header[name]["data_offsets"][1]
    text = json.dumps(header).encode()
    text += b" " * (-(len(text) + 8) % 64)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for value in tensors.values():
            file.write(ctypes.string_at(value.data_ptr(),
                                        value.numel() * value.element_size()))


def run(problems, label, expected, *command):
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if result.returncode != expected:
        problems.append(f"{label}: {' '.join(command)}: exit code {result.returncode}\n"
                        f"{result.stdout}{result.stderr}")
    return result.stdout


def check(problems, build, recipe, size, network, image, count, splits):
    """The recipe at a size against a network, for so many images."""
    label = f"{recipe} {size}"
    torch.manual_seed(7)
    randomize(network)
    network.eval()
    pixels = torch.randn(count, 3, image, image)
    with torch.no_grad():  # in double precision: what is left is the error of the plan
        results = {name: y.float() for name, y in network.double()(pixels.double()).items()}
    network.float()
    vlc, vlrun = (os.path.join(build, *path) for path in (("frontend", "vlc"), ("runtime", "vlrun")))
    with tempfile.TemporaryDirectory() as scratch:
        plan, weights, case = (os.path.join(scratch, name) for name in
                               ("plan.bin", "weights.safetensors", "case.safetensors"))
        tensors = {**network.state_dict(), "logit_scale": torch.tensor(4.6),
                   "text_model.final_layer_norm.weight": torch.ones(5)}
        write_safetensors(weights, tensors)
        rows = pixels.permute(0, 2, 3, 1).reshape(count, image * image, 3)
        write_safetensors(case, {"in/pixels": rows,
                                 **{f"out/{name}": y for name, y in results.items()}})
        with open(os.path.join(scratch, "case.json"), "w", encoding="utf-8") as file:
            json.dump({"steps": [{"batch": "in", "task": "images"}]}, file)
        recipe_path = os.path.join("models", recipe + ".vg")
        counted = run(problems, label, 0, vlc, "params", recipe_path, "--set", f"size={size}",
                      "--format", "json")
        total = sum(p.numel() for p in network.parameters())
        if counted and json.loads(counted)["total"] != total:
            problems.append(f"{label}: {json.loads(counted)['total']} parameters, not {total}")
        run(problems, label, 0, vlc, "compile", recipe_path, "--set", f"size={size}", "--set",
            f"tokens={2 * image * image}", "-o", plan)
        for split in splits:
            said = run(problems, label, 0, vlrun, "verify", plan, "--case", case, "--weights",
                       weights, *split)
            if recipe == "extract_vit_b32" and f"{len(network.state_dict())} of them mapped" not in said:
                problems.append(f"{label}: weights are copied:\n{said}")
            if f"   {len(results)} compared" not in said:
                problems.append(f"{label}: not all of {list(results)} were compared:\n{said}")
            print(label, *split, said.strip().splitlines()[-1] if said else "")
        if isinstance(network, ResNet):
            traced = os.path.join(scratch, "RN.pt")
            torch.jit.save(torch.jit.trace(network, pixels, strict=False), traced)
            said = run(problems, label, 0, vlrun, "verify", plan, "--case", case, "--weights", traced)
            print(label, "traced", said.strip().splitlines()[-1] if said else "")
        # A weight that differs must be noticed.
        name = next(name for name, value in tensors.items() if value.dim() == 4)
        tensors[name] = tensors[name].clone()
        tensors[name].view(-1)[0] += 1
        write_safetensors(weights, tensors)
        run(problems, label, 3, vlrun, "verify", plan, "--case", case, "--weights", weights)


def main():
    if len(sys.argv) < 2 or sys.argv[2:] not in ([], ["--full"]):
        sys.exit(__doc__)
    build, problems = os.path.abspath(sys.argv[1]), []
    torch.set_num_threads(2)
    tiny = [["--lanes", "1"], ["--lanes", "2", "--split", "2,1"]]
    check(problems, build, "extract_vit_b32", "tiny", Vit(32, 8, 48, 96, 3, 2, 20), 32, 3, tiny)
    for recipe in ("extract_rn50", "extract_rn101"):
        check(problems, build, recipe, "tiny", ResNet(64, 8, (1, 2, 2, 1), 20), 64, 3, tiny)
    if sys.argv[2:]:
        whole = [["--lanes", "2"]]
        check(problems, build, "extract_vit_b32", "vit-b32",
              Vit(224, 32, 768, 3072, 12, 12, 512), 224, 3, whole)
        check(problems, build, "extract_rn50", "rn50", ResNet(224, 64, (3, 4, 6, 3), 1024), 224,
              2, whole)
        check(problems, build, "extract_rn101", "rn101", ResNet(224, 64, (3, 4, 23, 3), 512), 224,
              2, whole)
    print("\n".join(problems) or "all encoders agree")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()

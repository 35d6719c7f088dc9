"""Layers that both backbones share, over padded batches."""
import torch


def linear(w, name, x):
    """x W' + b; the bias is optional."""
    y = x @ w[name + ".weight"].T
    return y + w[name + ".bias"] if name + ".bias" in w else y


def rms_norm(x, gain):
    return gain * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)


def layer_norm(x, gain, bias, eps=1e-5):
    centred = x - x.mean(-1, keepdim=True)
    return gain * centred * torch.rsqrt(centred.pow(2).mean(-1, keepdim=True) + eps) + bias


def named_norm(w, name, x):
    """A norm by its parameters: with a bias it is a layer norm, without one an RMS norm."""
    if name + ".bias" in w:
        return layer_norm(x, w[name + ".weight"], w[name + ".bias"])
    return rms_norm(x, w[name + ".weight"])


def gelu_tanh(x):
    return 0.5 * x * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.044715 * x**3)))


def gelu_erf(x):
    return 0.5 * x * (1 + torch.erf(x / 2**0.5))


def attention(q, k, v, heads, bias):
    """Softmax of q k' + bias over v, [B, rows, inner]; heads are contiguous blocks of inner."""
    def split(x):
        return x.reshape(*x.shape[:2], heads, -1).transpose(1, 2)
    scores = split(q) @ split(k).transpose(2, 3) + bias
    mixed = torch.softmax(scores, -1) @ split(v)
    return mixed.transpose(1, 2).reshape(*q.shape[:2], -1)

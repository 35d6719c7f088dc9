"""Losses, clipping, AdamW and its schedule."""
import torch

IGNORED = -100
BETA1, BETA2, EPS = 0.9, 0.999, 1e-6


def token_losses(logits, targets):
    """Cross-entropy of every target, 0 where it is ignored."""
    real = targets != IGNORED
    chosen = logits.log_softmax(-1).gather(-1, targets.where(real, torch.zeros(1).long())[..., None])
    return -chosen[..., 0] * real


def reduce_loss(losses, targets, task, scores):
    """Captions: one mean over all targets. Else a mean over rows of means; scores weigh rows."""
    counts = (targets != IGNORED).sum(1)
    if task == "caption" and scores is None:
        return losses.sum() / counts.sum()
    rows = losses.sum(1) / counts.clamp(min=1)
    return (rows if scores is None else rows * scores).mean()


def has_decay(name):
    return "bias" not in name and "LayerNorm.weight" not in name


def learning_rate(step, optimiser):
    total, warmup, peak = (optimiser[key] for key in ("total_steps", "warmup_steps", "lr_peak"))
    if step < warmup:
        return peak * step / max(1, warmup)
    return peak * max(0, total - step) / max(1, total - warmup)


def gradient_norm(gradients):
    return torch.sqrt(sum(gradient.pow(2).sum() for gradient in gradients.values()))


class AdamW:
    """A parameter without a gradient in a step is passed over: no decay, and its count stays."""

    def __init__(self, weight_decay):
        self.weight_decay, self.state = weight_decay, {}

    def step(self, parameters, gradients, rate):
        for name, gradient in gradients.items():
            value = parameters[name]
            zero = torch.zeros_like(value)
            count, mean, square = self.state.get(name, (0, zero, zero))
            count += 1
            mean = BETA1 * mean + (1 - BETA1) * gradient
            square = BETA2 * square + (1 - BETA2) * gradient * gradient
            self.state[name] = count, mean, square
            size = rate * (1 - BETA2**count) ** 0.5 / (1 - BETA1**count)
            value = value - size * mean / (square.sqrt() + EPS)
            if has_decay(name):
                value = value - rate * self.weight_decay * value
            parameters[name] = value


def clip_factor(norm, most):
    return min(1.0, most / (norm + 1e-6))

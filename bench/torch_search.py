"""Greedy and beam search in PyTorch, with cached keys and values, all sequences at once."""
import torch

from torch_layers import Cache


def search(network, batch, beams, length, start, end, pad):
    """Tokens of every sequence's answer, [B, at most length - 1]."""
    memory, unseen = network.encode(*batch)
    count = memory.shape[0]
    cache = Cache(count * beams, beams, length - 1)

    def step(tokens):
        x = network.decode(tokens.reshape(-1, 1), memory, unseen, cache)
        cache.at += 1
        return network.logits(x[:, 0])
    first = torch.full((count * beams,), start)
    if beams == 1:
        return greedy(step, first, length, end, pad)
    return beam_search(step, first, cache, length, end, pad)


def greedy(step, tokens, length, end, pad):
    answers, done = [], torch.zeros(len(tokens), dtype=torch.bool)
    while len(answers) < length - 1 and not bool(done.all()):
        tokens = step(tokens).argmax(-1).masked_fill(done, pad)
        done |= tokens == end
        answers.append(tokens)
    return torch.stack(answers, 1)


def beam_search(step, tokens, cache, length, end, pad):
    """A finished hypothesis stays among its sequence's beams with the score that it has."""
    beams, count = cache.beams, len(tokens) // cache.beams
    firsts = torch.arange(count)[:, None] * beams
    scores = torch.zeros(count, beams)
    scores[:, 1:] = -torch.inf  # at first all are the same
    answers, done = tokens.new_empty((count * beams, 0)), torch.zeros(count * beams, dtype=torch.bool)
    while answers.shape[1] < length - 1 and not bool(done.all()):
        logits = step(tokens)
        # the largest of a row are known before it is normed
        best, candidates = logits.topk(beams, -1)
        gains = best - logits.logsumexp(-1, keepdim=True)
        if bool(done.any()):
            gains[done], candidates[done] = -torch.inf, pad
            gains[done, 0] = 0
        sums = (scores.view(-1, 1) + gains).view(count, -1)
        scores, places = sums.topk(beams, -1)
        rows = (firsts + places.div(beams, rounding_mode="floor")).flatten()
        tokens = candidates.view(count, -1).gather(1, places).flatten()
        cache.reorder(rows)
        answers = torch.cat([answers[rows], tokens[:, None]], 1)
        done = done[rows] | (tokens == end)
    return answers.view(count, beams, -1)[:, 0]

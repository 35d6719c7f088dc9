"""Greedy and beam search that run the whole prefix again for every token."""
import torch


def ban_repeats(scores, rows, size):
    """No token may complete an n-gram that its row has already."""
    for i, row in enumerate(rows):
        if size and len(row) + 1 >= size:
            start = row[len(row) + 1 - size:]
            for at in range(len(row) - size + 1):
                if row[at:at + size - 1] == start:
                    scores[i, row[at + size - 1]] = -torch.inf
    return scores


def greedy(logits_of, count, rules, length):
    """Rows of ids, padded, and the smallest lead of a chosen token over the next."""
    rows, margin = [[rules["start"]] for _ in range(count)], float("inf")
    done = [False] * count
    while len(rows[0]) < length and not all(done):
        scores = ban_repeats(logits_of(range(count), rows), rows, rules["no_repeat_ngram_size"])
        for i, row in enumerate(rows):
            if done[i]:
                row.append(rules["pad"])
                continue
            best, runner_up = scores[i].topk(2).values.tolist()
            margin = min(margin, best - runner_up)
            row.append(int(scores[i].argmax()))
            done[i] = row[-1] == rules["end"]
    return [row + [rules["pad"]] * (length - len(row)) for row in rows], margin


class Beams:
    """The hypotheses of one sequence: open ones as (score, ids), finished ones as (value, ids)."""

    def __init__(self, beams, rules, length):
        self.rules, self.length, self.beams = rules, length, beams
        self.open = [(0.0 if i == 0 else -1e9, [rules["start"]]) for i in range(beams)]
        self.finished, self.done = [], False

    def finish(self, score, ids):
        self.finished.append((score / len(ids) ** self.rules["length_penalty"], ids))
        self.finished = sorted(self.finished, key=lambda one: -one[0])[:self.beams]

    def advance(self, logits):
        size, vocabulary = len(self.open[0][1]), logits.shape[1]
        if self.rules["forced_end"] and size == self.length - 1:
            forced = torch.full_like(logits, -torch.inf)
            forced[:, self.rules["end"]] = logits[:, self.rules["end"]]
            logits = forced
        scores = ban_repeats(logits.log_softmax(-1), [ids for _, ids in self.open],
                             self.rules["no_repeat_ngram_size"])
        scores = scores + torch.tensor([score for score, _ in self.open])[:, None]
        best = scores.flatten().topk(2 * self.beams)
        grown = []
        for rank, (score, place) in enumerate(zip(best.values.tolist(), best.indices.tolist())):
            ids, token = self.open[place // vocabulary][1], place % vocabulary
            if token != self.rules["end"]:
                grown.append((score, ids + [token]))
            elif rank < self.beams:
                self.finish(score, ids)
            if len(grown) == self.beams:
                break
        # the candidates' sum is compared at the length that the step started from
        if len(self.finished) == self.beams:
            reachable = float(best.values[0]) / size ** self.rules["length_penalty"]
            self.done = self.rules["early_stopping"] or self.finished[-1][0] >= reachable
        self.open = grown

    def answer(self):
        if not self.done:
            for score, ids in self.open:
                self.finish(score, ids)
        ids = self.finished[0][1]
        return ids + [self.rules["end"]] if len(ids) < self.length else ids


def beam_search(logits_of, count, beams, rules, length):
    """The best row of ids of every sequence, padded to the longest."""
    sequences = [Beams(beams, rules, length) for _ in range(count)]
    for _ in range(length - 1):
        for s, sequence in enumerate(sequences):
            if not sequence.done:
                rows = [ids for _, ids in sequence.open]
                sequence.advance(logits_of([s] * len(rows), rows))
    answers = [sequence.answer() for sequence in sequences]
    longest = max(map(len, answers))
    return [ids + [rules["pad"]] * (longest - len(ids)) for ids in answers]

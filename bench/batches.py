"""Batches, written as recorded cases (tests/cases): padded texts and answers, with images."""
import json

import numpy as np

import tensor_file
from cases import BATCHES, MODELS

IGNORED = -100  # label where there is no token
CELLS = 49  # of the grid of an image's features, pooled to the tokens of the model
FIRST_WORD = 10  # lower ids have a meaning of their own
# shares of questions by their words, and of answers by their tokens, in the manner of VQA: short, with
# a long tail
QUESTION_WORDS = {3: 3, 4: 11, 5: 24, 6: 22, 7: 16, 8: 10, 9: 6, 10: 3, 11: 2, 12: 1, 14: 1, 17: 1}
ANSWER_TOKENS = {2: 68, 3: 18, 4: 9, 5: 3, 6: 2}
TASK_PREFIX, TOKENS_OF_A_WORD = 4, 1.25


def spread(shares, count, generator):
    """So many draws as the shares say, as evenly as can be, in random order."""
    bounds = np.cumsum(list(shares.values())) / sum(shares.values())
    quantiles = (np.arange(count) + 0.5) / count
    drawn = np.array(list(shares))[np.searchsorted(bounds, quantiles)]
    return generator.permutation(drawn)


def lengths_of(batch, count, generator):
    """Tokens of every text and of every answer."""
    _, text, answer = BATCHES[batch]
    if text is not None:
        return np.full(count, text), np.full(count, answer)
    words = spread(QUESTION_WORDS, count, generator)
    return (TASK_PREFIX + np.ceil(words * TOKENS_OF_A_WORD).astype(int),
            spread(ANSWER_TOKENS, count, generator))


def padded(lengths, pad, vocabulary, generator):
    ids = generator.integers(FIRST_WORD, vocabulary, (len(lengths), lengths.max()))
    return np.where(np.arange(lengths.max()) < lengths[:, None], ids, pad)


def write_batch(path, case, size, vocabulary):
    """PATH.safetensors and PATH.json."""
    generator, model = np.random.default_rng(1), MODELS[case.model]
    text, answer = lengths_of(case.batch, case.sequences, generator)
    ids = padded(text, model["pad"], vocabulary, generator)
    arrays = {
        "in/input_ids": ids,
        "in/attention_mask": (ids != model["pad"]).astype(np.float32),
        "in/target_ids": padded(answer, IGNORED, vocabulary, generator),
        "in/vis_feats": np.abs(generator.standard_normal(
            (case.sequences, CELLS, size["features"]), np.float32)),
        "in/boxes": generator.random((case.sequences, CELLS, 4), np.float32)}
    task = BATCHES[case.batch][0]
    if task == "vqa":
        arrays["in/scores"] = generator.choice(
            np.array([1, 0.6, 0.3], np.float32), case.sequences)
    tensor_file.write_arrays(path + ".safetensors", arrays)
    with open(path + ".json", "w", encoding="utf-8") as file:
        json.dump({"steps": [{"batch": "in", "task": task, "loss": 0, "lr": 0}],
                   "architecture": {"decoder_start_token_id": model["start"],
                                    "pad_token_id": model["pad"],
                                    "eos_token_id": model["end"]}}, file, indent=1)

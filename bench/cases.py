"""What is measured: a model, a method, a batch, and the work on it."""
import dataclasses
import itertools

# size -> heads and, of an image, the side of the grid of its tokens and the width of its features
SIZES = {
    "t5-base": {"heads": 12, "side": 6, "features": 2048},
    "bart-base": {"heads": 12, "side": 6, "features": 2048},
    "golden": {"heads": 4, "side": 3, "features": 48},
}
# model -> the size that is measured, the ids that begin, fill up and close texts
MODELS = {
    "t5": {"size": "t5-base", "start": 0, "pad": 0, "end": 1, "table": "shared.weight"},
    "bart": {"size": "bart-base", "start": 2, "pad": 1, "end": 2, "table": "model.shared.weight"},
}
# method -> what follows the backbone in the recipe's name, and constants of the recipe
METHODS = {
    "adapter": ("adapter", {"reduction": 8}),
    "lora": ("lora", {}),
    "full": ("full", {}),
}
# batch -> task, tokens of every text and of every answer (None: as VQA has them)
BATCHES = {
    "vqa": ("vqa", 20, 5),
    "caption": ("caption", 5, 20),
    "ragged": ("vqa", None, None),
}
TOKENS = 20  # of a generated answer, after the first
# work -> beams
SEARCHES = {"greedy": 1, "beams": 5}
SEQUENCES = (16, 300)
# those measured where none is named
STANDARD = ("t5-adapter-vqa-16", "t5-adapter-caption-16", "t5-adapter-ragged-16",
            "t5-lora-vqa-16", "t5-full-vqa-16", "bart-adapter-vqa-16", "bart-lora-vqa-16",
            "bart-full-vqa-16", "t5-adapter-greedy-16", "t5-adapter-beams-16",
            "bart-adapter-greedy-16", "t5-adapter-start", "t5-adapter-ragged-300")


@dataclasses.dataclass(frozen=True)
class Case:
    model: str
    method: str
    work: str  # a batch to train on, a search, or "start"
    sequences: int

    @property
    def name(self):
        parts = [self.model, self.method, self.work]
        return "-".join(parts if self.work == "start" else parts + [str(self.sequences)])

    @property
    def batch(self):
        """The name of its batch: where none is named, that of questions."""
        return self.work if self.work in BATCHES else "vqa"

    @property
    def recipe(self):
        return f"models/vl{self.model}_{METHODS[self.method][0]}.vg"

    @property
    def constants(self):
        return METHODS[self.method][1]

    @property
    def command(self):
        """What a contender is asked for."""
        beams = SEARCHES.get(self.work)
        return f"generate {beams} {TOKENS + 1}" if beams else "step"


def all_cases():
    found = []
    for model, method in itertools.product(MODELS, METHODS):
        found += [Case(model, method, work, sequences) for work, sequences
                  in itertools.product([*BATCHES, *SEARCHES], SEQUENCES)]
        found.append(Case(model, method, "start", SEQUENCES[0]))
    return {case.name: case for case in found}

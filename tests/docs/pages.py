"""What commands_test.py must know of the pages: which there are, what their commands need, which of them are
changed to take little time, and which are not run, and why."""
import glob
import os
from typing import NamedTuple, Optional


class Change(NamedTuple):
    page: Optional[str]  # None: all
    pattern: str
    text: str  # takes the pattern's place


class NotRun(NamedTuple):
    page: Optional[str]
    pattern: str
    why: str


def all_pages(root):
    found = ["README.md", "HACKING.md", "python/README.md"]
    for pattern in ("docs/*.md", "examples/*/README.md"):
        found += [os.path.relpath(path, root) for path in glob.glob(os.path.join(root, pattern))]
    return sorted(found)


# Programs, beside vlc and vlrun, with whose names a line of a block is a command.
PROGRAMS = ("./quickstart", "bench/run", "build/release/bench/products", "examples/own_vqa/make_pictures",
            "packaging/check_bare_debian", "tests/fuzz/run", "build/release/tests/runtime/check/slopes_test",
            "apt-get", "cc", "cd", "cmake", "ctest", "echo", "gdb", "git", "grep", "head", "ls", "mkdir", "node", "npm", "pip",
            "python3", "tensorboard", "trang", "xmllint", "./train")

# Options in the text that are those of other programs.
OPTIONS_OF_OTHERS = ("--install", "--build", "--preset", "--prefix", "--target", "--parallel", "--table", "--json",
                     "--list", "--rounds", "--precision", "--torch-part", "--torch-env", "--dropout", "--bless",
                     "--full", "--small", "--beams", "--update")

# Copies, for commands that are not right may write there.
COPIES = ("models", "examples")

TRAIN = "vlrun train {plan}.bin --data data --weights w.safetensors --steps 2 --out runs/{run}"

# What commands find in the directory where they run: data of 30 examples a task, and short runs.
SETUP = (
    "ln -s models/shapes/vlt5_tiny.safetensors w.safetensors",
    "mkdir t5-base && cp -L w.safetensors t5-base/model.safetensors && cp models/shapes/spiece.model t5-base",
    "vlrun make-data shapes data --size 30",
    "vlc compile vlt5_tiny_adapter -o plan.bin && cp plan.bin adapter.bin",
    "vlc compile vlt5_lora --set size=tiny -o lora.bin && cp lora.bin base.bin",
    TRAIN.format(plan="plan", run="mine") + " --keep-best mean --eval-every 1 --checkpoint-every 1 --keep 2",
    TRAIN.format(plan="lora", run="lora"),
    "for name in a b c adapter first; do cp -r runs/mine runs/$name; done",
    "vlrun generate runs/mine > said.jsonl && vlrun export runs/mine -o mine.safetensors",
    "echo 'what is red?' > questions.txt",
    "examples/own_vqa/make_pictures mine --pictures 20 && cp mine/pictures/images/train/0.png x.jpg",
    "vlc compile extract_patches -o patches.bin",
)

CHANGES = (
    Change(None, r"make_pictures data", "make_pictures mine --pictures 20"),
    Change(None, r"data/pictures/", "mine/pictures/"),
    Change(None, r"((train|check-data) own_vqa.bin) --data data", r"\1 --data mine"),
    Change(None, r"^(vlc (compile|explain|compare|params) .*vlt5_(?!tiny).*)", r"\1 --set size=tiny"),
    Change("README.md", r"(train plan.bin)", r"\1 --data data"),
    Change(None, r"(--set steps=|--steps )[1-9]\d*", r"\g<1>2"),
    Change(None, r"(--eval-every) \d+", r"\1 1"),
    Change(None, r"^(vlrun train (?!--settings|.*--resume|.*steps|.*epochs).*)", r"\1 --steps 2"),
    Change(None, r"^(vlrun train (?!--settings|.*--resume).*)", r"\1 --overwrite"),
    Change(None, r"(vlrun sweep .*)", r"\1 --list"),
    Change(None, r"\$SLURM_ARRAY_TASK_ID", "1"),
    Change(None, r"--size \d+", "--size 30"),
    Change("README.md", r"(make-data shapes shapes_data)", r"\1 --size 30"),
    Change("docs/asking.md", r"(--image x.jpg)", r"\1 --encoder patches.bin --other-data"),
    Change("docs/cache.md", r"^vlrun", "XDG_CACHE_HOME=$PWD/cache vlrun"),
    Change("docs/performance.md", r"--width 2048", "--width 48"),
    Change(None, r"--sequences (16|300)", "--sequences 4"),
    Change(None, r"--rounds \d+", "--rounds 1"),
    Change(None, r"(verify .*--nodes)", r"\1 --sequences 1 --longest 3"),
)

NOT_RUN = (
    NotRun(None, r"^(\./quickstart|cmake|ctest|pip|apt-get|npm|node|tensorboard|trang|cc|\./train|cd)\b",
           "builds, installs, serves, or wants what is installed: each has a test of its own or is another's"),
    NotRun(None, r"RN101.pt|rn101.bin|photos|vit.bin", "wants weights of hundreds of megabytes"),
    NotRun(None, r"^bench/run|bench/products", "measures, in minutes"),
    NotRun(None, r"^tests/fuzz/run", "fuzzes, in minutes"),
    NotRun("HACKING.md", r"^grep|gdb", "goes on from a dump of a kernel at fault"),
    NotRun("docs/editors.md", r"^xmllint", "is no program that tests can count on"),
    NotRun("docs/adding_a_method.md", r"slopes_test", "is runtime/check/slopes_test"),
    NotRun("docs/performance.md", r"--data DIR", "wants data that are not there"),
    NotRun("examples/own_vqa/README.md", r"", "is encode/own_vqa_test"),
)

"""A whole study in seconds: two tiny random models, hostile words, every kind of result."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from tiny import save_tiny
from tunescope.study.result import Run
from tunescope.study.run import run

HOSTILE = (
    "<script>window.pwned=1</script>", "</script>", "<img src=x onerror=window.pwned=1>", "&amp;",
    '"quoted"', "'single'", "`tick`", "${window.pwned=1}", "{{7*7}}", "שלום", "مرحبا", "🦊",
    "naïve", "New York", "constructor", "__proto__",
)  # fmt: skip
"""Words that must be shown as they are and do nothing."""

LABELS = ("__proto__", "NOUN", "<b>VERB</b>")
CLASSES = ("<i>positive</i>", "__proto__")

STUDY = """
name = "tiny"
description = "A study of <em>nothing</em> & everything."
seed = 3

[models.base]
path = "base"

[models.tuned]
base = "base"
path = "tuned"

[corpora.odd]
path = "odd.jsonl"

[corpora.more]
path = "more.jsonl"

[extract]
max_length = 48

[probe]
l1 = 0.01
l2 = 0.01
control_seeds = 1
resamples = 50

[concepts]
min_count = 2
n_clusters = 12
min_types = 2

[align]
permutations = 5
theta_labels = 0.6
theta_classes = 0.6
"""


def make_tiny_run(folder: Path, study: str = STUDY) -> Run:
    """Run a small study over hostile words in `folder` (models and corpora are written there)."""
    save_tiny("bert", folder / "base")
    save_tiny("bert", folder / "tuned")
    _disturb(folder / "tuned")
    _write_corpus(folder / "odd.jsonl", n=40, seed=0)
    _write_corpus(folder / "more.jsonl", n=24, seed=1)
    (folder / "study.toml").write_text(study, encoding="utf-8")
    return run(folder / "study.toml", folder / "run", device="cpu")


def _disturb(folder: Path) -> None:
    """Add noise to a checkpoint's weights: a tuned model that differs from its base."""
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    generator = torch.Generator().manual_seed(1)
    noisy = {
        name: weight + 0.05 * torch.randn(weight.shape, generator=generator)
        for name, weight in weights.items()
    }
    save_file(noisy, folder / "model.safetensors", metadata={"format": "pt"})


def _write_corpus(path: Path, n: int, seed: int) -> None:
    """Write sentences of 5 to 9 words, a few of them too long for `max_length`."""
    rng = np.random.default_rng(seed)
    plain = [f"{a}{b}" for a in ("fox", "dog", "jump", "the", "sleep") for b in ("", "s", "er")]
    words = [*HOSTILE, *plain]
    lines = []
    for number in range(n):
        chosen = rng.integers(0, len(words), 40 if number == n - 1 else rng.integers(5, 10))
        line = {
            "words": [words[i] for i in chosen],
            "upos": [LABELS[i % 3] for i in chosen],
            "class": CLASSES[number % 2],
        }
        lines.append(json.dumps(line, ensure_ascii=False))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")

"""A whole study in seconds: two tiny random models, hostile words, every kind of result."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForMaskedLM, AutoModelForSequenceClassification

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

[rank]
corpora = ["odd"]
scalings = ["raw"]
rankings = ["lca", "probeless", "max_corr", "random"]
grid = [0.0, 0.01]
tag_neurons = 5
views = 1
control_seeds = 1
resamples = 50

[select]
deltas = [1.0, 5.0]
increment = 0.1
shares = [0.2]
sizes = [4, 16]
seeds = 1

[reduce]
increment = 0.2
seeds = 1

[intervene]
sentences = ["more"]
neurons = [8]
actions = ["zero", "translate:4"]
draws = 2
max_sentences = 10
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

LATENT = """
[tasks.said]
path = { train = "said.tsv", dev = "said.tsv" }

[stability]
repeats = 1
permutations = 5
groups = 4

[triggers]
tasks = ["said"]
methods = ["concept", "random", "opposite", "hotflip"]
theta_classes = 0.55
draws = 1
max_concepts = 2
hotflip_candidates = 2
keep_seen = true
resamples = 20

[map_concepts]
resamples = 20

[explain]
tasks = ["said"]
steps = 8
accept = 0.0

[check_explanations]
tasks = ["said"]
max_texts = 10
steps = 8
resamples = 20
"""
"""What is done with aligned concepts, to be added to the study."""

MAP = """
[project]
n_words = 40
perplexity = 8
trust_neighbors = 5
"""

WHOLE = (
    STUDY.replace("[align]\n", '[align]\ncomputed = ["casing", "ngram"]\nresamples = 20\n')
    + MAP
    + LATENT
)


def without(study: str, *tables: str) -> str:
    """Take whole tables out of a study file."""
    for table in tables:
        study = re.sub(rf"^\[{re.escape(table)}\]\n(?:(?!\[).*\n)*", "", study, flags=re.M)
    return study


NEURONS = ("rank", "select", "reduce", "intervene")
"""Tables of the study of individual neurons."""


def make_tiny_run(folder: Path, study: str = WHOLE) -> Run:
    """Run a small study over hostile words in `folder` (models and corpora are written there)."""
    save_tiny("bert", folder / "base", head=AutoModelForMaskedLM)
    save_tiny("bert", folder / "tuned", head=AutoModelForSequenceClassification)
    _tune(folder / "base", folder / "tuned")
    _write_corpus(folder / "odd.jsonl", n=40, seed=0)
    _write_corpus(folder / "more.jsonl", n=24, seed=1)
    _write_texts(folder / "more.jsonl", folder / "said.tsv")
    (folder / "study.toml").write_text(study, encoding="utf-8")
    return run(folder / "study.toml", folder / "run", device="cpu")


def _tune(base: Path, tuned: Path) -> None:
    """Let a checkpoint be the base with noise added, and tell the corpora's classes."""
    from safetensors.torch import load_file, save_file

    own, before = (load_file(folder / "model.safetensors") for folder in (tuned, base))
    generator = torch.Generator().manual_seed(1)
    noisy = {
        name: before.get(name, weight) + 0.05 * torch.randn(weight.shape, generator=generator)
        for name, weight in own.items()
    }
    save_file(noisy, tuned / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((tuned / "config.json").read_text(encoding="utf-8"))
    config["id2label"] = {str(number): name for number, name in enumerate(CLASSES)}
    config["label2id"] = {name: number for number, name in enumerate(CLASSES)}
    (tuned / "config.json").write_text(json.dumps(config), encoding="utf-8")


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


def _write_texts(corpus: Path, path: Path) -> None:
    """Write the sentences of a corpus as texts with a class."""
    rows = [json.loads(line) for line in corpus.read_text(encoding="utf-8").splitlines()]
    lines = [f"{' '.join(row['words'])}\t{row['class']}" for row in rows]
    path.write_text("\n".join(["sentence\tlabel", *lines]) + "\n", encoding="utf-8")

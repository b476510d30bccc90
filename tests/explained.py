"""A tiny classifier with its concepts, their mapper and all that explanations need, made once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from transformers import AutoModelForSequenceClassification

from runs import CLASSES, HOSTILE, _tune
from tiny import save_tiny
from tunescope.activations.extract import extract
from tunescope.activations.store import ActivationStore
from tunescope.concepts.alignment.align import align
from tunescope.concepts.alignment.result import Alignment
from tunescope.concepts.discover import discover_concepts
from tunescope.concepts.layer_concepts import LayerConcepts
from tunescope.concepts.naming.result import NAMES, ConceptNames
from tunescope.corpus.table import Corpus
from tunescope.explanations.mapper import ConceptMapper
from tunescope.explanations.mapping import map_concepts
from tunescope.files import write_frame
from tunescope.manifest import begin, finish
from tunescope.steps import Name


@dataclass(frozen=True)
class Explained:
    model: Path
    store: ActivationStore
    concepts: LayerConcepts
    mapper: ConceptMapper
    alignment: Alignment


def hostile_corpus() -> Corpus:
    rng = np.random.default_rng(0)
    plain = [f"{a}{b}" for a in ("fox", "dog", "jump", "the", "sleep") for b in ("", "s", "er")]
    words = [*HOSTILE, *plain]
    sentences = [[words[i] for i in rng.integers(0, len(words), 7)] for _ in range(60)]
    tags = {"tag": [["<b>" if word in HOSTILE else "x" for word in words] for words in sentences]}
    classes = [CLASSES[n % 2] for n in range(60)]
    return Corpus.from_sentences(sentences, tags, classes=classes, name="odd")


def make_explained(folder: Path) -> Explained:
    save_tiny("bert", folder / "base")
    save_tiny("bert", folder / "tuned", head=AutoModelForSequenceClassification)
    _tune(folder / "base", folder / "tuned")
    store = extract(hostile_corpus(), folder / "tuned", folder / "store", device="cpu")
    concepts = discover_concepts(
        store, folder / "concepts", n_clusters=12, min_count=2, min_types=2, n_jobs=1
    )
    mapper = map_concepts(store, concepts, folder / "mapper", resamples=20, l2=0.01)
    alignment = align(concepts, None, folder / "alignment", permutations=2, theta_classes=0.5)
    return Explained(folder / "tuned", store, concepts, mapper, alignment)


def write_names(
    concepts: LayerConcepts, out: Path, names: dict[tuple[int, int], str]
) -> ConceptNames:
    """Name concepts as if a language model had."""
    step = Name(address="http://127.0.0.1:1/v1", model="nobody")
    inputs = {"concepts": concepts.key, "alignment": None, "prompt": ""}
    begin(out, step, inputs)
    rows = [(*key, name, "", "ok", "", "", 0, "", "nobody", 0.0) for key, name in names.items()]
    write_frame(out / "names.parquet", pd.DataFrame(rows, columns=NAMES))
    facts = {"concepts": concepts.model, "corpus": concepts.words.name, "failed": 0}
    finish(out, step, inputs, facts | {"status": {"ok": len(rows)}})
    return ConceptNames.load(out)

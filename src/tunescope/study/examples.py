"""Some predictions of a tuned model explained, kept in the run to be shown."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from tunescope.concepts.alignment.result import Alignment
from tunescope.concepts.layer_concepts import LayerConcepts
from tunescope.concepts.naming.result import ConceptNames
from tunescope.errors import InputError
from tunescope.explanations.explain import explain
from tunescope.explanations.explanation import Explanations
from tunescope.explanations.mapper import ConceptMapper
from tunescope.manifest import begin, finish
from tunescope.models.reference import ModelRef
from tunescope.steps import Explain
from tunescope.tasks.data import TaskData

LETTER = re.compile(r"\w")
EXAMPLES = 12
"""Texts explained, drawn at random."""


def explain_examples(
    model: ModelRef, concepts: LayerConcepts, mapper: ConceptMapper, texts: TaskData, out: Path, *,
    alignment: Alignment | None, names: ConceptNames | None = None, seed: int = 0, device: str,
    step: Explain,
) -> Explanations:  # fmt: skip
    """Explain the predictions for a few texts, or return those explained before.

    Parameters
    ----------
    model : ModelRef
        The classifier.
    concepts, mapper, alignment
        As `explain` takes them.
    texts : TaskData
        What examples are drawn from, with their classes.
    out : Path
        Folder that keeps them.
    names : ConceptNames, optional
        Names of the concepts.
    seed : int
        Seed of the draw.
    device : str
        Where the model runs.
    step : Explain
        Parameters.

    Raises
    ------
    InputError
        If there is no text, or the model is no classifier.
    """
    # What is nothing but signs or blanks has no word that could be salient.
    read = [row for row, text in enumerate(texts.texts) if all(map(LETTER.search, text))]
    if not read:
        raise InputError("no text of the task has a word to explain")
    drawn = texts.take(np.array(read)).draw(EXAMPLES, seed)
    inputs = {
        "model": model.hash,
        "concepts": concepts.key,
        "mapper": mapper.key,
        "alignment": None if alignment is None else alignment.key,
        "names": None if names is None else names.hash,
        "texts": drawn.hash,
    }
    if begin(out, step, inputs) is None:
        parts = [text[0] if len(text) == 1 else tuple(text) for text in drawn.texts]
        made = explain(
            model, concepts, mapper, *parts, alignment=alignment, names=names, device=device,
            step=step,
        )  # fmt: skip
        made.save(out / "examples.json")
        facts = {"model": model.name, "gold": [str(target) for target in drawn.targets]}
        finish(out, step, inputs, facts)
    return Explanations.load(out / "examples.json")

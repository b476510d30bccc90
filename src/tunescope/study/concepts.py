"""The part of a study about latent concepts: choose words, cluster them, align the clusters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tunescope.concepts.alignment import align
from tunescope.concepts.discover import check_enough, discover_concepts
from tunescope.concepts.selection import select_words
from tunescope.study.file import Study
from tunescope.study.jobs import ABSENT, Jobs
from tunescope.study.shared import common_rows, labels_of


def selection(study: Study, corpus: Any) -> Any:
    """Choose the words to cluster, before anything is tuned or extracted.

    Parameters
    ----------
    study : Study
        `[concepts]` has the rule.
    corpus : Corpus
        To choose from.

    Returns
    -------
    Corpus
        ABSENT where the corpus is, or no concepts are to be found.
    """
    if corpus is ABSENT or study.concepts is None:
        return ABSENT
    selected = select_words(corpus, study.concepts)
    check_enough(selected, study.concepts)
    return selected


def concepts(
    study: Study, out: Path, jobs: Jobs, name: str, selected: Any, stores: dict[str, Any]
) -> None:
    """Find the concepts of every model in one corpus, and align those of every pair.

    Parameters
    ----------
    study : Study
        With `[concepts]`.
    out : Path
        The run's folder.
    jobs : Jobs
        What doing a step means.
    name : str
        The corpus.
    selected : Corpus
        The words of it that are clustered.
    stores : dict of str to ActivationStore
        Activations of the study's models on it.
    """
    rows = common_rows(stores)
    if selected is ABSENT or rows is ABSENT:
        words: Any = ABSENT
    else:
        whole = next(iter(stores.values())).corpus
        places = selected.rows_in(whole)
        words = selected.select(np.flatnonzero(np.isin(places, rows)))
    found = {
        model: jobs.do(
            "concepts", f"{name}/{model}", out / "concepts" / name / model,
            discover_concepts, store, words=words, step=study.concepts,
        )
        for model, store in stores.items()
    }  # fmt: skip
    if study.align is None:
        return
    step = study.align
    if step.labels is not None and words is not ABSENT:
        step = replace(step, labels=tuple(labels_of(words, step.labels)))
    for base, tuned in study.pairs:
        jobs.do(
            "align", f"{name}/{base}--{tuned}", out / "alignment" / name / f"{base}--{tuned}",
            align, found[base], found[tuned], words=words, step=step,
        )  # fmt: skip

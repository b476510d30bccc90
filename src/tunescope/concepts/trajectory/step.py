"""The trace step: concepts of a base model, its checkpoints and the tuned model, in one picture.

A unit of work is one layer; finished ones are kept when a run is interrupted.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from tunescope.activations.store import layer_folder
from tunescope.concepts.clustering import Clustering
from tunescope.concepts.comparable import check_clustered_alike, shared_layers
from tunescope.concepts.layer_concepts import LayerConcepts
from tunescope.concepts.trajectory.flows import (
    concept_frame,
    flow_frame,
    group_concepts,
    group_frame,
)
from tunescope.concepts.trajectory.layer import Classes, LayerPath, count_frame, fate_frame
from tunescope.concepts.trajectory.points import check_tuning, point_frame
from tunescope.concepts.trajectory.result import FRAMES, ConceptTrace
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError, MismatchError
from tunescope.files import hash_json, kept_frames, write_frame
from tunescope.manifest import begin, finish, only_looking
from tunescope.models.tuned import TunedModel
from tunescope.parameters import step_function
from tunescope.steps import Trace

PARTS = "parts"
"""Folder of what is done of a run that is not finished."""


@step_function(Trace)
def trace_concepts(
    concepts: Sequence[LayerConcepts | Path | str],
    out: Path | str,
    *,
    fractions: Sequence[float] | None = None,
    tuning: TunedModel | Path | str | None = None,
    words: Corpus | Sequence[Corpus] | None = None,
    step: Trace,
) -> ConceptTrace:
    """Follow concepts from the base model over checkpoints to the tuned one.

    Parameters
    ----------
    concepts : sequence of LayerConcepts or path
        Concepts of the base model, of each checkpoint in order, and of the tuned model last: all of
        the same words and made with the same parameters.
    out : path
        Folder for the result. A finished one for the same inputs is returned as it is; an
        interrupted one goes on with the layers that are missing.
    fractions : sequence of float, optional
        Share of the training done at each: 0 first, 1 last. May be left out where `tuning` has them
        all.
    tuning : TunedModel or path, optional
        The tuned model: says how many updates there were, how many texts had been seen, and how
        well each checkpoint does the task.
    words : Corpus or sequence of Corpus, optional
        The same words with other classes than when they were clustered; or for each point its own,
        with what its model predicts (`with_predictions`), where it predicts anything.
    step : Trace
        The parameters; they may be given as keywords instead.

    Returns
    -------
    ConceptTrace

    Raises
    ------
    InputError
        If there are fewer than two, or shares of the training are missing or do not rise from 0
        to 1.
    MismatchError
        If concepts are of different words, were made with different parameters, or are of other
        models than `tuning` started from, kept and ended with.
    """
    found = [c if isinstance(c, LayerConcepts) else LayerConcepts.load(c) for c in concepts]
    if len(found) < 2:
        raise InputError("trace_concepts(): give the base model's and the tuned model's concepts")
    tables = _words_of(found, words)
    _check_comparable(found, tables)
    if tuning is not None and not isinstance(tuning, TunedModel):
        tuning = TunedModel.load(tuning)
    points = point_frame([c.model for c in found], fractions, tuning)
    if tuning is not None and not only_looking():
        check_tuning(found, points["fraction"].tolist(), tuning)
    gold, predicted = _classes(tables)
    inputs = {
        "corpus": tables[0].name,
        "concepts": [c.key for c in found],
        "points": hash_json(points.drop(columns="model").astype(float).fillna(-1).values.tolist()),
        "classes": hash_json([[c.names, c.codes.tolist()] for c in (gold, *(predicted or ()))]),
    }
    layers = shared_layers(*(c.layers for c in found), what="the models")
    out = Path(out)
    if begin(out, step, inputs) is None:
        sentences = tables[0].words["sentence"].to_numpy()
        title = f"trace {found[0].model} to {found[-1].model}"

        def of_layer(layer: int) -> dict[str, pd.DataFrame]:
            at_points = tuple(_clustering(c, layer, i) for i, c in enumerate(found))
            return _frames(LayerPath(at_points, sentences, gold, predicted, step), found[0])

        units = [
            kept_frames(out / PARTS / layer_folder(layer), partial(of_layer, layer))
            for layer in tqdm(layers, desc=title, unit="layer")
        ]
        write_frame(out / "points.parquet", _of_corpus(points, tables[0]))
        for name in FRAMES[1:]:
            joined = pd.concat([unit[name] for unit in units], ignore_index=True)
            write_frame(out / f"{name}.parquet", _of_corpus(joined, tables[0]))
        facts = {
            "base": found[0].model,
            "tuned": found[-1].model,
            "corpus": tables[0].name,
            "n_points": len(found),
            "classes": list(gold.names),
            "predicted": predicted is not None,
        }
        finish(out, step, inputs, facts)
        shutil.rmtree(out / PARTS, ignore_errors=True)
    return ConceptTrace.load(out)


def _of_corpus(frame: pd.DataFrame, words: Corpus) -> pd.DataFrame:
    frame.insert(0, "corpus", words.name)
    return frame


def _frames(path: LayerPath, base: LayerConcepts) -> dict[str, pd.DataFrame]:
    """All tables of one layer."""
    groups = group_concepts(path)
    fates = fate_frame(path)
    described = concept_frame(path, groups)
    described["words"] = [text for p in path.points for text in base.top_words(p.labels)]
    return {
        "counts": count_frame(path, fates),
        "fates": fates,
        "concepts": described,
        "groups": group_frame(path, groups),
        "flows": flow_frame(path, groups),
    }


def _clustering(concepts: LayerConcepts, layer: int, point: int) -> Clustering:
    role = "base" if point == 0 else "tuned"
    labels, types = concepts.labels(layer), concepts.types
    return Clustering(concepts.model, role, layer, labels, types, concepts.step.min_types)


def _words_of(
    concepts: list[LayerConcepts], words: Corpus | Sequence[Corpus] | None
) -> list[Corpus]:
    """Return the words with their classes, one corpus for each point."""
    if words is None:
        return [c.words for c in concepts]
    if isinstance(words, Corpus):
        return [words] * len(concepts)
    if len(words) != len(concepts):
        raise InputError(f"words: {len(words)} corpora for {len(concepts)} models; give one each")
    return list(words)


def _check_comparable(concepts: list[LayerConcepts], tables: list[Corpus]) -> None:
    first = concepts[0]
    for other, words in zip(concepts, tables, strict=True):
        if (
            first.words.word_hash != other.words.word_hash
            or words.word_hash != other.words.word_hash
        ):
            raise MismatchError(
                f"{other.path}: its words are not those of {first.path}; give all models the same "
                "selection, and words= the selection that was clustered"
            )
        check_clustered_alike(first, other)


def _classes(tables: list[Corpus]) -> tuple[Classes, tuple[Classes, ...] | None]:
    """Gold classes, and what each point's model predicts; the base model may predict nothing."""
    gold = tables[0].of_sentence("class")
    nothing = np.full(len(gold), None)
    told = ["predicted" in table.sentences.column_names for table in tables]
    columns = [
        table.of_sentence("predicted") if known else nothing
        for table, known in zip(tables, told, strict=True)
    ]
    every = {name for column in (gold, *columns) for name in column}
    names = tuple(sorted(every - {None}))
    number = {name: code for code, name in enumerate(names)}

    def codes(column: np.ndarray) -> Classes:
        return Classes(names, np.array([number.get(name, -1) for name in column], np.int64))

    predicted = tuple(codes(column) for column in columns) if any(told) else None
    return codes(gold), predicted

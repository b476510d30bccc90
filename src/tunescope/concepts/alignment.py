"""The align step: everything said about one base and one tuned model over one corpus."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pyarrow as pa
from tqdm.auto import tqdm

from tunescope.concepts.annotation import LABELS, POLARITY, Codes, label_row, polarity_rows
from tunescope.concepts.clustering import Clustering, clusterings
from tunescope.concepts.fates import concept_frame
from tunescope.concepts.layer_concepts import LayerConcepts
from tunescope.concepts.retention import MATRIX, RETENTION, matrix_row, retention_row
from tunescope.corpus.table import Corpus
from tunescope.errors import MismatchError
from tunescope.files import hash_json, read_table, write_table
from tunescope.manifest import begin, finish
from tunescope.parameters import step_function
from tunescope.results import StepResult
from tunescope.steps import Align, Step

FRAMES = ("retention", "matrix", "labels", "polarity", "concepts")


@dataclass(frozen=True, eq=False)
class Alignment(StepResult):
    """Concepts of a base model aligned with those of a tuned one, with labels and with classes.

    Every frame has a first column `corpus`; `role` is "base" or "tuned".

    Parameters
    ----------
    path : Path
        Folder written by `align`.
    manifest : Manifest
        How it was made.
    """

    made_by: ClassVar[type[Step]] = Align

    @cached_property
    def retention(self) -> pd.DataFrame:
        """One row per layer of both models: concepts retained, lost and born, and the null."""
        return self._frame("retention")

    @cached_property
    def matrix(self) -> pd.DataFrame:
        """One row per base layer and tuned layer: the share of base concepts retained."""
        return self._frame("matrix")

    @cached_property
    def labels(self) -> pd.DataFrame:
        """One row per model, layer and label column: concepts aligned, labels covered, null."""
        return self._frame("labels")

    @cached_property
    def polarity(self) -> pd.DataFrame:
        """One row per model, layer and class ("" for all): polarised concepts and the null."""
        return self._frame("polarity")

    @cached_property
    def concepts(self) -> pd.DataFrame:
        """One row per model, layer and concept (see `concepts.fates`)."""
        return self._frame("concepts")

    def _frame(self, name: str) -> pd.DataFrame:
        return read_table(self.path / f"{name}.parquet").to_pandas()

    def headline(self) -> str:
        """Return which models, which corpus, at which threshold."""
        facts, step = self.manifest.facts, self.manifest.parameters
        models = f"{facts['base']} with {facts['tuned']}" if facts["tuned"] else facts["base"]
        return (
            f"Alignment of {models} on {facts['corpus']!r}: theta = {step['theta']:g} by "
            f"{step['overlap']}, {step['permutations']} permutations"
        )

    def table(self) -> pd.DataFrame:
        """Return, per layer, the fate of concepts beside the polarised ones of both models.

        Of a single model: the label table.
        """
        if self.retention.empty:
            return self.labels
        columns = ["layer", "n_base", "retained", "retained_share", "retained_low", "retained_high"]
        columns += ["lost", "n_tuned", "born", "null_mean", "p"]
        table = pd.DataFrame(self.retention[columns])
        total = self.polarity[self.polarity["class"] == ""]
        for role in ("base", "tuned"):
            new = {"polarised": f"polarised_{role}", "null_high": f"null_high_{role}"}
            part = pd.DataFrame(total[total["role"] == role]).rename(columns=new)
            table = table.merge(part[["layer", *new.values()]], on="layer", how="left")
        return table


@step_function(Align)
def align(
    base: LayerConcepts | Path | str,
    tuned: LayerConcepts | Path | str | None,
    out: Path | str,
    *,
    words: Corpus | None = None,
    step: Align,
) -> Alignment:
    """Align the concepts of a base model with a tuned one, with labels and with classes.

    Parameters
    ----------
    base : LayerConcepts or path
        Concepts of the base model.
    tuned : LayerConcepts or path, or None
        Concepts of the tuned model, of the same words and with the same parameters. With None,
        `base` is aligned with labels and classes alone.
    out : path
        Folder for the result; a finished one for the same inputs is returned as it is.
    words : Corpus, optional
        The same words with other labels or classes than when they were clustered.
    step : Align
        The parameters; they may be given as keywords instead.

    Returns
    -------
    Alignment

    Raises
    ------
    InputError
        If a label column is not there.
    MismatchError
        If the two models' concepts are of different words, or were made with different parameters.
    """
    base = base if isinstance(base, LayerConcepts) else LayerConcepts.load(base)
    if tuned is not None and not isinstance(tuned, LayerConcepts):
        tuned = LayerConcepts.load(tuned)
    words = base.words if words is None else words
    _check_comparable(base, tuned, words)
    columns = {c: Codes.of(words.values(c)) for c in _label_columns(words, step)}
    classes = Codes.of(words.of_sentence("class"))
    inputs = {
        "base": base.key,
        "tuned": tuned.key if tuned is not None else None,
        "words": words.word_hash,
        "annotation": hash_json(
            [[name, column.names, column.codes.tolist()] for name, column in columns.items()]
            + [classes.names, classes.codes.tolist()]
        ),
    }
    out = Path(out)
    if begin(out, step, inputs) is None:
        frames = _frames(base, tuned, words, columns, classes, step)
        for name, frame in zip(FRAMES, frames, strict=True):
            frame.insert(0, "corpus", words.name)
            table = pa.Table.from_pandas(frame, preserve_index=False)
            write_table(out / f"{name}.parquet", table.replace_schema_metadata(None))
        facts = {
            "base": base.model,
            "tuned": tuned.model if tuned is not None else None,
            "corpus": words.name,
            "labels": list(columns),
            "classes": list(classes.names),
        }
        finish(out, step, inputs, facts)
    return Alignment.load(out)


def _label_columns(words: Corpus, step: Align) -> tuple[str, ...]:
    return words.labels if step.labels is None else step.labels


def _check_comparable(base: LayerConcepts, tuned: LayerConcepts | None, words: Corpus) -> None:
    if words.word_hash != base.words.word_hash:
        raise MismatchError(
            f"the words given are not those of {base.path}: give the selection that was clustered"
        )
    if tuned is None:
        return
    if tuned.words.word_hash != base.words.word_hash:
        raise MismatchError(
            f"{base.path} and {tuned.path} are concepts of different words: "
            "give both models the same selection"
        )
    for name in ("n_clusters", "linkage", "min_types"):
        ours, theirs = getattr(base.step, name), getattr(tuned.step, name)
        if ours != theirs:
            raise MismatchError(
                f"{base.path} has {name} = {ours!r}, {tuned.path} has {theirs!r}: "
                "cluster both models with the same parameters"
            )


def _frames(
    base: LayerConcepts,
    tuned: LayerConcepts | None,
    words: Corpus,
    columns: dict[str, Codes],
    classes: Codes,
    step: Align,
) -> tuple[pd.DataFrame, ...]:
    """Compute the frames named in `FRAMES`."""
    of_base = clusterings(base, "base")
    of_tuned = clusterings(tuned, "tuned") if tuned is not None else {}
    both = [layer for layer in of_base if layer in of_tuned]
    sentences = words.words["sentence"].to_numpy()
    every: list[tuple[Clustering, Clustering | None]] = [
        *((here, of_tuned.get(layer)) for layer, here in of_base.items()),
        *((here, of_base.get(layer)) for layer, here in of_tuned.items()),
    ]
    with tqdm(desc="align", total=len(both) + len(every), unit="layer") as bar:
        retention = []
        for layer in both:
            retention.append(retention_row(of_base[layer], of_tuned[layer], step))
            bar.update()
        labels, polarity, fates = [], [], []
        for here, other in every:
            labels += [label_row(here, name, codes, step) for name, codes in columns.items()]
            if classes.names:
                polarity += polarity_rows(here, sentences, classes, step)
            fates.append(concept_frame(here, other, columns, sentences, classes, step))
            bar.update()
    matrix = [matrix_row(a, b, step) for a, b in product(of_base.values(), of_tuned.values())]
    return (
        pd.DataFrame(retention, columns=RETENTION),
        pd.DataFrame(matrix, columns=MATRIX),
        pd.DataFrame(labels, columns=LABELS),
        pd.DataFrame(polarity, columns=POLARITY),
        pd.concat(fates, ignore_index=True),
    )

"""The class that a tuned model predicts for every sentence of a corpus, kept in the run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pandas as pd

from tunescope.corpus.table import Corpus
from tunescope.files import hash_json, read_frame, write_frame
from tunescope.manifest import begin, finish
from tunescope.steps import Step

if TYPE_CHECKING:
    from tunescope.models.reference import ModelRef

FILE = "predicted.parquet"


@dataclass(frozen=True)
class Predict(Step):
    """Predict the class of sentences; there is nothing to be set."""

    name: ClassVar[str] = "predict"


def predict_classes(corpus: Corpus, model: ModelRef, out: Path, *, device: str = "auto") -> Corpus:
    """Return the corpus with the classes that a model predicts, from `out` where it did before.

    Parameters
    ----------
    corpus : Corpus
        Where its sentences have classes, these must be among the model's.
    model : ModelRef
        The classifier.
    out : Path
        Folder that keeps them.
    device : str
        Where the model runs.

    Raises
    ------
    InputError
        If the model is no classifier, or its classes are not those of the corpus.
    """
    from tunescope.models.predictions import PREDICTED, with_predictions

    classes = corpus.of_sentence("class").tolist()
    inputs = {
        "corpus": corpus.word_hash,
        "classes": hash_json([classes, model.source.classes]),
        "model": model.hash,
    }
    if begin(out, Predict(), inputs) is None:
        said = with_predictions(corpus, model, classes=model.source.classes, device=device)
        made = said.of_sentence(PREDICTED)
        write_frame(out / FILE, pd.DataFrame({PREDICTED: made}))
        known = [(a, b) for a, b in zip(classes, made, strict=True) if a is not None]
        right = sum(a == b for a, b in known)
        finish(out, Predict(), inputs, {"model": model.name, "right": right, "of": len(known)})
    return corpus.with_sentence_column(PREDICTED, read_frame(out / FILE)[PREDICTED].tolist())

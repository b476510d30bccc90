"""The class that a tuned model predicts for each sentence of a corpus, in the corpus's own names.

Polarity by predicted class (Durrani et al. 2022, arXiv 2210.12696) and triggers ask for what the
model says of a sentence beside what is true of it; both have to be called by the same names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tunescope.corpus.table import Corpus
from tunescope.errors import InputError, NotApplicable
from tunescope.models.heads import Head, load_head
from tunescope.models.predicting import answers, predict
from tunescope.models.reference import ModelRef, ModelSource

PREDICTED = "predicted"
"""Name of the sentence column."""

UNNAMED = re.compile(r"label_(\d+)", re.IGNORECASE)
"""What transformers calls classes that nobody named."""


def with_predictions(
    corpus: Corpus,
    model: str | Path | ModelSource | ModelRef | Head,
    *,
    classes: Sequence[str] | Mapping[str, str] | None = None,
    column: str = PREDICTED,
    max_length: int = 128,
    batch_size: int = 64,
    device: str = "auto",
) -> Corpus:
    """Return the corpus with a sentence column that holds the class a model predicts.

    Parameters
    ----------
    corpus : Corpus
        Its sentences are given to the model as their words joined by blanks, as in a task made
        from it (`Task.from_corpus`).
    model : str, Path, ModelSource, ModelRef or Head
        A checkpoint with a head for sentence classification, or that head live.
    classes : sequence of str, or mapping of str to str, optional
        The corpus's names of the model's classes, in the order of its outputs or by the model's
        names. When not given, names are matched (`match_classes`).
    column : str
        Name of the column.
    max_length : int
        Longest input in subwords; the rest of a sentence is cut off.
    batch_size : int
        Sentences in one forward pass.
    device : str
        `auto`, `cpu`, `cuda:1`, ...; not used for a live head.

    Returns
    -------
    Corpus
        The same words, so stores and concepts made from `corpus` belong to it.

    Raises
    ------
    InputError
        If the model is no classifier, or its classes cannot be matched with the corpus's.
    """
    head = load_classifier_head(model, device)
    what = f"corpus {corpus.name!r}"
    names = match_classes(head.classes, corpus.classes, classes, model=head.name, what=what)
    texts = [(" ".join(words),) for words in corpus.sentences["words"].to_pylist()]
    logits = predict(
        head.model, head.tokenizer, texts, max_length=max_length, batch_size=batch_size
    )
    return corpus.with_sentence_column(column, [str(name) for name in answers(logits, names)])


def load_classifier_head(
    model: str | Path | ModelSource | ModelRef | Head, device: str = "auto"
) -> Head:
    """Load a sentence classifier, or check that a live head is one.

    Raises
    ------
    InputError
        If the model is none.
    """
    head = model if isinstance(model, Head) else load_head(model, measure="task", device=device)
    if head.measure != "task":
        raise InputError(
            f"model {head.name!r} predicts no class of a sentence: give a checkpoint tuned on a "
            "classification task"
        )
    return head


def match_classes(
    own: Sequence[str],
    wanted: Sequence[str],
    given: Sequence[str] | Mapping[str, str] | None = None,
    *,
    model: str = "model",
    what: str = "the data",
) -> tuple[str, ...]:
    """Return, for each output of a model, the name its class has in the data.

    Names are the same, or the same but for upper and lower case, or the model's are `LABEL_0`,
    `LABEL_1`, ... and the data's those numbers. Nothing is guessed from order.

    Parameters
    ----------
    own : sequence of str
        The model's names, in the order of its outputs.
    wanted : sequence of str
        The data's names; with none, the model's own are right. The model may know further classes.
    given : sequence of str, or mapping of str to str, optional
        The data's names, in the order of the outputs or by the model's names.
    model, what : str
        Name of the model, and what the data are, for messages.

    Raises
    ------
    InputError
        If a class of the data is not among those of the model; the message names both lists.

    Examples
    --------
    >>> match_classes(["NEGATIVE", "POSITIVE"], ["negative", "positive"])
    ('negative', 'positive')
    >>> match_classes(["LABEL_0", "LABEL_1"], ["0", "1"])
    ('0', '1')
    >>> match_classes(["LABEL_0", "LABEL_1"], ["bad", "good"], ["bad", "good"])
    ('bad', 'good')
    """
    if given is not None:
        names = _given(own, given, model)
    elif set(wanted) <= set(own):
        return tuple(own)
    else:
        names = _alike(own, wanted)
    if len(set(names)) < len(names):
        raise InputError(f"model {model!r}: two of its classes would be called the same: {names}")
    if lacking := sorted(set(wanted) - set(names)):
        raise NotApplicable(
            f"model {model!r} predicts {', '.join(map(repr, own))}, but {lacking[0]!r} is a class "
            f"of {what} (all: {', '.join(map(repr, wanted))}); give classes = the names in {what} "
            f"of the model's {len(own)} outputs, in their order"
        )
    return tuple(names)


def _given(own: Sequence[str], given: Sequence[str] | Mapping[str, str], model: str) -> list[str]:
    if isinstance(given, Mapping):
        if unknown := sorted(set(given) - set(own)):
            raise InputError(
                f"model {model!r} has no class {unknown[0]!r}; it has {', '.join(map(repr, own))}"
            )
        return [given.get(name, name) for name in own]
    if isinstance(given, str) or len(given) != len(own):
        raise InputError(
            f"classes = {given!r}: model {model!r} has {len(own)} outputs; name as many"
        )
    return list(given)


def _alike(own: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Call each class as the data calls the one that must be meant, or leave its name."""
    folded: dict[str, list[str]] = {}
    for name in wanted:
        folded.setdefault(name.casefold(), []).append(name)
    names = []
    for name in own:
        numbered = UNNAMED.fullmatch(name)
        meant = folded.get(name.casefold()) or (folded.get(numbered[1]) if numbered else None)
        names.append(meant[0] if meant and len(meant) == 1 else name)
    return names

"""Lists of sentences become the corpus's Arrow tables; every check on words and labels is here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import chain

import numpy as np
import pyarrow as pa

from tunescope.corpus.table import OF_EVERY_SENTENCE, RESERVED, SPLITS, Corpus
from tunescope.errors import InputError, MismatchError, nearest

# Control characters (Cc) and halves of surrogate pairs. Format characters (Cf: soft hyphens,
# joiners, directional marks) are part of how words are written and stay.
FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

Where = Callable[[int, int | None], str]


def build_corpus(
    sentences: Sequence[Sequence[str]],
    labels: Mapping[str, Sequence[Sequence[str | None]]],
    *,
    classes: Sequence[str | None] | None = None,
    splits: Sequence[str | None] | None = None,
    ids: Sequence[str] | None = None,
    name: str = "corpus",
    where: Where | None = None,
) -> Corpus:
    """Check lists of sentences and make a corpus of them.

    Parameters
    ----------
    sentences : sequence of sequences of str
        The words.
    labels : mapping of str to sequences of sequences of str or None
        Label columns: one label per word, None where unknown.
    classes, splits, ids : sequences, optional
        One value per sentence; ids are numbers from 0 when not given.
    name : str
        For messages and pages.
    where : callable (sentence, word or None) -> str, optional
        Says in error messages where a word comes from (file and line).

    Raises
    ------
    InputError
        If there is no sentence, a sentence is empty, a word or label is blank or holds a control
        character, lengths differ, or a split is not train, dev or test.
    """

    def in_lists(sentence: int, word: int | None) -> str:
        return f"corpus {name!r}, sentences[{sentence}]" + ("" if word is None else f"[{word}]")

    where = where or in_lists
    if len(sentences) == 0:
        raise InputError(f"corpus {name!r} has no sentences")
    lengths = np.array([_length(words, where(i, None)) for i, words in enumerate(sentences)])
    forms = list(chain.from_iterable(sentences))
    _check_texts(forms, lengths, "word", where)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    columns: dict[str, pa.Array] = {
        "sentence": pa.array(np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)),
        "position": pa.array(
            (np.arange(len(forms)) - np.repeat(starts[:-1], lengths)).astype(np.int32)
        ),
        "form": pa.array(forms, pa.string()),
    }
    for label, values in labels.items():
        if label in RESERVED:
            raise InputError(f"corpus {name!r}: a label column may not be named {label!r}")
        columns[label] = _label_column(label, values, lengths, where, name)
    per_sentence = {"id": ids, "class": classes, "split": splits}
    for key, given in per_sentence.items():
        if given is not None and len(given) != len(lengths):
            raise InputError(
                f"corpus {name!r}: {len(given)} values of {key} for {len(lengths)} sentences"
            )
    ids = [str(i) for i in range(len(lengths))] if ids is None else ids
    classes = [None] * len(lengths) if classes is None else classes
    splits = [None] * len(lengths) if splits is None else splits
    _check_values(ids, classes, splits, where)
    words = pa.ListArray.from_arrays(pa.array(starts, pa.int32()), columns["form"])
    table = pa.table(
        {
            "id": pa.array(ids, pa.string()),
            "words": words,
            "class": pa.array(classes, pa.string()),
            "split": pa.array(splits, pa.string()),
        }
    )
    return Corpus(table, pa.table(columns), name)


def sentence_column(corpus: Corpus, column: str, values: Sequence[str | None]) -> pa.Array:
    """Check a further column of a corpus's sentences and make it (`with_sentence_column`)."""
    where = f"corpus {corpus.name!r}, sentence column {column!r}"
    if column in OF_EVERY_SENTENCE or _problem(column):
        raise InputError(f"{where}: give it another name; every corpus has {OF_EVERY_SENTENCE}")
    if len(values) != corpus.n_sentences:
        raise InputError(f"{where}: {len(values)} values for {corpus.n_sentences} sentences")
    for sentence, value in enumerate(values):
        if value is not None and (problem := _problem(value)):
            raise InputError(f"{where}: the value {value!r} of sentence {sentence} {problem}")
    return pa.array(values, pa.string())


def rows_in(selection: Corpus, whole: Corpus) -> np.ndarray:
    """Return, for each word of `selection`, its row in `whole`, shape (n_words,).

    Words are the same when sentence and position are.

    Raises
    ------
    MismatchError
        If the corpora do not hold the same sentences, or a word is not in `whole`.
    """
    if not selection.sentences["words"].equals(whole.sentences["words"]):
        raise MismatchError(
            f"corpora {selection.name!r} and {whole.name!r} hold different sentences: "
            "make both from the same corpus"
        )
    known, wanted = _keys(whole), _keys(selection)
    rows = np.searchsorted(known, wanted)
    found = np.append(known, -1)[rows] == wanted
    if not found.all():
        sentence, position = divmod(int(wanted[~found][0]), 2**32)
        raise MismatchError(
            f"{(~found).sum()} of {len(wanted)} words of corpus {selection.name!r} are not in "
            f"{whole.name!r}; the first is word {position} of sentence {sentence}"
        )
    return rows


def _keys(corpus: Corpus) -> np.ndarray:
    """One number per word, growing with sentence and position."""
    sentence = corpus.words["sentence"].to_numpy().astype(np.int64)
    return sentence * 2**32 + corpus.words["position"].to_numpy()


def _length(words: Sequence[str], place: str) -> int:
    if isinstance(words, str):
        raise InputError(f"{place}: {words!r} is text; give a list of words")
    if len(words) == 0:
        raise InputError(f"{place}: the sentence has no words")
    return len(words)


def _label_column(
    label: str,
    values: Sequence[Sequence[str | None]],
    lengths: np.ndarray,
    where: Where,
    name: str,
) -> pa.Array:
    if len(values) != len(lengths):
        raise InputError(
            f"corpus {name!r}: {len(values)} sentences of {label!r} labels for "
            f"{len(lengths)} sentences"
        )
    for i, (row, length) in enumerate(zip(values, lengths, strict=True)):
        if isinstance(row, str) or len(row) != length:
            found = "text" if isinstance(row, str) else f"{len(row)} labels"
            raise InputError(f"{where(i, None)}: {found} in {label!r} for {length} words")
    flat = list(chain.from_iterable(values))
    _check_texts(flat, lengths, f"{label!r} label", where)
    return pa.array(flat, pa.string())


def _check_texts(flat: list, lengths: np.ndarray, what: str, where: Where) -> None:
    optional = what != "word"
    row = next(
        (
            row
            for row, text in enumerate(flat)
            if not isinstance(text, str) and not (optional and text is None)
        ),
        None,
    )
    if row is None:
        # Every different text is checked once; its place is looked for only when it is wrong.
        wrong = {text for text in set(flat) if text is not None and _problem(text)}
        row = next((row for row, text in enumerate(flat) if text in wrong), None)
    if row is not None:
        ends = np.cumsum(lengths)
        sentence = int(np.searchsorted(ends, row, side="right"))
        word = row - int(ends[sentence] - lengths[sentence])
        place = where(sentence, word)
        raise InputError(f"{place}: the {what} {flat[row]!r} {_problem(flat[row])}")


def _problem(text: object) -> str | None:
    if not isinstance(text, str):
        return "is not text"
    if not text or text.isspace():
        return "is blank"
    if control := FORBIDDEN.search(text):
        return (
            f"holds the control character U+{ord(control.group()):04X}; remove it (sentences given "
            'as text can be read with control_characters = "space")'
        )
    return None


def _check_values(
    ids: Sequence[str],
    classes: Sequence[str | None],
    splits: Sequence[str | None],
    where: Where,
) -> None:
    for i, (identity, class_, split) in enumerate(zip(ids, classes, splits, strict=True)):
        if problem := _problem(identity):
            raise InputError(f"{where(i, None)}: the id {identity!r} {problem}")
        if class_ is not None and (problem := _problem(class_)):
            raise InputError(f"{where(i, None)}: the class {class_!r} {problem}")
        if split is not None and split not in SPLITS:
            hint = nearest(str(split), SPLITS)
            raise InputError(f"{where(i, None)}: unknown split {split!r}; {hint}")

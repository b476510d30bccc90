"""A further label column of a corpus's words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tunescope.corpus.build import FORBIDDEN
from tunescope.corpus.table import OF_EVERY_SENTENCE, RESERVED, Corpus
from tunescope.errors import InputError


def check_column(corpus: Corpus, column: str, *, replace: bool = False) -> None:
    """Check that a corpus can have a label column of that name.

    Parameters
    ----------
    corpus : Corpus
        The words.
    column : str
        The name.
    replace : bool
        Whether a column of that name may be there already.

    Raises
    ------
    InputError
        If the name is reserved, taken, blank or holds a control character.
    """
    taken = () if replace else corpus.labels
    if not column.strip() or FORBIDDEN.search(column) or column in (*RESERVED, "class"):
        reserved = ", ".join((*RESERVED, *OF_EVERY_SENTENCE))
        raise InputError(f"a label column may not be named {column!r} (nor {reserved})")
    if column in taken:
        raise InputError(
            f"corpus {corpus.name!r} has a column {column!r} already: give it another name"
        )


def with_labels(
    corpus: Corpus, column: str, values: Sequence[str | None] | np.ndarray, *, replace: bool = False
) -> Corpus:
    """Return the corpus with one more label column; what was made from its words stays valid.

    Parameters
    ----------
    corpus : Corpus
        The words.
    column : str
        Name of the column.
    values : sequence of str or None, shape (n_words,)
        The labels.
    replace : bool
        Whether a column of that name gives way.

    Raises
    ------
    InputError
        If the name cannot be used, or a label is blank or holds a control character.
    """
    import pyarrow as pa

    check_column(corpus, column, replace=replace)
    for value in sorted({value for value in values if value is not None}):
        if not value.strip() or FORBIDDEN.search(value):
            raise InputError(f"label {value!r} of column {column!r} is blank or no plain text")
    made = pa.array(list(values), pa.string())
    table = corpus.words
    if column in table.column_names:
        table = table.set_column(table.column_names.index(column), column, made)
    else:
        table = table.append_column(column, made)
    return Corpus(corpus.sentences, table, corpus.name)

"""Column files of the Parallel Meaning Bank (Abzianidze et al. 2017; release 4.0.0).

Columns: token, token again, symbol, semantic tag, CCG category, word sense, semantic roles. A
comment before each sentence names the layers (`# tok:gold` and so on) between tabs, so it looks
like a row.
"""

from __future__ import annotations

from collections.abc import Iterator

from tunescope.corpus.conll import read_columns
from tunescope.corpus.sentence import Sentence
from tunescope.corpus.source import CorpusSource

COLUMNS = {"form": 0, "sem": 3, "ccg": 4}


def read_pmb(source: CorpusSource) -> Iterator[Sentence]:
    """Yield the sentences of a PMB file; a `~` inside a token is the blank that it stands for.

    Raises
    ------
    InputError
        If rows have different numbers of columns or a named column is not there.
    """
    for sentence in read_columns(source, COLUMNS, _is_comment):
        sentence.words = [
            word.replace("~", " ") if word.strip("~") else word for word in sentence.words
        ]
        yield sentence


def _is_comment(line: str) -> bool:
    # A word may begin with #, but no token holds a blank.
    return line.startswith(("# ", "###")) or (line.startswith("#") and "\t" not in line)

"""One line of a clusters file: `word|||occurrence|||sentence|||token|||cluster`.

It is read from the right, as a word may hold `|||`. The occurrence counts the word's type over the
corpus, from 1; sentence and token are numbers from 0. The first says nothing that the other two do
not, so on reading it only has to be a number.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tunescope.corpus.lines import read_lines
from tunescope.errors import InputError

SEPARATOR = "|||"
FIELDS = "word|||occurrence|||sentence|||token|||cluster"
NUMBER = re.compile(r"\s*[0-9]{1,18}\s*")


@dataclass(frozen=True, eq=False)
class ClusterLines:
    """What a clusters file says, in the order of the corpus.

    Parameters
    ----------
    path : Path
        The file.
    sentence, position : numpy.ndarray of int64, shape (n_words,)
        Where each word stands.
    cluster : numpy.ndarray of int64, shape (n_words,)
        Its cluster, by the number the file gives it.
    line : numpy.ndarray of int64, shape (n_words,)
        The line it is on, from 1.
    """

    path: Path
    sentence: np.ndarray
    position: np.ndarray
    cluster: np.ndarray
    line: np.ndarray

    @property
    def keys(self) -> np.ndarray:
        """One number per word, growing with sentence and position."""
        return self.sentence * 2**32 + self.position


def read_clusters(path: Path, sentences: Sequence[Sequence[str]]) -> ClusterLines:
    """Read a clusters file line by line, and check each word against its sentence.

    Parameters
    ----------
    path : Path
        The file, in UTF-8.
    sentences : sequence of sequences of str
        The words of each sentence.

    Returns
    -------
    ClusterLines

    Raises
    ------
    InputError
        With file and line: if a field is missing or no number, the sentence or the word is not
        there or is another one, or a word comes twice; if there is no line at all.
    """
    columns = [array("q") for _ in range(4)]
    for number, line in read_lines(path):
        if not line or line.isspace():
            continue
        word, *numbers = line.rsplit(SEPARATOR, 4)
        if len(numbers) < 4:
            raise InputError(f"{path}, line {number}: {len(numbers) + 1} fields, not {FIELDS}")
        for name, text in zip(FIELDS.split(SEPARATOR)[1:], numbers, strict=True):
            if not NUMBER.fullmatch(text):
                raise InputError(f"{path}, line {number}: {name} is {text!r}, not a number")
        _, sentence, position, cluster = map(int, numbers)
        _check_word(word, sentence, position, sentences, f"{path}, line {number}")
        for column, value in zip(columns, (sentence, position, cluster, number), strict=True):
            column.append(value)
    if not columns[0]:
        raise InputError(f"{path} holds no words: give a clusters file with lines {FIELDS}")
    sentence, position, cluster, lines = (np.array(column, np.int64) for column in columns)
    order = np.lexsort((lines, position, sentence))
    found = ClusterLines(path, sentence[order], position[order], cluster[order], lines[order])
    if len(again := np.flatnonzero(np.diff(found.keys) == 0)):
        first = again[np.argmin(found.line[again + 1])]
        raise InputError(
            f"{path}, line {found.line[first + 1]}: word {found.position[first]} of sentence "
            f"{found.sentence[first]} is on line {found.line[first]} too"
        )
    return found


def _check_word(
    word: str, sentence: int, position: int, sentences: Sequence[Sequence[str]], where: str
) -> None:
    if sentence >= len(sentences):
        raise InputError(
            f"{where}: sentence {sentence} of {len(sentences):,}: are these the right sentences?"
        )
    words = sentences[sentence]
    if position >= len(words):
        raise InputError(
            f"{where}: token {position} of sentence {sentence}, which has {len(words)} words"
        )
    if word != words[position] and _unescaped(word) != words[position]:
        raise InputError(
            f"{where}: the word is {word!r}, but word {position} of sentence {sentence} is "
            f"{words[position]!r}: are these the right sentences?"
        )


def _unescaped(word: str) -> str:
    r"""Return a word with its `\u....` as characters: some files were written through ASCII."""
    if "\\" not in word or not word.isascii():
        return word
    try:
        return word.encode("ascii").decode("unicode-escape")
    except UnicodeDecodeError:
        return word

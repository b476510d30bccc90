"""CoNLL-U, the format of Universal Dependencies (https://universaldependencies.org/format.html).

The words are the syntactic words: lines of multiword tokens (`1-2`) and empty nodes (`1.1`) carry
no word of their own. `_` means that a word has no such label.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tunescope.corpus.lines import read_lines
from tunescope.corpus.sentence import Sentence
from tunescope.corpus.source import CorpusSource
from tunescope.errors import InputError

FIELDS = {"lemma": 2, "upos": 3, "xpos": 4, "feats": 5, "deprel": 7}
DEFAULT = ("upos", "xpos", "deprel")
FEATURE = "feats."
NOT_A_WORD = re.compile(r"\d+-\d+|\d+\.\d+")


def read_conllu(source: CorpusSource) -> Iterator[Sentence]:
    """Yield the sentences of a CoNLL-U file; `# sent_id` is a sentence's id.

    Raises
    ------
    InputError
        If a line has not ten columns or word ids do not run 1, 2, 3.
    """
    features = [label for label in source.labels or () if label.startswith(FEATURE)]
    labels = source.chosen_labels([*FIELDS, *features], DEFAULT)
    path = Path(str(source.path))
    rows: list[list[str]] = []
    numbers: list[int] = []
    sent_id = None
    for number, line in read_lines(path, source.encoding):
        if line.startswith("#"):
            key, _, value = line[1:].partition("=")
            if key.strip() == "sent_id":
                sent_id = value.strip() or None
        elif line.strip(" "):
            row = line.split("\t")
            if len(row) != 10:
                raise InputError(f"{path}, line {number}: {len(row)} columns; CoNLL-U has 10")
            if NOT_A_WORD.fullmatch(row[0]):
                continue
            if row[0] != str(len(rows) + 1):
                raise InputError(
                    f"{path}, line {number}: word id {row[0]!r} where {len(rows) + 1} is due; "
                    "ids run 1, 2, 3 and a blank line ends a sentence"
                )
            rows.append(row)
            numbers.append(number)
        else:
            if rows:
                yield _sentence(rows, numbers, labels, sent_id)
            rows, numbers, sent_id = [], [], None
    if rows:
        yield _sentence(rows, numbers, labels, sent_id)


def _sentence(
    rows: list[list[str]], numbers: list[int], labels: list[str], sent_id: str | None
) -> Sentence:
    columns = {label: [_label(row, label) for row in rows] for label in labels}
    return Sentence([row[1] for row in rows], numbers, columns, id=sent_id)


def _label(row: list[str], label: str) -> str | None:
    if label.startswith(FEATURE):
        key = label.removeprefix(FEATURE)
        features = (entry.partition("=") for entry in row[FIELDS["feats"]].split("|"))
        return next((value for name, _, value in features if name == key), None)
    value = row[FIELDS[label]]
    # A word that is itself an underscore has an underscore for its lemma.
    itself = label == "lemma" and row[1] == "_"
    return None if value == "_" and not itself else value

"""The corpus: sentences and words as Arrow tables. Row i of the word table is word i everywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tunescope.errors import InputError, nearest
from tunescope.files import atomic_directory, read_table, write_table
from tunescope.results import Result

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

WORDS, SENTENCES = "words.parquet", "sentences.parquet"
"""Files of a saved corpus."""
RESERVED = ("sentence", "position", "form")
OF_EVERY_SENTENCE = ("id", "words", "class", "split")
SPLITS = ("train", "dev", "test")


@dataclass(frozen=True, eq=False)
class Corpus(Result):
    """Annotated sentences.

    Parameters
    ----------
    sentences : pyarrow.Table, shape (n_sentences, 4 + n_further)
        Columns `id` (text), `words` (list of text), `class` (text or null: the task's label of the
        sentence) and `split` (train, dev, test or null), then further text columns, such as
        `predicted` (`with_predictions`).
    words : pyarrow.Table, shape (n_words, 3 + n_labels)
        Columns `sentence` (row in `sentences`), `position` (in the sentence, from 0), `form`, then
        one text column per label, null where a word has none. Sorted by sentence and position. A
        selection (`select`) has fewer rows than the sentences have words.
    name : str
        For messages and pages.
    """

    sentences: pa.Table
    words: pa.Table
    name: str = "corpus"

    @classmethod
    def from_sentences(
        cls,
        sentences: Sequence[Sequence[str]],
        labels: Mapping[str, Sequence[Sequence[str | None]]] | None = None,
        *,
        classes: Sequence[str | None] | None = None,
        splits: Sequence[str | None] | None = None,
        ids: Sequence[str] | None = None,
        name: str = "corpus",
    ) -> Corpus:
        """Make a corpus from lists; words are taken as given and never re-tokenised.

        Parameters
        ----------
        sentences : sequence of sequences of str
            The words.
        labels : mapping of str to sequences of sequences of str or None, optional
            Label columns: one label per word, None where unknown.
        classes, splits, ids : sequences, optional
            One value per sentence.
        name : str
            For messages and pages.

        Raises
        ------
        InputError
            If there is no sentence, a sentence is empty, a word is blank or holds a control
            character, or lengths differ.
        """
        from tunescope.corpus.build import build_corpus

        return build_corpus(
            sentences, labels or {}, classes=classes, splits=splits, ids=ids, name=name
        )

    @property
    def n_words(self) -> int:
        """Rows of the word table."""
        return self.words.num_rows

    @property
    def n_sentences(self) -> int:
        """Rows of the sentence table."""
        return self.sentences.num_rows

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the label columns."""
        return tuple(self.words.column_names[len(RESERVED) :])

    @cached_property
    def word_hash(self) -> str:
        """SHA-256 of the sentences' words and of the word table without its labels.

        This is what stores and results are tied to: adding a label column does not invalidate
        activations; changing, adding or removing a word does.
        """
        digest = hashlib.sha256()
        for words in self.sentences["words"].to_pylist():
            digest.update(("\x1f".join(words) + "\x1e").encode("utf-8", "surrogatepass"))
        for column in ("sentence", "position"):
            digest.update(self.words[column].to_numpy().astype("<i8").tobytes())
        return digest.hexdigest()

    def values(self, column: str) -> np.ndarray:
        """Return a column of the word table as an array, shape (n_words,); null is None.

        Raises
        ------
        InputError
            If there is no such column.
        """
        if column not in self.words.column_names:
            hint = nearest(column, self.labels) if self.labels else "it has no label columns"
            raise InputError(f"corpus {self.name!r} has no label column {column!r}; {hint}")
        return self.words[column].to_numpy(zero_copy_only=False)

    def of_sentence(self, column: str) -> np.ndarray:
        """Return a column of the sentence table (`class`, `split`, ...), shape (n_sentences,).

        Raises
        ------
        InputError
            If there is no such column.
        """
        known = self.sentences.column_names
        if column not in known:
            hint = nearest(column, known)
            raise InputError(f"corpus {self.name!r} has no sentence column {column!r}; {hint}")
        return self.sentences[column].to_numpy(zero_copy_only=False)

    def with_sentence_column(self, column: str, values: Sequence[str | None]) -> Corpus:
        """Return the corpus with one more column of its sentences, or with that column replaced.

        Words and `word_hash` stay: what was made from the words still belongs to them.

        Parameters
        ----------
        column : str
            Its name; not one of those that every corpus has.
        values : sequence of str or None, shape (n_sentences,)
            One for each sentence of `sentences`, selected words or not.

        Raises
        ------
        InputError
            If the name is taken or blank, there is not one value per sentence, or one is neither
            text nor None.
        """
        from tunescope.corpus.build import sentence_column

        made = sentence_column(self, column, values)
        table = self.sentences
        if column in table.column_names:
            table = table.set_column(table.column_names.index(column), column, made)
        else:
            table = table.append_column(column, made)
        return Corpus(table, self.words, self.name)

    @property
    def classes(self) -> tuple[str, ...]:
        """The task's classes found on sentences, sorted."""
        found = self.sentences["class"].unique().drop_null().to_pylist()
        return tuple(sorted(found))

    def sentence_words(self, sentence: int) -> list[str]:
        """Return all words of one sentence, whether selected or not."""
        return self.sentences["words"][sentence].as_py()

    def select(self, rows: np.ndarray) -> Corpus:
        """Return the corpus with only these rows of its word table (sorted); sentences stay."""
        import numpy as np

        return Corpus(self.sentences, self.words.take(np.unique(rows)), self.name)

    def rows_in(self, whole: Corpus) -> np.ndarray:
        """Return, for each word of this selection, its row in `whole`, shape (n_words,).

        Raises
        ------
        MismatchError
            If a word is not there, or the sentences are not the same.
        """
        from tunescope.corpus.build import rows_in

        return rows_in(self, whole)

    def save(self, path: Path | str) -> None:
        """Write `words.parquet` and `sentences.parquet` as a folder of their own, `path`."""
        with atomic_directory(Path(path)) as folder:
            self.write(folder)

    def write(self, folder: Path) -> None:
        """Write `words.parquet` and `sentences.parquet` beside other files in `folder`."""
        name = {"name": self.name}
        write_table(folder / WORDS, self.words.replace_schema_metadata(name))
        write_table(folder / SENTENCES, self.sentences.replace_schema_metadata(None))

    def refresh(self, folder: Path) -> None:
        """Write into `folder` again if labels or classes there are others by now.

        Results of the same words stay valid then: what they hold does not depend on labels.
        """
        stored = Corpus.load(folder)
        if not (stored.words.equals(self.words) and stored.sentences.equals(self.sentences)):
            self.write(folder)

    @classmethod
    def load(cls, path: Path | str) -> Corpus:
        """Read a corpus written by `save`.

        Raises
        ------
        InputError
            If `path` holds no corpus.
        """
        words = read_table(Path(path) / WORDS)
        name = (words.schema.metadata or {}).get(b"name", b"corpus").decode()
        return cls(read_table(Path(path) / SENTENCES), words, name)

    def headline(self) -> str:
        """Return name and size."""
        return f"Corpus {self.name!r}: {self.n_sentences:,} sentences, {self.n_words:,} words"

    def table(self) -> pd.DataFrame:
        """Return one row per column: how many values, how many different, the most frequent."""
        import pandas as pd

        rows = []
        columns = [(c, self.words[c]) for c in ("form", *self.labels)]
        for name, column in [*columns, ("class", self.sentences["class"])]:
            counts = column.drop_null().value_counts().to_pylist()
            counts.sort(key=lambda entry: (-entry["counts"], entry["values"]))
            top = ", ".join(f"{entry['values']} ({entry['counts']:,})" for entry in counts[:5])
            known = len(column) - column.null_count
            rows.append((name, known, len(counts), top))
        return pd.DataFrame(rows, columns=["column", "values", "different", "most frequent"])

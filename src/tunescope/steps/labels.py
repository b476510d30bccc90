"""Parameters of labelling words with a token classifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from tunescope.steps.step import Step, bounded


@dataclass(frozen=True)
class TagWords(Step):
    """Label every word with what a Hugging Face token classifier says of it.

    Parameters
    ----------
    column
        Name of the new label column.
    word
        A word's label is that of its `first` subword, as most token classifiers are trained, of
        its `last`, or the one with the highest probability in the `mean` over its subwords.
    max_length
        Longest input in subwords, special tokens included; the model's own limit when not given.
        A longer sentence is split into overlapping windows, and each word is taken from the one
        that gives it most context; a single word that does not fit has no label.
    batch_tokens
        Subwords in one forward pass, padding included.
    shard_words
        Words after which an interrupted run need not label again.
    """

    name: ClassVar[str] = "tag_words"
    column: str = "tag"
    word: Literal["first", "last", "mean"] = "first"
    max_length: int | None = bounded(None, 4)
    batch_tokens: int = bounded(4096, 1)
    shard_words: int = bounded(32768, 1)

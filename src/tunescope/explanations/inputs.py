"""The subwords that a classifier reads, and which word each of them belongs to.

The subwords are those that `models.encoding` makes for tuning and predicting, so that what is
explained is what the model says of the text. Whose they are follows from the characters they stand
for; a slow tokenizer does not tell them, and is asked for the beginnings of the text instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from tunescope.errors import InputError
from tunescope.explanations.words import SplitText
from tunescope.models.encoding import encode, set_padding
from tunescope.models.heads import Head
from tunescope.models.limits import length_limit

SPECIAL = -1
"""Owner of a subword that no word has: a special token, or what separates the texts of a pair."""


@dataclass(frozen=True, eq=False)
class Input:
    """One text as a model takes it.

    Parameters
    ----------
    text : SplitText
        Its words.
    fields : dict of str to list of int
        `input_ids`, `attention_mask` and, for models with segments, `token_type_ids`.
    owner : numpy.ndarray of int, shape (length,)
        Word of each subword, or `SPECIAL`.
    """

    text: SplitText
    fields: dict[str, list[int]]
    owner: np.ndarray

    @property
    def ids(self) -> np.ndarray:
        """The subwords, shape (length,)."""
        return np.array(self.fields["input_ids"], np.int64)

    @property
    def seen(self) -> np.ndarray:
        """Which words the model reads at least in part, bool, shape (n_words,)."""
        found = np.zeros(len(self.text.words), bool)
        found[self.owner[self.owner >= 0]] = True
        return found

    def tensors(self, copies: int, device: Any) -> dict[str, torch.Tensor]:
        """Return the fields as tensors, the text repeated so often."""
        return {
            name: torch.tensor(values, device=device).expand(copies, -1).contiguous()
            for name, values in self.fields.items()
        }


def read_text(head: Head, text: SplitText, max_length: int | None = None) -> Input:
    """Encode a text for a classifier.

    Parameters
    ----------
    head : Head
        The classifier with its tokenizer; it is given a padding token where it has none.
    text : SplitText
        The words.
    max_length : int, optional
        Longest input in subwords; the model's own limit when not given. Of a pair, the longer text
        is cut first.

    Raises
    ------
    InputError
        If not one word fits, or the tokenizer's subwords cannot be told apart by word.
    """
    tokenizer, config = head.tokenizer, head.model.config
    set_padding(tokenizer, head.model)
    limit = length_limit(tokenizer, config, None)
    [fields] = encode(tokenizer, config, [text.parts], min(max_length or limit, limit))
    places = _Places.of(text, glued=len(text.parts) == 2 and not _separates(tokenizer))
    find = _by_characters if tokenizer.is_fast else _by_beginnings
    owner = find(tokenizer, places, fields["input_ids"])
    if not (owner >= 0).any():
        raise InputError(f"max_length = {max_length}: no word of {text.words[0]!r} ... fits")
    return Input(text, fields, owner)


@dataclass(frozen=True)
class _Places:
    """Where the words are in what the tokenizer is given."""

    texts: tuple[str, ...]
    part: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    seam: int | None = None
    """The line end between two texts that are given as one (`models.encoding`)."""

    @classmethod
    def of(cls, text: SplitText, glued: bool) -> _Places:
        if not glued:
            return cls(text.parts, text.part, text.spans)
        seam = len(text.parts[0])
        places = zip(text.spans, text.part, strict=True)
        spans = tuple((a + (seam + 1) * p, b + (seam + 1) * p) for (a, b), p in places)
        return cls(("\n".join(text.parts),), (0,) * len(spans), spans, seam)

    def words(self, number: int) -> list[int]:
        return [word for word, part in enumerate(self.part) if part == number]

    def characters(self, number: int) -> np.ndarray:
        """Return the word of each character of one text; blanks go with the word behind them."""
        found, end = np.full(len(self.texts[number]), SPECIAL), 0
        for word in self.words(number):
            found[end : self.spans[word][1]] = word
            end = self.spans[word][1]
        if self.seam is not None:
            found[self.seam] = SPECIAL
        return found


def _separates(tokenizer: Any) -> bool:
    one, two = (tokenizer.num_special_tokens_to_add(pair=pair) for pair in (False, True))
    return two > one


def _by_characters(tokenizer: Any, places: _Places, ids: list[int]) -> np.ndarray:
    """Find the word of each subword by the characters it stands for."""
    encoded = tokenizer(
        *places.texts, truncation=True, max_length=len(ids), return_offsets_mapping=True
    )
    if encoded["input_ids"] != ids:
        raise InputError(f"{type(tokenizer).__name__} encodes one text in two ways")
    characters = [places.characters(number) for number in range(len(places.texts))]
    owner = np.full(len(ids), SPECIAL)
    found = zip(encoded.sequence_ids(0), encoded["offset_mapping"], strict=True)
    for place, (number, (start, stop)) in enumerate(found):
        if number is not None:
            words = characters[number][start : max(stop, start + 1)]
            # a subword may begin with the line end between the texts of a pair
            owner[place] = next((word for word in words if word >= 0), SPECIAL)
    return owner


def _by_beginnings(tokenizer: Any, places: _Places, ids: list[int]) -> np.ndarray:
    """Find the word of each subword by how many subwords the text has up to the end of a word."""
    owner, after = np.full(len(ids), SPECIAL), 0
    for number, text in enumerate(places.texts):
        whole = tokenizer(text, add_special_tokens=False)["input_ids"]
        start, end = _find(ids, whole, after), 0
        for word in places.words(number):
            begun = tokenizer(text[: places.spans[word][1]], add_special_tokens=False)["input_ids"]
            if begun == whole[: len(begun)]:  # else the word runs into the next one
                owner[start + end : min(start + len(begun), len(ids))] = word
                end = len(begun)
        after = start + end
    special = np.isin(ids, list(set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}))
    return np.where(special, SPECIAL, owner)


def _find(ids: list[int], whole: list[int], after: int) -> int:
    """Return where a text starts among the subwords; it may have been cut off at its end."""
    for length in range(len(whole), 0, -1):
        for start in range(after, len(ids) - length + 1):
            if ids[start : start + length] == whole[:length]:
                return start
    raise InputError("the tokenizer changes a text beside special tokens: its words are lost")

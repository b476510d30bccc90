"""From words as given to subword ids, knowing which subwords are whose.

One way for all tokenizers, slow or fast, WordPiece, byte-level BPE or SentencePiece: a word inside
a sentence is encoded after an anchor word and a space, and the anchor's ids are taken away. So a
word has exactly the subwords it has in running text, words never merge, and each word type is
encoded once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tunescope.errors import InputError

ANCHORS = ("a", "the", "x", "0", ".")


@dataclass(frozen=True)
class Template:
    """What the tokenizer puts around a text.

    Parameters
    ----------
    prefix, suffix : tuple of int
        Ids of the special tokens before and after.
    types : tuple of (tuple of int, int, tuple of int) or None
        Token type ids of prefix, text and suffix, for models that take them.
    """

    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    types: tuple[tuple[int, ...], int, tuple[int, ...]] | None

    @property
    def size(self) -> int:
        """Number of special tokens."""
        return len(self.prefix) + len(self.suffix)


class SubwordEncoder:
    """Encode words one type at a time, as in running text.

    Parameters
    ----------
    tokenizer : transformers tokenizer
        Slow or fast.

    Attributes
    ----------
    template : Template
        The special tokens around a sentence.
    empty : dict of str to int
        Words for which the tokenizer has no subword (a zero-width space alone, say), and how often
        they were met. They are given the unknown token.
    """

    def __init__(self, tokenizer: Any):
        self._tokenizer = tokenizer
        self._first: dict[str, tuple[int, ...]] = {}
        self._inner: dict[str, tuple[int, ...]] = {}
        self.empty: dict[str, int] = {}
        self._anchor, self._anchor_ids = self._find_anchor()
        self.template = self._find_template()

    @property
    def pad_id(self) -> int:
        """Id used for padding (masked, so any id serves models without one)."""
        pad = self._tokenizer.pad_token_id
        return 0 if pad is None else pad

    def encode(self, sentences: Sequence[Sequence[str]]) -> list[list[tuple[int, ...]]]:
        """Encode sentences.

        Parameters
        ----------
        sentences : sequence of sequences of str
            Words as given.

        Returns
        -------
        list of list of tuple of int
            For each sentence and word its subword ids, without special tokens, never empty.

        Raises
        ------
        InputError
            If a word has no subword and the tokenizer has no unknown token.
        """
        self._learn(self._first, {words[0] for words in sentences}, "")
        inner = {word for words in sentences for word in words[1:]}
        self._learn(self._inner, inner, f"{self._anchor} ")
        encoded = [
            [self._first[words[0]], *(self._inner[word] for word in words[1:])]
            for words in sentences
        ]
        if self.empty:
            self._count_empty(sentences)
        return encoded

    def _ids(self, texts: list[str]) -> list[list[int]]:
        """Encode texts bare: special tokens that stand in them literally are ordinary text."""
        if not texts:
            return []
        return self._tokenizer(
            texts, add_special_tokens=False, split_special_tokens=True, verbose=False
        )["input_ids"]

    def _learn(self, known: dict[str, tuple[int, ...]], words: Iterable[str], before: str) -> None:
        new = sorted(set(words) - known.keys())
        skip = len(self._anchor_ids) if before else 0
        anchor = list(self._anchor_ids) if before else []
        for word, ids in zip(new, self._ids([before + word for word in new]), strict=True):
            if ids[:skip] != anchor:  # the anchor merged with the word: encode the word alone
                ids = self._ids([" " + word])[0]
                known[word] = tuple(ids)
            else:
                known[word] = tuple(ids[skip:])
            if not known[word]:
                known[word] = (self._unknown(word),)
                self.empty.setdefault(word, 0)

    def _unknown(self, word: str) -> int:
        unknown = self._tokenizer.unk_token_id
        if unknown is None:
            raise InputError(
                f"the tokenizer makes no subword of the word {word!r} and has no unknown token: "
                "remove the word from the corpus"
            )
        return unknown

    def _count_empty(self, sentences: Sequence[Sequence[str]]) -> None:
        for words in sentences:
            for word in words:
                if word in self.empty:
                    self.empty[word] += 1

    def _find_anchor(self) -> tuple[str, tuple[int, ...]]:
        for anchor in ANCHORS:
            alone, followed = self._ids([anchor, f"{anchor} {anchor}"])
            if alone and followed[: len(alone)] == alone and len(followed) > len(alone):
                return anchor, tuple(alone)
        raise InputError(
            f"the tokenizer {type(self._tokenizer).__name__} encodes no simple word "
            f"({', '.join(ANCHORS)}); is it the right one for this model?"
        )

    def _find_template(self) -> Template:
        whole = self._tokenizer(self._anchor)
        ids, bare = list(whole["input_ids"]), list(self._anchor_ids)
        for start in range(len(ids) - len(bare) + 1):
            if ids[start : start + len(bare)] == bare:
                break
        else:
            raise InputError(f"{type(self._tokenizer).__name__} changes words beside specials")
        stop = start + len(bare)
        types = None
        if "token_type_ids" in whole:
            kinds = list(whole["token_type_ids"])
            types = (tuple(kinds[:start]), kinds[start], tuple(kinds[stop:]))
        return Template(tuple(ids[:start]), tuple(ids[stop:]), types)

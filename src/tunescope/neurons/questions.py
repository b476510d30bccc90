"""What is asked of a model about each sentence, and what the answer should be.

`masked`: the words hidden one at a time; `next`: each subword from those before it; `task`: the
class of the sentence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from tunescope.activations.batches import Encoded, encode_piece
from tunescope.activations.pieces import split_sentence
from tunescope.activations.subwords import SubwordEncoder
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError, nearest
from tunescope.models.heads import Head
from tunescope.models.limits import length_limit


@dataclass(frozen=True, eq=False)
class Question:
    """One input of the model, and what is read off its output.

    Parameters
    ----------
    encoded : Encoded
        The subwords, some of them hidden in a masked-word model.
    sentence : int
        Row of the corpus's sentence table.
    at : numpy.ndarray of int, shape (n,)
        Positions whose logits are the answers; of no meaning for a task.
    answers : numpy.ndarray of int, shape (n,)
        The subwords that stand there, or the number of the sentence's class.
    edited : numpy.ndarray of bool, shape (length,)
        Positions of the words at which neurons are to be edited.
    """

    encoded: Encoded
    sentence: int
    at: np.ndarray
    answers: np.ndarray
    edited: np.ndarray


class Asking:
    """Make the questions of a corpus.

    Parameters
    ----------
    head : Head
        The model that is to be asked.
    max_length : int, optional
        Longest input in subwords.
    words_per_sentence : int
        For a masked-word model: how many words of a sentence are hidden, each in a question of
        its own.
    seed : int
        Seed of their choice.

    Attributes
    ----------
    encoder : SubwordEncoder
        From words to subwords.
    n_cut_off : int
        Sentences met so far that were longer than the limit.
    """

    def __init__(self, head: Head, max_length: int | None, words_per_sentence: int, seed: int):
        self._head = head
        self._each, self._seed = words_per_sentence, seed
        self.encoder = SubwordEncoder(head.tokenizer)
        self._limit = length_limit(head.tokenizer, head.model.config, max_length)
        self.n_cut_off = 0

    def questions(
        self, corpus: Corpus, measured: np.ndarray | None, edited: np.ndarray | None
    ) -> Iterator[Question]:
        """Go over the sentences of a corpus.

        Parameters
        ----------
        corpus : Corpus
            Sentences, with classes for a task; of a selection only its own words are predicted.
        measured, edited : numpy.ndarray of int, optional
            Rows of the word table that may be predicted, and at which neurons are to be edited.

        Raises
        ------
        InputError
            If a subword has no embedding, or sentences have no class that the model knows.
        """
        head, template = self._head, self.encoder.template
        measured = np.arange(corpus.n_words) if measured is None else measured
        may = _by_sentence(corpus, measured)
        do = {} if edited is None else _by_sentence(corpus, edited)
        golds = _golds(corpus, head) if head.measure == "task" else {}
        vocabulary = head.model.get_input_embeddings().weight.shape[0]
        texts = corpus.sentences["words"].to_pylist()
        for sentence, words in enumerate(self.encoder.encode(texts)):
            if sentence not in (golds if head.measure == "task" else may):
                continue
            lengths = np.array([len(ids) for ids in words])
            pieces = split_sentence(lengths, self._limit - template.size, "truncate")
            n = pieces[0].stop if pieces else 0
            self.n_cut_off += n < len(words)
            if not n:
                continue
            encoded = encode_piece(words[:n], np.arange(n), np.zeros(n, int), template)
            if encoded.ids.max() >= vocabulary:
                raise InputError(
                    f"model {head.name!r}: its tokenizer has subwords beyond the {vocabulary} "
                    "embeddings it has; set tokenizer to the one it was trained with"
                )
            where = np.zeros(len(encoded.ids), bool)
            for word in do.get(sentence, ()):
                if word < n:
                    where[encoded.first[word] : encoded.last[word] + 1] = True
            zero = np.zeros(1, int)
            whole = Question(encoded, sentence, zero, zero + golds.get(sentence, 0), where)
            if head.measure == "task":
                yield whole
                continue
            unknown = head.tokenizer.unk_token_id  # whose probability means nothing
            chosen = [w for w in may[sentence] if w < n and unknown not in words[w]]
            if head.measure == "next":
                yield from _next(whole, chosen)
            else:
                rng = np.random.default_rng([self._seed, sentence])
                drawn = rng.permutation(len(chosen))[: self._each]
                for place in np.sort(drawn):
                    yield _hidden(whole, chosen[place], head.tokenizer.mask_token_id)


def _next(whole: Question, chosen: list[int]) -> Iterator[Question]:
    """Ask for each subword of the chosen words at the position before it, if there is one."""
    first, last = whole.encoded.first, whole.encoded.last
    at = [p for w in chosen for p in range(first[w], last[w] + 1) if p > 0]
    if at:
        yield replace(whole, at=np.array(at) - 1, answers=whole.encoded.ids[at])


def _hidden(whole: Question, word: int, mask: int) -> Question:
    """Hide all subwords of one word behind mask tokens and ask for them."""
    at = np.arange(whole.encoded.first[word], whole.encoded.last[word] + 1)
    ids = whole.encoded.ids.copy()
    ids[at] = mask
    return replace(
        whole, encoded=replace(whole.encoded, ids=ids), at=at, answers=whole.encoded.ids[at]
    )


def _by_sentence(corpus: Corpus, rows: np.ndarray) -> dict[int, list[int]]:
    """Return the positions of chosen words in each sentence that has any."""
    found: dict[int, list[int]] = {}
    sentence, position = (
        corpus.words[name].to_numpy()[np.unique(rows)] for name in ("sentence", "position")
    )
    for s, p in zip(sentence.tolist(), position.tolist(), strict=True):
        found.setdefault(s, []).append(p)
    return found


def _golds(corpus: Corpus, head: Head) -> dict[int, int]:
    """Return the number of the class of each sentence that has one."""
    numbers = {name: number for number, name in enumerate(head.classes)}
    lower = {name.lower(): number for name, number in numbers.items()}
    if all(name == f"LABEL_{n}" for name, n in numbers.items()):  # the checkpoint has no names
        numbers = {str(number): number for number in numbers.values()}
    golds = {}
    for sentence, name in enumerate(corpus.of_sentence("class")):
        if name is None:
            continue
        number = numbers.get(str(name), lower.get(str(name).lower()))
        if number is None:
            raise InputError(
                f"corpus {corpus.name!r} has sentences of class {name!r}, which model "
                f"{head.name!r} does not know; {nearest(str(name), numbers)}"
            )
        golds[sentence] = number
    if not golds:
        raise InputError(
            f"model {head.name!r} tells classes of sentences, but no sentence of corpus "
            f"{corpus.name!r} has one"
        )
    return golds

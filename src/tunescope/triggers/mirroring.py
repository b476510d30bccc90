"""Baselines that mirror the concepts: another word stands for each word of a concept's triggers.

The same word stands for the same word in all concepts of a class. So a baseline has as many
different triggers as the concepts have, at each layer too, and its groups share words where theirs
do. Only where words run out does one stand for several; triggers that come out equal count once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

import numpy as np

from tunescope.steps.triggers import Triggers
from tunescope.triggers.candidates import words_of
from tunescope.triggers.groups import NO_LAYER, Group

LEAST = 10
"""Groups of a baseline where a class has no polarity concepts."""


def mirrored(
    towards: str,
    of_concepts: Sequence[Group],
    words: Sequence[str],
    step: Triggers,
    number: int,
    *,
    in_order: bool = False,
    counts: Mapping[str, int] | None = None,
) -> list[Group]:
    """Return groups of a baseline's words, one for each group of concepts, as rich in triggers.

    Parameters
    ----------
    towards : str
        The class.
    of_concepts : sequence of Group
        The class's concepts; where there are none, `LEAST` groups are made up.
    words : sequence of str
        What there is to draw from.
    step : Triggers
        The parameters.
    number : int
        Number of class and method, for the seed.
    in_order : bool
        Take the words in their order as far as they go, and shuffled from then on.
    counts : mapping of str to int, optional
        How often words occur. A word is then drawn from those about as frequent as the one it
        stands for (the same power of two; where these are used up, the nearest), and never from a
        concept that this one is in.

    Returns
    -------
    list of Group
        No word twice in a group, whatever its case. None where there are no words.
    """
    if not of_concepts:  # nothing to be as frequent as
        made_up = tuple(str(at) for at in range(step.n_words * step.draws))
        of_concepts, counts = [Group(towards, NO_LAYER, -1, made_up)] * LEAST, None
    rng = np.random.default_rng([step.seed, number])
    deck = _Deck(list(dict.fromkeys(words)), counts or {}, rng, in_order)
    own: dict[str, set[str]] = {}  # of each word, those of all concepts it is in
    for group in of_concepts if counts is not None else ():
        members = {word.casefold() for word in group.words}
        for word in words_of(group.words, step):
            own.setdefault(word, set()).update(members)
    stands_for: dict[str, str] = {}
    groups = []
    for group in of_concepts:
        if group.concept < 0:
            stands_for = {}
        taken: dict[str, str] = {}
        for word in words_of(group.words, step):
            one = stands_for.get(word)
            if one is None or one.casefold() in taken:
                one = deck.draw(word, own.get(word, set()) | taken.keys())
            if one is None:
                break  # no word is left that the group does not have
            stands_for.setdefault(word, one)
            taken[one.casefold()] = one
        if taken:
            groups.append(Group(towards, NO_LAYER, -1, tuple(taken.values()), group.layer))
    return groups


def opposite(
    towards: str, groups: Sequence[Group], of_concepts: Sequence[Group], step: Triggers, number: int
) -> list[Group]:
    """Return groups of words of concepts polarised to other classes, which mirror this one's.

    The words that their triggers are made of come first, then their other words, each shuffled.
    """
    others = [group for group in groups if group.towards != towards]
    rng = np.random.default_rng([step.seed, number])
    words: list[str] = []
    for of in (lambda group: words_of(group.words, step), lambda group: group.words):
        pooled = list(dict.fromkeys(word for group in others for word in of(group)))
        words += [pooled[i] for i in rng.permutation(len(pooled))]
    return mirrored(towards, of_concepts, words, step, number, in_order=True)


class _Deck:
    """Words that are dealt one by one, and shuffled again when all are dealt."""

    def __init__(
        self, words: list[str], counts: Mapping[str, int], rng: np.random.Generator, in_order: bool
    ):
        self._words, self._counts, self._rng = words, counts, rng
        self._left = self._by_bin(words if in_order else self._shuffled())

    def draw(self, word: str, barred: Set[str]) -> str | None:
        """Return a word to stand for another one; None where all are barred."""
        found = self._next(word, barred)
        if found is None and any(one.casefold() not in barred for one in self._words):
            self._left = self._by_bin(self._shuffled())
            found = self._next(word, barred)
        return found

    def _next(self, word: str, barred: Set[str]) -> str | None:
        wanted = self._bin(word)
        for number in sorted(self._left, key=lambda number: (abs(number - wanted), number)):
            there = self._left[number]
            for at, one in enumerate(there):
                if one.casefold() not in barred:
                    return there.pop(at)
        return None

    def _bin(self, word: str) -> int:
        return self._counts.get(word, 0).bit_length()

    def _by_bin(self, words: list[str]) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for word in words:
            found.setdefault(self._bin(word), []).append(word)
        return found

    def _shuffled(self) -> list[str]:
        return [self._words[i] for i in self._rng.permutation(len(self._words))]

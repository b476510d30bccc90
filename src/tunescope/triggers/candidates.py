"""From words to triggers to try: of concepts, and as many of each baseline, on the same budget.

A baseline mirrors the concepts: for each concept a group with as many triggers, so that single
groups can be exchanged under the hypothesis that words of concepts are as good as others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from tunescope.steps.triggers import Triggers
from tunescope.triggers.groups import NO_LAYER, Group

LEAST = 10
"""Groups of a baseline where a class has no polarity concepts."""

Score = tuple[float, float]
"""Flip rate and mean probability of the class, compared in this order."""


def chunks(words: Sequence[str], k: int, draws: int) -> list[str]:
    """Return the first k words, the next k, ... as triggers; all words where there are fewer.

    Examples
    --------
    >>> chunks(["a", "b", "c", "d", "e"], 2, 3)
    ['a b', 'c d']
    """
    whole = [words[start : start + k] for start in range(0, len(words) - k + 1, k)]
    return [" ".join(part) for part in (whole or [words])[:draws]]


def greedy(
    words: Sequence[str], k: int, score: Callable[[str], Score]
) -> Iterator[tuple[str, Score]]:
    """Yield every trigger tried while one is built word by word, the best one kept each time.

    Parameters
    ----------
    words : sequence of str
        To choose from, each once.
    k : int
        Words of the trigger.
    score : callable
        How good a trigger is; of equals the first is kept.
    """
    kept: list[str] = []
    left = list(words)
    for _ in range(min(k, len(left))):
        tried = []
        for word in left:
            trigger = " ".join([*kept, word])
            tried.append(score(trigger))
            yield trigger, tried[-1]
        best = max(range(len(left)), key=lambda i: (tried[i], -i))
        kept.append(left.pop(best))


def mirrored(
    towards: str,
    of_concepts: Sequence[Group],
    words: Sequence[str],
    step: Triggers,
    number: int,
    *,
    in_order: bool = False,
) -> list[Group]:
    """Return groups of a baseline's words, one for each group of concepts, as rich in triggers.

    Parameters
    ----------
    towards : str
        The class.
    of_concepts : sequence of Group
        The class's concepts.
    words : sequence of str
        What there is to draw from.
    step : Triggers
        The parameters.
    number : int
        Number of class and method, for the seed.
    in_order : bool
        Take the words in their order, the strongest first, as far as they go, and shuffled
        from then on.

    Returns
    -------
    list of Group
        None where there are no words.
    """
    words = list(dict.fromkeys(words))
    if not words:
        return []
    rng = np.random.default_rng([step.seed, number])
    sizes = [len(words_of(group.words, step)) for group in of_concepts]
    sizes = sizes or [step.n_words * step.draws] * LEAST
    stream = list(words) if in_order else []
    groups = []
    for size in sizes:
        if not in_order:
            chosen = rng.choice(len(words), min(size, len(words)), replace=False)
            taken = [words[i] for i in chosen]
        else:
            while len(stream) < size:
                stream += [words[i] for i in rng.permutation(len(words))]
            taken, stream = list(dict.fromkeys(stream[:size])), stream[size:]
        groups.append(Group(towards, NO_LAYER, -1, tuple(taken)))
    return groups


def words_of(words: Sequence[str], step: Triggers) -> list[str]:
    """Return the words of a group that its triggers are made of."""
    if step.choice == "greedy":
        return list(words[: step.pool])
    n = min(step.draws, len(words) // step.n_words)
    return list(words[: n * step.n_words] if n else words)


def n_triggers(group: Group, step: Triggers) -> int:
    """Return how many triggers are tried of a group."""
    n = len(words_of(group.words, step))
    if step.choice == "greedy":
        return sum(n - place for place in range(min(step.n_words, n)))
    return max(1, n // step.n_words) if n else 0


def opposite(
    towards: str, groups: Sequence[Group], of_concepts: Sequence[Group], step: Triggers, number: int
) -> list[Group]:
    """Return groups of words of concepts polarised to other classes, as many as of this one."""
    others = [group for group in groups if group.towards != towards]
    if not others:
        return []
    rng = np.random.default_rng([step.seed, number])
    n = len(of_concepts) or LEAST
    order = [i for _ in range(-(-n // len(others))) for i in rng.permutation(len(others))]
    return [Group(towards, others[i].layer, others[i].concept, others[i].words) for i in order[:n]]

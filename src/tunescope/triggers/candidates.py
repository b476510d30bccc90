"""From the words of a group to the triggers to try."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tunescope.steps.triggers import Triggers
from tunescope.triggers.groups import Group

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


def n_different(groups: Sequence[Group], step: Triggers) -> int:
    """Return how many different triggers are tried of groups; with `greedy`, at most."""
    if step.choice == "greedy":
        return sum(n_triggers(group, step) for group in groups)
    parts = (chunks(words_of(group.words, step), step.n_words, step.draws) for group in groups)
    return len({trigger for part in parts for trigger in part})

"""Texts with targets: one split of a task."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tunescope.errors import InputError
from tunescope.files import hash_json

Text = tuple[str, ...]
"""One text, or a pair of two."""


@dataclass(frozen=True)
class TaskData:
    """Texts and what a model should say of them.

    Parameters
    ----------
    texts : tuple of tuples of str
        Each has one part, or each has two: a pair, such as premise and hypothesis.
    targets : tuple of str or of float
        The class, or the number, of each.

    Raises
    ------
    InputError
        If there is not one target for each text, or texts differ in their number of parts.
    """

    texts: tuple[Text, ...]
    targets: tuple[str, ...] | tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.texts) != len(self.targets):
            raise InputError(f"{len(self.targets)} targets for {len(self.texts)} texts")
        if not {len(text) for text in self.texts} <= {1, 2}:
            raise InputError("a text of a task is a tuple of one part, or of two")
        if len({len(text) for text in self.texts}) > 1:
            raise InputError("some texts of the task are single and some are pairs: have one kind")

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def classes(self) -> tuple[str, ...]:
        """The different targets, sorted, as text."""
        return tuple(sorted({str(target) for target in self.targets}))

    @cached_property
    def hash(self) -> str:
        """SHA-256 of texts and targets."""
        return hash_json([self.texts, self.targets])

    def take(self, rows: np.ndarray) -> TaskData:
        """Return some of the texts, in the order of `rows`."""
        return TaskData(
            tuple(self.texts[i] for i in rows),
            tuple(self.targets[i] for i in rows),  # type: ignore[arg-type]
        )

    def draw(self, n: int | None, seed: int) -> TaskData:
        """Return so many texts, drawn at random, in their order; all where there are no more.

        Parameters
        ----------
        n : int or None
            How many; None takes all.
        seed : int
            Seed of the draw.
        """
        if n is None or n >= len(self):
            return self
        return self.take(np.sort(np.random.default_rng(seed).permutation(len(self))[:n]))

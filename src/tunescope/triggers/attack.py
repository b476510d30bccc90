"""Units of work: try triggers on the choosing half, then say what the best do on the other half."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from tunescope.steps.triggers import Triggers
from tunescope.triggers.candidates import Score, chunks, greedy, words_of
from tunescope.triggers.groups import NO_LAYER, Group
from tunescope.triggers.hotflip import HotFlip
from tunescope.triggers.placing import Place
from tunescope.triggers.victim import Victim, probabilities

TRIED = [
    "towards", "position", "part", "method", "layer", "concept", "mirrors", "group", "draw",
    "trigger", "n", "flipped", "flip_rate", "probability",
]  # fmt: skip
SAID = [
    "towards", "position", "part", "method", "scope", "layer", "trigger", "text", "gold",
    "predicted", "predicted_with", "probability", "probability_with",
]  # fmt: skip


class Attack:
    """A classifier, its texts in two halves, and triggers towards one class at one place.

    Parameters
    ----------
    victim : Victim
        The classifier and its texts.
    names : tuple of str
        Its classes as the data calls them.
    gold : numpy.ndarray of int, shape (n_texts,)
        Class of each text.
    plain : numpy.ndarray of float, shape (n_texts, n_classes)
        Logits of the texts as they are.
    choosing : numpy.ndarray of bool, shape (n_texts,)
        The half that triggers are chosen on.
    towards : int
        The class to flip to.
    place : Place
        Where triggers stand.
    step : Triggers
        The parameters.
    """

    def __init__(
        self, victim: Victim, names: tuple[str, ...], gold: np.ndarray, plain: np.ndarray,
        choosing: np.ndarray, towards: int, place: Place, step: Triggers,
    ):  # fmt: skip
        self.victim, self.names, self.gold, self.step = victim, names, gold, step
        self.towards, self.place = towards, place
        self.plain = probabilities(plain)
        self.predicted = self.plain.argmax(1)
        other = self.predicted != towards
        self.rows = np.flatnonzero(choosing & other)
        self.held_out = np.flatnonzero(~choosing & (other | (gold != towards)))
        self._known: dict[str, tuple[int, float, float]] = {}

    def score(self, trigger: str) -> Score:
        """Return flip rate and mean probability of the class on the choosing half."""
        flipped, probability, _ = self._measured(trigger)
        return flipped / max(len(self.rows), 1), probability

    def _measured(self, trigger: str) -> tuple[int, float, float]:
        if not len(self.rows):  # all are predicted to be of the class already
            return 0, np.nan, np.nan
        if trigger not in self._known:
            found = probabilities(self.victim.logits(trigger, self.rows, self.place))
            there = found[:, self.towards]
            flipped = int((found.argmax(1) == self.towards).sum())
            loss = float(-np.log(np.maximum(there, 1e-300)).mean())
            self._known[trigger] = flipped, float(there.mean()), loss
        return self._known[trigger]

    def try_groups(self, method: str, groups: list[Group], bar: Any) -> pd.DataFrame:
        """Try the triggers of groups; columns `TRIED`."""
        rows = []
        for number, group in enumerate(groups):
            for draw, trigger in enumerate(self._triggers(group)):
                rows.append(self._row(method, group, number, draw, trigger))
                bar.update()
        return pd.DataFrame(rows, columns=TRIED)

    def hotflip(self, budget: int | None, bar: Any) -> pd.DataFrame:
        """Try what HotFlip finds; columns `TRIED`."""
        search = HotFlip(self.victim, self.rows, self.towards, self.place)
        nowhere = Group(self.names[self.towards], NO_LAYER, -1, ())
        rows = []
        for attempt in search.search(
            lambda trigger: self._measured(trigger)[2],
            n_tokens=self.step.n_words,
            n_candidates=self.step.hotflip_candidates,
            beam=self.step.beam,
            budget=budget,
        ):
            rows.append(self._row("hotflip", nowhere, 0, len(rows), attempt.trigger))
            bar.update()
        return pd.DataFrame(rows, columns=TRIED)

    def say(self, chosen: pd.DataFrame) -> pd.DataFrame:
        """Say what the classifier predicts with each chosen trigger on the other half.

        Parameters
        ----------
        chosen : pandas.DataFrame
            Rows of `tables.CHOSEN`.

        Returns
        -------
        pandas.DataFrame
            Columns `SAID`: probabilities are those of the class `towards`; `text` is the row
            among the texts; `predicted_with` and `probability_with` are with the trigger.
        """
        at, parts = self.held_out, []
        of: dict[str, np.ndarray] = {}
        names = np.array(self.names, object)
        for row in chosen.to_dict("records"):
            trigger = str(row["trigger"])
            if trigger not in of:
                of[trigger] = probabilities(self.victim.logits(trigger, at, self.place))
            part = {
                **{name: row[name] for name in SAID[:7]},
                "text": at, "gold": names[self.gold[at]], "predicted": names[self.predicted[at]],
                "predicted_with": names[of[trigger].argmax(1)],
                "probability": self.plain[at, self.towards],
                "probability_with": of[trigger][:, self.towards],
            }  # fmt: skip
            parts.append(pd.DataFrame(part))
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=SAID)

    def _triggers(self, group: Group) -> Iterator[str]:
        words = words_of(group.words, self.step)
        if self.step.choice == "greedy":
            for trigger, _ in greedy(words, self.step.n_words, self.score):
                yield trigger
        else:
            yield from chunks(words, self.step.n_words, self.step.draws)

    def _row(self, method: str, group: Group, number: int, draw: int, trigger: str) -> tuple:
        flipped, probability, _ = self._measured(trigger)
        n = len(self.rows)
        rate = flipped / n if n else float("nan")
        place = self.place
        return (
            group.towards, place.position, place.part, method, group.layer, group.concept,
            group.mirrors, number, draw, trigger, n, flipped, rate, probability,
        )  # fmt: skip

"""Are the names any good? A forced choice, in which chance is right half of the time.

The model sees a name and two lists of words, one of the name's concept and one of another concept
of the same layer, and says which the name fits better. The words of both were not shown when they
were named. Which list comes first is drawn at random, so that a preference for "A" cannot help.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tunescope.concepts.alignment.resampling import share_interval
from tunescope.concepts.naming.answers import read_choice
from tunescope.concepts.naming.evidence import Evidence
from tunescope.concepts.naming.prompt import check_messages
from tunescope.concepts.naming.refusals import REFUSING
from tunescope.concepts.naming.reply import Reply
from tunescope.files import hash_json
from tunescope.steps import Name

CHECKS = (
    "layer", "concept", "other", "own_first", "words", "other_words", "answer", "correct",
    "prompt", "seconds",
)  # fmt: skip
ACCURACY = ("layer", "n_named", "n_checked", "unanswered", "accuracy", "low", "high")


@dataclass(frozen=True)
class Trial:
    """One forced choice.

    Parameters
    ----------
    own, other : Evidence
        The concept that was named, and one of the same layer.
    name : str
        The name.
    n_words : int
        Words in either list.
    own_first : bool
        Whether the concept's own words are list A.
    """

    own: Evidence
    other: Evidence
    name: str
    n_words: int
    own_first: bool

    @property
    def messages(self) -> list[dict[str, str]]:
        """The conversation."""
        lists = [self.own.unseen[: self.n_words], self.other.unseen[: self.n_words]]
        first, second = lists if self.own_first else lists[::-1]
        return check_messages(self.name, first, second)


def make_trials(
    evidence: Sequence[Evidence], names: Mapping[tuple[int, int], str], step: Name
) -> list[Trial]:
    """Make one trial for each name whose concept, and another of its layer, has unseen words.

    Parameters
    ----------
    evidence : sequence of Evidence
        All concepts that were to be named.
    names : mapping of (layer, concept) to str
        The names there are.
    step : Name
        `seed` is used.
    """
    trials = []
    by_layer: dict[int, list[Evidence]] = {}
    for shown in evidence:
        if shown.unseen:
            by_layer.setdefault(shown.layer, []).append(shown)
    for layer, all_shown in by_layer.items():
        for number, own in enumerate(all_shown):
            name = names.get((layer, own.concept))
            if name is None or len(all_shown) < 2:
                continue
            rng = np.random.default_rng([step.seed, layer, own.concept, 1])
            at = int(rng.integers(len(all_shown) - 1))
            other = all_shown[at + (at >= number)]
            n_words = min(len(own.unseen), len(other.unseen))
            trials.append(Trial(own, other, name, n_words, bool(rng.integers(2))))
    return trials


def check_frame(trials: Sequence[Trial], replies: Sequence[Reply]) -> pd.DataFrame:
    """Return one row per trial.

    Columns `layer`, `concept`, `other`, `own_first`, `words` and `other_words` (joined by blanks),
    `answer` (A, B, or "" for neither), `correct` (null where the server gave no answer; neither
    letter is wrong), `prompt` (hash), `seconds`.
    """
    rows = []
    for trial, reply in zip(trials, replies, strict=True):
        without = reply.failure or reply.refusal or reply.finish in REFUSING
        answer = None if without else read_choice(reply)
        right = "A" if trial.own_first else "B"
        rows.append(
            (
                trial.own.layer,
                trial.own.concept,
                trial.other.concept,
                trial.own_first,
                " ".join(trial.own.unseen[: trial.n_words]),
                " ".join(trial.other.unseen[: trial.n_words]),
                answer or "",
                None if without else answer == right,
                hash_json(trial.messages),
                reply.seconds,
            )
        )
    frame = pd.DataFrame(rows, columns=CHECKS)
    return frame.astype({"correct": "boolean"})


def accuracy_frame(names: pd.DataFrame, checks: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Return the accuracy of every layer, and of all (layer -1), with Wilson's interval.

    Parameters
    ----------
    names : pandas.DataFrame
        One row per concept, with `layer` and `status`.
    checks : pandas.DataFrame
        What `check_frame` returned.
    confidence : float
        Level of the interval.

    Returns
    -------
    pandas.DataFrame
        Columns `layer`, `n_named`, `n_checked`, `unanswered`, `accuracy`, `low`, `high`. Chance is
        0.5; names are better than chance where `low` is above it.
    """
    layers, status = names["layer"].to_numpy(), names["status"].to_numpy()
    tried, correct = checks["layer"].to_numpy(), checks["correct"].to_list()
    rows = []
    for layer in (*sorted(set(layers.tolist())), -1):
        n_named = int(((status == "ok") & ((layers == layer) | (layer == -1))).sum())
        here = [c for c, of in zip(correct, tried, strict=True) if layer in (of, -1)]
        known = [bool(c) for c in here if c is not pd.NA]
        n, hits = len(known), sum(known)
        share = hits / n if n else np.nan
        unanswered = len(here) - n
        low, high = share_interval(hits, n, confidence)
        rows.append((layer, n_named, n, unanswered, share, low, high))
    return pd.DataFrame(rows, columns=ACCURACY)

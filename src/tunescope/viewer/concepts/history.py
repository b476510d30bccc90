"""A concept over the checkpoints of tuning: what it was before, what became of it, and when."""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd

from tunescope.concepts.trajectory.follow import NEVER
from tunescope.concepts.trajectory.result import ConceptTrace


class Stage(NamedTuple):
    """The concept most like one, at one point of the training.

    Parameters
    ----------
    model : str
        The model at this point.
    fraction : float
        Of the training done.
    concept : int
        Its number there.
    size : int
        Its words.
    share : float
        Of the stage one step nearer to the concept itself, the share that it holds; 1 for the
        concept itself.
    of_class : str or None
        The class most of its words come from.
    class_share : float
        How much that is.
    """

    model: str
    fraction: float
    concept: int
    size: int
    share: float
    of_class: str | None
    class_share: float


class History(NamedTuple):
    """What happened to a concept.

    Parameters
    ----------
    stages : list of Stage
        Over the points, the base first.
    at : float or None
        Fraction of the training from which on it is lost, or there; None where that never was.
    polarised_at : float or None
        The same for following its class.
    returns : int
        How often it was there again after it was not.
    theta : float
        Share of its words that one concept has to hold for it to be there.
    """

    stages: list[Stage]
    at: float | None
    polarised_at: float | None
    returns: int
    theta: float


class LayerHistory:
    """The concepts of the base and of the tuned model of one layer, followed.

    Parameters
    ----------
    trace : ConceptTrace
        Over all checkpoints.
    layer : int
        Layer number.
    role : {"base", "tuned"}
        Whose concepts.
    """

    def __init__(self, trace: ConceptTrace, layer: int, role: str):
        fates, rows = trace.fates, trace.concepts
        self._theta = trace.step.theta
        own = pd.DataFrame(fates[(fates["layer"] == layer) & (fates["role"] == role)])
        self._fates = {row["concept"]: row for row in own.to_dict("records")}
        self._points = trace.points.sort_values(by="point").to_dict("records")
        self._at = 0 if role == "base" else len(self._points) - 1
        here = rows[rows["layer"] == layer]
        self._rows: dict[tuple[int, int], dict[str, Any]] = {
            (row["point"], row["concept"]): row for row in pd.DataFrame(here).to_dict("records")
        }

    def of(self, concept: int) -> History:
        """Return the history of a concept."""
        fate = self._fates[concept]
        return History(
            self._stages(concept),
            self._fraction(fate["at"]),
            self._fraction(fate["polarised_at"]),
            int(fate["returns"]),
            self._theta,
        )

    def _fraction(self, point: int) -> float | None:
        return None if point == NEVER else float(self._points[point]["fraction"])

    def _stages(self, concept: int) -> list[Stage]:
        """Follow the best matches, as `ConceptTrace.chain` does."""
        found: dict[int, Stage] = {self._at: self._stage(self._at, concept, 1.0)}
        for direction, step in (("previous", -1), ("next", 1)):
            at, number = self._at, concept
            while (following := int(self._rows[at, number][direction])) >= 0:
                share = float(self._rows[at, number][f"{direction}_share"])
                at, number = at + step, following
                found[at] = self._stage(at, number, share)
        return [found[at] for at in sorted(found)]

    def _stage(self, point: int, concept: int, share: float) -> Stage:
        row, known = self._rows[point, concept], self._points[point]
        of_class = row["class_label"] if isinstance(row["class_label"], str) else None
        return Stage(
            known["model"], float(known["fraction"]), concept, int(row["size"]), share,
            of_class, float(row["class_share"]),
        )  # fmt: skip

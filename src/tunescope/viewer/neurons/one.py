"""The page about one neuron, as plain values for its template."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from tunescope.neurons.coloured import FULL, colour
from tunescope.neurons.tag_values import QUANTILE_NAMES
from tunescope.neurons.view import NeuronView
from tunescope.writing import EMBEDDING, direction

WINDOW = 16
"""Words shown on either side, in long sentences."""
MOST_WORDS, MOST_CONTEXTS, MOST_TAGS = 40, 6, 40
COMPARED = 20
"""Top words that are compared with those of the model beside it."""


def of_view(view: NeuronView) -> dict[str, Any]:
    """Return what is shown of a neuron.

    Returns
    -------
    dict
        `words` (with `colour` and deviation), `sides` (title and contexts), `values` (a table of
        boxes for each label column), `ends` of the colours.
    """
    columns = [view.words[n] for n in ("word", "count", "z")]
    rows = zip(*(column.head(MOST_WORDS) for column in columns), strict=True)
    return {
        "view": view,
        "words": [
            {"text": word, "count": count, "z": signed(z), "colour": colour(z)}
            for word, count, z in rows
        ],
        "sides": [
            (title, [_context(view, row) for row in _rows(view.side(side).head(MOST_CONTEXTS))])
            for title, side in (
                ("Highest activations", "highest"), ("Lowest activations", "lowest"),
            )
        ],
        "values": [_boxes(view, label) for label in view.labels],
        "gradient": ", ".join(colour(share * FULL) for share in (-1, -0.5, 0, 0.5, 1)),
        "full": FULL,
    }  # fmt: skip


def beside(here: NeuronView, there: NeuronView) -> dict[str, list[str]]:
    """Compare the top words of the same place in two models.

    Returns
    -------
    dict
        `both`, `here`, `there`: words among the first of both, of this one alone, of that one.
    """
    own, others = (list(view.words["word"].head(COMPARED)) for view in (here, there))
    return {
        "both": [word for word in own if word in others],
        "here": [word for word in own if word not in others],
        "there": [word for word in others if word not in own],
    }


def signed(z: float) -> str:
    """Write a deviation with a proper minus sign."""
    if not math.isfinite(z):
        return ""
    written = f"{z:+.1f}"
    return "0.0" if float(written) == 0 else written.replace("-", "\N{MINUS SIGN}")


def number(value: float) -> str:
    """Write an activation."""
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}") if math.isfinite(value) else ""


def _rows(frame: pd.DataFrame) -> Iterable[dict[Any, Any]]:
    return frame.to_dict("records")


def _context(view: NeuronView, row: dict[Any, Any]) -> dict[str, Any]:
    """Return a sentence around a word, each word with its colour."""
    words, at = row["words"], row["position"]
    start, stop = max(0, at - WINDOW), min(len(words), at + WINDOW + 1)
    z = view.z(row["activations"])
    return {
        "activation": number(row["activation"]),
        "z": signed(float(z[at])),
        "rtl": direction(words) == "rtl",
        "before": start > 0,
        "after": stop < len(words),
        "words": [
            {
                "text": words[place],
                "colour": colour(z[place]),
                "title": f"{number(row['activations'][place])} ({signed(z[place])} sd)"
                if math.isfinite(z[place])
                else "no activation",
                "z": signed(float(z[place])),
                "here": place == at,
                "turns": bool(EMBEDDING.intersection(words[place])),
            }
            for place in range(start, stop)
        ],
    }


def _boxes(view: NeuronView, label: str) -> dict[str, Any]:
    """Return the values of each tag as places on a common scale, in per cent of its width."""
    frame = view.of_label(label)
    rows = list(_rows(frame.head(MOST_TAGS)))
    ends = np.array([[row[name] for name in QUANTILE_NAMES] for row in rows], float)
    finite = ends[np.isfinite(ends)]
    low, high = min([*finite, view.mean]), max([*finite, view.mean])

    def place(value: float) -> float:
        return round(100 * (value - low) / (high - low or 1), 1) if math.isfinite(value) else 0.0

    tags = []
    for row in rows:
        beyond = row["separation"] > row["chance"]
        lies = {"higher": "above", "lower": "below"}[row["direction"]] if beyond else "as-rest"
        q05, q25, q50, q75, q95 = (place(row[name]) for name in QUANTILE_NAMES)
        tags.append(
            {
                "tag": row["tag"],
                "n": row["n"],
                "lies": lies,
                "line": (q05, round(q95 - q05, 1)),
                "quartiles": (q25, round(q75 - q25, 1)),
                "median": q50,
                "written": number(row["q50"]),
                "auc": "" if math.isnan(row["auc"]) else f"{row['auc']:.2f}",
            }
        )
    return {
        "label": label,
        "tags": tags,
        "more": len(frame) - len(tags),
        "low": number(low),
        "high": number(high),
        "mean": place(view.mean),
    }

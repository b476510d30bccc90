"""When during tuning each layer changes: geometry at checkpoints, and half of the change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

SMALLEST = 0.01
"""A layer whose measure has moved by less than this at the end has not changed."""


def half_way(
    fractions: Sequence[float], change: np.ndarray, *, smallest: float = SMALLEST
) -> np.ndarray:
    """Return when half of the change at the end was first reached, per layer.

    Parameters
    ----------
    fractions : sequence of float, n_points
        Shares of the training, ascending, the last of them 1; at 0 nothing has changed.
    change : numpy.ndarray, shape (n_points, n_layers)
        How far each layer is from the base model's, 0 where it is the same.
    smallest : float
        Layers that change less at the end are NaN.

    Returns
    -------
    numpy.ndarray, shape (n_layers,)
        Shares of the training; between two checkpoints by linear interpolation.
    """
    at = np.concatenate([[0.0], np.asarray(fractions, float)])
    found = np.full(change.shape[1], np.nan)
    for layer, values in enumerate(np.vstack([np.zeros(change.shape[1]), change]).T):
        half = values[-1] / 2
        if not values[-1] >= smallest:
            continue
        after = int(np.argmax(values >= half))
        low, high = values[after - 1], values[after]
        share = (half - low) / (high - low)
        found[layer] = at[after - 1] + share * (at[after] - at[after - 1])
    return found


def trajectory(
    points: Sequence[tuple[float, pd.DataFrame]], measure: str = "cka"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Put a measure of geometry at all checkpoints together.

    Parameters
    ----------
    points : sequence of (float, pandas.DataFrame)
        Share of the training, ascending, and `LayerGeometry.layers` there.
    measure : str
        `cka` or `neighbours` (1 is alike), or `procrustes` (0 is alike).

    Returns
    -------
    pandas.DataFrame
        One row per share and layer: fraction, layer, value, low, high.
    pandas.DataFrame
        One row per layer: layer, change (at the end), half (share of the training at which half of
        it was there; NaN where the layer has not changed).
    """
    import pandas as pd

    tables = []
    for fraction, table in points:
        chosen = table.loc[table["measure"] == measure, ["layer", "value", "low", "high"]]
        tables.append(chosen.assign(fraction=fraction).sort_values("layer"))
    columns = ["fraction", "layer", "value", "low", "high"]
    rows = pd.DataFrame(pd.concat(tables, ignore_index=True), columns=columns)
    values = rows.pivot(index="fraction", columns="layer", values="value")
    change = values.to_numpy() if measure == "procrustes" else 1 - values.to_numpy()
    halves = pd.DataFrame(
        {
            "layer": values.columns.to_numpy(),
            "change": change[-1],
            "half": half_way(values.index.tolist(), change),
        }
    )
    return rows, halves

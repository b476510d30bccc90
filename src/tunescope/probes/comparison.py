"""What tuning did to the accuracy of probes: by layer, from which layer on, and in one number."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tunescope.errors import InputError
from tunescope.files import atomic_directory, read_table, write_table
from tunescope.results import Result

if TYPE_CHECKING:
    import pandas as pd

ALPHA = 0.05
"""Level of the tests, after correction for the number of layers."""

SMALLEST = 0.005
"""Half a point: smaller losses count as none, however sure."""


@dataclass(frozen=True, eq=False)
class ProbeComparison(Result):
    """Differences in probing accuracy between a base and a tuned model.

    Parameters
    ----------
    layers : pyarrow.Table, shape (n_layers, 16)
        Columns corpus, label, base, tuned (names; of several tuning runs, that of the first),
        n_seeds (tuning runs), layer, base_accuracy, tuned_accuracy (mean over runs), difference
        (tuned - base), low, high (its confidence interval), seed_sd (standard deviation of the
        difference over runs; NaN for one), p (two-sided, paired), p_holm (corrected for the number
        of layers), majority (accuracy of the most frequent training label), retained (share of
        what base knows above it that tuned knows too; NaN where base knows nothing).
    upper : pyarrow.Table, shape (1, 8), optional
        The same for the mean over the top third of the layers: from_layer, to_layer,
        base_accuracy, tuned_accuracy, difference, low, high, retained.
    """

    layers: pa.Table
    upper: pa.Table | None = None

    def save(self, path: Path | str) -> None:
        """Write `comparison.parquet` and `upper.parquet` into the folder `path`."""
        with atomic_directory(Path(path)) as folder:
            write_table(folder / "comparison.parquet", self.layers)
            if self.upper is not None:
                write_table(folder / "upper.parquet", self.upper)

    @classmethod
    def load(cls, path: Path | str) -> ProbeComparison:
        """Read a comparison written by `save`.

        Raises
        ------
        InputError
            If `path` holds none.
        """
        path = Path(path)
        upper = path / "upper.parquet"
        layers = read_table(path / "comparison.parquet")
        return cls(layers, read_table(upper) if upper.exists() else None)

    def onset(self, *, alpha: float = ALPHA, smallest: float = SMALLEST) -> int | None:
        """Return the layer from which on the tuned model is worse, or None.

        A layer is worse if the loss is at least `smallest`, significant on these words (p_holm at
        most `alpha`), and its interval, which speaks of other tuning runs too where there are
        several, lies below zero. The onset is the lowest layer from which on every layer up to the
        last is worse; a loss that a higher layer does not have is none.

        Parameters
        ----------
        alpha : float
            Level of the test, corrected for the number of layers.
        smallest : float
            Loss of accuracy that counts at least; 0.005 is half a point.
        """
        found = None
        for row in sorted(self.layers.to_pylist(), key=lambda row: -row["layer"]):
            lost = row["difference"] <= -smallest and row["high"] < 0
            if not (lost and row["p_holm"] <= alpha):
                break
            found = row["layer"]
        return found

    def forgetting(self, *, alpha: float = ALPHA, smallest: float = SMALLEST) -> dict[str, Any]:
        """Sum up in one line: how much is lost at the top, and how deep the loss begins.

        Parameters
        ----------
        alpha, smallest
            As for `onset`.

        Returns
        -------
        dict
            corpus, label, base, tuned, n_seeds, those of `upper` (its `difference`, with `low` and
            `high`, is the number to compare tasks by; `retained` compares labels whose baselines
            differ), `onset` and `kept_depth`: the share of the layers that lie below the onset, 1
            if there is none.

        Raises
        ------
        InputError
            If the comparison was saved by a version that did not look at the top third.
        """
        if self.upper is None:
            raise InputError("this comparison has no mean over the upper layers: compare again")
        rows = self.layers.to_pylist()
        onset = self.onset(alpha=alpha, smallest=smallest)
        below = len(rows) if onset is None else sum(row["layer"] < onset for row in rows)
        names = ("corpus", "label", "base", "tuned", "n_seeds")
        return {
            **{name: rows[0][name] for name in names},
            **self.upper.to_pylist()[0],
            "onset": onset,
            "kept_depth": below / len(rows),
        }

    def headline(self) -> str:
        """Return the names, the layer that changed most, and the onset."""
        rows = self.layers.to_pylist()
        first, most = rows[0], max(rows, key=lambda row: abs(row["difference"]))
        onset = self.onset()
        since = f"; worse from layer {onset} on" if onset is not None else ""
        return (
            f"{first['label']!r} in {first['corpus']!r}: {first['tuned']} minus {first['base']}, "
            f"largest at layer {most['layer']} ({100 * most['difference']:+.1f} points){since}"
        )

    def table(self) -> pd.DataFrame:
        """Return one row per layer."""
        return self.layers.to_pandas()

"""Base against tuned, layer by layer, on the same words (arXiv 2105.15179, section 4.1)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tunescope.errors import MismatchError
from tunescope.files import atomic_directory, read_table, write_table
from tunescope.probes.result import LayerProbes
from tunescope.probes.statistics import holm, mean_interval, sign_flip_test
from tunescope.results import Result

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class ProbeComparison(Result):
    """Differences in probing accuracy between a base and a tuned model.

    Parameters
    ----------
    layers : pyarrow.Table, shape (n_layers, 11)
        Columns corpus, label, base, tuned (names), layer, base_accuracy, tuned_accuracy,
        difference (tuned - base), low, high (its confidence interval), p (two-sided, paired) and
        p_holm (corrected for the number of layers).
    """

    layers: pa.Table

    def save(self, path: Path | str) -> None:
        """Write `comparison.parquet` into the folder `path`."""
        with atomic_directory(Path(path)) as folder:
            write_table(folder / "comparison.parquet", self.layers)

    @classmethod
    def load(cls, path: Path | str) -> ProbeComparison:
        """Read a comparison written by `save`.

        Raises
        ------
        InputError
            If `path` holds none.
        """
        return cls(read_table(Path(path) / "comparison.parquet"))

    def headline(self) -> str:
        """Return the names and the layer that changed most."""
        rows = self.layers.to_pylist()
        first, most = rows[0], max(rows, key=lambda row: abs(row["difference"]))
        return (
            f"{first['label']!r} in {first['corpus']!r}: {first['tuned']} minus {first['base']}, "
            f"largest at layer {most['layer']} ({100 * most['difference']:+.1f} points)"
        )

    def table(self) -> pd.DataFrame:
        """Return one row per layer."""
        return self.layers.to_pandas()


def compare_probes(
    base: LayerProbes,
    tuned: LayerProbes,
    *,
    resamples: int | None = None,
    confidence: float | None = None,
    seed: int | None = None,
) -> ProbeComparison:
    """Compare probes of two models on the same test words.

    Parameters
    ----------
    base, tuned : LayerProbes
        Probes of one label column, fitted with the same parameters on the same words.
    resamples : int, optional
        Bootstrap resamples, and sign flips of the test; as in the probes when not given.
    confidence : float, optional
        Level of the intervals; as in the probes when not given.
    seed : int, optional
        Seed of both; as in the probes when not given.

    Returns
    -------
    ProbeComparison
        Intervals by a bootstrap over sentences, p-values by flipping signs of whole sentences,
        corrected over layers after Holm.

    Raises
    ------
    MismatchError
        If corpus, label column, parameters, training or test words, or layers differ.
    """
    _check_same(base, tuned)
    resamples = base.step.resamples if resamples is None else resamples
    confidence = base.step.confidence if confidence is None else confidence
    seed = base.step.seed if seed is None else seed
    rows = []
    for layer in base.layers:
        one, other = base.words(layer), tuned.words(layer)
        before, after = (t["correct"].to_numpy().astype(float) for t in (one, other))
        sentences = one["sentence"].to_numpy()
        low, high = mean_interval(
            after - before, sentences, resamples=resamples, confidence=confidence, seed=seed
        )
        rows.append(
            {
                "corpus": base.corpus,
                "label": base.label,
                "base": base.model,
                "tuned": tuned.model,
                "layer": layer,
                "base_accuracy": before.mean(),
                "tuned_accuracy": after.mean(),
                "difference": (after - before).mean(),
                "low": low,
                "high": high,
                "p": sign_flip_test(after - before, sentences, resamples=resamples, seed=seed),
            }
        )
    table = pa.Table.from_pylist(rows)
    corrected = holm(np.array([row["p"] for row in rows]))
    return ProbeComparison(table.append_column("p_holm", pa.array(corrected)))


def _check_same(base: LayerProbes, tuned: LayerProbes) -> None:
    where = f"{base.path} and {tuned.path}"
    for name in ("corpus", "label"):
        one, other = getattr(base, name), getattr(tuned, name)
        if one != other:
            raise MismatchError(f"{where}: {name} {one!r} is not {other!r}; compare like with like")
    if base.manifest.inputs["words"] != tuned.manifest.inputs["words"]:
        raise MismatchError(
            f"{where} were not trained and tested on the same words: probe both with "
            "rows=common_words(base_store, tuned_store)"
        )
    if base.step != tuned.step:
        raise MismatchError(f"{where} were fitted with different parameters: probe one again")
    if base.layers != tuned.layers:
        raise MismatchError(
            f"{where} have {len(base.layers)} and {len(tuned.layers)} layers: layers of models "
            "that differ in depth have no counterpart"
        )

"""What tuning did to the neurons that rankings select: three tables, saved as parquet."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunescope.files import atomic_directory, read_frame, write_frame
from tunescope.results import Result

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class NeuronShift(Result):
    """Selected neurons of a base model and of a tuned one: where they sit, and which are the same.

    All tables begin with corpus, label, base, tuned (of several tuning runs, the first), n_seeds
    (runs), scaling and ranking.

    Parameters
    ----------
    shift : pandas.DataFrame
        tag (None for the overall order), n_base, n_tuned (neurons selected), base_layer,
        tuned_layer (mean layer of these; NaN without any), shift (tuned - base: below 0, knowledge
        has moved down), low, high.
    layers : pandas.DataFrame
        layer, base_selected, tuned_selected (neurons, mean over runs), seed_sd (over runs; NaN for
        one), base_share, tuned_share (of those selected), chance (the layer's share of all).
    overlap : pandas.DataFrame
        tag, size (as asked for), pair ("base-tuned", or "tuned-tuned" for two runs), run, other_run
        (-1: the base model), then as `tunescope.neurons.overlap.overlap_beside_chance`.
    """

    shift: pd.DataFrame
    layers: pd.DataFrame
    overlap: pd.DataFrame

    def save(self, path: Path | str) -> None:
        """Write `shift.parquet`, `layers.parquet` and `overlap.parquet` into the folder `path`."""
        with atomic_directory(Path(path)) as folder:
            for field in fields(self):
                write_frame(folder / f"{field.name}.parquet", getattr(self, field.name))

    @classmethod
    def load(cls, path: Path | str) -> NeuronShift:
        """Read what `save` wrote.

        Raises
        ------
        InputError
            If `path` holds none.
        """
        tables = {f.name: read_frame(Path(path) / f"{f.name}.parquet") for f in fields(cls)}
        return cls(**tables)

    def table(self) -> pd.DataFrame:
        """Return the shift of the mean layer of every ranking's selection."""
        return _overall(self.shift)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the shift, and the overlap of the overall orders."""
        return {"shift": self.table(), "overlap": _overall(self.overlap)}

    def headline(self) -> str:
        """Return the shift by the first ranking."""
        first = self.table().iloc[0]
        return (
            f"{first['label']!r} in {first['corpus']!r}: the neurons of {first['ranking']} "
            f"({first['scaling']}) sit at layer {first['base_layer']:.2f} on average in "
            f"{first['base']}, {first['shift']:+.2f} in {first['tuned']}"
        )


def _overall(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the overall orders."""
    rows: Any = table[table["tag"].isna()]
    return rows.drop(columns="tag").reset_index(drop=True)

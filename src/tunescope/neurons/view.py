"""What one neuron answers to: its words, its contexts, its values for every label."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tunescope.activations.neuron import NeuronId
from tunescope.errors import InputError
from tunescope.files import atomic_directory, read_json, read_table, write_json, write_table
from tunescope.neurons.coloured import as_html, colour
from tunescope.neurons.tag_values import QUANTILE_NAMES
from tunescope.results import Result, without_math

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = 1
SHOWN = 15
"""Tags of a label column that a notebook shows."""
TABLES = ("words", "contexts", "values")
_FACTS = (
    "model", "corpus", "store", "n_words", "n_types", "mean", "deviation", "low", "high",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class NeuronView(Result):
    """What one neuron of a model answers to in a corpus.

    Parameters
    ----------
    neuron : NeuronId
        Its address.
    model, corpus : str
        Names.
    store : str
        Hash of the activations.
    n_words, n_types : int
        Words looked at, and how many different ones.
    mean, deviation : float
        Of the activation over these words (population standard deviation).
    low, high : float
        Lowest and highest activation.
    quantiles : tuple of float
        5, 25, 50, 75 and 95 % of the words lie below.
    words : pandas.DataFrame
        Top words (`top_words`): `word`, `count`, `strength`, `z`, `mean`.
    contexts : pandas.DataFrame
        Sentences with the highest and the lowest activations: `side` ("highest" or "lowest"),
        `rank`, `word`, `activation`, `sentence` (row of the corpus's sentence table), `position`
        (of the word in it), `words` (all its words, a list) and `activations` (of each of them; NaN
        for a word that has none).
    values : pandas.DataFrame
        Values per tag (`tag_values`), for each label column: `label`, then the columns there.
    """

    neuron: NeuronId
    model: str
    corpus: str
    store: str
    n_words: int
    n_types: int
    mean: float
    deviation: float
    low: float
    high: float
    quantiles: tuple[float, ...]
    words: pd.DataFrame = field(repr=False)
    contexts: pd.DataFrame = field(repr=False)
    values: pd.DataFrame = field(repr=False)

    def z(self, activations: Sequence[float] | np.ndarray) -> np.ndarray:
        """Return activations in standard deviations from the mean; 0 where it never changes."""
        values = np.asarray(activations, np.float64)
        if not self.deviation:
            return np.where(np.isfinite(values), 0.0, values)
        return (values - self.mean) / self.deviation

    @property
    def labels(self) -> list[str]:
        """Label columns whose values are summed up."""
        return list(dict.fromkeys(self.values["label"]))

    def of_label(self, label: str) -> pd.DataFrame:
        """Return the values per tag of one label column, the best separated first."""
        rows = pd.DataFrame(self.values[self.values["label"] == label])
        return rows.drop(columns="label").reset_index(drop=True)

    def side(self, side: str) -> pd.DataFrame:
        """Return the contexts of one side, "highest" or "lowest", the most extreme first."""
        rows = pd.DataFrame(self.contexts[self.contexts["side"] == side])
        return rows.drop(columns="side").reset_index(drop=True)

    def headline(self) -> str:
        """Return which neuron, its strongest words, and what it tells apart."""
        text = (
            f"Neuron {self.neuron} of {self.model} on {self.corpus!r} ({self.n_words:,} words): "
            f"mean {self.mean:.3g}, sd {self.deviation:.3g}"
        )
        if not self.deviation:
            return f"{text}; it never changes"
        if len(self.words):
            text += "; strongest for " + ", ".join(f"“{word}”" for word in self.words["word"][:3])
        for label in self.labels:
            best = self.of_label(label).iloc[0]
            if best["separation"] > best["chance"]:
                name, where, auc = best["tag"], best["direction"], best["auc"]
                text += f"; {label} {name} lies {where} (AUC {auc:.2f})"
        return text

    def table(self) -> pd.DataFrame:
        """Return the top words."""
        return self.words

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return top words, contexts and values per tag."""
        found = {"Top words": self.words, "Contexts": self._marked()}
        for label in self.labels:
            found[f"Values by {label}"] = self.of_label(label)
        return found

    def _marked(self) -> pd.DataFrame:
        """Return the contexts as text, the word in brackets."""
        rows = zip(self.contexts["words"], self.contexts["position"], strict=True)
        texts = [
            " ".join(f"[{word}]" if place == here else word for place, word in enumerate(words))
            for words, here in rows
        ]
        return pd.DataFrame(self.contexts[["side", "activation"]]).assign(context=texts)

    def _repr_html_(self) -> str:
        words = " ".join(
            f'<span dir="ltr" style="display:inline-block;margin-right:.7em">'
            f'<bdi dir="auto" style="background:{colour(z)}">{escape(word)}</bdi>'
            f"<small> {z:+.1f}&nbsp;({count:,})</small></span>"
            for word, count, z in zip(*(self.words[n] for n in ("word", "count", "z")), strict=True)
        )
        parts = [f"<p>{escape(self.headline())}</p>", "<h4>Top words</h4>"]
        parts.append(f'<p style="line-height:1.8">{words}</p>')
        for side in ("highest", "lowest"):
            rows = self.side(side)
            parts.append(f"<h4>Contexts with the {side} activations</h4>" if len(rows) else "")
            columns = [rows[name] for name in ("words", "activations", "position")]
            parts += [as_html(w, a, self.z(a).tolist(), place)
                      for w, a, place in zip(*columns, strict=True)]  # fmt: skip
        for label in self.labels:
            frame = self.of_label(label)
            more = f", {len(frame) - SHOWN} more not shown" if len(frame) > SHOWN else ""
            parts.append(f"<h4>{escape(f'Values by {label}{more}')}</h4>")
            shown = frame.head(SHOWN).drop(columns=["q25", "q75", "separation"])
            parts.append(
                shown.to_html(index=False, escape=True, border=0, float_format="{:.3g}".format)
            )
        return without_math(parts)

    def save(self, path: Path | str) -> None:
        """Write the view as a folder, `path`."""
        save_views(path, [self])

    @classmethod
    def load(cls, path: Path | str) -> NeuronView:
        """Read a view written by `save`; of several written by `save_views`, the first."""
        return load_views(path)[0]


def save_views(path: Path | str, views: Sequence[NeuronView]) -> None:
    """Write views as one folder: `views.json`, and a parquet table of each kind.

    Parameters
    ----------
    path : Path or str
        Folder; what is there is replaced.
    views : sequence of NeuronView
        At least one.

    Raises
    ------
    InputError
        If there is no view.
    """
    if not views:
        raise InputError("no neurons to save: give at least one view")
    heads = [
        {name: getattr(view, name) for name in _FACTS}
        | {"neuron": str(view.neuron), "quantiles": list(view.quantiles)}
        for view in views
    ]
    with atomic_directory(Path(path)) as folder:
        write_json(folder / "views.json", {"format": FORMAT, "views": heads})
        for name in TABLES:
            frames = [getattr(v, name).assign(view=number) for number, v in enumerate(views)]
            write_table(folder / f"{name}.parquet", _arrow(pd.concat(frames), name))


def load_views(path: Path | str) -> list[NeuronView]:
    """Read views written by `save_views`, in their order.

    Raises
    ------
    InputError
        If the folder holds no views.
    """
    path = Path(path)
    content = read_json(path / "views.json")
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(f"{path}/views.json is not one of tunescope's: make the views again")
    parts = {name: _parts(path / f"{name}.parquet", len(content["views"])) for name in TABLES}
    views = []
    for number, head in enumerate(content["views"]):
        given: dict[str, Any] = {**head, **{name: parts[name][number] for name in TABLES}}
        given["neuron"] = NeuronId.parse(head["neuron"])
        given["quantiles"] = tuple(head["quantiles"])
        views.append(NeuronView(**given))
    return views


def _parts(path: Path, n_views: int) -> list[pd.DataFrame]:
    """Return the rows of each view."""
    table = read_table(path)
    bounds = np.searchsorted(table["view"].to_numpy(), np.arange(n_views + 1))
    table = table.drop_columns("view")
    spans = zip(bounds[:-1], bounds[1:], strict=True)
    return [frame(table.slice(start, stop - start)) for start, stop in spans]


def frame(table: pa.Table) -> pd.DataFrame:
    """Return an Arrow table as a data frame whose lists are lists."""
    import pyarrow as pa

    made = table.to_pandas()
    for column in table.schema:
        if pa.types.is_list(column.type):
            lists = table[column.name].to_pylist()
            if pa.types.is_floating(column.type.value_type):  # NaN comes back as None
                lists = [[math.nan if v is None else v for v in values] for values in lists]
            made[column.name] = lists
    return made


def typed(rows: pd.DataFrame | list[dict[str, Any]], name: str) -> pd.DataFrame:
    """Return rows as the data frame that reading them back gives, even where there are none."""
    return frame(_arrow(pd.DataFrame(rows), name))


def _arrow(table: pd.DataFrame, name: str) -> pa.Table:
    import pyarrow as pa

    text, number, count = pa.string(), pa.float64(), pa.int64()
    numbers = dict.fromkeys(("mean", "sd", *QUANTILE_NAMES, "auc"), number)
    kinds: dict[str, dict[str, Any]] = {
        "words": {"word": text, "count": count, "strength": number, "z": number, "mean": number},
        "contexts": {
            "side": text, "rank": count, "word": text, "activation": number, "sentence": count,
            "position": count, "words": pa.list_(text), "activations": pa.list_(number),
        },
        "values": {
            "label": text, "tag": text, "n": count, **numbers, "direction": text,
            "separation": number, "chance": number,
        },
    }  # fmt: skip
    schema = pa.schema(kinds[name] | ({"view": count} if "view" in table else {}))
    if not len(table):
        return schema.empty_table()
    return pa.Table.from_pandas(table, schema, preserve_index=False).replace_schema_metadata(None)

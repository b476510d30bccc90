"""Concepts that tuning created in the last layer of a model, and what they do to predictions."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pandas as pd

from tunescope.report.concepts.page import Key
from tunescope.report.figure import Figure, slug
from tunescope.report.provenance import source
from tunescope.report.wording import percent
from tunescope.study.result import Run
from tunescope.viewer.places import Places
from tunescope.viewer.summaries.grid import Cell, Column, grid

Frame = Any
"""A pandas.DataFrame: of what its methods return, a type checker knows only unions."""
Opened = dict[str, list[tuple[str, str]]]
MOST = 8
WORDS = 6
COLUMNS = [
    "layer", "concept", "name", "words", "size", "n_types", "class_label", "class_share",
    "polarised", "best_match", "overlap", "flips",
]  # fmt: skip


def created_figure(run: Run, key: Key, places: Places) -> Figure | None:
    """Make the table of the main concepts of the top layer that the base model does not have.

    Those that follow a class come first, then the largest.

    Parameters
    ----------
    run : Run
        Results of a study.
    key : tuple of str
        Corpus, base and tuned model, of an alignment that is there.
    places : Places
        Where concepts stand.

    Returns
    -------
    Figure or None
        None where no concept was created.
    """
    corpus, base, tuned = key
    alignment = run.alignments[key]
    frame: Frame = alignment.concepts
    born = frame[(frame["role"] == "tuned") & (frame["fate"] == "born")]
    if not len(born):
        return None
    layer = int(frame.loc[frame["role"] == "tuned", "layer"].max())
    top = born[born["layer"] == layer]
    if not len(top):
        return None
    order = top.sort_values(["polarised", "size", "concept"], ascending=[False, False, True])
    shown = order.head(MOST).to_dict("records")
    effects, random = _effects(run, key, layer)
    words = _words(run, corpus, tuned, layer, [row["concept"] for row in shown])
    names = _names(run, corpus, tuned, layer)
    for row, text in zip(shown, words, strict=True):
        row["words"], row["flips"] = text, effects.get(row["concept"], math.nan)
        row["name"] = names.get(row["concept"], "")
    n_follow = int(top["polarised"].sum())
    return Figure(
        f"created-{slug(*key)}",
        f"Concepts that tuning created in the last layer, {layer} ({corpus})",
        _caption(run, key, len(top), n_follow, len(shown), random),
        {},
        pd.DataFrame(shown, columns=COLUMNS),
        source(run, "align", alignment.manifest.parameters),
        written=_grid(shown, key, layer, places, flips=bool(effects)),
        opens=_all_of_them(places.layer(corpus, tuned, layer), tuned, len(top), n_follow),
    )  # fmt: skip


def _all_of_them(address: str | None, tuned: str, born: int, follow: int) -> Opened:
    if address is None:
        return {}
    links = [(f"the {born} created concepts of {tuned}", f"{address}#fate=born")]
    return {"All of them:": links}


def _caption(run: Run, key: Key, born: int, follow: int, shown: int, random: float) -> str:
    step = run.alignments[key].manifest.parameters
    corpus, base, tuned = key
    said = (
        f"Of the concepts of {tuned} at its last layer, {born} were created by tuning: no concept "
        f"of {base} at the same layer holds {percent(step['theta'])} of their {step['overlap']}. "
    )
    if len(run.alignments[key].polarity):
        said += (
            f"{follow} of them follow a class of the task: {percent(step['theta_classes'])} of "
            "their words or more stand in sentences of it. "
        )
    said += f"Shown are {shown}, those that follow a class first, then the largest."
    if not math.isnan(random):
        said += (
            " Flips: predictions of other classes that turn to the class when words of the "
            "concept are put into a text, mean over its triggers on the choosing texts; by random "
            f"words {percent(random)}."
        )
    return said


def _grid(shown: list[dict[str, Any]], key: Key, layer: int, places: Places, *, flips: bool) -> Any:
    corpus, base, tuned = key
    classes = any(row["class_label"] for row in shown)
    columns = [Column("concept"), Column("most frequent words"), Column("words", numbers=True)]
    columns += [Column("class of their sentences", numbers=True)] if classes else []
    columns += [Column(f"most like it in {base}")]
    columns += [Column("flips", numbers=True)] if flips else []
    rows = []
    for row in shown:
        number, match = int(row["concept"]), int(row["best_match"])
        cells = [
            Cell(row["name"] or str(number), places.concept(corpus, tuned, layer, number) or ""),
            Cell(row["words"]),
            Cell(f"{row['size']:,}"),
        ]
        if classes:
            text = f"{percent(row['class_share'])} {row['class_label'] or ''}".strip()
            cells.append(Cell(text, bar=row["class_share"]))
        found = Cell("none") if match < 0 else Cell(
            f"concept {match}", places.concept(corpus, base, layer, match) or "",
            f"holds {percent(row['overlap'])}",
        )  # fmt: skip
        cells.append(found)
        if flips:
            rate = row["flips"]
            said = Cell("not tried") if math.isnan(rate) else Cell(percent(rate), bar=rate)
            cells.append(said)
        rows.append(cells)
    return grid(f"Concepts of {tuned} that {base} does not have", columns, rows)


def _effects(run: Run, key: Key, layer: int) -> tuple[dict[int, float], float]:
    """Return the mean flip rate of each concept's triggers, and that of random ones."""
    found = run.latent.triggers.get(key)
    if found is None:
        return {}, math.nan
    rows: Frame = found.concepts[found.concepts["layer"] == layer]
    means = rows.groupby("concept")["mean_rate"].max()
    random: Frame = found.tried.loc[found.tried["method"] == "random", "flip_rate"]
    rates = {int(number): float(value) for number, value in means.items()}
    return rates, float(random.mean()) if len(random) else math.nan


def _words(run: Run, corpus: str, model: str, layer: int, concepts: list[int]) -> list[str]:
    """Return the most frequent words of some concepts."""
    made = run.concepts[corpus, model]
    labels, forms = made.labels(layer), made.words.values("form")
    counted = (Counter(forms[labels == concept].tolist()) for concept in concepts)
    return [", ".join(form for form, _ in counts.most_common(WORDS)) for counts in counted]


def _names(run: Run, corpus: str, model: str, layer: int) -> dict[int, str]:
    """Return what a language model called the concepts of a layer, where it was asked."""
    made = run.latent.names.get((corpus, model))
    known = {} if made is None else made.lookup()
    return {concept: name for (at, concept), name in known.items() if at == layer}

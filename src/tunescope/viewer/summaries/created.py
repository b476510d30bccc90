"""Concepts that tuning created in the last layer of a model, and what they do to predictions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from tunescope.report.concepts.page import Key
from tunescope.report.figure import Figure, slug
from tunescope.report.provenance import source
from tunescope.report.wording import percent
from tunescope.study.result import Run
from tunescope.viewer.concepts.effects import Effect, effects
from tunescope.viewer.places import Places
from tunescope.viewer.summaries.grid import Cell, Column, grid

Frame = Any
"""A pandas.DataFrame: of what its methods return, a type checker knows only unions."""
Opened = dict[str, list[tuple[str, str]]]
MOST = 8
WORDS = 6
COLUMNS = [
    "layer", "concept", "name", "words", "size", "n_types", "class_label", "class_share",
    "polarised", "best_match", "overlap", "towards", "flips", "flips_random", "n_triggers",
]  # fmt: skip


def created_figure(run: Run, key: Key, places: Places) -> Figure | None:
    """Make the table of the main concepts of the top layer that the base model does not have.

    Those with the strongest triggers come first, then those that follow a class, then the largest.

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
    found = run.latent.triggers.get(key)
    tried = {} if found is None else {c: of[0] for c, of in effects(found, layer).items()}
    strongest = top.assign(flips=[_mean(tried.get(c)) for c in top["concept"]])
    order = strongest.sort_values(
        ["flips", "polarised", "size", "concept"], ascending=[False, False, False, True]
    )
    shown = order.head(MOST).to_dict("records")
    words = _words(run, corpus, tuned, layer, [row["concept"] for row in shown])
    names = _names(run, corpus, tuned, layer)
    for row, text in zip(shown, words, strict=True):
        row["words"], row["name"] = text, names.get(row["concept"], "")
        effect = tried.get(row["concept"])
        row["towards"] = "" if effect is None else effect.towards
        row["n_triggers"] = 0 if effect is None else effect.n_triggers
        row["flips_random"] = math.nan if effect is None else effect.random
    counted = frame[(frame["role"] == "tuned") & (frame["layer"] == layer) & (frame["fate"] != "")]
    n_follow = int(top["polarised"].sum())
    return Figure(
        f"created-{slug(*key)}",
        f"Concepts that tuning created in the last layer, {layer} ({corpus})",
        _caption(run, key, (len(top), len(counted)), n_follow, len(shown), flips=bool(tried)),
        {},
        pd.DataFrame(shown, columns=COLUMNS),
        source(run, "align", alignment.manifest.parameters),
        written=_grid(shown, key, layer, places, tried),
        opens=_all_of_them(places.layer(corpus, tuned, layer), tuned, len(top), flips=bool(tried)),
    )  # fmt: skip


def _all_of_them(address: str | None, tuned: str, born: int, *, flips: bool) -> Opened:
    if address is None:
        return {}
    address += "#fate=born" + ("&sort=flips" if flips else "")
    return {"All of them:": [(f"the {born} created concepts of {tuned}", address)]}


def _caption(
    run: Run, key: Key, born: tuple[int, int], follow: int, shown: int, *, flips: bool
) -> str:
    step = run.alignments[key].manifest.parameters
    corpus, base, tuned = key
    said = (
        f"Of the {born[1]} concepts of {tuned} at its last layer that have enough word types to "
        f"count, {born[0]} were created by tuning: no concept of {base} at the same layer holds "
        f"{percent(step['theta'])} of their {step['overlap']}. "
    )
    if len(run.alignments[key].polarity):
        said += (
            f"{follow} of them follow a class of the task: {percent(step['theta_classes'])} of "
            "their words or more stand in sentences of it. "
        )
    order = "those that follow a class first, then the largest"
    if not flips:
        return f"{said}Shown are {shown}, {order}."
    return (
        f"{said}Shown are {shown}, those with the strongest triggers first, then those that follow "
        "a class. Flips: some words of the concept are put into texts predicted to be of another "
        "class; the share that is then predicted to be of the class named, mean over the concept’s "
        "triggers on the texts they were chosen on, beside that of random words. Its page has "
        "the interval of each trigger."
    )


def _grid(
    shown: list[dict[str, Any]], key: Key, layer: int, places: Places, tried: dict[int, Effect]
) -> Any:
    corpus, base, tuned = key
    classes = any(row["class_label"] for row in shown)
    columns = [Column("concept"), Column("most frequent words"), Column("words", numbers=True)]
    columns += [Column("class of their sentences", numbers=True)] if classes else []
    columns += [Column(f"most like it in {base}")]
    columns += [Column("flips", numbers=True)] if tried else []
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
        if tried:
            cells.append(_flips(tried.get(number)))
        rows.append(cells)
    return grid(f"Concepts of {tuned} that {base} does not have", columns, rows)


def _mean(effect: Effect | None) -> float:
    return math.nan if effect is None else effect.mean


def _flips(effect: Effect | None) -> Cell:
    if effect is None:
        return Cell("not tried")
    if math.isnan(effect.mean):
        return Cell("no text could flip")
    random = "" if math.isnan(effect.random) else f"random words {percent(effect.random)}"
    return Cell(f"{percent(effect.mean)} to {effect.towards}", note=random, bar=effect.mean)


def _words(run: Run, corpus: str, model: str, layer: int, concepts: list[int]) -> list[str]:
    """Return the most frequent words of some concepts; of equally many, the first in the corpus."""
    made = run.concepts[corpus, model]
    labels, types, forms = made.labels(layer), made.types, made.words.values("form")
    _, first = np.unique(types, return_index=True)
    said = []
    for concept in concepts:
        there, counts = np.unique(types[labels == concept], return_counts=True)
        top = there[np.argsort(-counts, kind="stable")[:WORDS]]
        said.append(", ".join(forms[first[top]]))
    return said


def _names(run: Run, corpus: str, model: str, layer: int) -> dict[int, str]:
    """Return what a language model called the concepts of a layer, where it was asked."""
    made = run.latent.names.get((corpus, model))
    known = {} if made is None else made.lookup()
    return {concept: name for (at, concept), name in known.items() if at == layer}

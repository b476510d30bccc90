"""Triggers as tables: beside the baselines, the best ones, texts before and after."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
from markupsafe import Markup

from tunescope.report.concepts.page import Key
from tunescope.report.concepts.triggers import PLACE, figures
from tunescope.report.figure import Figure, slug
from tunescope.report.figures.triggers import METHODS
from tunescope.report.provenance import source
from tunescope.report.wording import percent, points
from tunescope.study.result import Run
from tunescope.triggers.result import TriggerTable
from tunescope.viewer.frame import fragment
from tunescope.viewer.places import Places
from tunescope.viewer.summaries.grid import Cell, Column, grid
from tunescope.viewer.triggers_tried import spot

UP = "../../"
"""From the page to the top of the site."""
Frame = Any
"""A pandas.DataFrame: of what its methods return, a type checker knows only unions."""
Where = Callable[[int, int], str]
"""From layer and number of a concept to its address from the page; "" for none."""


def where_concepts(places: Places, key: Key) -> Where:
    """Return what finds the pages of the tuned model's concepts.

    Parameters
    ----------
    places : Places
        Where concepts stand.
    key : tuple of str
        Corpus, base and tuned model.
    """

    def where(layer: int, concept: int) -> str:
        path = None if concept < 0 else places.concept(key[0], key[2], layer, concept)
        return "" if path is None else UP + path

    return where


def beside_figure(run: Run, key: Key, where: Where) -> Figure | None:
    """Make the table of concepts beside each baseline, the difference first.

    Parameters
    ----------
    run : Run
        Results of a study.
    key : tuple of str
        Corpus, base and tuned model, of triggers that are there.
    where : callable
        Finds pages of concepts.

    Returns
    -------
    Figure or None
        None where there are no concepts, or nothing to hold them against.
    """
    found = run.latent.triggers[key]
    frame: Frame = found.comparisons
    rows = frame[frame["scope"] == "all"]
    if not len(rows):
        return None
    rows = rows.sort_values(["towards", *PLACE], kind="stable")
    step, facts = found.manifest.parameters, found.facts
    best: Frame = found.best
    chosen = best[(best["scope"] == "all") & (best["method"] == "concept")]
    concept_of = {
        (*(row[c] for c in ("towards", *PLACE)), row["trigger"]): (row["layer"], row["concept"])
        for row in chosen.to_dict("records")
    }
    about = concept_of, where, facts["n_parts"], len(_places(found)) > 1
    cells = [_beside_row(row, *about) for row in rows.to_dict("records")]
    columns = [
        Column("Towards"), Column("Beside"), Column("more flipped", "Best trigger", "", True, True),
        Column("p", "Best trigger", numbers=True), Column("concepts", "Best trigger"),
        Column("baseline", "Best trigger"),
        Column("more flipped", "Mean of all triggers", "", True, True),
        Column("p", "Mean of all triggers", numbers=True),
    ]  # fmt: skip
    return Figure(
        f"beside-{slug(*key)}",
        "Concepts beside the baselines",
        "Differences are in percentage points of predictions flipped, concepts minus baseline, "
        f"with {percent(step['confidence'])} intervals by a bootstrap. Best trigger: each chosen "
        f"on {facts['n_choosing']:,} texts, both tried on the same {facts['n_held_out']:,} others, "
        "of these on those predicted to be of another class (McNemar’s test). Mean of all "
        "triggers: on the choosing texts, where none was picked; p by exchanging concepts, those "
        "that share words together, with those of the baseline. p is corrected (Holm) over the "
        "rows beside random words; the others are as they come.",
        {},
        pd.DataFrame(rows.drop(columns=["scope", "layer"])),
        source(run, "triggers", step),
        written=grid("Concepts beside the baselines", columns, cells),
    )


def linked_figures(run: Run, key: Key, where: Where) -> tuple[list[Figure], list[Figure]]:
    """Return the figures of the triggers, and apart from them those of texts before and after.

    Parameters
    ----------
    run : Run
        Results of a study.
    key : tuple of str
        Corpus, base and tuned model, of triggers that are there.
    where : callable
        Finds pages of concepts: the concepts that are named are linked.
    """
    corpus, found = key[0], run.latent.triggers[key]
    texts: dict[str, Markup] = {}
    best: dict[str, Markup] = {}
    for place in _places(found):
        name = slug(found.facts["model"], corpus, *place)
        best[f"triggers-{name}"] = _best(found, place, where)
        texts[f"trigger-examples-{name}"] = _examples(found, place, where)
    made: tuple[list[Figure], list[Figure]] = ([], [])
    for figure in figures(run, corpus, found):
        written = (best | texts).get(figure.name)
        shown = figure if written is None else replace(figure, shown=None, written=written)
        made[figure.name in texts].append(shown)
    return made


def parted(before: str, text: str, trigger: str) -> tuple[str, str, str]:
    """Return what stands before a trigger in a text, the trigger, and what stands behind.

    Parameters
    ----------
    before, text : str
        The text without and with it.
    trigger : str
        Its words; where the text has them elsewhere too, those that were put in are found.

    Examples
    --------
    >>> parted("good film", "good good film", "good")
    ('', 'good', ' good film')
    """
    at = text.find(trigger)
    while at >= 0:
        left, right = text[:at], text[at + len(trigger) :]
        if f"{left}{right}".split() == before.split():
            return left, trigger, right
        at = text.find(trigger, at + 1)
    return text, "", ""


def _places(found: TriggerTable) -> list[tuple[str, str]]:
    return [(str(a), str(b)) for a, b in found.tried[PLACE].drop_duplicates().to_numpy()]


def _beside_row(
    row: dict[str, Any],
    concept_of: dict[Any, tuple[int, int]],
    where: Where,
    n_parts: int,
    several: bool,
) -> list[Cell]:
    ours = concept_of.get((row["towards"], row["position"], row["part"], row["trigger"]), (-1, -1))
    at = spot(row["position"], row["part"], n_parts) if several else ""
    means = row["mean_difference"], row["mean_low"], row["mean_high"]
    return [
        Cell(row["towards"], note=at),
        Cell(METHODS[row["baseline"]][0]),
        _difference(row["difference"], row["low"], row["high"]),
        _p(row["p_holm"], row["p"]),
        Cell(row["trigger"], where(*ours), percent(row["flip_rate"]) if row["n"] else ""),
        Cell(row["baseline_trigger"], note=percent(row["baseline_rate"]) if row["n"] else ""),
        _difference(*means),
        _p(row["mean_p_holm"], row["mean_p"]),
    ]


def _difference(value: float, low: float, high: float) -> Cell:
    if math.isnan(value):
        return Cell("")
    tone = "yes" if low > 0 else "no" if high < 0 else ""
    return Cell(points(value), note=f"{points(low)} to {points(high)}", bar=value, tone=tone)


def _p(corrected: float, plain: float) -> Cell:
    p = plain if math.isnan(corrected) else corrected
    return Cell("" if math.isnan(p) else "< .001" if p < 0.001 else f"{p:.3f}".lstrip("0"))


def _best(found: TriggerTable, place: tuple[str, str], where: Where) -> Markup:
    """Return the best trigger of each kind as a table."""
    best: Frame = found.best
    rows = best[(best["scope"] == "all") & (best["by"] == "predicted")]
    rows = rows[(rows["position"] == place[0]) & (rows["part"] == place[1])]
    rows = rows.sort_values(["towards", "flip_rate"], ascending=[True, False], kind="stable")
    cells = []
    for row in rows.to_dict("records"):
        interval = f"{percent(row['flip_low'])} to {percent(row['flip_high'])}, n = {row['n']:,}"
        there = f"{row['concept']} at layer {row['layer']}" if row["concept"] >= 0 else ""
        cells.append(
            [
                Cell(row["towards"]),
                Cell(METHODS[row["method"]][0]),
                Cell(row["trigger"]),
                Cell(there, where(row["layer"], row["concept"])),
                Cell(percent(row["flip_rate"]), note=interval, bar=row["flip_rate"])
                if row["n"]
                else Cell("no text could flip"),
                Cell(f"{points(-row['drop'])} points") if row["n_texts"] else Cell(""),
                Cell(f"{row['tried']:,}"),
            ]
        )
    columns = [
        Column("Towards"), Column("Words from"), Column("Trigger"), Column("Concept"),
        Column("Flips", numbers=True), Column("Accuracy changes by", numbers=True),
        Column("Best of", numbers=True),
    ]  # fmt: skip
    return grid("The best trigger of each kind", columns, cells)


def _examples(found: TriggerTable, place: tuple[str, str], where: Where) -> Markup:
    """Return texts before and with the best trigger of each class."""
    frame: Frame = found.examples
    rows = frame[(frame["position"] == place[0]) & (frame["part"] == place[1])]
    groups = []
    for (towards, trigger), of in rows.groupby(["towards", "trigger"], sort=False):
        first = of.iloc[0]
        href = where(int(first["layer"]), int(first["concept"]))
        texts = [
            row | {"parts": parted(row["before"], row["with_trigger"], row["trigger"])}
            for row in of.to_dict("records")
        ]
        groups.append((towards, trigger, METHODS[first["method"]][0], first, href, texts))
    return fragment("trigger_examples.html.j2", groups=groups)

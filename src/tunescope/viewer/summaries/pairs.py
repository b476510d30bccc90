"""Many tuned models side by side: one row each, what tuning did to it in a few numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd

from tunescope.report.concepts.page import keys
from tunescope.report.figure import Figure
from tunescope.report.finding import Finding
from tunescope.report.wording import percent, points
from tunescope.study.result import Run
from tunescope.triggers.findings import main_rows
from tunescope.viewer.paths import layers_path
from tunescope.viewer.places import Places
from tunescope.viewer.summaries.grid import Cell, Column, grid

Pair = tuple[str, str]


def pairs_figure(run: Run, found: dict[Pair, list[Finding]], places: Places) -> Figure:
    """Make the table of all tuned models of a run.

    Parameters
    ----------
    run : Run
        Results of a study.
    found : dict
        The findings about each pair of models.
    places : Places
        Where the pages about the layers stand.
    """
    measures: dict[str, Callable[[Run, Pair], Cell]] = {
        "score on dev texts": _score,
        "labels, change in the top third of the layers": _forgotten,
        "concepts kept at the top": _kept,
        "follow a class at the top": _follow,
        "best trigger flips": _flips,
    }
    rows = []
    for pair, claims in found.items():
        path = layers_path(*pair)
        cells = [Cell(pair[1], path if places.there(path) else ""), Cell(pair[0])]
        cells += [measure(run, pair) for measure in measures.values()]
        holds = sum(claim.holds for claim in claims)
        rows.append([*cells, Cell(f"{holds} of {len(claims)}" if claims else "")])
    headings = ["tuned model", "base", *measures, "measures that show the pattern"]
    kept = [n for n in range(len(headings)) if any(row[n].text for row in rows)]
    columns = [Column(headings[n]) for n in kept]
    cells = [[row[n] for n in kept] for row in rows]
    table = pd.DataFrame(
        [[f"{cell.text} {cell.note}".strip() for cell in row] for row in cells],
        columns=[column.heading for column in columns],
    )
    return Figure(
        "pairs",
        "All tuned models",
        "Behind each number: its 95% interval, then its baseline. That of a score is always saying "
        "the most frequent class, or the mean; of concepts, the upper end of what permutations "
        "give; of triggers, the best of as many random words, and the interval is that of the "
        "difference from it. Labels are compared with the base model on the same words. The top is "
        "the last layer. The pattern: low layers keep what they know, top layers turn to the task.",
        {},
        table,
        run.about["command"],
        written=grid("All tuned models", columns, cells),
    )


def _score(run: Run, pair: Pair) -> Cell:
    made = run.transfer.tuned.get(pair[1])
    if not made:
        return Cell("")
    facts = made[0].manifest.facts
    interval = f"[{facts['dev_low']:.3f}, {facts['dev_high']:.3f}]"
    return Cell(f"{facts['dev_score']:.3f}", note=f"{interval}, {facts['dev_baseline']:.3f}")


def _forgotten(run: Run, pair: Pair) -> Cell:
    """Return the change of the first label column, in the mean over the top third."""
    for key, comparison in run.comparisons.items():
        if key[2:] == pair and comparison.upper is not None:
            row = comparison.upper.to_pylist()[0]
            interval = f"[{points(row['low'])}, {points(row['high'])}]"
            return Cell(f"{key[1]} {points(row['difference'])}", note=interval)
    return Cell("")


def _kept(run: Run, pair: Pair) -> Cell:
    for row in _top(run, pair, "retention", lambda rows: rows):
        interval = f"[{percent(row['retained_low'])}, {percent(row['retained_high'])}]"
        chance = percent(row["null_high"] / max(1, row["n_base"]))
        return Cell(percent(row["retained_share"]), note=f"{interval}, {chance}")
    return Cell("")


def _follow(run: Run, pair: Pair) -> Cell:
    def tuned(rows: pd.DataFrame) -> Any:
        return rows[(rows["class"] == "") & (rows["role"] == "tuned")]

    for row in _top(run, pair, "polarity", tuned):
        interval = f"[{row['polarised_low']:.0f}, {row['polarised_high']:.0f}]"
        text = f"{row['polarised']} of {row['n_concepts']}"
        return Cell(text, note=f"{interval}, {row['null_high']:.0f}")
    return Cell("")


def _top(
    run: Run, pair: Pair, frame: str, choose: Callable[[pd.DataFrame], Any]
) -> Iterable[dict[str, Any]]:
    """Return the row of the top layer in the first corpus that has rows."""
    for key in keys(run, *pair):
        rows = choose(getattr(run.alignments[key], frame))
        if len(rows):
            yield rows.sort_values("layer").to_dict("records")[-1]


def _flips(run: Run, pair: Pair) -> Cell:
    """Return the rate of the best trigger of a concept, over classes and places."""
    for key in keys(run, *pair):
        found = run.latent.triggers.get(key)
        rows = [] if found is None else main_rows(found.comparisons).to_dict("records")
        rows = [row for row in rows if row["n"]]
        if rows:
            best = max(rows, key=lambda row: row["flip_rate"])
            text = f"{percent(best['flip_rate'])} to {best['towards']}"
            interval = f"[{points(best['low'])}, {points(best['high'])}]"
            return Cell(text, note=f"{interval}, {percent(best['baseline_rate'])}")
    return Cell("")

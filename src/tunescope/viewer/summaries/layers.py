"""One pair of models layer by layer: what probes read off, what concepts were kept and follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tunescope.concepts.alignment.result import Alignment
from tunescope.probes.comparison import ProbeComparison
from tunescope.report.concepts.claims import UNITS
from tunescope.report.concepts.page import keys
from tunescope.report.figure import Figure, slug
from tunescope.report.finding import ALPHA, Evidence
from tunescope.report.wording import null, percent, points
from tunescope.study.result import Run
from tunescope.viewer.places import Places
from tunescope.viewer.summaries.grid import Cell, Column, grid

Frame = Any
"""A pandas.DataFrame: of what its methods return, a type checker knows only unions."""
MOST_LABELS = 2
"""Label columns that are shown; the others are on the page about the layers."""
STAR = "*"


@dataclass(frozen=True)
class Measure:
    """Some columns about one thing, the difference first.

    Parameters
    ----------
    columns : sequence of Column
        Their headings.
    cells : dict of int to sequence of Cell
        By layer, as many as there are columns.
    table : pandas.DataFrame
        The numbers, with a column `layer`.
    """

    columns: Sequence[Column]
    cells: dict[int, list[Cell]]
    table: pd.DataFrame


def layers_figure(run: Run, base: str, tuned: str, places: Places) -> Figure | None:
    """Make the table of one pair of models, one row per layer; None where nothing is compared.

    Parameters
    ----------
    run : Run
        Results of a study.
    base, tuned : str
        A pair of its models.
    places : Places
        Where evidence and concepts stand.
    """
    found, said = [], []
    of_pair = [(key, made) for key, made in run.comparisons.items() if key[2:] == (base, tuned)]
    for (corpus, label, *_), comparison in of_pair[:MOST_LABELS]:
        figure = f"difference-{slug(base, tuned, corpus, label)}"
        href = places.evidence(Evidence("layers", (base, tuned), figure))
        found.append(_probes(comparison, f"{label} read off ({corpus})", href or ""))
    if of_pair:
        runs = max(int(comparison.table()["n_seeds"].to_numpy().max()) for _, comparison in of_pair)
        mean = f"mean over {runs} tuning runs; " if runs > 1 else ""
        said.append(
            f"Read off: share of words whose label a linear probe on the layer gets right, {mean}"
            f"the difference is in percentage points ({STAR}: p < .05, corrected over layers)."
        )
    for key in keys(run, base, tuned):
        found += _concepts(run.alignments[key], key, places)
    if not found:
        return None
    said += _about_concepts(run, base, tuned)
    levels = {percent(level) for level in _levels(run, base, tuned)}
    ends = f"{levels.pop()} intervals" if len(levels) == 1 else "confidence intervals"
    layers = sorted({layer for measure in found for layer in measure.cells})
    opened = _opener(run, base, tuned, places)
    columns = [Column("layer"), *(column for measure in found for column in measure.columns)]
    rows = [
        [
            Cell(str(layer), opened(layer) or ""),
            *(cell for m in found for cell in m.cells.get(layer, [Cell("")] * len(m.columns))),
        ]
        for layer in layers
    ]
    table = pd.DataFrame({"layer": layers})
    for measure in found:
        table = table.merge(measure.table, on="layer", how="left")
    open_said = " A layer’s number leads to its concepts." if opened(layers[-1]) else ""
    return Figure(
        f"by-layer-{slug(base, tuned)}",
        "Layer by layer",
        f"{' '.join(said)} In brackets: {ends}. Layer 0 is the embeddings.{open_said}",
        {},
        table,
        run.about["command"],
        written=grid(f"{base} and {tuned}, layer by layer", columns, rows),
    )


def _about_concepts(run: Run, base: str, tuned: str) -> list[str]:
    """Say what is counted as kept and as following a class."""
    made = [run.alignments[key] for key in keys(run, base, tuned)]
    if not made:
        return []
    step, said = made[0].step, []
    if any(len(alignment.retention) for alignment in made):
        units = UNITS[step.overlap]
        said.append(
            f"Kept: concepts of the base model of which one concept of the tuned model holds at "
            f"least {percent(step.theta)} of the {units}."
        )
    if any(len(alignment.polarity) for alignment in made):
        said.append(
            f"Follow a class: concepts with at least {percent(step.theta_classes)} of their words "
            "in sentences of one class."
        )
    said.append(f"By chance: {null(step.parameters())}.")
    return said


def _levels(run: Run, base: str, tuned: str) -> set[float]:
    """Return the levels of all intervals that are shown."""
    probe = run.study.probe
    found = {run.alignments[key].step.confidence for key in keys(run, base, tuned)}
    there = any(key[2:] == (base, tuned) for key in run.comparisons)
    return found | ({probe.confidence} if there and probe is not None else set())


def _opener(run: Run, base: str, tuned: str, places: Places) -> Callable[[int], str | None]:
    """Return where the tuned model's concepts of a layer are; of the corpus with classes first."""
    corpora = [key[0] for key in keys(run, base, tuned)]
    corpora.sort(key=lambda corpus: not len(run.alignments[corpus, base, tuned].polarity))

    def opened(layer: int) -> str | None:
        return places.layer(corpora[0], tuned, layer) if corpora else None

    return opened


def _probes(comparison: ProbeComparison, group: str, href: str) -> Measure:
    table: Frame = comparison.table().sort_values("layer")
    most = max(0.001, float(table["difference"].abs().max()))
    columns = [
        Column("difference", group, href, signed=True, numbers=True),
        *(Column(name, group, href, numbers=True) for name in ("base", "tuned")),
    ]
    cells = {
        row["layer"]: [
            Cell(
                points(row["difference"]) + (STAR if row["p_holm"] < ALPHA else ""),
                note=f"[{points(row['low'])}, {points(row['high'])}]",
                bar=row["difference"] / most,
            ),
            Cell(percent(row["base_accuracy"]), tone="base"),
            Cell(percent(row["tuned_accuracy"]), tone="tuned"),
        ]
        for row in table.to_dict("records")
    }
    kept = ["layer", "difference", "low", "high", "p_holm", "base_accuracy", "tuned_accuracy"]
    return Measure(columns, cells, _prefixed(pd.DataFrame(table[kept]), group))


def _concepts(alignment: Alignment, key: tuple[str, str, str], places: Places) -> list[Measure]:
    corpus, base, tuned = key
    name, made = slug(base, tuned, corpus), []
    if len(alignment.retention):
        href = places.evidence(Evidence("alignment", key, f"retained-{name}")) or ""
        made.append(_kept(alignment.retention, f"concepts kept ({corpus})", href))
    if len(alignment.polarity):
        href = places.evidence(Evidence("alignment", key, f"polarised-{name}")) or ""
        made.append(_follow(alignment.polarity, f"follow a class ({corpus})", href))
    return made


def _kept(table: Frame, group: str, href: str) -> Measure:
    names = ("kept", "by chance")
    columns = [Column(name, group, href, numbers=True) for name in names]
    cells = {
        row["layer"]: [
            Cell(
                percent(row["retained_share"]),
                note=f"[{percent(row['retained_low'])}, {percent(row['retained_high'])}]",
                bar=row["retained_share"],
            ),
            Cell(percent(row["null_high"] / max(1, row["n_base"]))),
        ]
        for row in table.to_dict("records")
    }
    kept = ["layer", "n_base", "retained", "retained_share", "retained_low", "retained_high"]
    return Measure(columns, cells, _prefixed(pd.DataFrame(table[[*kept, "null_high"]]), group))


def _follow(table: Frame, group: str, href: str) -> Measure:
    whole = table[table["class"] == ""]
    columns = ["layer", "polarised", "polarised_low", "polarised_high", "n_concepts", "null_high"]
    of = {
        role: whole.loc[whole["role"] == role, columns].set_index("layer")
        for role in ("base", "tuned")
    }
    both = of["tuned"].join(of["base"].add_suffix("_base"), how="inner")
    both["difference"] = both["polarised"] - both["polarised_base"]
    most = max(1, int(both["difference"].abs().max()))
    headings = [
        Column("difference", group, href, signed=True, numbers=True),
        *(Column(name, group, href, numbers=True) for name in ("base", "tuned", "by chance")),
    ]
    cells = {
        int(str(layer)): [
            Cell(_change(int(row["difference"])), bar=row["difference"] / most),
            Cell(f"{row['polarised_base']:.0f}", tone="base"),
            Cell(
                f"{row['polarised']:.0f}",
                note=f"[{row['polarised_low']:.0f}, {row['polarised_high']:.0f}]",
                tone="tuned",
            ),
            Cell(f"{row['null_high']:.0f}"),
        ]
        for layer, row in both.to_dict("index").items()
    }
    return Measure(headings, cells, _prefixed(both.reset_index(), group))


def _change(number: int) -> str:
    return f"{number:+d}".replace("-", "\N{MINUS SIGN}") if number else "0"


def _prefixed(table: pd.DataFrame, group: str) -> pd.DataFrame:
    """Name columns after what they are about; `layer` stays."""
    names = {name: f"{group}: {name}" for name in table.columns if name != "layer"}
    return table.rename(columns=names)

"""A model that was tuned several times: which run numbers are of, and what the others give."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tunescope.concepts.alignment.result import Alignment
from tunescope.report.figure import Figure, slug
from tunescope.report.provenance import source as producer
from tunescope.report.wording import percent
from tunescope.study.result import Run

Key = tuple[str, str, str]
"""Corpus, base, tuned."""
Frame = Any
"""A pandas.DataFrame: of what its methods return, a type checker knows only unions."""


def said(run: Run, tuned: str) -> str:
    """Say of which tuning run all about concepts is; "" of a model that was tuned once.

    Parameters
    ----------
    run : Run
        Results of a study.
    tuned : str
        A tuned model.
    """
    made = run.transfer.tuned.get(tuned, ())
    if len(made) < 2:
        return ""
    seed = made[0].manifest.parameters["seed"]
    return (
        f"{tuned} was tuned {len(made)} times. What is said of its concepts is of the first of "
        f"these runs (seed {seed}), intervals included, unless others are named."
    )


def retained(run: Run, key: Key) -> str:
    """Say what is retained in the other tuning runs, at the lowest and at the top layer."""
    parts = []
    for other in run.latent.seeds.get(key, [])[1:]:
        rows: Frame = other.retention.sort_values("layer")
        if len(rows):
            low, top = (percent(rows["retained_share"].iloc[at]) for at in (0, -1))
            parts.append(f"{low} and {top}")
    return _others(parts)


def polarised(run: Run, key: Key) -> str:
    """Say how many concepts follow a class at the top layer in the other tuning runs."""
    parts = []
    for other in run.latent.seeds.get(key, [])[1:]:
        rows = _whole(other)
        if len(rows):
            top = rows.iloc[-1]
            parts.append(f"{top['polarised']} of {top['n_concepts']}")
    return _others(parts)


def figure(run: Run, key: Key) -> Figure | None:
    """Show what was retained and what follows a class in every tuning run.

    Parameters
    ----------
    run : Run
        Results of a study.
    key : tuple of str
        Corpus, base and tuned model, of an alignment that is there.

    Returns
    -------
    Figure or None
        None of a model that was tuned once.
    """
    found = run.latent.seeds.get(key, [])
    if len(found) < 2:
        return None
    corpus, base, tuned = key
    table, shown = pd.concat([_rows(made) for made in found], ignore_index=True), {}
    shown["layer"] = sorted(set(table["layer"]))
    for model, rows in table.groupby("model", sort=False):
        of = rows.set_index("layer").reindex(shown["layer"])
        shown[f"retained, {model}"] = [
            f"{n:.0f} of {of_all:.0f}"
            for n, of_all in zip(of["retained"], of["n_base"], strict=True)
        ]
        if "polarised" in rows:
            shown[f"follow a class, {model}"] = [
                f"{n:.0f} of {of_all:.0f}"
                for n, of_all in zip(of["polarised"], of["n_tuned"], strict=True)
            ]
    return Figure(
        f"tuning-runs-{slug(base, tuned, corpus)}",
        f"The same after other tuning runs ({corpus})",
        f"For each of {len(found)} tuning runs, the concepts of {base} that are found again, and "
        "those of the tuned model that follow a class, of all that have enough word types. How far "
        "runs lie apart says how much is due to their seed. Intervals are in the table.",
        {},
        table,
        producer(run, "align", found[0].manifest.parameters),
        shown=pd.DataFrame(shown),
    )


def _rows(made: Alignment) -> pd.DataFrame:
    """Return counts of each layer of one run."""
    columns = ["layer", "n_base", "n_tuned", "retained", "retained_share", "retained_low"]
    kept: Frame = made.retention[[*columns, "retained_high"]]
    whole = _whole(made)
    if len(whole):
        kept = kept.merge(whole[["layer", "polarised", "polarised_low", "polarised_high"]])
    return kept.assign(model=made.manifest.facts["tuned"])


def _whole(made: Alignment) -> Frame:
    """Return how many concepts of the tuned model follow any class, by layer."""
    rows: Frame = made.polarity
    rows = rows[(rows["class"] == "") & (rows["role"] == "tuned")]
    return rows.sort_values("layer")


def _others(parts: list[str]) -> str:
    if not parts:
        return ""
    return f" In the other tuning run{'s' if len(parts) > 1 else ''}: {'; '.join(parts)}."

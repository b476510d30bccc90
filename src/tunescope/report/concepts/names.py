"""Names that a language model gave to concepts, how many it gave, and whether they are any good."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import pandas as pd

from tunescope.concepts.naming.result import ConceptNames
from tunescope.report.figure import Figure, slug
from tunescope.report.provenance import source as producer
from tunescope.report.wording import percent
from tunescope.study.result import Run

STATUS = {
    "ok": "named",
    "refused": "refused",
    "failed": "failed",
    "empty": "no answer",
    "too_long": "too long",
}
MOST_ROWS = 300
"""Names in the table to be read; the table of numbers has all."""
WORDS = 8


def figures(run: Run, corpus: str, found: Mapping[str, ConceptNames]) -> list[Figure]:
    """Make the tables of names and of how many there are.

    Parameters
    ----------
    run : Run
        Results of a study.
    corpus : str
        The corpus of the words.
    found : mapping of str to ConceptNames
        Names of the concepts of each model, as far as there are any.
    """
    if not found:
        return []
    step = next(iter(found.values())).step  # that of the study, for all models
    name, source = slug(*found, corpus), producer(run, "names", step.parameters())
    names = pd.concat(
        [made.names.assign(model=model) for model, made in found.items()], ignore_index=True
    )
    by = f"{step.model} at {urlsplit(step.address).netloc}"
    n_named = names["status"].to_list().count("ok")
    counts, shown = _counts(found), _largest(names)
    part = "" if len(shown) == len(names) else " Here: the largest of each layer; the CSV has all."
    table = names.assign(status=[STATUS[status] for status in names["status"]])
    columns = ["model", "layer", "concept", "name", "description", "status", "reason", "words"]
    return [
        Figure(
            f"named-{name}",
            f"How many concepts were named ({corpus})",
            f"Names asked of {by}, which saw up to {step.n_words} words of a concept and "
            f"{step.n_contexts} of them in their sentence: {n_named:,} of {len(names):,} concepts "
            f"have one.{_again(found)}{_checked(found)}",
            {},
            counts,
            source,
            shown=_readable_counts(counts),
        ),
        Figure(
            f"names-{name}",
            f"Names of concepts ({corpus})",
            f"As {by} put it, from untrusted words: each is a suggestion, to be held against the "
            f"most frequent words beside it.{part}",
            {},
            pd.DataFrame(table[columns]),
            source,
            shown=_readable(shown),
        ),
    ]


def _counts(found: Mapping[str, ConceptNames]) -> pd.DataFrame:
    """Count each status by model and layer; beside them the forced choices, where there are any."""
    rows = []
    for model, made in found.items():
        for layer, names in made.names.groupby("layer"):
            met = names["status"].to_list()
            row = {"model": model, "layer": layer, "concepts": len(met)}
            rows.append(row | {said: met.count(status) for status, said in STATUS.items()})
    table = pd.DataFrame(rows, columns=["model", "layer", "concepts", *STATUS.values()])
    checked = [
        made.accuracy.assign(model=model) for model, made in found.items() if made.step.check
    ]
    if not checked:
        return table
    choices = pd.concat(checked)[["model", "layer", "n_checked", "accuracy", "low", "high"]]
    return table.merge(choices, on=["model", "layer"], how="left")


def _readable_counts(counts: pd.DataFrame) -> pd.DataFrame:
    """Write the counts for reading, without a status that no concept has."""
    always = ["model", "layer", "concepts", "named", "refused", "failed"]
    met = [name for name in STATUS.values() if name not in always and sum(counts[name])]
    table = pd.DataFrame(counts[[*always, *met]])
    if "accuracy" in counts:
        choices = zip(*(counts[c] for c in ("n_checked", "accuracy", "low", "high")), strict=True)
        table["right choices"] = [
            f"{percent(share)} ({percent(low)} to {percent(high)}) of {int(n):,}" if n else ""
            for n, share, low, high in choices
        ]
    return table


def _again(found: Mapping[str, ConceptNames]) -> str:
    """Say how to go on where requests failed."""
    failed = sum(made.manifest.facts["failed"] for made in found.values())
    if not failed:
        return ""
    what = "One request" if failed == 1 else f"{failed:,} requests"
    return f" {what} failed: running the study again makes those, and no others."


def _checked(found: Mapping[str, ConceptNames]) -> str:
    """Explain the forced choices, where there are any."""
    steps = [made.step for made in found.values()]
    if not steps[0].check:
        return ""
    return (
        " Right choices: the same model chose, for each name, between unseen words of its concept "
        f"and of another; chance is 50%, {percent(steps[0].confidence)} intervals (Wilson)."
    )


def _largest(names: pd.DataFrame) -> pd.DataFrame:
    """Return as many rows as are shown: concepts are numbered by size."""
    first = names.sort_values("concept", kind="stable").head(MOST_ROWS)
    return names.loc[first.index.sort_values()]


def _readable(names: pd.DataFrame) -> pd.DataFrame:
    """Write names for reading."""
    said = zip((STATUS[status] for status in names["status"]), names["reason"], strict=True)
    return pd.DataFrame(
        {
            "model": names["model"],
            "layer": names["layer"],
            "concept": names["concept"],
            "name": names["name"],
            "description": names["description"],
            "status": [f"{status}: {reason}" if reason else status for status, reason in said],
            "its words": [" ".join(words.split(" ")[:WORDS]) for words in names["words"]],
        }
    )

"""Where concepts are entered: how many of what kind at each layer, and what tuning created."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from tunescope.concepts.alignment.fates import FATES
from tunescope.concepts.alignment.result import Alignment
from tunescope.report.concepts.page import Key
from tunescope.report.concepts.tuning_runs import said
from tunescope.report.provenance import source
from tunescope.viewer.alignment import alignment_path
from tunescope.viewer.concepts.effects import Effect
from tunescope.viewer.concepts.layer import ConceptLayer
from tunescope.viewer.concepts.paths import (
    ENTRY,
    concept_path,
    counts_path,
    list_path,
    words_path,
)
from tunescope.viewer.concepts.shares import Share
from tunescope.viewer.content import Content, Link
from tunescope.viewer.triggers import triggers_path

if TYPE_CHECKING:
    from tunescope.viewer.concepts.shelf import Shelf
    from tunescope.viewer.site import Site

MOST_CREATED = 10
"""Concepts shown of those that tuning created."""
ROLES = ("base", "tuned")


class Created(NamedTuple):
    """A concept of the tuned model's last layer that the base model does not have.

    Parameters
    ----------
    number : int
        Of the concept.
    size : int
        Its words.
    match : int
        The concept of the base model that is most like it; -1 without one.
    overlap : float
        How much of it the concept of the base model that is most like it holds.
    classes : list of Share
        As annotated, or where there are none as predicted.
    effect : Effect or None
        The strongest of what its triggers do.
    """

    number: int
    size: int
    match: int
    overlap: float
    classes: list[Share]
    effect: Effect | None


class Pair(NamedTuple):
    """The concepts of a base and a tuned model in one corpus.

    Parameters
    ----------
    key : tuple of str
        Corpus, base, tuned.
    alignment : Alignment
        The alignment.
    rows : list of dict
        Counts of every layer, the last one first.
    top : ConceptLayer
        The tuned model's last layer.
    created : list of Created
        What is shown of it.
    n_born, n_polarised : int
        How many there are.
    polarised : str
        Option of the filter that shows the polarised ones; "" where there are no classes.
    follows : str
        What they are polarised towards: the class, or the predicted class.
    links : dict of str to str
        Addresses: `alignment`, `triggers` where there are some, `csv`.
    source : str
        How it was made.
    runs : str
        Of which tuning run all this is; "" where there is one.
    """

    key: Key
    alignment: Alignment
    rows: list[dict[str, Any]]
    top: ConceptLayer
    created: list[Created]
    n_born: int
    n_polarised: int
    polarised: str
    follows: str
    links: dict[str, str]
    source: str
    runs: str

    def before(self, concept: int) -> str:
        """Return the address of a concept of the base model at the same layer."""
        return concept_path(self.key[0], self.key[1], self.top.layer, concept)


def entry_page(site: Site, shelf: Shelf) -> Content:
    """Make the page.

    Parameters
    ----------
    site : Site
        The site it is in.
    shelf : Shelf
        All layers.
    """
    keys = [key for key in site.run.alignments if _is_there(shelf, key)]
    aligned = {(key[0], model) for key in keys for model in key[1:]}
    alone = {
        (corpus, model): [(n, list_path(corpus, model, n)) for n in reversed(layers)]
        for corpus, models in shelf.corpora.items()
        for model, layers in models.items()
        if (corpus, model) not in aligned
    }
    return site.frame.render(
        ENTRY,
        "concept_entry.html.j2",
        title="Concepts",
        styles=("concepts.css",),
        pairs=[_pair(site, shelf, key) for key in keys],
        alone=alone,
        searches=[Link(words_path(corpus), corpus) for corpus in shelf.corpora],
    )


def _is_there(shelf: Shelf, key: Key) -> bool:
    corpus, *models = key
    return all(model in shelf.corpora.get(corpus, {}) for model in models)


def _pair(site: Site, shelf: Shelf, key: Key) -> Pair:
    corpus, base, tuned = key
    alignment = site.run.alignments[key]
    column, option, follows = polarity_of(alignment)
    rows = []
    counts = layer_counts(alignment)
    for layer in sorted(counts, reverse=True):
        at = [list_path(corpus, model, layer) for model in (base, tuned)]
        rows.append({"layer": layer, "paths": at, **counts[layer]})
    top = shelf.layer(corpus, tuned, rows[0]["layer"])
    links = {"alignment": alignment_path(key), "csv": counts_path(key)}
    if key in site.run.latent.triggers:
        links["triggers"] = triggers_path(key)
    return Pair(
        key, alignment, rows, top, _created(top, key, column),
        rows[0]["born"], rows[0]["polarised_tuned"], option, follows, links,
        source(site.run, "align", alignment.manifest.parameters), said(site.run, tuned),
    )  # fmt: skip


def polarity_of(alignment: Alignment) -> tuple[str, str, str]:
    """Return by which classes concepts are called polarised.

    Returns
    -------
    column, option, text : str
        Of `Alignment.concepts`, of the list's filter, and for reading; empty without classes.
    """
    if alignment.manifest.facts["classes"]:
        return "polarised", "class", "a class"
    if alignment.manifest.facts["predicted"]:
        return "predicted_polarised", "predicted", "a predicted class"
    return "", "", ""


def layer_counts(alignment: Alignment) -> dict[int, dict[str, int]]:
    """Count the concepts of every layer.

    Returns
    -------
    dict
        By layer: `retained`, `lost`, `survived`, `born`; for each role `n_ROLE`, the concepts that
        have enough word types to count, `all_ROLE`, and `polarised_ROLE`.
    """
    column = polarity_of(alignment)[0]
    found: dict[int, dict[str, int]] = {}
    frame = alignment.concepts
    for role, fates in FATES.items():
        for layer in sorted(set(frame["layer"])):
            rows = frame[(frame["role"] == role) & (frame["layer"] == layer)]
            met = rows["fate"].tolist()
            made = {fate: met.count(fate) for fate in fates}
            made |= {f"n_{role}": sum(made.values()), f"all_{role}": len(met)}
            made[f"polarised_{role}"] = sum(rows[column].tolist()) if column else 0
            found.setdefault(layer, {}).update(made)
    return found


def _created(layer: ConceptLayer, key: Key, column: str) -> list[Created]:
    """Return concepts that tuning created: the strongest triggers first, then by class and size."""
    number = [side.key for side in layer.sides].index(key)
    side = layer.sides[number]
    polarised = side.frame[column].to_numpy(bool) if column else np.zeros(layer.n, bool)
    shares = layer.gold or layer.predicted[number]
    effects = {c: layer.effects[c][0] for c in layer.effects}
    chosen = [c for c, fate in enumerate(side.fates) if fate == "born"]

    def strength(c: int) -> float:
        mean = effects[c].mean if c in effects else math.nan
        return -1.0 if math.isnan(mean) else mean

    chosen.sort(key=lambda c: (-strength(c), not polarised[c], c))
    return [
        Created(
            c, int(layer.index.sizes[c]), side.matches[c], side.overlaps[c],
            shares.of[c][:4] if shares else [], effects.get(c),
        )
        for c in chosen[:MOST_CREATED]
    ]  # fmt: skip


def counts_csv(alignment: Alignment) -> str:
    """Return the counts of every layer as CSV."""
    frame = pd.DataFrame.from_dict(layer_counts(alignment), orient="index").sort_index()
    return frame.to_csv(index_label="layer")

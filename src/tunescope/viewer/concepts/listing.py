"""The list of the concepts of one layer: sorted, filtered and searched in the browser."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from tunescope.concepts.alignment.changes import CHANGES
from tunescope.concepts.alignment.fates import FATES
from tunescope.report.provenance import source
from tunescope.viewer.concepts.effects import Effect
from tunescope.viewer.concepts.layer import ConceptLayer
from tunescope.viewer.concepts.options import followed, options, said
from tunescope.viewer.concepts.paths import ENTRY, dendrogram_path, list_path, words_path
from tunescope.viewer.concepts.shares import Share
from tunescope.viewer.concepts.tables import SEGMENTS, side_data
from tunescope.viewer.content import Content, Link

if TYPE_CHECKING:
    from tunescope.viewer.concepts.shelf import Shelf
    from tunescope.viewer.site import Site


class Row(NamedTuple):
    """A concept in the list.

    Parameters
    ----------
    number : int
        Of the concept.
    title : str
        Its name or words: untrusted.
    size, n_types : int
        Its words and word types.
    counts : bool
        Whether it has enough word types to count.
    label, gold, said : list of Share
        Of the first label column, of the classes as annotated and as predicted; the largest.
    follows, said_follows : str
        Numbers of the options that it passes.
    effect : Effect or None
        The strongest of what its triggers do.
    noted : str
        What was annotated; "" for nothing.
    """

    number: int
    title: str
    size: int
    n_types: int
    counts: bool
    label: list[Share]
    gold: list[Share]
    said: list[Share]
    follows: str
    said_follows: str
    effect: Effect | None
    noted: str


def list_page(site: Site, shelf: Shelf, layer: ConceptLayer) -> Content:
    """Make the list.

    Parameters
    ----------
    site : Site
        The site it is in.
    shelf : Shelf
        Where the other layers are.
    layer : ConceptLayer
        The layer.
    """
    side = layer.sides[0] if layer.sides else None
    known = options(layer)
    return site.frame.render(
        layer.path,
        "concept_list.html.j2",
        title=f"Concepts of {layer.model} at layer {layer.layer}",
        crumbs=[Link(ENTRY, "Concepts"), Link(words_path(layer.corpus), layer.corpus)],
        scripts=("concept_list.js",),
        styles=("concepts.css",),
        layer=layer,
        rows=_rows(site, layer, list(known)),
        side=side,
        beside=None if side is None else side_data(side, shelf),
        near="" if side is None else shelf.layer(layer.corpus, side.model, layer.layer).near(layer),
        class_tones=next((s.tones for s in (*layer.predicted, layer.gold) if s), {}),
        options=known,
        fates=_met(layer, "fates", FATES.get(layer.role, ())[::-1]),
        changes=_met(layer, "changes", CHANGES.get(layer.role, ())),
        has_said=any(shares is not None for shares in layer.predicted),
        noted=site.annotations.of(layer.corpus, layer.model, layer.layer),
        sources=sources(site, layer),
        **places(shelf, layer),
    )


def places(
    shelf: Shelf, layer: ConceptLayer, path_of: Callable[[str, str, int], str] = list_path
) -> dict[str, Any]:
    """Return where one can go from a layer: other models and layers, its dendrogram, the search.

    Parameters
    ----------
    shelf : Shelf
        Where the other layers are.
    layer : ConceptLayer
        The layer.
    path_of : callable
        From corpus, model and layer to the page of the same kind.
    """
    corpus, model, number = layer.corpus, layer.model, layer.layer
    known, layers = shelf.corpora[corpus], layer.concepts.layers
    at = layers.index(number)
    around = [layers[n] if 0 <= n < len(layers) else None for n in (at - 1, at + 1)]
    lower, higher = (None if n is None else path_of(corpus, model, n) for n in around)
    return {
        "models": [(m, path_of(corpus, m, number)) for m in known if number in known[m]],
        "layers": [(n, path_of(corpus, model, n)) for n in layers],
        "lower": lower,
        "higher": higher,
        "dendrogram": dendrogram_path(corpus, model, number) if layer.has_tree else None,
        "search": words_path(corpus),
    }


def sources(site: Site, layer: ConceptLayer) -> list[str]:
    """Return the commands that made what is said of a layer, with their parameters."""
    run, latent = site.run, site.run.latent
    made = [source(run, "concepts", layer.concepts.manifest.parameters)]
    for side in layer.sides[:1]:
        made.append(source(run, "align", side.alignment.manifest.parameters))
        for step, found in (("triggers", latent.triggers), ("trace", latent.traces)):
            if side.key in found:
                made.append(source(run, step, found[side.key].manifest.parameters))
    return made


def _rows(site: Site, layer: ConceptLayer, known: list[str]) -> list[Row]:
    """Return the concepts by size, as they are numbered."""
    place = {value: str(n) for n, value in enumerate(known)}
    predicted = layer.predicted[0] if layer.predicted else None
    label = layer.labels[0] if layer.labels else None
    bars = [
        [of[:SEGMENTS] for of in shares.of] if shares else [[]] * layer.n
        for shares in (label, layer.gold, predicted)
    ]
    notes = site.annotations.of(layer.corpus, layer.model, layer.layer)
    found = []
    for c in range(layer.n):
        note, effects = notes.get(c), layer.effects.get(c)
        found.append(
            Row(
                c,
                note.name if note and note.name else layer.title(c),
                int(layer.index.sizes[c]),
                int(layer.index.n_types[c]),
                layer.counts[c],
                bars[0][c],
                bars[1][c],
                bars[2][c],
                " ".join(place[value] for value in followed(layer, c)),
                " ".join(place[value] for value in said(predicted, c)),
                effects[0] if effects and not math.isnan(effects[0].mean) else None,
                note.answer if note else "",
            )
        )
    return found


def _met(layer: ConceptLayer, name: str, known: tuple[str, ...]) -> list[str]:
    """Return the fates or changes that there are, in their order."""
    there = {value for side in layer.sides for value in getattr(side, name)}
    return [value for value in known if value in there]

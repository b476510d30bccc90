"""The page about one concept: its words, what they carry, its counterpart, what it does."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tunescope.report.concepts.page import Key
from tunescope.report.wording import layers, percent
from tunescope.steps import Align
from tunescope.viewer.concepts.layer import ConceptLayer
from tunescope.viewer.concepts.paths import ENTRY
from tunescope.viewer.concepts.sides import Part, Side
from tunescope.viewer.concepts.words import BLOCK, Context
from tunescope.viewer.content import Content, Link
from tunescope.viewer.triggers import concept_triggers_path, triggers_path

if TYPE_CHECKING:
    from tunescope.viewer.concepts.shelf import Shelf
    from tunescope.viewer.site import Site

MOST_WORDS = 60
"""Word types in the page itself; the others are put in when asked for."""
CONTEXTS = 5
"""Sentences shown before a word is chosen."""
COMPARED = 15
"""Word types in each column of a comparison."""
COMPARED_OF_MANY = 8
"""The same where there are several comparisons."""
SIZES = 5
"""Sizes of letters, by frequency."""


class WordType(NamedTuple):
    """A word type of the concept.

    Parameters
    ----------
    form : str
        Untrusted.
    n : int
        Words of the concept that are of it.
    places : str
        Where their contexts are (`CorpusWords.place`): numbers and ranges.
    size : int
        How large it is written, from 0.
    """

    form: str
    n: int
    places: str
    size: int


class Column(NamedTuple):
    """Word types, the most frequent first.

    Parameters
    ----------
    title : str
        Where they are.
    types : list of (str, int, int)
        Forms, with how many of their words are in the base model's concept and in the other.
    more : int
        How many types are not listed.
    """

    title: str
    types: list[tuple[str, int, int]]
    more: int


class Compared(NamedTuple):
    """A concept beside the one of the other model that holds most of it.

    Parameters
    ----------
    side : Side
        The alignment.
    there : ConceptLayer
        The other model's layer.
    parts : list of Part
        What concepts of the other model hold of it; the first is its counterpart.
    columns : list of Column
        Word types only in the base model's concept, in both, only in the tuned model's.
    """

    side: Side
    there: ConceptLayer
    parts: list[Part]
    columns: list[Column]


def concept_page(site: Site, shelf: Shelf, layer: ConceptLayer, concept: int) -> Content:
    """Make the page.

    Parameters
    ----------
    site : Site
        The site it is in.
    shelf : Shelf
        Where the other layers are.
    layer : ConceptLayer
        The layer.
    concept : int
        Number of a concept of it.
    """
    annotated = site.annotations.view(layer.corpus, layer.model, layer.layer, concept)
    types = word_types(layer, concept)
    latent = site.run.latent
    histories = zip(layer.sides, layer.histories, strict=True)
    tried = [key for key in latent.triggers if (key[0], key[2]) == (layer.corpus, layer.model)]
    return site.frame.render(
        layer.path_of(concept),
        "concept.html.j2",
        title=f"Concept {concept} · {layer.model}, layer {layer.layer}",
        crumbs=[
            Link(ENTRY, "Concepts"),
            Link(layer.path, f"{layer.corpus}: {layer.model}, layer {layer.layer}"),
        ],
        scripts=("concept.js", *(("annotate.js",) if annotated.editable else ())),
        styles=(
            "concepts.css",
            *(("annotate.css",) if annotated.editable or annotated.annotation else ()),
        ),
        layer=layer,
        concept=concept,
        name=layer.names.get(concept),
        annotated=annotated,
        previous=f"{concept - 1:04d}.html" if concept else None,
        following=f"{concept + 1:04d}.html" if concept + 1 < layer.n else None,
        size=int(layer.index.sizes[concept]),
        n_types=len(types),
        counts=layer.counts[concept],
        types=types[:MOST_WORDS],
        rest=[(word.form, word.n, word.places, word.size) for word in types[MOST_WORDS:]],
        contexts=contexts(layer, concept),
        class_names=layer.words.classes,
        carried=_carried(layer, concept),
        effects=layer.effects.get(concept, []),
        tried=_tried(tried[0], layer, concept) if tried else None,
        level=percent(latent.triggers[tried[0]].step.confidence) if tried else "",
        from_which=made_from(latent.triggers[tried[0]].manifest.parameters) if tried else "",
        compared=[compare(shelf, layer, side, concept) for side in layer.sides],
        merges=layer.neighbours.of(concept) if layer.neighbours else None,
        height=layer.neighbours.height(concept) if layer.neighbours else 0.0,
        histories=[
            (side, shelf.layer(layer.corpus, side.model, layer.layer), found.of(concept))
            for side, found in histories
            if found
        ],
        block_size=BLOCK,
        composition=(layer.sides[0].alignment.step if layer.sides else Align()).composition_share,
    )


def word_types(layer: ConceptLayer, concept: int) -> list[WordType]:
    """Return the word types of a concept, the most frequent first."""
    types, counts = layer.index.types(concept)
    largest = int(counts[0])
    words, made = layer.words, []
    rows = layer.index.rows_of_types(concept)
    for kind, count, own in zip(types.tolist(), counts.tolist(), rows, strict=True):
        size = round((SIZES - 1) * (count / largest) ** 0.5) if largest > 1 else 1
        made.append(WordType(words.forms[kind], count, ranges(words.place[own]), size))
    return made


def ranges(numbers: np.ndarray) -> str:
    """Write ascending numbers as single ones and ranges: "3 7-9"."""
    found: list[list[int]] = []
    for number in numbers.tolist():
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return " ".join(f"{a}-{b}" if a < b else f"{a}" for a, b in found)


def contexts(layer: ConceptLayer, concept: int, most: int = CONTEXTS) -> list[Context]:
    """Return some words of a concept in their sentences: one of each type, then a second one."""
    rows = layer.index.rows_of_types(concept)[:most]
    turns = zip_longest(*(own[:most].tolist() for own in rows))
    chosen = [row for turn in turns for row in turn if row is not None]
    return [layer.words.context(row) for row in chosen[:most]]


def compare(shelf: Shelf, layer: ConceptLayer, side: Side, concept: int) -> Compared:
    """Put a concept beside the one of the other model that holds most of it.

    Parameters
    ----------
    shelf : Shelf
        Where the other model's layer is.
    layer : ConceptLayer
        The concept's layer.
    side : Side
        The alignment.
    concept : int
        Its number.
    """
    there = shelf.layer(layer.corpus, side.model, layer.layer)
    parts = side.parts(concept)
    base, tuned = layer.index.types(concept), there.index.types(parts[0].concept)
    if side.role == "tuned":
        base, tuned = tuned, base
    before, after = (dict(zip(*(a.tolist() for a in of), strict=True)) for of in (base, tuned))
    columns = {
        f"Only in {side.key[1]}": [t for t in before if t not in after],
        "In both": sorted(before.keys() & after, key=lambda t: (-before[t] - after[t], t)),
        f"Only in {side.key[2]}": [t for t in after if t not in before],
    }
    most, forms = COMPARED if len(layer.sides) < 3 else COMPARED_OF_MANY, layer.words.forms
    made = [
        Column(
            title,
            [(forms[t], before.get(t, 0), after.get(t, 0)) for t in of[:most]],
            max(0, len(of) - most),
        )
        for title, of in columns.items()
    ]
    return Compared(side, there, parts, made)


def _tried(key: Key, layer: ConceptLayer, concept: int) -> str:
    """Return where its triggers are; of a concept without any, where all are."""
    if concept in layer.effects:
        return concept_triggers_path(key, layer.layer, concept)
    return triggers_path(key)


def made_from(step: dict[str, Any]) -> str:
    """Say from which concepts triggers are made.

    Parameters
    ----------
    step : dict
        Parameters of `triggers`.
    """
    said = f"concepts with at least {percent(step['theta_classes'])} of their words in sentences "
    said += "of one " + ("class" if step["polarity"] == "gold" else "predicted class")
    if step["layers"] is not None:
        said += f", at {layers(step['layers'])}"
    if step["max_concepts"] is not None:
        said += f", the {step['max_concepts']:,} largest of each class and layer"
    return said


def _carried(layer: ConceptLayer, concept: int) -> list[tuple[str, list[Any]]]:
    """Return by what name which shares of a concept are shown; classes first."""
    found = []
    if layer.gold:
        found.append(("Class of the sentence", layer.gold.of[concept]))
    for side, shares in zip(layer.sides, layer.predicted, strict=True):
        if shares is not None:
            found.append((f"Class that {side.key[2]} predicts", shares.of[concept]))
    return found + [(shares.name, shares.of[concept]) for shares in layer.labels]

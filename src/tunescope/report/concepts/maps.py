"""Maps of words: how words were drawn, what the picture may be read for, and its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import pandas as pd

from tunescope.concepts.projection.result import Projection
from tunescope.report.figure import Figure
from tunescope.report.figures import projection as draw
from tunescope.report.provenance import source as producer
from tunescope.study.result import Run

METHODS = {"tsne": "t-SNE", "pca": "principal components", "umap": "UMAP"}
MOST = 7
"""Categories that have a colour of their own; others are grouped."""
OTHER = "other or none"


def method(found: Projection) -> str:
    """Name the method with its parameters."""
    step = found.step
    options = [f"{name} = {value:g}" for name, value in step.options.items()]
    options += ["neurons z-scored"] if step.zscore else []
    return METHODS[step.method] + (f" ({', '.join(options)})" if options else "")


def sampling(found: Projection, layer: int) -> str:
    """Say how many of how many words of a layer are drawn, and how they were chosen."""
    step, facts = found.step, found.manifest.facts
    n = int(found.layers.set_index("layer").at[layer, "n_words"])
    said = f"{n:,} of {facts['n_available']:,} words are drawn"
    said += ", the same in both models" if len(found.models) > 1 else ""
    rest = "at random, from each class of sentences in proportion to its words"
    if step.per_concept and found.manifest.inputs["concepts"]:
        few = "one word" if step.per_concept == 1 else f"{step.per_concept} words"
        of = " of each model" if len(found.models) > 1 else ""
        return f"{said}: {few} of every concept{of} that counts, the rest {rest} (seed {step.seed})"
    return f"{said}: {rest} (seed {step.seed})"


def trust(run: Run, found: Projection) -> Figure:
    """Show how far the picture of each layer is to be believed.

    Parameters
    ----------
    run : Run
        Results of a study.
    found : Projection
        Of a pair of models, or of one.
    """
    k = found.step.trust_neighbors
    caption = (
        f"Trustworthiness of each layer's map: 1 where the {k} nearest words of every word on the "
        "map are its nearest in the layer, lower the further away those are that should not be "
        "there. Dotted: the same map with its points exchanged at random."
    )
    if len(found.models) > 1:
        caption += (
            " Of one model alone it is lower where the map mostly shows which word is which: all "
            "points together have the same word of the other model beside each word."
        )
    return Figure(
        name="trust",
        title="How far to believe the map, layer by layer",
        caption=caption,
        charts={"trustworthiness": partial(draw.trustworthiness, found.layers, found.models)},
        table=found.table(),
        source=producer(run, "project", found.manifest.parameters),
    )


def picture(
    run: Run, found: Projection, layer: int, fates: Mapping[str, Sequence[str]] | None = None
) -> Figure:
    """Show the words of a layer, one chart for each model.

    They are coloured by what became of their concept, where that is known, or else by the class of
    their sentence, or else by their label.

    Parameters
    ----------
    run : Run
        Results of a study.
    found : Projection
        Of a pair of models, or of one.
    layer : int
        Number of the layer.
    fates : mapping of str to sequence of str, optional
        By role, the fate of each concept of the layer.
    """
    frame = found.layer(layer)
    known = set(frame.columns[frame.notna().any()])
    columns = [name for name in ("class", *found.words.labels) if name in known]
    look: dict[str, tuple[str, str]] = {}
    if fates:
        by = "what became of their concept"
        look |= draw.FATES
        kept = zip(frame["role"], frame["concept"], strict=True)
        frame["fate"] = [fates[role][concept] for role, concept in kept]
        frame["shown"] = [fate or OTHER for fate in frame["fate"]]
    elif columns:
        by = columns[0]
        top = map(str, frame[by].value_counts().index[:MOST])
        look |= zip(top, zip(draw.TONES, draw.SHAPES, strict=True), strict=False)
        frame["shown"] = [value if value in look else OTHER for value in frame[by]]
    else:
        by = "nothing"
        frame["shown"] = OTHER
    look[OTHER] = draw.OTHER
    half = 1.03 * float(frame[["x", "y"]].abs().to_numpy().max() or 1)
    charts = {}
    for role, name in found.models.items():
        part = pd.DataFrame(frame[frame["role"] == role])
        there = set(part["shown"])
        own = {value: how for value, how in look.items() if value in there}
        charts[name] = partial(draw.words, part, own, half)
    return Figure(
        name=f"layer-{layer:02d}",
        title=f"Words of layer {layer} on a map",
        caption=f"{sampling(found, layer)}. By {method(found)}; coloured by {by}.",
        charts=charts,
        table=frame.drop(columns="shown"),
        source=producer(run, "project", found.manifest.parameters),
        beside=True,
    )

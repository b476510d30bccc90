"""What the concepts of a layer follow, as the options of a filter: a class, a label of a column."""

from __future__ import annotations

from tunescope.viewer.concepts.layer import ConceptLayer
from tunescope.viewer.concepts.shares import Share, Shares

CLASS, PREDICTED = "class", "predicted"


def options(layer: ConceptLayer) -> dict[str, str]:
    """Return the text of every option, by its value: `class`, `class:positive`, `upos:NOUN`.

    Parameters
    ----------
    layer : ConceptLayer
        The layer; only what some concept of it follows is an option.
    """
    kinds = [(CLASS, "class", layer.gold)]
    kinds += [(PREDICTED, "predicted class", shares) for shares in layer.predicted]
    kinds += [(shares.name, f"label of {shares.name}", shares) for shares in layer.labels]
    found = {}
    for name, text, shares in kinds:
        met = sorted({s.value for of in shares.of for s in of if s.aligned}) if shares else []
        if met:
            found[name] = f"any {text}"
        short = text if name in (CLASS, PREDICTED) else name
        found |= {f"{name}:{value}": f"{short} {value}" for value in met}
    return found


def followed(layer: ConceptLayer, concept: int) -> list[str]:
    """Return the options that a concept passes, but for those by predicted class."""
    kinds = [(CLASS, layer.gold), *((shares.name, shares) for shares in layer.labels)]
    return [
        value
        for name, shares in kinds
        if shares is not None
        for value in _values(name, shares.of[concept])
    ]


def said(shares: Shares | None, concept: int) -> list[str]:
    """Return the options by predicted class that a concept passes.

    Parameters
    ----------
    shares : Shares or None
        One of `ConceptLayer.predicted`.
    concept : int
        Its number.
    """
    return [] if shares is None else _values(PREDICTED, shares.of[concept])


def _values(name: str, of: list[Share]) -> list[str]:
    met = [f"{name}:{share.value}" for share in of if share.aligned]
    return [name, *met] if met else []

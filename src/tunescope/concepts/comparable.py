"""Whether concepts of several models can be compared: clustered alike, at layers they share."""

from __future__ import annotations

from tunescope.concepts.layer_concepts import LayerConcepts
from tunescope.errors import InputError, MismatchError

OF_METHOD = ("method", "n_leaders", "leader_weights", "restarts")
CLUSTERING = ("n_clusters", *OF_METHOD, "min_types")
"""Parameters of the clustering; how the words were chosen does not matter where they are equal."""


def check_clustered_alike(first: LayerConcepts, other: LayerConcepts) -> None:
    """Check that two models' words were clustered with the same parameters.

    Raises
    ------
    MismatchError
        If one differs. Of imported clusters nobody knows how they were found.
    """
    imported = "imported" in (first.step.method, other.step.method)
    for name in CLUSTERING:
        if imported and name in OF_METHOD:
            continue
        ours, theirs = getattr(first.step, name), getattr(other.step, name)
        if ours != theirs:
            raise MismatchError(
                f"{first.path} has {name} = {ours!r}, {other.path} has {theirs!r}: "
                "cluster both models with the same parameters"
            )


def shared_layers(*layers: tuple[int, ...], what: str) -> list[int]:
    """Return the layers that all have, in the order of the first.

    Parameters
    ----------
    *layers : tuple of int
        Layer numbers of each.
    what : str
        What they are of, for the message.

    Raises
    ------
    InputError
        If there is none.
    """
    found = [n for n in layers[0] if all(n in of for of in layers)]
    if not found:
        listed = "; ".join(", ".join(map(str, of)) for of in dict.fromkeys(layers))
        raise InputError(f"{what} share no layer (they have {listed}): extract the same layers")
    return found

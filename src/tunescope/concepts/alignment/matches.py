"""Every match of every concept, for all pairs of layers.

The published code keeps the last match that it comes upon; which concept became which needs all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tunescope.concepts.alignment.overlaps import LEVELS, shared_counts
from tunescope.concepts.clustering import Clustering

MATCHES = [
    "role",
    "layer",
    "concept",
    "other_layer",
    "other_concept",
    "shared",
    "share",
    "other_share",
    "jaccard",
    "shared_types",
    "type_share",
    "other_type_share",
    "type_jaccard",
]


def match_frame(
    base: Sequence[Clustering], tuned: Sequence[Clustering], floor: float
) -> pd.DataFrame:
    """List the matches of both models' concepts in each other, for all pairs of layers.

    Parameters
    ----------
    base, tuned : sequence of Clustering
        Layers of two models, over the same words.
    floor : float
        Smallest share of a concept that is listed.

    Returns
    -------
    pandas.DataFrame
        Columns `MATCHES`: `role`, `layer` and `concept` say of which concept, `other_layer` and
        `other_concept` in which one of the other model. `shared` occurrences are the share `share`
        of the one and `other_share` of the other, and `jaccard` of all that are in either; the
        other four columns say the same of types. A pair is listed under a role when the share of
        that role's concept is at least `floor`, by occurrences or by types. Sorted by role, layer,
        concept and other layer, then the largest share first.
    """
    parts = []
    for a in base:
        for b in tuned:
            shared, types = (shared_counts(a, b, level) for level in LEVELS)
            parts += [_pair(a, b, shared, types, floor), _pair(b, a, shared.T, types.T, floor)]
    parts = [part for part in parts if len(part["concept"])]
    if not parts:
        return pd.DataFrame(columns=MATCHES)
    columns = {name: np.concatenate([part[name] for part in parts]) for name in MATCHES[1:]}
    roles = np.array(["base", "tuned"], object)
    of = np.concatenate([np.full(len(p["concept"]), p["tuned"][0]) for p in parts])
    keys = ("other_concept", "type_share", "share", "other_layer", "concept", "layer")
    falling = ("share", "type_share")
    order = np.lexsort([*(-columns[k] if k in falling else columns[k] for k in keys), of])
    frame = pd.DataFrame({name: column[order] for name, column in columns.items()})
    frame.insert(0, "role", pd.Series(roles[of[order]]))
    return pd.DataFrame(frame, columns=MATCHES)


def _pair(
    here: Clustering, other: Clustering, shared: np.ndarray, types: np.ndarray, floor: float
) -> dict[str, np.ndarray]:
    listed = (shared / here.sizes[:, None] >= floor) | (types / here.n_types[:, None] >= floor)
    mine, theirs = np.nonzero(listed)
    found = {
        "tuned": np.full(len(mine), int(here.role == "tuned")),
        "layer": np.full(len(mine), here.layer),
        "concept": mine,
        "other_layer": np.full(len(mine), other.layer),
        "other_concept": theirs,
    }
    for counts, sizes, others, prefix in (
        (shared, here.sizes, other.sizes, ""),
        (types, here.n_types, other.n_types, "type_"),
    ):
        both = counts[mine, theirs]
        found["shared_types" if prefix else "shared"] = both
        found[f"{prefix}share"] = both / sizes[mine]
        found[f"other_{prefix}share"] = both / others[theirs]
        found[f"{prefix}jaccard"] = both / (sizes[mine] + others[theirs] - both)
    return found

"""Where selected neurons sit: in which layers, for which tags, shared by how many.

Durrani et al. 2020 (arXiv 2010.02695): bars of neurons per layer, neurons of
each tag, and neurons that several tags share. Raw and z-scored activations tell different stories
(COLING 2022); call these once for each and put the tables together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tunescope.errors import InputError
from tunescope.neurons.ranking import Ranking
from tunescope.neurons.words import LabelledWords


def tag_sets(
    ranking: Ranking, *, n: int | None = None, mass: float | None = None
) -> list[np.ndarray]:
    """Return the top neurons of every tag, best first.

    Parameters
    ----------
    ranking : Ranking
        With orders of K tags.
    n : int, optional
        Neurons of each tag.
    mass : float, optional
        Instead: the shortest prefix of a tag's order that holds this share of its scores, as in
        the paper's order by weight mass. Scores below 0 count as 0.

    Returns
    -------
    list of numpy.ndarray of int
        One per tag. Neurons that have the tag's lowest score are never among them: where l1 has
        made coefficients 0, a tag has fewer than n, and none where all are 0.

    Raises
    ------
    InputError
        If not exactly one of `n` and `mass` is given, or it is out of range.
    """
    if (n is None) == (mass is None):
        raise InputError("give either n, the top neurons of each tag, or mass, their share")
    if n is not None and n < 1:
        raise InputError(f"n = {n!r}: a tag needs at least 1 neuron")
    if mass is not None and not 0 < mass <= 1:
        raise InputError(f"mass = {mass!r} must be above 0 and at most 1")
    found = []
    for order, scores in zip(ranking.tag_orders, ranking.tag_scores, strict=True):
        telling = order[scores[order] > scores.min()]
        if mass is not None and len(telling):
            reached = np.cumsum(np.clip(scores[telling], 0, None), dtype=np.float64)
            # The slack lets rounding in the sum not ask for one more neuron.
            enough = int(np.searchsorted(reached, mass * reached[-1] * (1 - 1e-12))) + 1
            telling = telling[: enough if reached[-1] > 0 else 0]
        found.append(telling[:n])
    return found


def layer_table(words: LabelledWords, ranking: Ranking, selected: np.ndarray) -> pd.DataFrame:
    """Count selected neurons in every layer.

    Parameters
    ----------
    words : LabelledWords
        Whose columns the neurons are.
    ranking : Ranking
        That selected them, for its name.
    selected : numpy.ndarray of int
        Neurons, such as `ranking.top(n)`.

    Returns
    -------
    pandas.DataFrame
        `scaling`, `ranking`, `layer`, `selected`, `share` (of the selected neurons), `chance`:
        the share expected of neurons drawn at random, which is the layer's share of all neurons.
    """
    layers, sizes = np.unique(words.layer_of, return_counts=True)
    counts = _per_layer(words.layer_of, layers, selected)
    return pd.DataFrame(
        {
            "scaling": words.scaling,
            "ranking": ranking.name,
            "layer": layers,
            "selected": counts,
            "share": counts / max(len(selected), 1),
            "chance": sizes / sizes.sum(),
        }
    )


def tag_table(words: LabelledWords, ranking: Ranking, sets: Sequence[np.ndarray]) -> pd.DataFrame:
    """Count the top neurons of every tag in every layer.

    Parameters
    ----------
    words : LabelledWords
        With K tags.
    ranking : Ranking
        That selected the neurons, for its name.
    sets : sequence of numpy.ndarray of int
        The top neurons of each tag (`tag_sets`).

    Returns
    -------
    pandas.DataFrame
        One row per tag and layer: `scaling`, `ranking`, `tag`, `layer`, `selected`. The sum over
        layers is how many neurons the tag has.
    """
    _check_tags(words, sets)
    layers = np.unique(words.layer_of)
    counts = np.stack([_per_layer(words.layer_of, layers, columns) for columns in sets])
    return pd.DataFrame(
        {
            "scaling": words.scaling,
            "ranking": ranking.name,
            "tag": np.repeat(np.array(words.classes, object), len(layers)),
            "layer": np.tile(layers, len(sets)),
            "selected": counts.ravel(),
        }
    )


def sharing_table(
    words: LabelledWords, ranking: Ranking, sets: Sequence[np.ndarray]
) -> pd.DataFrame:
    """Count neurons by how many tags have them among their top neurons.

    Parameters
    ----------
    words : LabelledWords
        With K tags.
    ranking : Ranking
        That selected the neurons, for its name.
    sets : sequence of numpy.ndarray of int
        The top neurons of each tag (`tag_sets`).

    Returns
    -------
    pandas.DataFrame
        `scaling`, `ranking`, `n_tags` (1 to the largest that occurs), `neurons`.
    """
    _check_tags(words, sets)
    tags = np.bincount(np.concatenate(sets), minlength=words.n_neurons)
    counts = np.bincount(tags, minlength=2)[1:]
    return pd.DataFrame(
        {
            "scaling": words.scaling,
            "ranking": ranking.name,
            "n_tags": np.arange(1, len(counts) + 1),
            "neurons": counts,
        }
    )


def _per_layer(layer_of: np.ndarray, layers: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return how many of the columns each layer has, shape (len(layers),)."""
    return np.bincount(np.searchsorted(layers, layer_of[columns]), minlength=len(layers))


def _check_tags(words: LabelledWords, sets: Sequence[np.ndarray]) -> None:
    if len(sets) != words.n_classes:
        raise InputError(
            f"{len(sets)} sets of neurons for {words.n_classes} labels: give one for each label"
        )

"""The rankings of one label column and model, as plain values: who comes first, for which tag."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tunescope.activations.neuron import NeuronId
from tunescope.study.neuron_results import Key
from tunescope.viewer.neurons.paths import neuron_path
from tunescope.viewer.neurons.views import NeuronViews, neurons_of

MOST_TAGS = 120
ABOUT = {
    "lca": "The weights of the linear probe: neurons that hold most of their sum come first "
    "(Durrani et al. 2020). Score: how many of a hundred steps were left when it entered; for one "
    "tag, its share of the tag’s weights.",
    "linear": "The size of the linear probe’s weights (Durrani et al. 2022), their mean over tags.",
    "probeless": "How far the means of the tags lie apart, without a probe (Antverg and Belinkov "
    "2022).",
    "mean_select": "How far the mean of a tag lies from that of all other words, of the neuron’s "
    "range (Fan et al. 2023).",
    "iou": "Words where the neuron is high and that have the tag, of those with either (Bau et al. "
    "2017).",
    "average_precision": "Average precision of the neuron as a detector of the tag (Fan et al. "
    "2023).",
    "gaussian": "Greedy choice by the likelihood of Gaussians (Torroba Hennigen et al. 2020).",
    "random": "Drawn at random: what every other ranking has to beat.",
    "max_corr": "The highest correlation with a neuron of another model (Bau et al. 2019); looks "
    "at no tags.",
    "min_corr": "The highest correlation with a neuron in that of the other models which has least "
    "of it (Bau et al. 2019); looks at no tags.",
    "lin_reg": "How well all neurons of another model predict it (Bau et al. 2019); looks at no "
    "tags.",
}
"""What each ranking puts first, in words."""
FIRST, FIRST_OF_TAG = 40, 20
TOP_WORDS = 6


def ranking_data(views: NeuronViews, key: Key, *, all_pages: bool = False) -> dict[str, Any]:
    """Return the first neurons of each ranking, over all tags and for each.

    Parameters
    ----------
    views : NeuronViews
        The neurons of the run.
    key : tuple of str
        Corpus, label column and model.
    all_pages : bool
        Whether neurons that are not listed have pages too, made when asked for.

    Returns
    -------
    dict
        `tags` (those most neurons or words are about come first; `left_out` are not listed),
        `about` (what the methods put first), `rankings` (method, scaling, `orders`: for all tags
        together, then for each, pairs of address and score), `neurons` (for each address its page,
        from the top of the site, or None, and its top words).
    """
    ranked = views.run.neurons.rankings[key]
    facts, (corpus, _, model) = ranked.facts, key
    tags = list(facts["classes"])[:MOST_TAGS]
    rankings, addresses = [], {}
    for scaling in ranked.scalings:
        for method in ranked.rankings:
            found = views.ranking(key, method, scaling)
            orders = [_first(found.order, found.scores, FIRST)]
            orders += [
                _first(found.tag_orders[i], found.tag_scores[i], FIRST_OF_TAG)
                for i in range(len(tags))
            ]
            written = []
            for columns, scores in orders:
                neurons = neurons_of(facts["widths"], facts["layers"], columns)
                addresses.update((str(neuron), neuron) for neuron in neurons)
                written.append([[str(n), s] for n, s in zip(neurons, scores, strict=True)])
            rankings.append({"method": method, "scaling": scaling, "orders": written})
    there = set(views.listed.get((corpus, model), []))
    addresses.update((str(neuron), neuron) for neuron in there)
    if all_pages:
        there |= {neuron for neuron in addresses.values() if views.exists(corpus, model, neuron)}
    return {
        "tags": tags,
        "about": {method: ABOUT.get(method, "") for method in ranked.rankings},
        "left_out": len(facts["classes"]) - len(tags),
        "rankings": rankings,
        "neurons": {
            name: _about(views, corpus, model, neuron, neuron in there)
            for name, neuron in addresses.items()
        },
    }


def ranking_csv(views: NeuronViews, key: Key) -> str:
    """Return the first neurons of each ranking as CSV, over all tags (no tag) and for each.

    Parameters
    ----------
    views : NeuronViews
        The neurons of the run.
    key : tuple of str
        Corpus, label column and model.
    """
    data = ranking_data(views, key)
    rows = [
        (made["method"], made["scaling"], tag, rank, address, score)
        for made in data["rankings"]
        for tag, order in zip(["", *data["tags"]], made["orders"], strict=True)
        for rank, (address, score) in enumerate(order, 1)
    ]
    columns = ["method", "activations", "tag", "rank", "neuron", "score"]
    return pd.DataFrame(rows, columns=columns).to_csv(index=False)


def _first(order: np.ndarray, scores: np.ndarray, n: int) -> tuple[np.ndarray, list[float | None]]:
    first = order[:n]
    return first, [float(f"{s:.4g}") if np.isfinite(s) else None for s in scores[first]]


def _about(
    views: NeuronViews, corpus: str, model: str, neuron: NeuronId, listed: bool
) -> list[Any]:
    view = views.kept.get((corpus, model), {}).get(neuron)
    words = [] if view is None else view.words["word"].head(TOP_WORDS).tolist()
    return [neuron_path(corpus, model, neuron) if listed else None, words]

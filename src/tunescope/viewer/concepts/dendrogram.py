"""The dendrogram of one layer as an icicle: opened step by step, cut at any number of clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tunescope.concepts.alignment.annotation import Codes
from tunescope.concepts.layer_concepts import LayerConcepts
from tunescope.concepts.upper_tree import UpperTree, upper_tree
from tunescope.report.provenance import source
from tunescope.steps.concepts import TREELESS
from tunescope.viewer.concepts.listing import places
from tunescope.viewer.concepts.paths import ENTRY, dendrogram_path, list_path
from tunescope.viewer.content import Content, Link

if TYPE_CHECKING:
    from tunescope.viewer.concepts.layer import ConceptLayer
    from tunescope.viewer.concepts.shelf import Shelf
    from tunescope.viewer.site import Site

MOST_LEAVES = 1200
BEYOND = 1.5
"""The tree goes down to so many times the concepts of the run."""
WORDS = 4


def has_dendrogram(concepts: LayerConcepts) -> bool:
    """Tell whether the method left a tree."""
    return concepts.step.method not in TREELESS


def dendrogram_page(site: Site, shelf: Shelf, layer: ConceptLayer) -> Content:
    """Make the page.

    Parameters
    ----------
    site : Site
        The site it is in.
    shelf : Shelf
        Where the other layers are.
    layer : ConceptLayer
        The layer, clustered by a method that leaves a tree.
    """
    corpus, concepts, number = layer.corpus, layer.concepts, layer.layer
    model = concepts.model
    data = tree_data(concepts, number)
    return site.frame.render(
        dendrogram_path(corpus, model, number),
        "dendrogram.html.j2",
        title=f"Dendrogram of {model} at layer {number}",
        crumbs=[
            Link(ENTRY, "Concepts"),
            Link(list_path(corpus, model, number), f"{corpus}: {model}, layer {number}"),
        ],
        scripts=("dendrogram.js",),
        styles=("concepts.css", "dendrogram.css"),
        data=data,
        layer=layer,
        n_words=concepts.words.n_words,
        n_concepts=data["k"],
        n_leaves=data["leaves"],
        method=concepts.step.method,
        source=source(site.run, "concepts", concepts.manifest.parameters),
        **places(shelf, layer, dendrogram_path),
    )


def tree_data(concepts: LayerConcepts, layer: int) -> dict[str, Any]:
    """Return what the icicle shows, as plain values.

    Returns
    -------
    dict
        `k` (concepts of the run), `leaves`, and for each node (numbered as in `UpperTree`) in
        `children`, `height`, `size`, `words` (its most frequent ones), `concept` (number in the
        run where the node is one of its concepts, else -1); `kinds`: for each label column and the
        class its values, and the most frequent one of each node with its share.
    """
    dendrogram, step = concepts.dendrogram(layer), concepts.step
    most = dendrogram.n_points
    if dendrogram.leaders is not None:
        most = int(dendrogram.leaders.max()) + 1
    deepest = min(most, max(step.n_clusters, min(round(BEYOND * step.n_clusters), MOST_LEAVES)))
    tree = upper_tree(dendrogram, deepest)
    k = step.n_clusters
    concept = np.full(len(tree.parent), -1, np.int64)
    nodes = tree.clusters(k)
    concept[nodes] = dendrogram.cut(k)[tree.point[nodes]]
    return {
        "k": k,
        "leaves": tree.n_leaves,
        "children": tree.children[: tree.n_leaves - 1].tolist(),
        "height": [float(f"{height:.4g}") for height in tree.height],
        "size": tree.size.tolist(),
        "concept": concept.tolist(),
        "words": _words(concepts, tree),
        "kinds": _kinds(concepts, tree),
    }


def _words(concepts: LayerConcepts, tree: UpperTree) -> list[str]:
    """Return the most frequent word types below each node, joined by blanks."""
    _, first = np.unique(concepts.types, return_index=True)
    forms = concepts.words.values("form")[first]
    order = np.argsort(tree.position, kind="stable")
    types = concepts.types[order]
    starts = np.searchsorted(tree.position[order], np.arange(tree.n_leaves + 1))
    found = []
    for first_leaf, last_leaf in zip(tree.first, tree.last, strict=True):
        own = types[starts[first_leaf] : starts[last_leaf]]
        if len(own) > len(forms) / 8:
            counts = np.bincount(own, minlength=len(forms))
            top = np.argpartition(-counts, min(WORDS, len(counts) - 1))[:WORDS]
            top = top[counts[top] > 0]
            top = top[np.lexsort((top, -counts[top]))]
        else:
            there, counts = np.unique(own, return_counts=True)
            top = there[np.argsort(-counts, kind="stable")[:WORDS]]
        found.append(" ".join(forms[top]))
    return found


def _kinds(concepts: LayerConcepts, tree: UpperTree) -> list[dict[str, Any]]:
    """Return what nodes can be coloured by: the most frequent value below each, and its share."""
    words = concepts.words
    columns = [(name, words.values(name)) for name in words.labels]
    columns.append(("class", words.of_sentence("class")[words.words["sentence"].to_numpy()]))
    found = []
    for name, values in columns:
        codes = Codes.of(values)
        if not len(codes.names):
            continue
        known = codes.codes >= 0
        counts = np.zeros((tree.n_leaves + 1, len(codes.names)), np.int64)
        np.add.at(counts, (tree.position[known] + 1, codes.codes[known]), 1)
        below = np.cumsum(counts, axis=0)
        of_node = below[tree.last] - below[tree.first]
        top = of_node.argmax(1)
        share = of_node[np.arange(len(top)), top] / tree.size
        found.append(
            {
                "name": name,
                "values": list(codes.names),
                "top": np.where(of_node.sum(1) > 0, top, -1).tolist(),
                "share": np.round(share, 3).tolist(),
            }
        )
    return found

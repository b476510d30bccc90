"""The vectors of a text's words, made as those that were clustered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tunescope.activations.forward import Forward
from tunescope.activations.pooling import Spans, WordPooler
from tunescope.explanations.inputs import Input
from tunescope.models.heads import Head
from tunescope.steps import Extract


def word_vectors(
    head: Head, given: Input, layers: Sequence[int], extract: Extract
) -> dict[int, np.ndarray]:
    """Run the stack of layers once and pool the subwords of each word.

    Parameters
    ----------
    head : Head
        The classifier.
    given : Input
        The text.
    layers : sequence of int
        Layers wanted; 0 is the embedding layer.
    extract : Extract
        How activations were pooled, and of which stack they are.

    Returns
    -------
    dict of int to numpy.ndarray of float32, each of shape (n_words, width)
        NaN for words that the model never read.
    """
    words = np.unique(given.owner[given.owner >= 0])
    first = np.array([np.flatnonzero(given.owner == word)[0] for word in words])
    last = np.array([np.flatnonzero(given.owner == word)[-1] for word in words])
    hidden = Forward(head.model.base_model, extract.stack)(given.tensors(1, head.model.device))
    pool = WordPooler(Spans(first, last), extract.pooling, hidden[0].device)
    found = {}
    for layer in layers:
        pooled = pool(hidden[layer]).float().cpu().numpy()
        found[layer] = np.full((len(given.text.words), pooled.shape[1]), np.nan, np.float32)
        found[layer][words] = pooled
    return found

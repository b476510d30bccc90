"""Control tasks: what a probe can learn about words by heart (Hewitt and Liang 2019, section 2)."""

from __future__ import annotations

import numpy as np


def control_task(forms: np.ndarray, labels: np.ndarray, train: np.ndarray, seed: int) -> np.ndarray:
    """Give every word type one random label, the same wherever it occurs.

    Parameters
    ----------
    forms : numpy.ndarray of str, shape (n,)
        Word forms; equal forms are one type.
    labels : numpy.ndarray, shape (n,)
        The task's labels.
    train : numpy.ndarray of bool, shape (n,)
        The training words: labels are drawn from how often each label occurs among them, counted
        over words and not over types.
    seed : int
        Seed of the draw.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Labels of the control task. Accuracy on the task minus accuracy on the control task is the
        probe's selectivity.
    """
    types, type_of = np.unique(forms.astype(str), return_inverse=True)
    draw = np.random.default_rng(seed).choice(labels[train], size=len(types))
    return draw[type_of]

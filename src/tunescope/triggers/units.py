"""Groups of triggers as a test may exchange them: what shares a word goes together.

A word that makes triggers of many concepts, as those of one meaning at many layers do, makes all of
them strong or weak. Taken for as many independent values, they would make p and interval too small.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from tunescope.steps.triggers import Triggers


class GroupRates(NamedTuple):
    """Flip rates of groups of triggers, and which groups go together.

    Parameters
    ----------
    rates : numpy.ndarray of float, shape (n,)
        Of each group: the mean of its triggers, or with `greedy` the best.
    units : numpy.ndarray of int, shape (n,)
        Groups of one number share words, directly or through others.
    """

    rates: np.ndarray
    units: np.ndarray


def group_rates(tried: pd.DataFrame, step: Triggers) -> GroupRates:
    """Return the flip rate of each group of triggers of one method, and its unit.

    Equal triggers count once, for the first group that has them; with `greedy`, whose groups are
    searches, groups that tried the same triggers count once. Groups without a rate are left out.

    Parameters
    ----------
    tried : pandas.DataFrame
        Triggers tried, of one class and place.
    step : Triggers
        The parameters.
    """
    greedy = step.choice == "greedy"
    known: set[Any] = set()
    rates, words = [], []
    for _, group in tried.dropna(subset="flip_rate").groupby(["layer", "group"], sort=False):
        of = dict(zip(group["trigger"], group["flip_rate"], strict=True))
        if greedy:
            of = {} if frozenset(of) in known else of
            known |= {frozenset(of)}
        else:
            of = {trigger: rate for trigger, rate in of.items() if trigger not in known}
            known |= of.keys()
        if of:
            rates.append(max(of.values()) if greedy else np.mean(list(of.values())))
            words.append(words_in(of))
    return GroupRates(np.array(rates, float), joined(words))


def words_in(triggers: Iterable[str]) -> set[str]:
    """Return the words of triggers, whatever their case."""
    return {word for trigger in triggers for word in trigger.casefold().split()}


def joined(words: Sequence[Set[str]]) -> np.ndarray:
    """Return the number of each set's unit: sets that share a word, directly or through others.

    Parameters
    ----------
    words : sequence of sets of str, length n
        The words of each group.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
    """
    n = len(words)
    code = {word: n + at for at, word in enumerate(sorted(set().union(*words)))}
    edges = [(row, code[word]) for row, of in enumerate(words) for word in of]
    if not edges:
        return np.arange(n)
    # one graph, whose nodes are the groups and then the words
    graph = coo_array((np.ones(len(edges)), np.array(edges).T), shape=(n + len(code),) * 2)
    return np.unique(connected_components(graph, directed=False)[1][:n], return_inverse=True)[1]

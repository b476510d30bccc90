"""What selected neurons do in a base and in a tuned model (arXiv 2105.15179, section 4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tunescope.errors import MismatchError
from tunescope.neurons.result import NeuronSets

if TYPE_CHECKING:
    import pandas as pd


def transfer_ablation(base: NeuronSets, tuned: NeuronSets) -> pd.DataFrame:
    """Put what top, random and bottom neurons do in base and tuned model side by side.

    Parameters
    ----------
    base, tuned : NeuronSets
        Of step `select` with the same parameters.

    Returns
    -------
    pandas.DataFrame
        scaling, ranking, share, within (overall, or the same share of every layer, so that bottom
        neurons are not merely those of the last layer), order, how, n, base_accuracy,
        tuned_accuracy, difference; random neurons are means over their draws.

    Raises
    ------
    MismatchError
        If corpus or label differ, or one has sets that the other lacks.
    """
    if (base.corpus, base.label) != (tuned.corpus, tuned.label):
        raise MismatchError(f"{base.path} and {tuned.path} are of different words or labels")
    keys = ["scaling", "ranking", "share", "within", "order", "how", "n"]
    before, after = (_mean_accuracy(sets, keys) for sets in (base, tuned))
    frame: pd.DataFrame = before.merge(after, on=keys, how="outer", suffixes=("_base", "_tuned"))
    frame.columns = [*keys, "base_accuracy", "tuned_accuracy"]
    if frame.isna().any(axis=None):
        raise MismatchError(f"{base.path} and {tuned.path} have different sets: select again")
    return frame.assign(difference=frame["tuned_accuracy"] - frame["base_accuracy"])


def _mean_accuracy(sets: NeuronSets, keys: list[str]) -> Any:
    frame: Any = sets.frame("ablation").groupby(keys, sort=False)["accuracy"].mean()
    return frame.reset_index()

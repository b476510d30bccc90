"""The study in small tables: one for each label and pair of models, one for each clustering."""

from __future__ import annotations

import pandas as pd

from tunescope.concepts.alignment.result import Alignment
from tunescope.neurons.result import NeuronSets
from tunescope.probes.compare import ProbeComparison
from tunescope.probes.result import LayerProbes


def accuracy_table(comparison: ProbeComparison, tuned_probes: pd.DataFrame) -> pd.DataFrame:
    """Return accuracy before and after tuning, by layer, beside its baselines.

    Parameters
    ----------
    comparison : ProbeComparison
        Base and tuned model on the same words.
    tuned_probes : pandas.DataFrame
        `LayerProbes.table()` of the tuned model, for the control task and the majority class.
    """
    frame = comparison.table()
    return pd.DataFrame(
        {
            "layer": frame["layer"],
            "base": frame["base_accuracy"],
            "tuned": frame["tuned_accuracy"],
            "change": frame["difference"],
            "low": frame["low"],
            "high": frame["high"],
            "p": frame["p_holm"],
            "control task": tuned_probes["control_accuracy"],
            "majority": tuned_probes["majority"],
        }
    )


def single_table(probes: LayerProbes) -> pd.DataFrame:
    """Return accuracy by layer, beside its baselines, of a model that is compared with no other."""
    frame = probes.table()
    return pd.DataFrame(
        {
            "layer": frame["layer"],
            "accuracy": frame["accuracy"],
            "low": frame["accuracy_low"],
            "high": frame["accuracy_high"],
            "control task": frame["control_accuracy"],
            "majority": frame["majority"],
        }
    )


def sets_table(sets: NeuronSets) -> pd.DataFrame:
    """Return the smallest sets of neurons that do as well as all, beside random and bottom ones.

    Parameters
    ----------
    sets : NeuronSets
        Of one label column and model.
    """
    frame = sets.frame("minimal")
    within = frame["delta"].map("within {:g}".format)
    columns = {
        "set": frame["scaling"] + ", " + frame["ranking"] + ", " + within,
        "neurons": frame["n"],
        "all": frame["oracle_accuracy"],
        "top": frame["accuracy"],
        "low": frame["low"],
        "high": frame["high"],
        "random": frame["random_accuracy"],
        "bottom": frame["bottom_accuracy"],
        "selectivity all": frame["selectivity_all"],
        "selectivity top": frame["selectivity"],
    }
    return pd.DataFrame(columns)


def concept_table(alignment: Alignment, base: str, tuned: str) -> pd.DataFrame:
    """Return what became of concepts, by layer, beside chance.

    Columns: share of base concepts `kept` (with `low`, `high` and the mean `by chance`), concepts
    `born`; then, for the classes and for each label column, how many concepts of both models follow
    one value of it, beside the upper end of chance for the tuned model.

    Parameters
    ----------
    alignment : Alignment
        Of one pair of models in one corpus.
    base, tuned : str
        Their names.
    """
    kept = alignment.retention.set_index("layer")
    columns = {
        "kept": kept["retained_share"],
        "low": kept["retained_low"],
        "high": kept["retained_high"],
        "kept by chance": kept["null_mean"] / kept["n_base"].clip(lower=1),
        "born": kept["born"],
    }
    labels, polarity = alignment.labels, alignment.polarity
    counts = [(name, part, "aligned") for name, part in labels.groupby("label", sort=False)]
    if len(polarity):
        counts.insert(0, ("polar", polarity.loc[polarity["class"] == ""], "polarised"))
    for name, part, count in counts:
        by_model = {
            model: part.loc[part["model"] == model].set_index("layer") for model in (base, tuned)
        }
        columns[f"{name} base"] = by_model[base][count]
        columns[f"{name} tuned"] = by_model[tuned][count]
        columns[f"{name} by chance"] = by_model[tuned]["null_high"]
    return pd.DataFrame(columns).rename_axis("layer").reset_index()

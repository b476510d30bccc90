"""Step `reduce`: what is redundant in a model for a label (Dalvi et al. 2020, arXiv 2004.04010)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tunescope.activations.store import ActivationStore
from tunescope.files import write_frame, write_tensors
from tunescope.manifest import begin, finish
from tunescope.neurons.ccfs import ccfs
from tunescope.neurons.classifiers import LinearClassifier
from tunescope.neurons.result import NeuronRankings, NeuronRedundancy
from tunescope.neurons.selectivity import Bootstrap
from tunescope.parameters import step_function
from tunescope.steps import Reduce


@step_function(Reduce)
def reduce(
    ranked: NeuronRankings | str | Path,
    store: ActivationStore | str | Path,
    out: str | Path,
    *,
    device: str = "cpu",
    step: Reduce,
) -> NeuronRedundancy:
    """Take away layers, then correlated neurons, then features, as far as accuracy allows.

    Parameters
    ----------
    ranked : NeuronRankings, str or Path
        What `rank` found, or its folder: it says which words are used and how they are split.
    store : ActivationStore, str or Path
        The activations that were ranked.
    out : str or Path
        Folder to write.
    device : str
        Where probes are fitted, in torch's words.
    step : Reduce
        Parameters.

    Returns
    -------
    NeuronRedundancy

    Raises
    ------
    MismatchError
        If the store is not the one that was ranked.
    """
    ranked = ranked if isinstance(ranked, NeuronRankings) else NeuronRankings.load(ranked)
    store = store if isinstance(store, ActivationStore) else ActivationStore.load(store)
    out = Path(out)
    ranked.check_store(store)
    inputs = {
        "rankings": ranked.key, "corpus": ranked.corpus, "model": ranked.model,
        "label": ranked.label,
    }  # fmt: skip
    if begin(out, step, inputs) is not None:
        return NeuronRedundancy.load(out)
    made = ranked.manifest.parameters
    words = ranked.words(store)
    found = ccfs(
        words,
        LinearClassifier(
            step.l1, step.l2, penalty=made["penalty"], solver=made["solver"],
            tolerance=made["tolerance"], max_iterations=made["max_iterations"],
            seed=made["seed"], device=device,
        ),
        layer_tolerance=step.layer_tolerance,
        distance=step.distance,
        choose=step.representative,
        feature_tolerance=step.feature_tolerance,
        increment=step.increment,
        seeds=[made["seed"] + number for number in range(step.seeds)],
        seed=made["seed"],
        bootstrap=Bootstrap(made["resamples"], made["confidence"], made["seed"]),
    )  # fmt: skip
    write_tensors(
        out / "neurons.safetensors",
        {
            "columns": found.neurons.astype(np.int32),
            "clusters": found.clusters.labels.astype(np.int32),
            "linkage": found.clusters.linkage,
        },
    )
    write_frame(out / "redundancy.parquet", found.stages)
    facts = {
        "neurons": [str(words.train.x.neuron(column)) for column in found.neurons],
        "layers": found.layers.table().to_dict("records"),
        "n_clusters": found.clusters.n_clusters,
    }
    finish(out, step, inputs, facts)
    return NeuronRedundancy.load(out)

"""The map_concepts step: a logistic regression from word vectors to concepts, at every layer.

Whole sentences are held out, and what is said of the mapper is measured on their words. A unit of
work is one layer; finished ones are kept when a run is interrupted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import softmax
from tqdm.auto import tqdm

from tunescope.activations.matrix import WordMatrix
from tunescope.activations.store import ActivationStore, layer_folder
from tunescope.concepts.centroids import centroids
from tunescope.concepts.layer_concepts import LayerConcepts
from tunescope.errors import InputError, MismatchError
from tunescope.explanations.mapper import ConceptMapper
from tunescope.explanations.mapper_scores import score_mapper
from tunescope.files import atomic_directory, write_frame, write_tensors
from tunescope.manifest import begin, finish
from tunescope.parameters import step_function
from tunescope.probes.features import Features
from tunescope.probes.problem import Problem
from tunescope.probes.solver import fit_many
from tunescope.steps import MapConcepts


@step_function(MapConcepts)
def map_concepts(
    store: ActivationStore | Path | str,
    concepts: LayerConcepts | Path | str,
    out: Path | str,
    *,
    device: str = "cpu",
    step: MapConcepts,
) -> ConceptMapper:
    """Learn, at every layer, which concept a word's vector belongs to.

    Parameters
    ----------
    store : ActivationStore or path
        The activations that were clustered.
    concepts : LayerConcepts or path
        Their concepts.
    out : path
        Folder for the mapper; one that an interrupted call left is gone on with.
    device : str
        Where it is fitted, in torch's words.
    step : MapConcepts
        The parameters; they may be given as keywords instead.

    Returns
    -------
    ConceptMapper

    Raises
    ------
    InputError
        If there are too few sentences to hold some out.
    MismatchError
        If the concepts are of other activations.
    """
    if not isinstance(store, ActivationStore):
        store = ActivationStore.load(store)
    if not isinstance(concepts, LayerConcepts):
        concepts = LayerConcepts.load(concepts)
    if concepts.manifest.inputs["store"] != store.key:
        raise MismatchError(
            f"{concepts.path} holds concepts of other activations than those in {store.path}: "
            "give the activations that were clustered"
        )
    out = Path(out)
    inputs = {"store": store.key, "concepts": concepts.key}
    if begin(out, step, inputs) is None:
        words = concepts.words
        held_out = _held_out(words.words["sentence"].to_numpy(), step)
        layers = []
        for layer in tqdm(concepts.layers, desc=f"map concepts of {store.model}", unit="layer"):
            folder = out / layer_folder(layer)
            if not folder.exists():
                _map_layer(store, concepts, layer, held_out, folder, device, step)
            layers.append(layer)
        facts = {
            "model": store.model,
            "corpus": words.name,
            "layers": layers,
            "n_concepts": int(concepts.labels(layers[0]).max()) + 1,
            "n_train": int((~held_out).sum()),
            "n_test": int(held_out.sum()),
            "model_hash": store.manifest.inputs["model"],
            "extract": store.manifest.parameters,
        }
        finish(out, step, inputs, facts)
    return ConceptMapper.load(out)


def _held_out(sentences: np.ndarray, step: MapConcepts) -> np.ndarray:
    """Draw the sentences to hold out; return which words are in them."""
    different = np.unique(sentences)
    n = max(1, round(step.test_share * len(different)))
    if n >= len(different):
        raise InputError("the clustered words are of one sentence: there is none to hold out")
    drawn = np.random.default_rng(step.seed).permutation(different)[:n]
    return np.isin(sentences, drawn)


def _map_layer(
    store: ActivationStore, concepts: LayerConcepts, layer: int, held_out: np.ndarray,
    folder: Path, device: str, step: MapConcepts,
) -> None:  # fmt: skip
    vectors = WordMatrix.of_store(store, concepts.words.rows_in(store.corpus), [layer])
    labels = concepts.labels(layer)
    width = int(labels.max()) + 1
    train, own = vectors.take(~held_out), labels[~held_out]
    counts = np.bincount(own, minlength=width)
    fit = _fit(train, own, width, device, step)
    tests = vectors[held_out].astype(np.float64)
    found = softmax(tests @ fit.coefficients.T + fit.intercepts, axis=1)
    distances = np.nan_to_num(cdist(tests, centroids(train, own, width)), nan=np.inf)
    types = concepts.types
    frame = score_mapper(
        found, distances, counts, labels[held_out],
        concepts.words.words["sentence"].to_numpy()[held_out],
        ~np.isin(types[held_out], types[~held_out]), step,
    )  # fmt: skip
    for place, (name, value) in enumerate(
        (("corpus", concepts.words.name), ("model", store.model), ("layer", layer))
    ):
        frame.insert(place, name, value)
    frame["gap"] = fit.gap
    with atomic_directory(folder) as temporary:
        write_tensors(
            temporary / "mapper.safetensors",
            {
                "coefficients": fit.coefficients.astype(np.float32),
                "intercepts": fit.intercepts.astype(np.float32),
            },
        )
        write_frame(temporary / "scores.parquet", frame)


def _fit(
    vectors: WordMatrix, labels: np.ndarray, width: int, device: str, step: MapConcepts
) -> Any:
    [fit] = fit_many(
        Features(vectors, standardize=True, device=device),
        [Problem(labels, 0.0, step.l2, width)],
        tolerance=step.tolerance,
        max_iterations=step.max_iterations,
    )
    return fit

"""The concepts step: words in, one clustering per layer out (arXiv 2210.12696).

A unit of work is one layer, a pure function of the store's files; units run in processes beside
each other, and finished ones are kept when a run is interrupted. Where a layer takes long, Ward
linkage leaves a checkpoint on the way, in a folder of its own for each layer.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from joblib import Parallel, cpu_count, delayed
from tqdm.auto import tqdm

from tunescope.activations.store import ActivationStore, layer_folder
from tunescope.concepts.cluster import check_memory, cluster, memory_needed
from tunescope.concepts.dendrogram import Dendrogram
from tunescope.concepts.layer_concepts import LayerConcepts, clusters_path
from tunescope.concepts.partition import Partition
from tunescope.concepts.selection import select_words, type_codes
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError
from tunescope.manifest import begin, finish, only_looking
from tunescope.parameters import step_function
from tunescope.steps import Concepts

FEW_WORDS = 1_000
"""Fewer are clustered sooner than another process has started."""
CHECKPOINT_WORDS = 20_000
"""From so many words on, Ward linkage takes long enough to be worth a checkpoint."""
CHECKPOINTS = "checkpoints"
"""Folder within the step's, gone when the step is done."""


@step_function(Concepts)
def discover_concepts(
    store: ActivationStore | Path | str,
    out: Path | str,
    *,
    words: Corpus | None = None,
    n_jobs: int | None = None,
    step: Concepts,
) -> LayerConcepts:
    """Cluster the activations of words at every layer.

    Parameters
    ----------
    store : ActivationStore or path
        Activations written by `extract`.
    out : path
        Folder for the result. A finished one for the same store, words and parameters is returned
        as it is; an interrupted one goes on with the layers that are missing.
    words : Corpus, optional
        Which words of the store's corpus to cluster: `select_words` chooses them, best before
        extraction. Give the same for base and tuned model. When not given, they are chosen by the
        rule in `step` from the words of the store that have activations.
    n_jobs : int, optional
        Layers clustered at once, each in a process. As many as processors and memory allow when
        not given, of fewer than 1,000 words one. The result does not depend on it.
    step : Concepts
        The parameters; they may be given as keywords instead.

    Returns
    -------
    LayerConcepts

    Raises
    ------
    InputError
        If words have no activations, there are fewer words than `n_clusters`, or memory does not
        suffice.
    MismatchError
        If `words` are not words of the store's corpus.
    """
    if step.method == "imported":
        raise InputError("method = 'imported' is what import_conceptx() writes: give another")
    if not isinstance(store, ActivationStore):
        store = ActivationStore.load(store)
    words = _words_of(store, words, step)
    check_enough(words, step)
    out = Path(out)
    inputs = {"store": store.key, "words": words.word_hash}
    if begin(out, step, inputs) is None:
        rows = words.rows_in(store.corpus)
        _cluster_layers(store, rows, out, step, n_jobs)
        shutil.rmtree(out / CHECKPOINTS, ignore_errors=True)
        words.write(out)
        facts = {
            "model": store.model,
            "model_hash": store.manifest.inputs["model"],
            "layers": list(store.layers),
            "n_words": words.n_words,
            "n_types": int(type_codes(words).max()) + 1,
        }
        finish(out, step, inputs, facts)
    elif not only_looking():
        words.refresh(out)
    return LayerConcepts.load(out)


def check_enough(words: Corpus, step: Concepts) -> None:
    """Check that there are as many words as clusters.

    Raises
    ------
    InputError
        If there are fewer.
    """
    if words.n_words < step.n_clusters:
        raise InputError(
            f"n_clusters = {step.n_clusters} but only {words.n_words:,} words of corpus "
            f"{words.name!r} are clustered: lower n_clusters or select more words"
        )


def _words_of(store: ActivationStore, words: Corpus | None, step: Concepts) -> Corpus:
    """Return the words to cluster, all of them with activations."""
    if words is None:
        return select_words(store.corpus.select(np.flatnonzero(store.valid)), step=step)
    without = np.flatnonzero(~store.valid[words.rows_in(store.corpus)])
    if len(without):
        raise InputError(
            f"{len(without):,} of the {words.n_words:,} words have no activations in {store.path} "
            "(cut off by the length limit): select among the rows that `common_words` returns"
        )
    return words


def _cluster_layers(
    store: ActivationStore, rows: np.ndarray, out: Path, step: Concepts, n_jobs: int | None
) -> None:
    """Cluster the layers that have no file yet; but for checkpoints this process alone writes."""
    path_of = {layer: clusters_path(out, layer, step.method) for layer in store.layers}
    missing = [layer for layer in store.layers if not path_of[layer].exists()]
    if not missing:
        return
    shape = len(rows), store[0].shape[1], step.method, step.n_leaders
    check_memory(*shape)
    at_once = psutil.virtual_memory().available // memory_needed(*shape)
    n_jobs = n_jobs or (1 if len(rows) < FEW_WORDS else cpu_count())
    n_jobs = max(1, min(n_jobs, at_once, len(missing)))
    path = store.path.resolve()  # worker processes may have another working directory
    folder = None
    if len(rows) >= CHECKPOINT_WORDS and step.method in ("ward", "leaders"):
        folder = out.resolve() / CHECKPOINTS
    tasks = (delayed(_cluster_layer)(path, n, rows, step, folder) for n in missing)
    done: Iterator[Any] = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(tasks)  # type: ignore[assignment]
    title = f"concepts of {store.model}"
    with tqdm(desc=title, total=len(store.layers), unit="layer") as bar:
        bar.update(len(store.layers) - len(missing))
        for layer, found in done:
            found.save(path_of[layer])
            bar.update()


def _cluster_layer(
    path: Path, layer: int, rows: np.ndarray, step: Concepts, checkpoints: Path | None
) -> tuple[int, Dendrogram | Partition]:
    """Cluster one layer of the store at `path`: runs in a process of its own."""
    X = ActivationStore.load(path)[layer][rows]
    own = None if checkpoints is None else checkpoints / layer_folder(layer)
    return layer, cluster(X, **step.clustering, checkpoint=own, where=f"{path} layer {layer}")

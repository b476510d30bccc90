"""Layers drawn one by one, each in a process, and put together.

A unit of work is a layer, a pure function of the stores' files; finished ones are kept when a run
is interrupted. Only the rows drawn are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
from joblib import Parallel, cpu_count, delayed
from tqdm.auto import tqdm

from tunescope.activations.store import ActivationStore
from tunescope.concepts.clustering import Clustering
from tunescope.concepts.layer_concepts import LayerConcepts
from tunescope.concepts.projection.picture import draw_picture, trust, turned, zscored
from tunescope.concepts.projection.sample import draw_words
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError
from tunescope.files import read_frame, write_frame
from tunescope.steps import Project

PARTS = "parts"
"""Folder of what is done of a run that is not finished."""
LAYERS = (
    "layer", "n_words", "trustworthiness", "random", "trustworthiness_base",
    "trustworthiness_tuned", "explained",
)  # fmt: skip
MOST_WORDS = 5000
"""Of one layer: more are no picture any more, and their distances fill the memory."""
POINTS = ("role", "row", "concept", "x", "y")


def draw_layers(
    stores: Mapping[str, ActivationStore],
    concepts: Mapping[str, LayerConcepts],
    words: Corpus,
    classes: np.ndarray,
    layers: list[int],
    out: Path,
    step: Project,
    n_jobs: int | None,
) -> None:
    """Draw the layers that have no file yet; this process alone writes."""
    missing = [layer for layer in layers if not _part(out, layer, "points").exists()]
    n, codes = words.n_words, classes[words.words["sentence"].to_numpy()]
    priority = np.random.default_rng(step.seed).permutation(n)
    rows = words.rows_in(stores["base"].corpus)
    # distances, their order twice, and the vectors in both precisions, of the points drawn
    k = sum(found.step.n_clusters for found in concepts.values())
    points = len(stores) * min(n, max(step.n_words, step.per_concept * k))
    needed = 32 * points**2 + 16 * points * stores["base"][layers[0]].shape[1]
    at_once = psutil.virtual_memory().available // needed
    n_jobs = max(1, min(n_jobs or cpu_count(), at_once, len(missing)))
    paths = {role: store.path.resolve() for role, store in stores.items()}
    folders = {role: found.path.resolve() for role, found in concepts.items()}
    tasks = (
        delayed(_draw_layer)(layer, paths, folders, rows, codes, priority, step)
        for layer in missing
    )
    done: Iterator[Any] = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(tasks)  # type: ignore[assignment]
    title = f"map of {' and '.join(store.model for store in stores.values())}"
    with tqdm(desc=title, total=len(layers), unit="layer") as bar:
        bar.update(len(layers) - len(missing))
        for layer, facts, frame in done:
            write_frame(_part(out, layer, "facts"), facts)
            write_frame(_part(out, layer, "points"), frame)
            bar.update()


def _part(out: Path, layer: int, name: str) -> Path:
    return out / PARTS / f"layer_{layer:02d}_{name}.parquet"


def _draw_layer(
    layer: int,
    stores: dict[str, Path],
    concepts: dict[str, Path],
    rows: np.ndarray,
    classes: np.ndarray,
    priority: np.ndarray,
    step: Project,
) -> tuple[int, pd.DataFrame, pd.DataFrame]:
    """Draw one layer: runs in a process of its own."""
    found = {role: _clustering(folder, role, layer) for role, folder in concepts.items()}
    chosen = draw_words(
        list(found.values()), classes, priority,
        n_words=step.n_words, per_concept=step.per_concept,
    )  # fmt: skip
    if len(chosen) > MOST_WORDS:
        raise InputError(
            f"layer {layer}: per_concept = {step.per_concept} draws {len(chosen):,} words of "
            f"{sum(len(here.sizes) for here in found.values()):,} concepts; at most "
            f"{MOST_WORDS:,} can be drawn: lower per_concept"
        )
    X = np.concatenate(
        [
            ActivationStore.load(path)[layer][rows[chosen]].astype(np.float32)
            for path in stores.values()
        ]
    )
    if not np.isfinite(X).all():
        raise InputError(
            f"layer {layer}: some activations of valid words are not finite; extract with "
            "dtype = 'float32'"
        )
    X = zscored(X) if step.zscore else X
    picture = draw_picture(X, step)
    parts = {role: slice(i * len(chosen), (i + 1) * len(chosen)) for i, role in enumerate(stores)}
    order = np.random.default_rng(step.seed).permutation(len(X))
    k = step.trust_neighbors
    facts = {
        "layer": layer,
        "n_words": len(chosen),
        "trustworthiness": trust(X, picture.points, k),
        "random": trust(X, picture.points[order], k),
        "explained": picture.explained,
    }
    for role, part in parts.items():
        if 2 * k < len(chosen):
            facts[f"trustworthiness_{role}"] = trust(X[part], picture.points[part], k)
    points = [
        pd.DataFrame(
            {
                "role": role,
                "row": rows[chosen],
                "concept": found[role].labels[chosen] if role in found else -1,
                "x": picture.points[part, 0],
                "y": picture.points[part, 1],
            },
            columns=list(POINTS),
        )
        for role, part in parts.items()
    ]
    row = pd.DataFrame([facts], columns=list(LAYERS)).astype(dict.fromkeys(LAYERS[2:], float))
    return layer, row, pd.concat(points, ignore_index=True)


def _clustering(folder: Path, role: str, layer: int) -> Clustering:
    concepts = LayerConcepts.load(folder)
    return Clustering(
        concepts.model, role, layer, concepts.labels(layer), concepts.types,
        concepts.step.min_types,
    )  # fmt: skip


def join_layers(out: Path, layers: list[int], *, axes: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return points and facts of all layers, each picture turned towards the one before."""
    pictures: list[pd.DataFrame] = []
    for layer in layers:
        frame = read_frame(_part(out, layer, "points"))
        frame.insert(0, "layer", layer)
        if pictures:
            both = frame.merge(pictures[-1], on=["role", "row"])
            if len(both):
                here, before = (both[[f"x_{s}", f"y_{s}"]].to_numpy() for s in ("x", "y"))
                frame[["x", "y"]] = turned(frame[["x", "y"]].to_numpy(), here, before, axes=axes)
        pictures.append(frame)
    facts = [read_frame(_part(out, layer, "facts")) for layer in layers]
    return pd.concat(pictures, ignore_index=True), pd.concat(facts, ignore_index=True)

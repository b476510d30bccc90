"""The stability step: what clusterings of the same model share, beside what base and tuned share.

A unit of work is one layer of one division of the sentences; finished ones are kept.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
from joblib import Parallel, cpu_count, delayed
from tqdm.auto import tqdm

from tunescope.activations.store import ActivationStore
from tunescope.concepts.cluster import memory_needed
from tunescope.concepts.clustering import Clustering
from tunescope.concepts.comparable import check_clustered_alike, shared_layers
from tunescope.concepts.layer_concepts import LayerConcepts
from tunescope.concepts.stability.agreement import (
    AGREEMENT,
    agreement,
    compare_concepts,
    same_words,
)
from tunescope.concepts.stability.result import BASE, BETWEEN, SAME, TUNED, ConceptStability
from tunescope.concepts.stability.samples import cluster_samples, divide
from tunescope.errors import InputError, MismatchError
from tunescope.files import read_frame, write_frame
from tunescope.manifest import begin, finish
from tunescope.parameters import step_function
from tunescope.steps import Concepts, Stability

PARTS = "parts"
ROWS = ["layer", "comparison", "repeat", *AGREEMENT]


@step_function(Stability)
def concept_stability(
    concepts: LayerConcepts | Path | str,
    store: ActivationStore | Path | str,
    out: Path | str,
    *,
    tuned: ActivationStore | Path | str | None = None,
    others: Mapping[str, LayerConcepts | Path | str] | None = None,
    n_jobs: int | None = None,
    step: Stability,
) -> ConceptStability:
    """Measure how much of what is lost between two models would be lost without tuning.

    Parameters
    ----------
    concepts : LayerConcepts or path
        Concepts of the base model: they say which words there are and how to cluster them.
    store : ActivationStore or path
        The activations they were made from.
    out : path
        Folder for the result. A finished one for the same inputs is returned as it is; an
        interrupted one goes on with the layers that are missing.
    tuned : ActivationStore or path, optional
        Activations of the tuned model, over the same corpus, to be divided in the same way.
    others : mapping of str to LayerConcepts or path, optional
        Further results to compare `concepts` with on common words, by name: another selection of
        words, another seed of the model.
    n_jobs : int, optional
        Layers clustered at once, each in a process; as many as processors and memory allow when not
        given. The result does not depend on it.
    step : Stability
        The parameters; they may be given as keywords instead.

    Returns
    -------
    ConceptStability

    Raises
    ------
    InputError
        If a part of the sentences has fewer words than there are concepts, or words have no
        activations.
    MismatchError
        If the store is not the one the concepts are of, the tuned model's is over other words, or
        other results are of another corpus.
    """
    here = concepts if isinstance(concepts, LayerConcepts) else LayerConcepts.load(concepts)
    stores = {"base": store, **({} if tuned is None else {"tuned": tuned})}
    opened = {
        role: given if isinstance(given, ActivationStore) else ActivationStore.load(given)
        for role, given in stores.items()
    }
    against = {
        name: other if isinstance(other, LayerConcepts) else LayerConcepts.load(other)
        for name, other in (others or {}).items()
    }
    rows = _check(here, opened, against)
    inputs = {
        "concepts": here.key,
        "stores": {role: of_role.key for role, of_role in opened.items()},
        "others": {name: other.key for name, other in against.items()},
    }
    layers = shared_layers(
        here.layers, *(store.layers for store in opened.values()), what="concepts and activations"
    )
    out = Path(out)
    if begin(out, step, inputs) is None:
        units = [(layer, repeat) for layer in layers for repeat in range(step.repeats)]
        _do_units(here, opened, rows, units, out, step, n_jobs)
        frames = [read_frame(_part(out, *unit)) for unit in units]
        compared = [
            {"layer": n, "comparison": name, "repeat": 0, **compare_concepts(here, other, n, step)}
            for name, other in against.items()
            for n in here.layers
            if n in other.layers
        ]
        frames.append(pd.DataFrame(compared, columns=ROWS))
        frame = pd.concat([f for f in frames if len(f)], ignore_index=True)
        frame.insert(0, "corpus", here.words.name)
        write_frame(out / "agreement.parquet", frame)
        facts = {
            "corpus": here.words.name,
            "base": here.model,
            "tuned": opened["tuned"].model if "tuned" in opened else None,
        }
        finish(out, step, inputs, facts)
        shutil.rmtree(out / PARTS, ignore_errors=True)
    return ConceptStability.load(out)


def _part(out: Path, layer: int, repeat: int) -> Path:
    return out / PARTS / f"layer_{layer:02d}_{repeat:02d}.parquet"


def _check(
    here: LayerConcepts, stores: dict[str, ActivationStore], others: dict[str, LayerConcepts]
) -> np.ndarray:
    """Check that everything is about the same words; return their rows in the stores."""
    base = stores["base"]
    if base.key != here.manifest.inputs["store"]:
        raise MismatchError(f"{here.path} is not made from the activations in {base.path}")
    rows = here.words.rows_in(base.corpus)
    for store in stores.values():
        if store.corpus.word_hash != base.corpus.word_hash:
            raise MismatchError(f"{store.path} is over other words than {base.path}")
        without = int((~store.valid[rows]).sum())
        if without:
            raise InputError(f"{without:,} words have no activations in {store.path}")
    for name, other in others.items():
        if name in (BASE, TUNED, BETWEEN, SAME):
            raise InputError(f"others: {name!r} is the name of a comparison; give another")
        check_clustered_alike(here, other)
        shared_layers(here.layers, other.layers, what=f"{here.path} and {other.path}")
        same_words(here.words, other.words)
    return rows


def _do_units(
    here: LayerConcepts,
    stores: dict[str, ActivationStore],
    rows: np.ndarray,
    units: list[tuple[int, int]],
    out: Path,
    step: Stability,
    n_jobs: int | None,
) -> None:
    """Do the units that have no file yet; this process alone writes."""
    missing = [unit for unit in units if not _part(out, *unit).exists()]
    needed = memory_needed(
        len(rows), stores["base"][0].shape[1], here.step.method, here.step.n_leaders
    )
    at_once = max(1, psutil.virtual_memory().available // needed)
    n_jobs = max(1, min(n_jobs or cpu_count(), at_once, len(missing)))
    paths = {role: store.path.resolve() for role, store in stores.items()}
    words = (rows, here.words.words["sentence"].to_numpy(), here.types)
    tasks = (delayed(_unit)(unit, paths, words, here.step, step) for unit in missing)
    done: Iterator[Any] = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(tasks)  # type: ignore[assignment]
    with tqdm(desc=f"stability of {here.model}", total=len(units), unit="layer") as bar:
        bar.update(len(units) - len(missing))
        for unit, found in done:
            write_frame(_part(out, *unit), pd.DataFrame(found, columns=ROWS))
            bar.update()


def _unit(
    unit: tuple[int, int],
    paths: dict[str, Path],
    words: tuple[np.ndarray, np.ndarray, np.ndarray],
    clustering: Concepts,
    step: Stability,
) -> tuple[tuple[int, int], list[dict[str, Any]]]:
    """Compare one layer under one division: runs in a process of its own."""
    layer, repeat = unit
    rows, sentences, types = words
    # Seeds of divisions are spawned, so that those of seed 0 and of seed 1 have nothing in common.
    seed = int(np.random.SeedSequence([step.seed, repeat]).generate_state(1)[0])
    division = divide(sentences, step.compare, seed)
    labels = {
        role: cluster_samples(
            ActivationStore.load(path)[layer][rows],
            division,
            step.compare,
            clustering.clustering,
            f"{path} layer {layer}",
        )
        for role, path in paths.items()
    }
    pairs = [(BASE, ("base", "first"), ("base", "second"))]
    if "tuned" in labels:
        pairs += [
            (TUNED, ("tuned", "first"), ("tuned", "second")),
            (BETWEEN, ("base", "first"), ("tuned", "second")),
            (SAME, ("base", "own"), ("tuned", "own")),
        ]

    def of(role: str, sample: str) -> Clustering:
        numbers = np.unique(labels[role][sample], return_inverse=True)[1]
        kinds = np.unique(types[division.common], return_inverse=True)[1]
        return Clustering(role, role, layer, numbers, kinds, clustering.min_types)

    common = sentences[division.common]
    return unit, [
        {
            "layer": layer,
            "comparison": name,
            "repeat": repeat,
            **agreement(of(*one), of(*other), common, step),
        }
        for name, one, other in pairs
    ]

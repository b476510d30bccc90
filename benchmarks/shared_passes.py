"""All label columns and control tasks of a layer in shared passes, beside reading and one product.

The yardstick of a pass is what no solver can do without: the words of the layer, and one product of
the width of all classes of all columns and control tasks for the scores (x @ W) and one for the
gradient (x.T @ R). Measured against it are a pass of the solver (`gradients`), one that proves the
gap (`evaluate`), and a whole fit divided by its passes, with the steps in between. Then all
columns together beside each alone, by `probe_columns` and `probe`. Process time on one thread,
medians of runs in turn, as other programs may be running.

    python benchmarks/shared_passes.py [STORE] [--labels upos xpos deprel] [--layer 3] [--runs 7]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import tunescope as ts
from tunescope.activations.store import ActivationStore
from tunescope.files import hash_file
from tunescope.probes.columns import Tasks
from tunescope.probes.features import Features
from tunescope.probes.fista import Part, fista
from tunescope.probes.layerwise import probe_columns
from tunescope.probes.objective import Batch, evaluate, gradients
from tunescope.probes.problem import Problem, first_weights, make_batch
from tunescope.steps import Probe

Timed = dict[str, float]
PASSES = 22
"""Of a fit of 20 iterations: two tests of convergence, and the look at zero coefficients, which is
not counted."""


def codes_of(store: ActivationStore | None, labels: list[str], step: Probe) -> list[list]:
    """Return codes of the training words, of every column and its control tasks."""
    if store is None:
        rng = np.random.default_rng(0)
        return [[rng.permutation(np.arange(18_000) % k) for _ in range(1 + step.control_seeds)]
                for k in (17, 49, 48)]  # fmt: skip
    tasks = Tasks()
    made = [tasks.of(store, label, np.arange(store.n_words), step) for label in labels]
    return [[codes[: len(task.split.train)] for _, codes in task.codes] for task in made]


def train_words(store: ActivationStore | None, labels: list[str], layer: int, step: Probe):
    """Return a function that reads the training words of the layer from disk."""
    if store is None:
        x = np.random.default_rng(1).normal(size=(18_000, 384)).astype(np.float32)
        return x.copy
    train = Tasks().of(store, labels[0], np.arange(store.n_words), step).split.train
    return lambda: store[layer][train]


def medians(runs: int, functions: dict[str, Callable[[], object]]) -> Timed:
    """Return median process times in seconds; functions run in turn."""
    taken: dict[str, list[float]] = {name: [] for name in functions}
    for function in functions.values():
        function()
    for _ in range(runs):
        for name, function in functions.items():
            start = time.process_time()
            function()
            taken[name].append(time.process_time() - start)
    return {name: statistics.median(values) for name, values in taken.items()}


def passes(x: Callable[[], np.ndarray], columns: list[list], step: Probe, runs: int) -> None:
    """Measure passes over one layer."""
    features = Features(x())
    problems = [[Problem(codes, step.l1, step.l2) for codes in column] for column in columns]
    width = sum(problem.width for column in problems for problem in column)
    random = torch.Generator().manual_seed(0)
    parts: list[tuple[Batch, torch.Tensor]] = []
    for column in problems:
        batch = make_batch(features, column, "squared")
        weights = first_weights(features, batch)
        weights[:-1] += 0.03 * torch.randn(weights[:-1].shape, generator=random)
        parts.append((batch, weights))
    w, gradient = torch.randn(features.d, width, generator=random), torch.zeros(features.d, width)
    scores = torch.empty(features.n, width)

    def product() -> None:
        for rows, block in features.blocks():
            gradient.addmm_(block.T, torch.mm(block, w, out=scores[rows]))

    def fit() -> None:
        made = [Part(batch, column) for (batch, _), column in zip(parts, problems, strict=True)]
        fista(features, made, tolerance=0.0, max_iterations=20)

    took = medians(
        runs,
        {
            "read": x,
            "product": product,
            "gradients": lambda: gradients(features, parts),
            "evaluate": lambda: evaluate(features, parts),
            "fit": fit,
        },
    )
    took["fit"] = (took["fit"] - took["evaluate"]) / PASSES
    yard = took["product"]
    print(f"{features.n:,} words x {features.d} neurons, {width} classes of {len(columns)} columns")
    print(f"reading the layer once: {1e3 * took['read']:.0f} ms; one product: {1e3 * yard:.0f} ms")
    for name, what in (("gradients", "a pass for gradients"), ("evaluate", "one that proves"),
                       ("fit", "a pass of a fit, with steps and proofs")):  # fmt: skip
        print(
            f"{what}: {1e3 * took[name]:.0f} ms, {took[name] / yard:.2f} x one product, "
            f"{took[name] / (yard + took['read']):.2f} x reading and one product"
        )


def together(store: ActivationStore, labels: list[str], step: Probe) -> None:
    """Measure all layers: all columns together, and each alone."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        start = time.process_time()
        probe_columns(store, {label: out / "all" / label for label in labels}, step=step)
        shared = time.process_time() - start
        start = time.process_time()
        for label in labels:
            ts.probe(store, label, out / "alone" / label, step=step)
        alone = time.process_time() - start
        files = sorted(f for f in (out / "all").rglob("*") if f.is_file())
        same = [hash_file(f) == hash_file(out / "alone" / f.relative_to(out / "all"))
                for f in files]  # fmt: skip
    print(
        f"all {len(store.layers)} layers: together {shared:.1f} s, one by one {alone:.1f} s, "
        f"{alone / shared:.2f} x; {sum(same)} of {len(same)} files are the same byte for byte"
    )


def main() -> None:
    """Print one line per measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", nargs="?", type=Path)
    parser.add_argument("--labels", nargs="+", default=["upos", "xpos", "deprel"])
    parser.add_argument("--layer", type=int, default=3)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--passes-only", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    step = Probe()
    store = None if options.store is None else ActivationStore.load(options.store)
    if store is None:
        print("random activations, as no store is given")
    columns = codes_of(store, options.labels, step)
    passes(train_words(store, options.labels, options.layer, step), columns, step, options.runs)
    if store is not None and not options.passes_only:
        together(store, options.labels, step)


if __name__ == "__main__":
    main()

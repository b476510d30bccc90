"""Clusterings of real words by every method beside Ward linkage: quality, time, memory.

Words are selected from a store by a preset; all methods cluster the same ones into the same number
of concepts, each in a process of its own, so that its peak of memory is its own (above the vectors
and a warm-up). Quality is the score of Hawasly et al. (EACL 2024) for a label column: half the
share of concepts that at least 95 % of one label fill (with more than 5 types, of all) and half
the share of labels with at least 6 tokens that such a concept has. `chance` are Ward's clusters
with their words permuted. `spread` is the sum of squares within clusters, of Ward's.

    python benchmarks/clusterings.py [CONLLU | STORE] [--preset iclr] [--layers 0 3 6] [--k 600]
    python benchmarks/clusterings.py STORE --methods ward kmeans leaders=5000 leaders=5000,equal
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from ward import DEFAULT, MODEL, peak

METHODS = (
    "ward", "average", "complete", "leaders=10000", "leaders=10000,equal", "leaders=5000",
    "leaders=5000,equal", "kmeans", "minibatch_kmeans",
)  # fmt: skip
LARGEST = 16_000
"""Words up to which `average` and `complete` are run: they hold all distances, 8 bytes each."""


def cluster(method: str, X: np.ndarray, k: int) -> np.ndarray:
    """Cluster by a method as the command line names it: leaders, and whether all weigh the same."""
    import tunescope as ts

    name, _, options = method.partition("=")
    chosen = {}
    if options:
        chosen = {
            "n_leaders": int(options.split(",")[0]),
            "leader_weights": "equal" if options.endswith(",equal") else "followers",
        }
    return ts.cluster(X, name, k, **chosen).cut(k)


def measure(method: str, vectors: Path, k: int) -> tuple[np.ndarray, float, float, int]:
    """Return labels, wall seconds, process seconds and peak memory; in a process of its own."""
    X = np.load(vectors)
    warm = method.replace("5000", "500").replace("10000", "500")
    cluster(warm, X[:2100], 50)  # more than one tile, so that every loop is compiled
    memory, wall, cpu = peak(forget=True), time.perf_counter(), time.process_time()
    labels = cluster(method, X, k)
    seconds = time.perf_counter() - wall, time.process_time() - cpu
    return labels, *seconds, peak() - memory


def score(labels: np.ndarray, types: np.ndarray, codes: np.ndarray, k: int) -> tuple[int, ...]:
    """Return concepts aligned, labels covered, labels there are."""
    from tunescope.concepts.alignment.labels import align_labels
    from tunescope.concepts.contingency import type_counts

    n_labels = int(codes.max()) + 1
    tokens = np.bincount(codes[codes >= 0], minlength=n_labels)
    found = align_labels(labels, codes, n_labels, theta=0.95)
    aligned = found.aligned & (type_counts(labels, types) > 5)
    covered = np.intersect1d(found.best[aligned], np.flatnonzero(tokens >= 6))
    return int(aligned.sum()), len(covered), int((tokens >= 6).sum())


def spread(X: np.ndarray, labels: np.ndarray) -> float:
    """Sum of squares within clusters."""
    total = 0.0
    for label in range(labels.max() + 1):
        part = X[labels == label].astype(np.float64)
        total += float(((part - part.mean(axis=0)) ** 2).sum())
    return total


def main() -> None:
    """Cluster every layer by every method and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", nargs="?", type=Path, default=DEFAULT)
    parser.add_argument("--preset", default="iclr", choices=["iclr", "lacoat", "conceptx"])
    parser.add_argument("--layers", type=int, nargs="+", default=[0, 3, 6])
    parser.add_argument("--k", type=int, default=600)
    parser.add_argument("--label", default="upos")
    parser.add_argument("--methods", nargs="+", default=METHODS)
    options = parser.parse_args()
    if not options.source.exists():
        sys.exit(f"{options.source} is missing: run studies/prepare_demo.py or name another")
    import tunescope as ts
    from tunescope.paths import resolve_path

    with tempfile.TemporaryDirectory() as folder:
        if options.source.is_dir():
            store = ts.ActivationStore.load(options.source)
        else:
            corpus = ts.read_corpus(options.source)
            store = ts.extract(corpus, resolve_path(MODEL), Path(folder) / "store", device="cpu")
        words = ts.select_words(store.corpus, preset=options.preset)
        rows = words.rows_in(store.corpus)
        for layer in options.layers:
            np.save(Path(folder) / "vectors.npy", np.asarray(store[layer][rows]))
            run(Path(folder) / "vectors.npy", layer, words, options)


def run(vectors: Path, layer: int, words, options) -> None:
    """Cluster one layer and print a line for each method."""
    from tunescope.concepts.selection import type_codes

    X, types, k = np.load(vectors), type_codes(words), options.k
    values = words.values(options.label).astype(str)
    codes = np.unique(values, return_inverse=True)[1]
    of_ward = None
    print(f"layer {layer}: {len(X):,} words of {types.max() + 1:,} types, K = {k}", flush=True)
    for method in options.methods:
        if method in ("average", "complete") and len(X) > LARGEST:
            print(f"{method}: not run, more than {LARGEST:,} words")
            continue
        with get_context("spawn").Pool(1) as pool:
            labels, wall, cpu, memory = pool.apply(measure, (method, vectors, k))
        rows = [(method, labels)]
        if method == "ward":
            of_ward = spread(X, labels)
            rows.append(("chance", np.random.default_rng(0).permutation(labels)))
        for name, found in rows:
            aligned, covered, of = score(found, types, codes, k)
            value = (aligned / (found.max() + 1) + covered / of) / 2
            text = f"{name}: {aligned} aligned, {covered} of {of} covered, score {value:.3f}"
            if of_ward is not None:
                text += f", spread {spread(X, found) / of_ward:.3f}"
            if name == method:
                text += f"; {wall:.1f} s, {cpu:.1f} s CPU, {memory / 1e9:.2f} GB"
            print(text, flush=True)


if __name__ == "__main__":
    main()

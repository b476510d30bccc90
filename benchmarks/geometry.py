"""Our CKA of all pairs of layers, and the whole step, beside the textbook's n x n matrices.

The textbook computes the Gram matrices K = XX' and L = YY' of every layer, n x n, and the unbiased
HSIC of every pair from them. Its time is measured on few words and pairs and grows with the square
of the words; it is extrapolated where its matrices would not fit. The package cka-pytorch, where it
is installed, is given one pair of layers (its HSIC function, which multiplies n x n matrices).
Times are process times on one thread, as other programs may be running.

Peak memory is of the process, pages of the mapped files included, which the system can drop.

    python benchmarks/geometry.py [STORE TUNED_STORE] [--words 25000] [--layers 7] [--width 384]

Without stores, activations are random and written to a temporary folder first.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

import tunescope as ts
from tunescope.activations.store import layer_folder
from tunescope.corpus.table import Corpus
from tunescope.geometry.layers import LayerWords
from tunescope.geometry.matrix import pair_hsic, tiles
from tunescope.manifest import begin, finish
from tunescope.steps import Extract, Geometry


def random_stores(folder: Path, words: int, layers: int, width: int) -> list[ts.ActivationStore]:  # type: ignore[name-defined]
    """Two models over sentences of 20 words; every layer is the last one, mixed, with noise."""
    print("random activations: give two stores for real ones")
    forms = [[f"w{(20 * s + i) % 997}" for i in range(20)] for s in range(words // 20)]
    corpus = Corpus.from_sentences(forms, name="random")
    rng = np.random.default_rng(0)
    stores = []
    for model in ("base", "tuned"):
        path = folder / model
        inputs = {"words": corpus.word_hash, "model": model}
        begin(path, Extract(), inputs)
        corpus.write(path)
        np.save(path / "valid.npy", np.ones(corpus.n_words, bool))
        x = np.random.default_rng(1).standard_normal((corpus.n_words, width), dtype=np.float32)
        for layer in range(layers):
            turn = rng.standard_normal((width, width), dtype=np.float32) / np.sqrt(width)
            x = 0.8 * x @ turn + 0.6 * rng.standard_normal(x.shape, dtype=np.float32)
            (path / layer_folder(layer)).mkdir()
            np.save(path / layer_folder(layer) / "00000.npy", x)
        facts = {"model": model, "n_layers": layers, "shard_starts": [0, corpus.n_words]}
        finish(path, Extract(), inputs, facts)
        stores.append(ts.ActivationStore.load(path))
    return stores


def centred_gram(x: np.ndarray) -> np.ndarray:
    gram = x @ x.T
    np.fill_diagonal(gram, 0)
    return gram


def textbook_hsic(k: np.ndarray, m: np.ndarray) -> float:
    """Song et al. 2012, on matrices without diagonal."""
    n = len(k)
    rows_k, rows_m = k.sum(axis=1), m.sum(axis=1)
    trace = float(np.einsum("ij,ij->", k, m))
    middle = rows_k.sum() * rows_m.sum() / ((n - 1) * (n - 2))
    return (trace + middle - 2 / (n - 2) * float(rows_k @ rows_m)) / (n * (n - 3))


def textbook(store: ts.ActivationStore, tuned: ts.ActivationStore, n: int) -> None:  # type: ignore[name-defined]
    """Time Gram matrices and HSIC on n words of one pair of layers; extrapolate to all."""
    layers, all_words = len(store.layers), store.n_words
    last = layers - 1
    x, y = (s[last][:n].astype(np.float32) for s in (store, tuned))
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    start = time.process_time()
    k, m = centred_gram(x), centred_gram(y)
    gram = (time.process_time() - start) / 2
    start = time.process_time()
    pairs = textbook_hsic(k, m), textbook_hsic(k, k), textbook_hsic(m, m)
    each = (time.process_time() - start) / 3
    value = pairs[0] / np.sqrt(pairs[1] * pairs[2])
    ours = ts.linear_cka(x, y)
    print(f"textbook, {n:,} words: layer {last} {value:.6f}, ours {ours:.6f}")
    factor = (all_words / n) ** 2
    n_pairs = layers * (2 * layers + 1)  # of all 2 x layers, each with itself too
    total = factor * (2 * layers * gram + n_pairs * each)
    print(
        f"textbook, {all_words:,} words: {total:.0f} s for all pairs if every Gram matrix were "
        f"kept ({2 * layers * 4 * all_words**2 / 1e9:.0f} GB), "
        f"{factor * n_pairs * (2 * gram + each):.0f} s with two at a time "
        f"({8 * all_words**2 / 1e9:.1f} GB)"
    )


def peer(store: ts.ActivationStore, tuned: ts.ActivationStore, n: int) -> None:  # type: ignore[name-defined]
    try:
        import torch
        from cka_pytorch.hsic import hsic1  # type: ignore[import-not-found]
    except ImportError:
        print("cka-pytorch is not installed: not compared with")
        return
    torch.set_num_threads(1)
    last = store.layers[-1]
    x, y = (torch.from_numpy(s[last][:n].astype(np.float32)) for s in (store, tuned))
    x, y = x - x.mean(0), y - y.mean(0)
    start = time.process_time()
    k, m = ((a @ a.T)[None] for a in (x, y))
    found = [float(hsic1(*pair)) for pair in ((k, m), (k, k), (m, m))]
    seconds = time.process_time() - start
    value = found[0] / np.sqrt(found[1] * found[2])
    start = time.process_time()
    ours = ts.linear_cka(x.numpy(), y.numpy())
    own = time.process_time() - start
    print(
        f"cka-pytorch, {n:,} words, one pair: {value:.6f} in {seconds:.2f} s, ours {ours:.6f} in "
        f"{own:.2f} s, ratio {seconds / own:.1f}"
    )


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("stores", nargs="*")
    parser.add_argument("--words", type=int, default=25_000)
    parser.add_argument("--layers", type=int, default=7)
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--tried", type=int, default=6000, help="words the textbook is timed on")
    parser.add_argument("--only-matrix", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        if options.stores:
            base, tuned = map(ts.ActivationStore.load, options.stores)
        else:
            shape = options.words, options.layers, options.width
            base, tuned = random_stores(Path(folder), *shape)
        n, d = base[0].shape
        print(f"{n:,} words, {len(base.layers)} layers, {d} neurons; peak so far {peak():.2f} GB")

        rows = ts.common_words(base, tuned)
        layers = [LayerWords(s, number, rows) for s in (base, tuned) for number in s.layers]
        pairs = [(i, j) for j in range(len(layers)) for i in range(j + 1)]
        cut = tiles(pairs, [layer.shape[1] for layer in layers])
        start, clock = time.process_time(), time.perf_counter()
        for tile in cut:
            pair_hsic(layers, tile)
        seconds = time.process_time() - start
        print(
            f"ours, all {len(pairs)} pairs in {len(cut)} tiles: {seconds:.1f} s "
            f"({time.perf_counter() - clock:.1f} s by the clock), peak {peak():.2f} GB, "
            f"{2 * n * d * d * len(pairs) / seconds / 1e9:.0f} GFLOP/s"
        )
        if not options.only_matrix:
            for measures in (("cka",), ("cka", "procrustes"), ("neighbours",)):
                step = Geometry(measures=measures, matrix="none", max_words=n)
                out = Path(folder) / "-".join(measures)
                start = time.process_time()
                ts.compare_geometry(base, tuned, out, step=step)
                seconds = time.process_time() - start
                print(f"ours, {', '.join(measures)} of all layers with intervals: {seconds:.1f} s")
            print(f"peak {peak():.2f} GB")
        textbook(base, tuned, min(options.tried, n))
        peer(base, tuned, min(options.tried // 2, n))


if __name__ == "__main__":
    main()

"""Our greedy Gaussian selection beside what NeuroX computes, on the same arrays.

For every candidate NeuroX (as of 2023; the package on the index lacks this module) makes each
label's multivariate normal over the chosen neurons and the candidate, evaluates it on all words,
and takes the mean log posterior and the accuracy. That is done here for some candidates, with the
same covariances, and extrapolated to all, as one neuron takes minutes; what NeuroX does once for
all neurons is left out. The log posteriors of both are shown. Both run on one thread; times are
process times, as other programs may be running.

    python benchmarks/gaussian_ranking.py [STORE] [--label upos] [--words 20856] [--neurons 50]
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from torch.distributions import MultivariateNormal

import tunescope as ts
from tunescope.activations.matrix import WordMatrix
from tunescope.neurons.rankings.gaussian_densities import LabelScatter
from tunescope.neurons.rankings.gaussian_model import diagonal, scales
from tunescope.neurons.rankings.gaussian_selection import Steps
from tunescope.neurons.rankings.moments import ClassMoments, class_moments


def arrays(store: str | None, label: str, n: int) -> tuple[WordMatrix, np.ndarray]:
    """Words of a store with all its layers side by side; random ones without a store."""
    if store is not None:
        opened = ts.ActivationStore.load(store)
        rows = np.flatnonzero(opened.valid)[:n]
        labels = opened.corpus.values(label)[rows].astype(str)
        known = labels != "None"
        x = WordMatrix.of_store(opened, rows[known])[:]
        targets = np.unique(labels[known], return_inverse=True)[1]
    else:
        print("random activations: give a store for real ones")
        rng = np.random.default_rng(0)
        targets = rng.integers(17, size=n)
        x = rng.standard_normal((n, 2688), dtype=np.float32)
        x += 0.3 * rng.standard_normal((17, 2688), dtype=np.float32)[targets]
    return WordMatrix([x], np.arange(len(x))), targets


def ours(
    x: WordMatrix, targets: np.ndarray, moments: ClassMoments, n: int
) -> tuple[list[int], list[float], list[float]]:
    """Choose n neurons; return them, their log posteriors and the seconds each took."""
    steps = Steps((x, targets), (x, targets), moments, n, "likelihood", None)
    values, seconds = [], []
    for _ in range(n):
        start = time.process_time()
        scores = steps.scores(torch.float32, "cpu")
        scores[steps.chosen] = -np.inf
        values.append(float(scores.max()))
        steps.add(int(scores.argmax()))
        seconds.append(time.process_time() - start)
    return steps.chosen, values, seconds


def theirs(
    x: WordMatrix, targets: np.ndarray, moments: ClassMoments, chosen: list[int], tried: np.ndarray
) -> tuple[np.ndarray, float]:
    """Return candidates' log posteriors as NeuroX computes them, and the seconds for each."""
    columns = [*chosen, *tried.tolist()]
    scatter = LabelScatter(x.columns(columns), targets, moments.means[:, columns])
    whole = np.stack([scatter.with_neuron(place) for place in range(len(columns))], axis=1)
    places = np.arange(len(columns))
    whole[:, places, places] = diagonal(moments)[:, columns]
    whole = torch.from_numpy(whole / scales(moments.counts, len(chosen) + 1)[:, None, None])
    means = torch.from_numpy(moments.means)
    prior = torch.from_numpy(np.log(moments.counts / moments.counts.sum()))
    words = torch.from_numpy(x[:].astype(np.float64))
    labels = torch.from_numpy(targets)
    values = []
    start = time.process_time()
    for place in range(len(chosen), len(columns)):
        inside = [*range(len(chosen)), place]
        used = [columns[p] for p in inside]
        joint = []
        for k in range(len(prior)):
            normal = MultivariateNormal(means[k, used], whole[k][inside][:, inside])
            joint.append(normal.log_prob(words[:, used]))  # taken from all neurons every time
        logs = torch.stack(joint, dim=1) + prior
        posteriors = logs - logs.logsumexp(dim=1, keepdim=True)
        (posteriors.argmax(dim=1) == labels).nonzero()
        values.append(float(posteriors[list(range(len(labels))), labels].mean()))
    return np.array(values), (time.process_time() - start) / len(tried)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("store", nargs="?")
    parser.add_argument("--label", default="upos")
    parser.add_argument("--words", type=int, default=20_856)
    parser.add_argument("--neurons", type=int, default=50)
    parser.add_argument("--tried", type=int, default=16)
    options = parser.parse_args()
    torch.set_num_threads(1)
    x, targets = arrays(options.store, options.label, options.words)
    n_classes = int(targets.max()) + 1
    print(f"{x.shape[0]:,} words, {x.shape[1]:,} neurons, {n_classes} labels")

    start = time.process_time()
    moments = class_moments(x, targets, n_classes)
    chosen, values, seconds = ours(x, targets, moments, options.neurons)
    mean = (time.process_time() - start) / options.neurons
    print(f"ours: {mean:.2f} s per neuron, the mean over {options.neurons}, preparation included")

    rng = np.random.default_rng(0)
    total = []
    theirs(x, targets, moments, [], np.array(chosen[:1]))  # the first call loads parts of torch
    for k in sorted({0, min(4, options.neurons - 1), options.neurons // 2, options.neurons - 1}):
        others = np.setdiff1d(np.arange(x.shape[1]), chosen[: k + 1])
        tried = np.append(chosen[k], rng.choice(others, options.tried - 1, replace=False))
        found, each = theirs(x, targets, moments, chosen[:k], tried)
        total.append(each * (x.shape[1] - k))
        print(
            f"neuron {k + 1}: as NeuroX {total[-1]:.0f} s (from {len(tried)} of {x.shape[1] - k:,} "
            f"candidates), ours {seconds[k]:.2f} s, ratio {total[-1] / seconds[k]:.0f}; "
            f"log posterior {found[0]:.6f}, {values[k]:.6f}"
        )
    print(f"mean of these {np.mean(total):.0f} s: {np.mean(total) / mean:.0f} times our mean")


if __name__ == "__main__":
    main()

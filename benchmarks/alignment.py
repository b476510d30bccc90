"""Aligning every layer with every layer: ours beside a textbook loop over concepts.

Random clusterings of random words, 13 layers of two models with 600 concepts each, 25,000 words of
2,500 types: all matches at both levels, the matrix of layers with 100 permutations, the sweep of
thetas; then labels, scores and polarity of all 26 layers with nulls and intervals. The textbook
loop goes through pairs of concepts as sets of words and keeps the best, as ConceptX's scripts do
for one clustering and one labelling; it is timed on one pair of layers and one permutation, and the
rest is multiplied out.

    python benchmarks/alignment.py [--words 25000] [--concepts 600] [--layers 13] [--draws 100]
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from tunescope.concepts.alignment.frames import layer_frames, pair_frames
from tunescope.concepts.alignment.labels import Labelling
from tunescope.concepts.alignment.polarity import SentenceClasses
from tunescope.concepts.clustering import Clustering
from tunescope.concepts.dendrogram import number_by_size
from tunescope.concepts.label_sets import LabelSets
from tunescope.steps import Align


def made(words: int, concepts: int, layers: int, seed: int = 0):
    """Clusterings that change from layer to layer, of types with ten occurrences each."""
    rng = np.random.default_rng(seed)
    types = rng.permutation(np.arange(words) // 10)
    of_type = rng.integers(0, concepts, types.max() + 1)
    models = []
    for role in ("base", "tuned"):
        found = []
        for layer in range(layers):
            moved = rng.random(words) < 0.04 * layer + 0.1 * (role == "tuned")
            labels = np.where(moved, rng.integers(0, concepts, words), of_type[types])
            labels[rng.permutation(words)[:concepts]] = np.arange(concepts)
            found.append(Clustering(role, role, layer, number_by_size(labels), types, 6))
        models.append(found)
    return models, types, rng


def textbook_pair(source: Clustering, target: Clustering, theta: float) -> int:
    """Count retained concepts of one pair of layers by going through pairs of sets."""
    of = [
        [set(np.flatnonzero(layer.labels == c).tolist()) for c in range(len(layer.sizes))]
        for layer in (source, target)
    ]
    kept = 0
    for number, mine in enumerate(of[0]):
        if not source.counts[number]:
            continue
        for other in of[1]:
            if len(mine & other) / len(mine) >= theta:
                kept += 1
                break
    return kept


def textbook_labels(here: Clustering, values: list[str], theta: float) -> int:
    """Count aligned concepts of one layer by going through words and labels."""
    words: dict[int, list[str]] = {}
    for concept, value in zip(here.labels.tolist(), values, strict=True):
        words.setdefault(concept, []).append(value)
    tags, aligned = set(values), 0
    for concept, found in words.items():
        if not here.counts[concept]:
            continue
        for tag in tags:
            if sum(value == tag for value in found) / len(found) >= theta:
                aligned += 1
    return aligned


def timed(work):
    start = time.process_time()
    found = work()
    return found, time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("words", 25_000), ("concepts", 600), ("layers", 13), ("draws", 100)):
        parser.add_argument(f"--{name}", type=int, default=default)
    args = parser.parse_args()
    (base, tuned), types, rng = made(args.words, args.concepts, args.layers)
    step = Align(permutations=args.draws)
    few = Align(permutations=2, resamples=2)
    pair_frames(base[:1], tuned[:1], few)  # compiles

    frames, seconds = timed(lambda: pair_frames(base, tuned, step))
    pairs = args.layers**2
    n = len(frames["matches"])
    print(f"{pairs} pairs of layers, {args.draws} draws, {n:,} matches: {seconds:.1f} s")
    kept, one = timed(lambda: textbook_pair(base[3], tuned[3], step.theta))
    matrix = frames["matrix"].set_index(["level", "base_layer", "tuned_layer"])["retained"]
    assert kept == matrix["occurrences", 3, 3]
    whole = one * pairs * (1 + args.draws)
    print(f"textbook: one pair, one draw, occurrences alone {one:.2f} s; all {whole:,.0f} s")
    print(f"ratio {whole / seconds:,.0f}; without permutations {one * pairs / seconds:.0f}")

    tags = np.array([f"t{i}" for i in range(60)], object)
    values = np.where(rng.random(args.words) < 0.9, tags[types % 60], "t0").tolist()
    grams = [{f"g{t % 997}", f"g{t % 499}", f"g{t % 241}"} for t in types.tolist()]
    labels = [
        Labelling("tags", LabelSets.of(values)),
        Labelling("several", LabelSets.of_sets(grams, complete=True)),
    ]
    sentences = np.arange(args.words, dtype=np.int32) // 12
    codes = rng.integers(0, 2, sentences[-1] + 1)
    wrong = np.where(rng.random(len(codes)) < 0.1, 1 - codes, codes)
    classes = {
        by: SentenceClasses(by, ("a", "b"), kind, sentences)
        for by, kind in (("gold", codes), ("predicted", wrong))
    }
    every = [*zip(base, tuned, strict=True), *zip(tuned, base, strict=True)]
    layer_frames(every[:1], labels, classes, sentences, few)
    parts = {"one label a word": ([labels[0]], {}), "three labels a word": ([labels[1]], {}),
             "gold and predicted classes": ([], classes)}  # fmt: skip
    for name, (kinds, of) in parts.items():
        found, seconds = timed(lambda k=kinds, o=of: layer_frames(every, k, o, sentences, step))
        what = f"{args.draws} permutations, {step.resamples} resamples"
        print(f"{2 * args.layers} layers, {name}, {what}: {seconds:.1f} s")
        if name == "one label a word":
            aligned, one = timed(lambda: textbook_labels(base[3], values, step.theta_labels))
            assert aligned == found["labels"]["aligned"][3]
            whole = one * 2 * args.layers * (1 + args.draws + step.resamples)
            print(f"textbook: one draw {one:.2f} s; all {whole:,.0f} s; {whole / seconds:,.0f} x")


if __name__ == "__main__":
    main()

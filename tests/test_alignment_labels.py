"""Labels, set-level scores and polarity against plain definitions, on random and made input."""

from __future__ import annotations

import numpy as np
import pytest

from tunescope.concepts.alignment.annotation import Codes, composition_frame, label_rows
from tunescope.concepts.alignment.gold_and_predicted import difference_rows
from tunescope.concepts.alignment.label_draws import count_labels
from tunescope.concepts.alignment.labels import Labelling, align_labels, compose
from tunescope.concepts.alignment.nulls import orders, type_orders
from tunescope.concepts.alignment.polarity import SentenceClasses, polarity_rows
from tunescope.concepts.alignment.resampling import sentence_weights
from tunescope.concepts.clustering import Clustering
from tunescope.concepts.dendrogram import number_by_size
from tunescope.concepts.label_sets import LabelSets
from tunescope.steps import Align, Concepts

N = 240


def layer_of(labels, types=None, min_types=3):
    labels = np.asarray(labels)
    types = np.arange(len(labels)) if types is None else np.asarray(types)
    return Clustering("model", "base", 0, labels, types, min_types)


def draws_of(n, count=1):
    return [(np.arange(n, dtype=np.int32), np.ones(n, np.int8))] * count


@pytest.fixture(params=[(seed, complete) for seed in range(3) for complete in (False, True)])
def made(request):
    """Return a layer and label sets, some words with several labels and some with none."""
    seed, complete = request.param
    rng = np.random.default_rng(seed)
    here = layer_of(number_by_size(rng.integers(0, 16, N)), rng.integers(0, 60, N))
    names = [f"l{i}" for i in range(9)]
    sets = []
    for concept in here.labels:
        mine = {names[concept % 7]} if rng.random() < 0.85 else set()
        mine |= {name for name in names if rng.random() < 0.05}
        mine |= {names[concept % 3]} if concept % 2 and rng.random() < 0.9 else set()
        sets.append(mine)
    return here, sets, LabelSets.of_sets(sets, complete=complete)


def brute(here, sets, complete, theta, max_unknown, weights=None):
    """Return for each concept that counts the labels that reach theta, word by word."""
    weights = np.ones(len(sets), int) if weights is None else weights
    found = {}
    for concept in range(here.labels.max() + 1):
        words = np.flatnonzero(here.labels == concept)
        if len(set(here.types[words])) < here.min_types:
            continue
        known = [w for w in words if complete or sets[w]]
        size, labelled = sum(weights[words]), sum(weights[known])
        if labelled == 0 or (size - labelled) / size > max_unknown:
            continue
        names = {name for w in words for name in sets[w]}
        reached = {
            name
            for name in names
            if sum(weights[w] for w in words if name in sets[w]) / labelled >= theta
        }
        if reached:
            found[concept] = reached
    return found


@pytest.mark.parametrize("theta, max_unknown", [(0.6, 0.4), (0.8, 0.1), (0.3, 1.0)])
def test_all_labels_that_reach_theta_in_every_draw(made, theta, max_unknown):
    here, sets, table = made
    rng = np.random.default_rng(1)
    labels = Labelling("x", table)
    order = rng.permutation(N).astype(np.int32)
    weights = rng.integers(0, 3, N).astype(np.int8)
    draws = [*draws_of(N), (order, np.ones(N, np.int8)), (np.arange(N, dtype=np.int32), weights)]
    found = count_labels(here, labels, draws, theta=theta, max_unknown=max_unknown)
    dealt = [sets[i] for i in order]
    expected = [
        brute(here, s, table.complete, theta, max_unknown, w)
        for s, w in ((sets, None), (dealt, None), (sets, weights))
    ]
    for draw, aligned in enumerate(expected):
        assert found.aligned[draw] == len(aligned)
        per = [sum(name in reached for reached in aligned.values()) for name in table.names]
        assert found.per_label[draw].tolist() == per
    assert found.per_label[0].sum() > found.aligned[0] or theta > 0.6  # several for one concept


def test_composition_lists_the_first_labels_and_all_aligned_ones(made):
    here, sets, table = made
    step = Align(theta_labels=0.5, composition_share=0.1, composition_labels=2)
    frame = composition_frame(here, Labelling("x", table), step)
    aligned = brute(here, sets, table.complete, 0.5, step.max_unknown)
    rows = frame[frame["aligned"]]
    assert {c: set(part["value"]) for c, part in rows.groupby("concept")} == aligned
    for concept, part in frame.groupby("concept"):
        words = np.flatnonzero(here.labels == concept)
        labelled = sum(bool(table.complete or sets[w]) for w in words)
        counts = {name: sum(name in sets[w] for w in words) for name in table.names}
        shares = {name: count / labelled for name, count in counts.items()}
        ranked = sorted(shares, key=lambda name: (-shares[name], name))
        listed = [
            n for i, n in enumerate(ranked) if (i < 2 and shares[n] > 0.1) or shares[n] >= 0.5
        ]
        assert part["value"].tolist() == listed
        assert part["share"].tolist() == [shares[name] for name in listed]
        assert part["count"].tolist() == [counts[name] for name in listed]
        assert part["rank"].tolist() == [ranked.index(name) for name in listed]


def test_six_labels_above_a_tenth():
    values = [c for c, n in zip("abcdefgh", (20, 18, 16, 14, 12, 11, 10.5, 2), strict=True)
              for _ in range(int(2 * n))]  # fmt: skip
    here = layer_of(np.zeros(len(values), int))
    frame = composition_frame(here, Labelling("x", LabelSets.of(values)), Align())
    assert frame["value"].tolist() == list("abcdef")
    tenth = ["a"] * 8 + ["b"] + ["c"]
    frame = composition_frame(
        layer_of(np.zeros(10, int)), Labelling("x", LabelSets.of(tenth)), Align()
    )
    assert frame["value"].tolist() == ["a"]  # more than a tenth, as published


def score(clusters, values, *, types=None, min_types=3, **options):
    step = Align(permutations=9, resamples=20, **options)
    here = layer_of(clusters, types, min_types)
    sentences = np.arange(len(here.labels))
    orders_ = type_orders(here.types, step.permutations, 0)
    weights = sentence_weights(sentences, step.resamples, 0)[:, sentences]
    row, scores = label_rows(here, Labelling("x", LabelSets.of(values)), orders_, weights, step)
    return row, {r["measure"]: r for r in scores}


@pytest.mark.parametrize("k", [2, 5, 40])
def test_the_divisor_is_the_number_of_clusters_there_is_not_600(k):
    # Every cluster is pure, so all are aligned whatever K is.
    clusters = np.repeat(np.arange(k), 6)
    row, found = score(clusters, [f"t{c % 2}" for c in clusters])
    assert (found["aligned"]["count"], found["aligned"]["of"]) == (k, k)
    assert found["aligned"]["value"] == found["covered"]["value"] == found["score"]["value"] == 1
    assert row["aligned"] == row["n_concepts"] == k


def test_the_score_by_hand():
    # Clusters: A x 8; B x 8; 5 A and 5 C; 2 B (too few types). Tags: A 13, B 10, C 5 (too rare).
    clusters = np.repeat([0, 1, 2, 3], [8, 8, 10, 2])
    values = ["A"] * 8 + ["B"] * 8 + ["A", "C"] * 5 + ["B"] * 2
    row, found = score(clusters, values, min_tokens=6)
    assert (row["n_concepts"], row["aligned"], row["covered"]) == (3, 2, 2)
    assert (found["aligned"]["count"], found["aligned"]["of"]) == (2, 4)  # K counts every cluster
    assert (found["covered"]["count"], found["covered"]["of"]) == (2, 2)
    assert found["score"]["value"] == 0.5 * 2 / 4 + 0.5 * 2 / 2
    assert found["score"]["low"] <= found["score"]["value"] <= found["score"]["high"]
    # A concept aligned with a rare tag is aligned, but counts for nothing in the score.
    row, found = score(np.repeat([0, 1], [8, 5]), ["A"] * 8 + ["C"] * 5, min_tokens=6)
    assert (row["aligned"], row["covered"]) == (2, 2)
    assert (found["aligned"]["count"], found["covered"]["of"]) == (1, 1)
    # With six tokens it does.
    _, found = score(np.repeat([0, 1], [8, 6]), ["A"] * 8 + ["C"] * 6, min_tokens=6)
    assert (found["aligned"]["count"], found["covered"]["of"]) == (2, 2)


def test_more_than_five_types_are_needed_by_default():
    clusters, min_types = np.repeat([0, 1], 12), Concepts().min_types
    types = np.concatenate([np.arange(12) % 5, 10 + np.arange(12) % 6])
    row, found = score(clusters, ["A"] * 24, types=types, min_types=min_types)
    assert row["aligned"] == 1
    assert found["aligned"]["value"] == 0.5


def test_a_column_without_any_label_scores_nothing():
    row, found = score(np.repeat([0, 1], 6), [None] * 12)
    assert (row["aligned"], row["covered"], row["p"]) == (0, 0, 1)
    assert [found[m]["value"] for m in ("aligned", "covered", "score")] == [0, 0, 0]


def test_exactly_theta_aligns_and_just_above_does_not():
    labels = np.array([0] * 9 + [1])
    at = [align_labels(np.zeros(10, int), labels, 2, theta=t).aligned[0] for t in (0.9, 0.9001)]
    assert at == [True, False]
    values = ["A"] * 9 + ["B"]
    rows = [score(np.zeros(10, int), values, theta_labels=t)[0]["aligned"] for t in (0.9, 0.9001)]
    assert rows == [1, 0]


def test_a_label_that_words_lack_is_unknown_in_a_column_and_counts_in_a_complete_kind():
    sets = [{"ing"}] * 7 + [set()] * 3
    clusters = np.zeros(10, int)
    for complete, share in ((False, 1.0), (True, 0.7)):
        labels = Labelling("x", LabelSets.of_sets(sets, complete=complete))
        found = compose(clusters, labels).majorities(0.9, 0.4)
        assert found.share[0] == share
        assert found.aligned[0] == (not complete)


def by_class(codes, sentences, names=("neg", "neu", "pos"), by="gold"):
    return SentenceClasses(by, names, np.asarray(codes), np.asarray(sentences, np.int32))


def polarity(here, classes, **options):
    step = Align(permutations=19, resamples=30, **options)
    weights = sentence_weights(classes.sentences, step.resamples, 0)[:, classes.sentences]
    rows = polarity_rows(here, classes, classes.orders(step), weights, step)
    return {row["class"]: row for row in rows}


def test_polarity_of_three_classes_by_hand():
    # Concept 0: nine words of class pos and one of neg; 1: all neu; 2: mixed; 3: half unknown.
    sentences = np.arange(40)
    codes = np.array([2] * 9 + [0] + [1] * 10 + [0, 1] * 5 + [0] * 5 + [-1] * 5)
    found = polarity(layer_of(np.repeat(np.arange(4), 10)), by_class(codes, sentences))
    assert {name: row["polarised"] for name, row in found.items()} == {
        "": 2, "neg": 0, "neu": 1, "pos": 1,
    }  # fmt: skip
    assert found[""]["n_concepts"] == 4
    for row in found.values():
        assert row["polarised_low"] <= row["polarised"] <= row["polarised_high"]


def test_the_null_exchanges_sentences_not_words():
    # Ten concepts are the words of one sentence each: polarised by construction, also by chance.
    sentences = np.repeat(np.arange(10), 8)
    found = polarity(layer_of(sentences), by_class(np.arange(10) % 2, sentences, ("a", "b")))
    assert found[""]["polarised"] == found[""]["null_mean"] == 10
    assert found[""]["p"] == 1


def test_sentences_without_chosen_words_change_nothing():
    sentences = np.repeat(np.arange(10), 8)
    classes = by_class(np.arange(10) % 2, sentences, ("a", "b"))
    more = by_class(np.append(np.arange(10) % 2, [1] * 50), sentences, ("a", "b"))
    here = layer_of(np.tile(np.arange(8), 10))
    assert polarity(here, classes) == polarity(here, more)


def differences(here, gold, predicted, **options):
    step = Align(permutations=99, resamples=50, **options)
    weights = sentence_weights(gold.sentences, step.resamples, 0)[:, gold.sentences]
    rows = difference_rows(here, gold, predicted, weights, step)
    return {row["class"]: row for row in rows}


def test_concepts_of_wrong_predictions_follow_the_predicted_class():
    # Thirty concepts of ten sentences; the model calls all of the first twenty concepts' "pos",
    # a third of them wrongly.
    concepts = np.repeat(np.arange(30), 10)
    sentences = np.arange(300)
    rng = np.random.default_rng(0)
    predicted = np.where(concepts < 20, 1, rng.integers(0, 2, 300))
    gold = np.where((concepts < 20) & (rng.random(300) < 0.33), 0, predicted)
    pair = [by_class(codes, sentences, ("neg", "pos")) for codes in (gold, predicted)]
    found = differences(layer_of(concepts), *pair)
    assert found["pos"]["predicted"] == 20
    assert found["pos"]["difference"] == 20 - found["pos"]["gold"] > 10
    assert found["pos"]["p"] == 0.01
    assert found["pos"]["low"] > 0 > found["pos"]["null_low"]
    same = differences(layer_of(concepts), pair[0], pair[0])
    assert (same[""]["difference"], same[""]["low"], same[""]["high"]) == (0, 0, 0)
    assert same[""]["p"] == 1
    reverse = differences(layer_of(concepts), *reversed(pair))
    assert reverse["pos"]["difference"] == -found["pos"]["difference"]
    assert reverse["pos"]["p"] == 0.01


def test_the_difference_is_over_sentences_that_have_both():
    concepts, sentences = np.repeat([0, 1], 10), np.arange(20)
    gold = by_class([0] * 20, sentences, ("a", "b"))
    some = by_class([0] * 5 + [-1] * 15, sentences, ("a", "b"))
    found = differences(layer_of(concepts), gold, some, max_unknown=0.5)
    assert (found["a"]["gold"], found["a"]["predicted"]) == (1, 1)


def test_codes_keep_names_in_order():
    codes = Codes.of(np.array(["b", None, "a", "b"], object))
    assert codes.names == ("a", "b")
    assert codes.codes.tolist() == [1, -1, 0, 1]
    assert codes.name(np.array([-1, 0])) == [None, "a"]


def test_orders_leave_what_is_not_exchanged():
    drawn = orders(6, 20, 0, np.array([1, 3, 4]))
    assert (drawn[:, [0, 2, 5]] == [0, 2, 5]).all()
    assert sorted({tuple(row[[1, 3, 4]]) for row in drawn})[0] == (1, 3, 4)

"""Agreement of rankings: small orders worked out by hand, and chance by drawing."""

from __future__ import annotations

import numpy as np
import pytest

from tunescope.errors import InputError
from tunescope.neurons.agreement import agreement, chance_overlap, overlap, vote
from tunescope.neurons.ranking import Ranking


def ranking(*orders) -> Ranking:
    """A ranking with this overall order, and orders of the labels (the same if not given)."""
    overall, tags = np.array(orders[0]), np.array(orders[1:] or orders)
    places = np.argsort(overall)
    return Ranking("r", overall, -places.astype(float), tags, -np.argsort(tags, axis=1) * 1.0)


def test_overlap_is_intersection_over_union():
    assert overlap(np.array([1, 2, 3]), np.array([3, 2, 9])) == 0.5
    assert overlap(np.array([1]), np.array([2])) == 0
    assert overlap(np.array([4, 5]), np.array([5, 4])) == 1


def test_vote_counts_places_to_its_depth():
    orders = [np.array([3, 0, 1, 2]), np.array([0, 3, 2, 1]), np.array([0, 1, 2, 3])]
    # Points at depth 2: neuron 0 has 1 + 2 + 2, neuron 3 has 2 + 1, neuron 1 has 1, neuron 2 none.
    assert vote(orders, 2).tolist() == [0, 3, 1, 2]
    # One vote down in the noise does not outweigh places at the top.
    far = [np.array([5, 1, 0, 2, 3, 4]), np.array([5, 2, 0, 1, 3, 4]), np.array([0, 1, 2, 3, 4, 5])]
    assert vote(far, 2)[0] == 5
    assert vote(far, 6)[0] == 0


def test_tables_by_hand():
    rankings = {
        "a": ranking([0, 1, 2, 3, 4, 5]),
        "b": ranking([1, 0, 2, 3, 4, 5]),
        "c": ranking([0, 4, 5, 1, 2, 3]),
        "random": ranking([5, 4, 3, 2, 1, 0]),
    }
    pairs, summary = agreement(rankings, scaling="zscored", sizes=[2, 99])
    assert list(pairs.columns) == ["scaling", "a", "b", "s", "overlap", "chance"]
    assert len(pairs) == 2 * 4 * 3
    assert set(pairs["scaling"]) == {"zscored"}
    found = {(r.a, r.b): r.overlap for r in pairs[pairs["s"] == 2].itertuples()}
    assert found["a", "b"] == found["b", "a"] == 1
    assert found["a", "c"] == pytest.approx(1 / 3)
    assert found["c", "random"] == pytest.approx(1 / 3)
    assert found["a", "random"] == 0
    assert (pairs.loc[pairs["s"] == 99, ["overlap", "chance"]] == 1).all(axis=None)

    two = summary[summary["s"] == 2].set_index("ranking")
    # The random ranking is measured, but it is not among those that others are compared with.
    assert two.loc["a", "avg_overlap"] == pytest.approx((1 + 1 / 3) / 2)
    assert two.loc["c", "avg_overlap"] == pytest.approx(1 / 3)
    assert two.loc["random", "avg_overlap"] == pytest.approx((0 + 0 + 1 / 3) / 3)
    # Leave one out: b and c elect 0 (99 + 100) and 1 (100 + 97); a and b elect 0 and 1 for c.
    assert two.loc["a", "neuron_vote"] == 1
    assert two.loc["c", "neuron_vote"] == pytest.approx(1 / 3)
    assert two.loc["random", "neuron_vote"] == 0
    assert list(summary.columns) == ["scaling", "ranking", "s", "avg_overlap", "neuron_vote",
                                     "chance"]  # fmt: skip


def test_a_ranking_does_not_vote_for_itself():
    shift = {name: ranking(np.roll(np.arange(40), 10 * k)) for k, name in enumerate("abc")}
    summary = agreement(shift, sizes=[10], depth=10)[1]
    assert (summary["neuron_vote"] == 0).all()


def test_labels_are_averaged_when_asked():
    a = ranking([0, 1, 2, 3], [0, 1, 2, 3], [0, 1, 2, 3])
    b = ranking([3, 2, 1, 0], [0, 1, 2, 3], [3, 2, 1, 0])
    overall = agreement({"a": a, "b": b}, sizes=[2])
    tags = agreement({"a": a, "b": b}, sizes=[2], of="tags")
    assert overall[0]["overlap"].tolist() == [0, 0]
    assert tags[0]["overlap"].tolist() == [0.5, 0.5]
    assert tags[1]["avg_overlap"].tolist() == tags[1]["neuron_vote"].tolist() == [0.5, 0.5]


@pytest.mark.parametrize(("d", "s"), [(60, 10), (60, 50)])
def test_chance_is_what_random_orders_reach(d, s):
    rng = np.random.default_rng(0)
    drawn = [overlap(rng.permutation(d)[:s], np.arange(s)) for _ in range(4000)]
    error = np.std(drawn) / np.sqrt(len(drawn))
    assert chance_overlap(d, s) == pytest.approx(np.mean(drawn), abs=4 * error)


def test_what_cannot_be_compared_is_said():
    with pytest.raises(InputError, match="two rankings or more"):
        agreement({"a": ranking([0, 1])})
    with pytest.raises(InputError, match="different labels or neurons"):
        agreement({"a": ranking([0, 1]), "b": ranking([0, 1, 2])})


def test_with_only_a_baseline_beside_it_nothing_is_said_of_a_ranking():
    summary = agreement({"a": ranking([0, 1, 2]), "random": ranking([2, 1, 0])}, sizes=[1])[1]
    measures = summary.set_index("ranking")[["avg_overlap", "neuron_vote"]]
    assert measures.loc["a"].isna().all()
    assert (measures.loc["random"] == 0).all()

"""Findings of study 1, from made tables with known contents."""

from __future__ import annotations

import dataclasses
from typing import Any

import pandas as pd
import pytest

from neuron_tables import CLOSED, FACTS, UPOS, made_tables, nothing_reached, one_ranking
from tunescope.report.neurons import claims, findings
from tunescope.report.neurons.facts import PAPER, tag_kinds
from tunescope.report.neurons.sections import across


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return made_tables()


def test_findings_of_results_like_the_paper_s(tables: dict[str, pd.DataFrame]) -> None:
    found = findings.findings(tables, FACTS)
    failed = [finding.topic for finding in found if not finding.holds]
    assert len(found) == 9
    assert failed == ["morphology sits in low layers"]  # z-scored, they are made to sit high
    assert findings.verdict(found).startswith("8 of 9 claims tested hold here. Not: morphology")
    assert findings.verdict([]) == "No claim of the literature is tested."


def _swap(table: str, **columns: str) -> Any:
    """Change the columns of a table by expressions over it."""

    def change(made: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
        changed = {name: made[table].eval(text) for name, text in columns.items()}
        return {table: made[table].assign(**changed)}

    return change


def _reorder(made: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    swapped = made["ablation"]["order"].replace({"top": "random", "random": "top"})
    return {"ablation": made["ablation"].assign(order=swapped)}


def _more_closed(made: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    selected = [3 if tag in CLOSED else 1 for tag in made["tags"]["tag"]]
    return {"tags": made["tags"].assign(selected=selected)}


def _same_effect(made: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    half = (made["effects"]["high"] - made["effects"]["low"]) / 2
    return {"effects": made["effects"].assign(change=-0.1, low=-0.1 - half, high=-0.1 + half)}


@pytest.mark.parametrize(
    ("topic", "change", "said"),
    [
        ("top, random", _reorder, f"Against {PAPER}, random is not below top"),
        ("small sets", nothing_reached, f"Against {PAPER}, no set of at most 15%"),
        ("small sets", _swap("minimal", share="share * 5"), f"Against {PAPER}"),
        ("random neurons", _swap("minimal", random_accuracy="accuracy - 0.2"), "more than 3"),
        ("the set is", _swap("minimal", selectivity_all="selectivity + 0.1"), f"Against {PAPER}"),
        ("closed-class", _more_closed, f"Against {PAPER}"),
        ("most neurons", _swap("redundancy", accuracy="0.8 + neurons / 99840"), "Against"),
        ("the model uses", _same_effect, "does not show"),
        ("rankings agree", _swap("agreement_summary", avg_overlap="avg_overlap * 0"), "by chance"),
    ],
)  # fmt: skip
def test_contradictions_are_said_plainly(topic: str, change: Any, said: str) -> None:
    made = made_tables(rankings=("lca", "probeless", "random"))
    before = {f.topic: f for f in findings.findings(made, FACTS)}
    after = {f.topic: f for f in findings.findings(change(made), FACTS)}
    (name,) = (name for name in after if name.startswith(topic))
    assert before[name].holds
    assert not after[name].holds
    assert said in after[name].text


def test_random_neurons_as_good_as_the_top_ones_say_so() -> None:
    made = one_ranking()
    made["minimal"]["random_high"] = made["minimal"]["low"]
    found = findings.random_close(made, FACTS)
    assert found is not None
    assert found.holds
    assert "intervals overlap" in found.text


def test_random_neurons_better_than_the_top_ones_are_not_called_close() -> None:
    made = one_ranking()
    table = made["minimal"]
    made["minimal"] = table.assign(random_accuracy=0.99, random_low=0.98, random_high=1.0)
    found = findings.random_close(made, FACTS)
    assert found is not None
    assert "They do better than the top ones" in found.text


def test_sets_that_match_a_probe_without_skill_show_nothing() -> None:
    facts = dataclasses.replace(FACTS, majority=0.97)
    found = findings.small(one_ranking(), facts)
    assert found is not None
    assert not found.holds
    assert "no better than the most frequent label" in found.text


def test_a_lean_to_low_layers_must_be_beyond_chance() -> None:
    made = one_ranking()
    made["layers"] = made["layers"].assign(selected=[5] * 6 + [4] * 7)
    found = claims.layers_of(made, FACTS)
    assert found is not None
    assert not found.holds
    assert "does not sit low beyond chance" in found.text


def test_one_draw_of_random_neurons_that_does_as_much_refutes_use(
    tables: dict[str, pd.DataFrame],
) -> None:
    effects = tables["effects"]
    plain = findings.used({"effects": effects}, FACTS)
    assert plain is not None and plain.holds
    random = (effects["neurons"] == "random") & (effects["seed"] == effects["seed"].max())
    strong = effects.assign(change=effects["change"].where(~random, -9.0))
    found = findings.used({"effects": strong}, FACTS)
    assert found is not None
    assert not found.holds


def test_layers_of_unknown_kinds_are_compared_between_scalings() -> None:
    facts = dataclasses.replace(FACTS, label="sem")
    found = claims.layers_of(made_tables(), facts)
    assert found is not None
    assert not found.holds
    assert "Z-scoring turns the picture round" in found.text
    assert claims.layers_of(one_ranking(), facts) is None
    found = claims.layers_of(one_ranking(), FACTS)
    assert found is not None
    assert found.holds


def test_tags_of_equal_number_are_compared_by_their_largest_layer() -> None:
    parts = [
        pd.DataFrame({"scaling": "raw", "ranking": "lca", "tag": tag, "layer": range(4),
                      "selected": [7, 1, 1, 1] if tag in CLOSED else [3, 3, 2, 2]})
        for tag in UPOS
    ]  # fmt: skip
    found = claims.closed({"tags": pd.concat(parts)}, FACTS)
    assert found is not None
    assert found.holds
    assert "70% of a tag’s neurons in its largest layer for 8 closed-class tags, 30%" in found.text


def test_tags_of_other_tag_sets_have_no_class() -> None:
    assert tag_kinds(pd.DataFrame({"tag": ["NN", "DT", "IN"]})) == {}
    assert tag_kinds(pd.DataFrame({"tag": ["NOUN", "DET", "X"]})) == {
        "NOUN": "open class",
        "DET": "closed class",
        "X": "other",
    }


def test_label_columns_and_models_are_compared() -> None:
    studies = []
    for model, value in (("bert-base", 0.3), ("xlnet-base", 0.6)):
        for label, n, peak in (("upos", 100, 2), ("ccg", 900, 9)):
            made = one_ranking()
            made["minimal"] = made["minimal"].assign(n=n)
            made["layers"] = made["layers"].assign(selected=10)[
                made["layers"]["layer"].between(peak, peak + 1)
            ]
            made["localisation"] = made["localisation"].assign(
                value=value, low=value - 0.1, high=value + 0.1
            )
            studies.append((dataclasses.replace(FACTS, model=model, label=label), made))
    found = findings.findings_across(studies)
    assert [finding.holds for finding in found] == [True] * 5
    assert "100; ccg in news (syntax) 900. As Durrani et al. (2020) report." in found[0].text
    made = across(studies)
    assert [figure.name.split("-news")[0] for figure in made] == ["minimal-by-label"] + [
        "localised"
    ] * 2
    turned = [(dataclasses.replace(f, label=dict(upos="ccg", ccg="upos")[f.label]), t)
              for f, t in studies]  # fmt: skip
    lost = findings.findings_across(turned)
    assert [finding.holds for finding in lost] == [False] * 4 + [True]
    assert f"Against {PAPER}" in lost[0].text

"""Findings say what the numbers say, and no more."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tunescope.report import findings
from tunescope.report.concepts import claims
from tunescope.report.concepts.trajectory import half_way
from tunescope.study.result import Run


def comparison(differences: list[float], p: list[float]) -> pd.DataFrame:
    layers = np.arange(len(p))
    change = np.array(differences)
    return pd.DataFrame(
        {
            "layer": layers,
            "tuned": "t",
            "n_seeds": 1,
            "base_accuracy": 0.9,
            "tuned_accuracy": 0.9 + change,
            "difference": change,
            "low": change - 0.01,
            "high": change + 0.01,
            "p_holm": p,
        }
    )


def test_loss_at_the_top_alone_is_the_pattern() -> None:
    found = findings.knowledge(comparison([0, 0, -0.05, -0.1], [1, 1, 0.01, 0.01]), "upos")
    assert found.holds
    assert "significantly at layers 2 to 3" in found.text
    assert "(\N{MINUS SIGN}10.0 points, 95% CI \N{MINUS SIGN}11.0 to \N{MINUS SIGN}9.0)" in (
        found.text
    )
    assert "No significant loss at layers 0 to 1" in found.text


@pytest.mark.parametrize(
    ("differences", "p", "said"),
    [
        ([0, 0, -0.1], [1, 1, 0.2], "no accuracy that is significant"),
        ([-0.1, -0.1, 0.0], [0.01, 0.01, 1], "not at the top"),
        ([-0.1, -0.1, -0.1], [0.01, 0.01, 0.01], "Every layer loses"),
        ([0, 0, 0.1], [1, 1, 0.01], "gains significantly at layer 2"),
    ],
)
def test_other_changes_are_not_the_pattern(
    differences: list[float], p: list[float], said: str
) -> None:
    found = findings.knowledge(comparison(differences, p), "upos")
    assert not found.holds
    assert said in found.text


def retention(low: tuple[float, float], top: tuple[float, float], p: float = 0.01) -> pd.DataFrame:
    rows = [
        {"layer": n, "base": "b", "tuned": "t", "n_base": 100, "retained_share": sum(ci) / 2,
         "retained_low": ci[0], "retained_high": ci[1], "null_high": 3.0, "p": p}
        for n, ci in enumerate((low, top))
    ]  # fmt: skip
    return pd.DataFrame(rows)


STEP = {
    "theta": 0.8, "theta_classes": 0.9, "overlap": "types", "confidence": 0.9, "permutations": 20,
}  # fmt: skip
CHANCE = "upper end of the 90% range of 20 permutations"


def test_retention_must_fall_beyond_its_intervals() -> None:
    assert claims.retained(retention((0.7, 0.9), (0.0, 0.1)), "c", STEP).holds
    assert not claims.retained(retention((0.3, 0.9), (0.2, 0.5)), "c", STEP).holds
    assert not claims.retained(retention((0.7, 0.9), (0.0, 0.1), p=0.5), "c", STEP).holds


def test_retention_says_what_is_counted_and_what_chance_is() -> None:
    text = claims.retained(retention((0.7, 0.9), (0.0, 0.1)), "c", STEP).text
    assert "(90% CI 70% to 90%)" in text
    assert "holds at least 80% of the word types" in text
    assert f"By chance ({CHANCE}) that happens to up to 3 of them at layer 0" in text
    assert "at most" not in text  # a permutation may give more


def test_polarity_must_exceed_base_and_chance() -> None:
    def table(tuned: int, base: int, null: float, p: float) -> pd.DataFrame:
        rows = [
            {"role": role, "model": role, "layer": layer, "class": "", "n_concepts": 50,
             "polarised": count * layer, "polarised_low": 0.5 * count * layer,
             "polarised_high": 1.5 * count * layer, "null_high": null, "p": p if layer else 1.0}
            for role, count in (("base", base), ("tuned", tuned)) for layer in (0, 1)
        ]  # fmt: skip
        return pd.DataFrame(rows)

    clear = claims.polarised(table(9, 0, 1.0, 0.01), "c", STEP)
    assert clear.holds and f"By chance ({CHANCE} of classes over sentences) up to 1" in clear.text
    assert "p < 0.05 for each layer by itself, not corrected over layers" in clear.text
    assert not claims.polarised(table(9, 9, 1.0, 0.01), "c", STEP).holds
    few = claims.polarised(table(1, 0, 0.5, 0.01), "c", STEP)
    assert not few.holds and "too few to be told from the base model" in few.text
    assert not claims.polarised(table(9, 0, 9.0, 0.6), "c", STEP).holds


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((0, 3, 9, 10), "0 concepts follow a class before tuning and 10 at the end; half of that "
         "change is there by 40%"),
        ((8, 12, 13, 20), "8 concepts follow a class before tuning and 20 at the end; half of that "
         "change is there by 100%"),  # 12 are more than half as many as in the end, from the start
        ((20, 9, 9, 10), "20 concepts follow a class before tuning and 10 at the end; half of that "
         "change is there by 10%"),
    ],
)  # fmt: skip
def test_half_of_a_change_is_counted_from_where_it_began(
    counts: tuple[int, ...], said: str
) -> None:
    rows = pd.DataFrame({"count": counts, "fraction": (0.0, 0.1, 0.4, 1.0)})
    assert said in half_way(rows, 6)


def test_a_count_that_does_not_change_has_no_half_way() -> None:
    assert half_way(pd.DataFrame({"count": [4, 5, 4], "fraction": [0.0, 0.5, 1.0]}), 6) == ""


def test_a_mean_over_tuning_runs_is_called_one() -> None:
    table = comparison([0, 0, -0.1], [1, 1, 0.01])
    assert "mean over" not in findings.knowledge(table, "upos").text
    text = findings.knowledge(table.assign(n_seeds=2), "upos", 0.9).text
    assert "90% CI" in text and "mean over 2 tuning runs)" in text


def test_salient_words_are_not_called_more_than_the_test_shows(tiny_run: Run) -> None:
    (found,) = (f for f in findings.findings(tiny_run, "base", "tuned") if "explan" in f.topic)
    assert "reasons" not in found.text and "p = " in found.text
    assert ("rest on these words more than on random ones, by" in found.text) == found.holds


def test_verdict_says_plainly_what_does_not_show() -> None:
    yes, no = (findings.Finding("t", "x", holds) for holds in (True, False))
    assert findings.verdict([yes, yes]).endswith("shows here, in all 2 measures.")
    assert "shows here in 1 of 2 measures, not in all." in findings.verdict([yes, no])
    assert findings.verdict([no, no]).endswith("does not show here.")
    assert findings.verdict([]) == "Nothing is compared."


def test_summary_is_the_findings_of_every_pair(tiny_run: Run) -> None:
    text = findings.summary(tiny_run)
    found = findings.findings(tiny_run, "base", "tuned")
    assert text.startswith(f"base -> tuned: {findings.verdict(found)}\n- upos in odd: ")
    about = ("upos", "concepts", "classes", "what is noise", "triggers")
    topics = [f"{what} in {corpus}" for corpus in ("odd", "more") for what in about]
    assert sorted(f.topic for f in found) == sorted([*topics, "explanations of tuned"])
    assert all(f.text.replace("\N{MINUS SIGN}", "-") in text for f in found)


def test_layers_are_written_as_ranges() -> None:
    assert findings.layers([3]) == "layer 3"
    assert findings.layers([0, 1, 2, 5, 7, 8]) == "layers 0 to 2, 5 and 7 to 8"


# --- provenance, partial runs --------------------------------------------------------------------

"""The align step's frames together, on made activations: counterparts, predictions, figures."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import tunescope as ts
from stores import store_from_arrays
from tunescope.errors import InputError
from tunescope.report.figures import alignment as draw
from tunescope.report.figures.style import specification

GROUPS = 6


@pytest.fixture(scope="module")
def corpus():
    rng = np.random.default_rng(0)
    sentences = [
        [f"w{rng.integers(GROUPS)}_{rng.integers(8)}ing" for _ in range(8)] for _ in range(80)
    ]
    upos = [["NVAXYZ"[int(word[1])] for word in sentence] for sentence in sentences]
    classes = ["good" if i % 2 else "bad" for i in range(80)]
    return ts.Corpus.from_sentences(sentences, {"upos": upos}, classes=classes, name="made")


@pytest.fixture(scope="module")
def both(corpus, tmp_path_factory):
    """Base: the word groups. Tuned, layer 1: group 0 split by sentence, groups 4 and 5 merged."""
    folder = tmp_path_factory.mktemp("concepts")
    groups = np.array([int(form[1]) for form in corpus.values("form")])
    half = corpus.words["sentence"].to_numpy() < 40
    moved = np.where(groups == 5, 4, np.where((groups == 0) & half, 5, groups))
    rng = np.random.default_rng(1)

    def points(numbers):
        return np.eye(8)[numbers] * 10 + rng.normal(0, 0.1, (len(numbers), 8))

    layers = {"base": [points(groups), points(groups)], "tuned": [points(groups), points(moved)]}
    return [
        ts.discover_concepts(
            store_from_arrays(folder / f"s-{name}", corpus, made, model=name), folder / name,
            n_clusters=GROUPS, min_count=1, max_occurrences=100, min_types=4,
        )
        for name, made in layers.items()
    ]  # fmt: skip


@pytest.fixture(scope="module")
def predicted(both):
    """Return the words with a predicted class: gold, but for every fifth sentence."""
    words = both[0].words
    gold = words.of_sentence("class")
    wrong = {"good": "bad", "bad": "good"}
    made = [wrong[c] if i % 5 == 0 else c for i, c in enumerate(gold)]
    return ts.Corpus(words.sentences.append_column("predicted", pa.array(made)), words.words)


@pytest.fixture(scope="module")
def alignment(both, predicted, tmp_path_factory):
    return ts.align(
        *both, tmp_path_factory.mktemp("align") / "out", words=predicted, permutations=19,
        resamples=20, computed=("casing",), theta_classes=0.5,
    )  # fmt: skip


def test_which_concept_became_which(both, alignment):
    base, tuned = (found.labels(1) for found in both)
    groups = np.array([int(form[1]) for form in both[0].words.values("form")])
    split, merged = base[groups == 0][0], base[groups == 4][0]
    parts = alignment.counterpart("base", 1, split)
    assert set(parts["other_concept"]) == set(tuned[groups == 0])
    assert parts["share"].sum() == 1
    assert parts["share"].is_monotonic_decreasing
    whole = alignment.counterpart("base", 1, merged)
    assert whole["other_concept"].tolist() == [tuned[groups == 4][0]]
    back = alignment.counterpart("tuned", 1, int(whole["other_concept"][0]))
    assert set(back["other_concept"]) == {merged, base[groups == 5][0]}
    same = alignment.counterpart("base", 1, split, other_layer=0)
    assert same["share"].tolist() == [1.0]


def test_changes_are_counted(alignment):
    counts = alignment.changes.set_index(["role", "layer", "change"])["concepts"]
    assert counts["base", 0].to_dict() == counts["tuned", 0].to_dict() == {"kept": 6}
    assert counts["base", 1].to_dict() == {"kept": 3, "merged": 2, "split": 1}
    assert counts["tuned", 1].to_dict() == {"kept": 3, "merged": 1, "split": 2}


def test_both_levels_in_one_result(alignment):
    at_top = alignment.frame("retention").set_index(["layer", "level"])["retained"]
    assert at_top[1, "occurrences"] == 5
    assert at_top[1, "types"] == 6  # both halves of group 0 have all its types
    assert set(alignment.retention["level"]) == {"occurrences"}
    assert len(alignment.frame("matrix")) == 2 * len(alignment.matrix) == 8
    assert set(alignment.sweep["level"]) == {"occurrences", "types"}


def test_a_concept_that_is_not_there(alignment, both, tmp_path):
    with pytest.raises(InputError, match="no concept 99 at layer 1 of base"):
        alignment.counterpart("base", 1, 99)
    alone = ts.align(both[0], None, tmp_path / "alone", permutations=5, resamples=5)
    with pytest.raises(InputError, match="single model"):
        alone.counterpart("base", 1, 0)
    with pytest.raises(InputError, match="no frame 'scors'; .*scores"):
        alignment.frame("scors")


def test_polarity_by_gold_and_by_predicted_class(alignment):
    gold, predicted = alignment.polarity, alignment.predicted_polarity
    assert len(gold) == len(predicted) == 2 * 2 * 3
    assert {"predicted_label", "predicted_share", "predicted_polarised"} <= set(alignment.concepts)
    assert len(alignment.difference) == 12
    row = alignment.difference.iloc[0]
    assert row["difference"] == row["predicted"] - row["gold"]
    assert row["gold"] == gold["polarised"][0]
    shares = alignment.concepts[["class_share", "predicted_share"]]
    assert (shares["class_share"] != shares["predicted_share"]).any()


def test_computed_labels_are_there_beside_columns(alignment):
    assert alignment.manifest.facts["labels"] == ["upos", "casing"]
    rows = alignment.labels.set_index(["label", "role", "layer"])
    assert rows.loc[("casing", "base", 0), "aligned"] == GROUPS
    assert set(alignment.composition["label"]) == {"upos", "casing"}
    mixed = alignment.composition.query("role == 'tuned' and layer == 1 and label == 'upos'")
    assert mixed.groupby("concept").size().tolist().count(2) == 1  # the merged one


def test_a_name_twice_is_an_error(both, predicted, tmp_path):
    twice = predicted.words.append_column("casing", pa.array(["x"] * predicted.n_words))
    words = ts.Corpus(predicted.sentences, twice)
    with pytest.raises(InputError, match="'casing' are there twice"):
        ts.align(*both, tmp_path / "out", words=words, computed=("casing",))


def test_an_interrupted_alignment_goes_on_with_the_next_layer(both, tmp_path, monkeypatch):
    """Killed between layers at every place: each is done once, and the bytes are the same."""
    from tunescope.concepts.alignment import frames

    how = {"permutations": 5, "resamples": 5, "labels": ("upos",)}
    whole = ts.align(*both, tmp_path / "whole", **how)
    done = []

    def once(name):
        real, calls = getattr(frames, name), []

        def stop(*arguments):
            if calls:  # the first of this run goes through, the second is cut off
                raise KeyboardInterrupt
            calls.append(name)
            found = real(*arguments)
            done.append(name)
            return found

        monkeypatch.setattr(frames, name, stop)

    for _ in range(20):
        once("match_frame")  # of every tuned layer
        once("concept_frame")  # of every layer of both models
        try:
            again = ts.align(*both, tmp_path / "again", **how)
            break
        except KeyboardInterrupt:
            monkeypatch.undo()
            assert not (tmp_path / "again" / "manifest.json").exists()
    assert sorted(done) == ["concept_frame"] * 4 + ["match_frame"] * 2
    assert not (again.path / "parts").exists()
    for path in whole.path.glob("*.parquet"):
        assert (again.path / path.name).read_bytes() == path.read_bytes(), path.name


def test_it_shows_itself(alignment):
    text, page = str(alignment), alignment._repr_html_()
    for part in ("What became of concepts", "Score of labels", "gold and by predicted"):
        assert part in text
        assert part in page


def test_figures_hold_what_they_draw(alignment):
    one = alignment.scores[alignment.scores["label"] == "upos"]
    charts = [
        draw.sweep(alignment.sweep, "occurrences"),
        draw.sweep(alignment.sweep, "types", "tuned"),
        *(draw.score(one, measure) for measure in ("score", "aligned", "covered")),
        draw.gold_and_predicted(alignment.polarity, alignment.predicted_polarity, "tuned"),
        draw.composition(alignment.composition, "tuned", "upos"),
    ]
    for chart in charts:
        spec = specification(chart, 500)
        assert any(rows for rows in spec["datasets"].values())


def test_a_single_model_on_the_command_line(both, tmp_path):
    from tunescope.cli import main

    options = ["--permutations", "5", "--resamples", "5", "--labels", "upos"]
    with pytest.raises(SystemExit) as end:
        main(["align", str(both[0].path), "none", str(tmp_path / "a"), *options])
    assert not end.value.code
    assert ts.Alignment.load(tmp_path / "a").manifest.facts["tuned"] is None


def test_born_is_the_rest_of_what_survives_with_its_interval_and_null(alignment) -> None:
    """Born at the step's theta is the complement of the tuned model's row in the sweep."""
    sweep = alignment.sweep
    rows = sweep[(sweep["role"] == "tuned") & (sweep["theta"] == alignment.step.theta)]
    both = alignment.frame("retention").merge(rows, on=["layer", "level"])
    assert len(both) == len(alignment.frame("retention"))
    assert (both["born"] == both["n_concepts"] - both["matched"]).all()
    for ours, theirs in (("share", "share"), ("low", "high"), ("high", "low")):
        np.testing.assert_allclose(both[f"born_{ours}"], 1 - both[f"matched_{theirs}"])
    np.testing.assert_allclose(both["born_null_mean"], both["n_tuned"] - both["null_mean_y"])
    np.testing.assert_allclose(both["born_p"], both["p_y"])

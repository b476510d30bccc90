"""What pages say is true of the numbers, and the same on every page that says it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from tunescope.study.result import Run
from tunescope.study.run import _command
from tunescope.viewer.concepts.pages import Concepts
from tunescope.viewer.concepts.paths import concept_path
from tunescope.viewer.concepts.tables import words_data
from tunescope.viewer.places import Places
from tunescope.viewer.site import Site
from tunescope.viewer.summaries.compared import compared
from tunescope.viewer.summaries.created import created_figure


@pytest.fixture(scope="module")
def site(tiny_run: Run) -> Site:
    return Site(tiny_run)


def concepts_of(site: Site) -> Concepts:
    return next(pages for pages in site.kinds if isinstance(pages, Concepts))


def test_a_concept_is_called_the_same_where_it_was_created(site: Site) -> None:
    shelf = concepts_of(site).shelf
    for key in site.run.alignments:
        figure = created_figure(site.run, key, Places(site))
        assert figure is not None
        rows: Any = figure.table
        for layer, concept, words in zip(
            rows["layer"], rows["concept"], rows["words"], strict=True
        ):
            title = shelf.layer(key[0], key[2], layer).title(concept)
            assert words.replace(", ", " ") == title


def test_what_is_counted_is_said_with_its_threshold(site: Site) -> None:
    page = site.get("index.html")
    assert page is not None
    text = page.body.decode()
    assert "one concept of the tuned model holds at least 80% of the words" in text
    assert "concepts with at least 60% of their words in sentences of one class" in text
    assert "By chance: upper end of the 95% range of 5 permutations" in text
    assert "was tuned" not in text  # these are models from disk


def test_the_command_names_the_study(tiny_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tiny_run.about["command"] == f"tunescope.run('{tiny_run.path.parent / 'study.toml'}')"
    assert _command(tiny_run.study) == "tunescope.run(study)"
    monkeypatch.setattr("sys.argv", ["/bin/tunescope", "run", "my study.toml"])
    assert _command("my study.toml") == "tunescope run 'my study.toml'"


def test_scores_say_on_which_texts_they_are(site: Site) -> None:
    models, corpora, *_ = compared(site.run, Places(site))
    assert "of a model tuned elsewhere: on a corpus, which it may have been tuned on" in (
        models.caption
    )
    assert "on dev texts" not in str(models.written)


def test_counts_stay_whole_beside_what_is_not_there(
    tiny_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run.load(tiny_run.path)
    kept = {key: made for key, made in run.concepts.items() if key[0] == "odd"}
    monkeypatch.setattr(Run, "concepts", property(lambda self: kept))
    corpora = compared(run, Places(Site(run)))[1]
    assert corpora.csv().splitlines()[2].endswith(",")  # not clustered: empty
    assert re.search(r",\d+$", corpora.csv().splitlines()[1])


def test_fates_that_differ_by_tuned_model_are_not_told_as_one(
    tiny_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "odd", "base", "tuned"
    alone = words_data(concepts_of(Site(tiny_run)).shelf.layer("odd", "base", 2))
    run = Run.load(tiny_run.path)
    made = {**run.concepts, ("odd", "again"): run.concepts["odd", "tuned"]}
    alignments = {**run.alignments, ("odd", "base", "again"): run.alignments[key]}
    monkeypatch.setattr(Run, "concepts", property(lambda self: made))
    monkeypatch.setattr(Run, "alignments", property(lambda self: alignments))
    several = words_data(concepts_of(Site(run)).shelf.layer("odd", "base", 2))
    assert '"lost"' in alone and '"lost"' not in several and several.endswith(", []);\n")


def test_the_order_of_a_neurons_words_and_sentences_is_said(site: Site) -> None:
    path = next(p for p in site.paths() if re.match(r"neurons/odd-base/layer", p))
    page = site.get(path)
    assert page is not None
    text = page.body.decode()
    assert "furthest from the neuron’s mean come first, above it or below" in text
    assert text.count("At most one sentence of each word.") == text.count("activations</h3>")


def test_a_concept_names_the_level_of_its_intervals(
    tiny_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run.load(tiny_run.path)
    found = run.latent.triggers["odd", "base", "tuned"]
    step = replace(found.step, confidence=0.8)
    monkeypatch.setattr(type(found), "step", property(lambda self: step))
    row = found.tried[found.tried["method"] == "concept"].iloc[0]
    page = Site(run).get(concept_path("odd", "tuned", int(row["layer"]), int(row["concept"])))
    assert page is not None and "With 80% intervals." in page.body.decode()

"""Words are chosen by frequency before anything else; ConceptX's selection bugs stay out."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import tunescope as ts
from tunescope.errors import InputError
from tunescope.steps import Concepts


@pytest.fixture
def corpus():
    sentences = [["a", "The", "the", "b"], ["a", "the", "a"], ["a", "a", "c", "the"], ["a", "b"]]
    return ts.Corpus.from_sentences(sentences)


def forms(corpus):
    return corpus.values("form").tolist()


def occurrences(corpus):
    columns = (corpus.words[c].to_pylist() for c in ("sentence", "position"))
    return list(zip(*columns, strict=True))


def test_types_count_by_all_their_occurrences_not_by_those_kept(corpus):
    chosen = ts.select_words(corpus, min_count=3, max_occurrences=2)
    assert Counter(forms(chosen)) == {"a": 2, "the": 2}


def test_forms_are_compared_as_given(corpus):
    assert "The" not in forms(ts.select_words(corpus, min_count=2))


def test_types_above_the_upper_limit_are_dropped(corpus):
    assert set(forms(ts.select_words(corpus, min_count=2, max_count=3))) == {"the", "b"}


def test_the_last_word_is_kept(corpus):
    whole = ts.select_words(corpus, min_count=1)
    assert occurrences(whole) == occurrences(corpus)


def test_first_occurrences_are_kept_only_when_asked_for():
    corpus = ts.Corpus.from_sentences([["w"]] * 400)
    first = ts.select_words(corpus, min_count=1, max_occurrences=20, choice="first")
    drawn = ts.select_words(corpus, min_count=1, max_occurrences=20)
    assert [sentence for sentence, _ in occurrences(first)] == list(range(20))
    sentences = np.array([sentence for sentence, _ in occurrences(drawn)])
    assert len(sentences) == 20
    assert 120 < sentences.mean() < 280  # drawn from the whole corpus


def test_the_draw_follows_the_seed(corpus):
    big = ts.Corpus.from_sentences([["w", "v"]] * 100)
    same = [occurrences(ts.select_words(big, seed=3)) for _ in range(2)]
    assert same[0] == same[1]
    assert same[0] != occurrences(ts.select_words(big, seed=4))


def test_every_occurrence_is_as_likely_to_be_drawn():
    corpus = ts.Corpus.from_sentences([["w"]] * 5)
    drawn = Counter(
        occurrence
        for seed in range(300)
        for occurrence in occurrences(
            ts.select_words(corpus, min_count=1, max_occurrences=2, seed=seed)
        )
    )
    assert len(drawn) == 5
    assert all(80 < count < 160 for count in drawn.values())  # 120 expected


def test_parameters_may_be_given_as_a_step(corpus):
    step = Concepts(min_count=3, max_occurrences=2)
    assert occurrences(ts.select_words(corpus, step)) == occurrences(
        ts.select_words(corpus, step=step)
    )


def test_a_rule_that_no_type_passes_is_an_error(corpus):
    with pytest.raises(InputError, match=r"7 to 7 occurrences .*most frequent has 6.*min_count"):
        ts.select_words(corpus, min_count=7, max_count=7)


def test_a_preset_gives_what_is_not_given():
    lacoat = Concepts(preset="lacoat", min_count=3)
    assert (lacoat.min_count, lacoat.max_count, lacoat.max_occurrences) == (3, None, 20)
    conceptx = Concepts(preset="conceptx")
    assert (conceptx.min_count, conceptx.max_count, conceptx.max_occurrences) == (5, 500_000, 50)
    iclr = Concepts()
    assert (iclr.preset, iclr.min_count, iclr.max_occurrences) == ("iclr", 10, 10)
    assert iclr.max_sentence_words == 300
    assert iclr.choice == "random"
    with pytest.raises(InputError, match="preset = 'icl' .*did you mean 'iclr'"):
        Concepts(preset="icl")


def test_what_a_preset_gave_is_in_the_manifest_and_the_words():
    assert Concepts(preset="lacoat").parameters()["max_occurrences"] == 20
    assert Concepts(**Concepts(preset="conceptx").parameters()) == Concepts(preset="conceptx")
    corpus = ts.Corpus.from_sentences([["w"] * 5] * 20 + [["v"] * 6] + [["u"] * 4])
    counts = {"iclr": {"w": 10}, "lacoat": {"w": 20, "v": 6}, "conceptx": {"w": 50, "v": 6}}
    for preset, expected in counts.items():
        assert Counter(forms(ts.select_words(corpus, preset=preset))) == expected
    assert Counter(forms(ts.select_words(corpus, preset="lacoat", max_count=50))) == {"v": 6}


def test_words_of_long_sentences_are_neither_counted_nor_kept():
    corpus = ts.Corpus.from_sentences([["a"] * 301, ["a"] * 300, ["b"] * 4])
    chosen = ts.select_words(corpus, min_count=4, max_occurrences=1000)
    assert Counter(forms(chosen)) == {"a": 300, "b": 4}
    every = ts.select_words(corpus, min_count=4, max_occurrences=1000, max_sentence_words=301)
    assert every.n_words == corpus.n_words
    with pytest.raises(InputError, match="300 to 300 occurrences in sentences of up to 299 words"):
        ts.select_words(corpus, min_count=300, max_sentence_words=299, max_count=300)


def test_lengths_are_those_of_sentences_also_in_a_selection():
    corpus = ts.Corpus.from_sentences([["a", "b", "c", "d"], ["a", "b"]])
    some = corpus.select(np.array([0, 1, 4, 5]))
    assert occurrences(ts.select_words(some, min_count=1, max_sentence_words=3)) == [(1, 0), (1, 1)]


def test_the_command_line_takes_a_preset(corpus, tmp_path):
    from tunescope.cli import app

    bound = app.parse_args(
        ["concepts", "a", "c", "--preset", "lacoat", "--min-count", "2"],
        exit_on_error=False, print_error=False,
    )[1]  # fmt: skip
    step = bound.arguments["step"]
    assert (step.min_count, step.max_occurrences) == (2, 20)

"""Token classifiers as labellers."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer

import tunescope as ts
from tiny import FAMILIES, SENTENCES, save_tiny
from tunescope.errors import InputError

N_LABELS = 5
NO_HEAD = ("bart",)
"""Families for which transformers has no token classifier."""


def drawn(config) -> torch.nn.Module:
    """Return a model whose head tells its positions apart."""
    config.num_labels = N_LABELS
    config.id2label = {n: f"tag-{n}" for n in range(N_LABELS)}
    model = AutoModelForTokenClassification.from_config(config)
    for weight in model.parameters():
        if weight.shape[0] == N_LABELS:
            torch.nn.init.normal_(weight)
    return model


def save_tagger(family: str, folder: Path) -> Path:
    return save_tiny(family, folder, head=SimpleNamespace(from_config=drawn))


def by_hand(folder: Path, sentence: list[str], word: str = "first") -> list[str]:
    """Label a sentence as text, by itself, finding its words by their characters."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForTokenClassification.from_pretrained(folder).eval()
    encoded = tokenizer(" ".join(sentence), return_offsets_mapping=True, return_tensors="pt")
    spans = encoded.pop("offset_mapping")[0].tolist()
    pieces = tokenizer.convert_ids_to_tokens(encoded["input_ids"][0])
    for n in reversed(range(len(spans) - 1)):
        if pieces[n] == "\u2581":  # the mark of a word's beginning by itself, on no character
            spans[n] = spans[n + 1]
    with torch.inference_mode():
        shares = model(**encoded).logits[0].softmax(-1)
    labels, start = [], 0
    for form in sentence:
        stop = start + len(form)
        mine = [n for n, (a, b) in enumerate(spans) if b > start and a < stop and b > a]
        row = {"first": shares[mine[0]], "last": shares[mine[-1]], "mean": shares[mine].mean(0)}
        labels.append(model.config.id2label[int(row[word].argmax())])
        start = stop + 1
    return labels


@pytest.mark.parametrize("family", [name for name in FAMILIES if name not in NO_HEAD])
def test_labels_of_every_family_are_the_models_own(family: str, tmp_path):
    folder = save_tagger(family, tmp_path / "model")
    sentences = [words for words in SENTENCES if "'" not in "".join(words)]
    corpus = ts.Corpus.from_sentences(sentences)
    tagged = ts.tag_words(corpus, folder, column="ner")
    expected = [label for words in sentences for label in by_hand(folder, words)]
    assert tagged.values("ner").tolist() == expected
    assert len(set(expected)) > 1, "a head that always says the same would prove nothing"
    assert tagged.labels == ("ner",) and tagged.word_hash == corpus.word_hash


@pytest.mark.parametrize("word", ["first", "last", "mean"])
def test_the_label_of_a_word_with_several_subwords(word: str, tmp_path):
    folder = save_tagger("bert", tmp_path / "model")
    sentence = SENTENCES[5]
    tagged = ts.tag_words(ts.Corpus.from_sentences([sentence]), folder, word=word)
    assert tagged.values("tag").tolist() == by_hand(folder, sentence, word)


def test_words_of_long_sentences_and_selections_are_labelled_in_their_context(tmp_path):
    folder = save_tagger("bert", tmp_path / "model")
    long = SENTENCES[0] * 30  # the model has 64 positions
    corpus = ts.Corpus.from_sentences([SENTENCES[1], long, SENTENCES[0]])
    tags = ts.tag_words(corpus, folder).values("tag")
    assert all(tag is not None for tag in tags)
    assert tags[-len(SENTENCES[0]) :].tolist() == by_hand(folder, SENTENCES[0])
    rows = np.array([3, 40, 200])
    assert ts.tag_words(corpus.select(rows), folder).values("tag").tolist() == tags[rows].tolist()
    small = ts.tag_words(corpus, folder, batch_tokens=70, shard_words=5)
    assert small.values("tag").tolist() == tags.tolist(), "whatever the batches"


def test_a_word_too_long_for_the_model_has_no_label(tmp_path):
    folder = save_tagger("bert", tmp_path / "model")
    corpus = ts.Corpus.from_sentences([["quick", "x" * 90, "fox"]])
    assert [tag is None for tag in ts.tag_words(corpus, folder).values("tag")] == [
        False,
        True,
        False,
    ]


def test_labels_are_kept_and_an_interrupted_run_goes_on(tmp_path, monkeypatch):
    from tunescope.concepts.human import tag, tagger

    folder = save_tagger("bert", tmp_path / "model")
    corpus = ts.Corpus.from_sentences(SENTENCES * 3)
    expected = ts.tag_words(corpus, folder).values("tag").tolist()
    calls = []
    original = tagger.Tagger.label

    def label(self, corpus, start, stop):
        calls.append(start)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(self, corpus, start, stop)

    monkeypatch.setattr(tagger.Tagger, "label", label)
    with pytest.raises(KeyboardInterrupt):
        ts.tag_words(corpus, folder, tmp_path / "out", shard_words=20)
    done = len(calls) - 1
    assert ts.tag_words(corpus, folder, tmp_path / "out", shard_words=20).values(
        "tag"
    ).tolist() == (expected)
    assert calls[: done + 1].count(calls[0]) == 1 and calls[done + 1] == calls[done]
    n_calls = len(calls)
    more = ts.annotate(corpus, ["casing"])  # labels do not change the words
    again = ts.tag_words(more, folder, tmp_path / "out", shard_words=20)
    assert len(calls) == n_calls, "labelled once"
    assert again.labels == ("casing", "tag") and again.values("tag").tolist() == expected
    assert ts.Corpus.load(tmp_path / "out").words.equals(again.words)
    assert tag.tag_words is ts.tag_words


def test_what_does_not_label_words(tmp_path):
    corpus = ts.Corpus.from_sentences([["a"]], {"upos": [["X"]]})
    with pytest.raises(InputError, match="does not label words"):
        ts.tag_words(corpus, save_tiny("bert", tmp_path / "bare"))
    with pytest.raises(InputError, match="no model that labels words could be loaded"):
        ts.tag_words(corpus, save_tiny("bart", tmp_path / "bart"))
    folder = save_tagger("bert", tmp_path / "model")
    with pytest.raises(InputError, match="drawn at random"):
        ts.tag_words(corpus, ts.ModelSource(path=str(folder), init="random"))
    for column in ("form", "class", "", "a\nb"):
        with pytest.raises(InputError, match="may not be named"):
            ts.tag_words(corpus, folder, column=column)
    with pytest.raises(InputError, match="has a column 'upos' already"):
        ts.tag_words(corpus, folder, column="upos")
    with pytest.raises(InputError, match="no words to label"):
        ts.tag_words(corpus.select(np.array([], int)), folder)
    with pytest.raises(InputError, match="did you mean 'last'"):
        ts.tag_words(corpus, folder, word="lst")


def test_commands_write_a_corpus_that_further_commands_read(tmp_path, capsys):
    from tunescope.cli import main

    folder = save_tagger("bert", tmp_path / "model")
    (tmp_path / "text.txt").write_text("The quick fox .\nNATO jumps\n")
    out = str(tmp_path / "annotated")
    text = ["--path", str(tmp_path / "text.txt"), "--format", "text"]
    with pytest.raises(SystemExit) as ended:
        main(["annotate", out, *text, "--concepts", "casing", "suffix", "--min-stem", "2"])
    assert ended.value.code == 0
    with pytest.raises(SystemExit) as ended:
        main(["tag", str(folder), str(tmp_path / "tagged"), "--path", out, "--column", "ner"])
    assert ended.value.code == 0
    tagged = ts.Corpus.load(tmp_path / "tagged")
    assert tagged.labels == ("casing", "suffix", "ner")
    assert tagged.values("casing").tolist() == (
        ["Title", "lower", "lower", "none", "UPPER", "lower"]
    )
    assert "casing" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main(["annotate", out, *text, "--concepts", "cassing"])
    assert ended.value.code == 2 and "did you mean 'casing'" in capsys.readouterr().err

"""What a model predicts becomes a column of the sentences, under the corpus's own class names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as hf

from tiny import SENTENCES, save_tiny
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError
from tunescope.models.heads import load_head
from tunescope.models.predictions import match_classes, with_predictions


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("classifier")
    return save_tiny("bert", folder, seed=3, head=hf.AutoModelForSequenceClassification)


def test_each_sentence_gets_the_class_of_the_largest_logit(classifier: Path):
    corpus = Corpus.from_sentences(SENTENCES, classes=["0", "1", "0", None, "1", "0"])
    found = with_predictions(corpus, classifier, device="cpu")
    head = load_head(classifier, device="cpu")
    expected = []
    for words in SENTENCES:  # one by one, without any of our batching
        inputs = head.tokenizer(" ".join(words), return_tensors="pt", truncation=True,
                                max_length=64)  # fmt: skip
        with torch.no_grad():
            expected.append(str(int(head.model(**inputs).logits.argmax())))
    assert found.of_sentence("predicted").tolist() == expected
    assert found.of_sentence("class").tolist() == corpus.of_sentence("class").tolist()
    assert found.word_hash == corpus.word_hash


def test_the_column_is_saved_and_goes_along_with_a_selection(classifier: Path, tmp_path: Path):
    corpus = Corpus.from_sentences(SENTENCES, classes=["b", "a", "b", "a", "b", "a"])
    found = with_predictions(corpus, classifier, classes=["a", "b"], device="cpu")
    found.select(np.arange(4)).save(tmp_path / "words")
    loaded = Corpus.load(tmp_path / "words")
    assert set(loaded.of_sentence("predicted")) <= {"a", "b"}
    assert loaded.of_sentence("predicted").tolist() == found.of_sentence("predicted").tolist()


def test_names_that_cannot_be_matched_are_an_error_with_both_lists(classifier: Path):
    corpus = Corpus.from_sentences([["w"], ["v"]], classes=["bad", "good"])
    with pytest.raises(InputError, match="'LABEL_0', 'LABEL_1'.*'bad'.*give classes ="):
        with_predictions(corpus, classifier, device="cpu")


def test_a_model_that_predicts_no_class_is_refused(tmp_path: Path):
    save_tiny("bert", tmp_path, head=hf.AutoModelForMaskedLM)
    with pytest.raises(InputError, match="cannot predict a sentence's class"):
        with_predictions(Corpus.from_sentences([["w"]]), tmp_path, device="cpu")


@pytest.mark.parametrize(
    ("own", "wanted", "given", "expected"),
    [
        (["no", "yes"], ["no", "yes"], None, ("no", "yes")),
        (["no", "yes", "?"], ["yes"], None, ("no", "yes", "?")),
        (["NO", "Yes"], ["yes", "no"], None, ("no", "yes")),
        (["LABEL_0", "LABEL_1"], ["1", "0"], None, ("0", "1")),
        (["LABEL_0", "LABEL_1"], [], None, ("LABEL_0", "LABEL_1")),
        (["LABEL_0", "LABEL_1"], ["x", "y"], {"LABEL_0": "y", "LABEL_1": "x"}, ("y", "x")),
    ],
)
def test_names_are_matched_by_what_they_say_and_not_by_order(own, wanted, given, expected):
    assert match_classes(own, wanted, given) == expected


@pytest.mark.parametrize(
    ("own", "wanted", "given", "message"),
    [
        (["LABEL_0", "LABEL_1"], ["bad", "good"], None, "give classes"),
        (["a", "b"], ["a", "b"], ["a"], "2 outputs; name as many"),
        (["a", "b"], ["a", "b"], ["a", "a"], "called the same"),
        (["a", "b"], ["a", "b"], {"c": "a"}, "no class 'c'"),
        (["yes", "no"], ["Yes", "YES", "no"], None, "'YES' is a class of the data"),
    ],
)
def test_what_is_no_match_is_said(own, wanted, given, message):
    with pytest.raises(InputError, match=message):
        match_classes(own, wanted, given)

"""Fine-tuning: learns, repeats itself exactly, writes an ordinary checkpoint."""

from __future__ import annotations

import random

import numpy as np
import pytest
import transformers as hf

import tunescope as ts
from tiny import save_tiny
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError
from tunescope.files import hash_file
from tunescope.models.tasks import TaskData, train_and_dev

FAST = {"epochs": 10, "learning_rate": 3e-3, "batch_size": 8, "max_length": 16}


def made_task(n: int = 80, name: str = "made") -> Corpus:
    """Sentences whose class is told by one word."""
    rng = np.random.default_rng(0)
    classes = ["good" if i % 2 else "bad" for i in range(n)]
    fill = ["The", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog"]
    sentences = [
        [*rng.choice(fill, 3), "lazy" if c == "bad" else "quick", *rng.choice(fill[3:6], 2)]
        for c in classes
    ]
    return Corpus.from_sentences(sentences, classes=classes, name=name)


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return save_tiny("bert", tmp_path_factory.mktemp("models") / "tiny-bert")


def test_learns_and_repeats(bert, tmp_path):
    state, numpy_state = random.getstate(), np.random.get_state()[1].copy()  # type: ignore[index]
    tuned = ts.finetune(bert, made_task(), tmp_path / "a", **FAST)
    assert random.getstate() == state  # the Trainer seeds everything: put back
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)  # type: ignore[index]
    facts = tuned.manifest.facts
    assert tuned.dev_accuracy > facts["dev_majority"] and tuned.dev_accuracy >= 0.75
    assert facts["dev_low"] <= tuned.dev_accuracy <= facts["dev_high"]
    again = ts.finetune(bert, made_task(), tmp_path / "b", **FAST)
    assert hash_file(tuned.path / "model.safetensors") == hash_file(
        again.path / "model.safetensors"
    )
    other = ts.finetune(bert, made_task(), tmp_path / "c", **FAST, seed=1)
    assert hash_file(tuned.path / "model.safetensors") != hash_file(
        other.path / "model.safetensors"
    )
    model = hf.AutoModelForSequenceClassification.from_pretrained(tuned.path)
    assert model.config.id2label == {0: "bad", 1: "good"}
    assert not [path for path in tuned.path.rglob("*") if path.suffix in (".bin", ".pt", ".pth")]


def test_done_is_not_done_again(bert, tmp_path, monkeypatch):
    from tunescope.models import finetune as module

    ts.finetune(bert, made_task(), tmp_path / "a", epochs=0.5)
    monkeypatch.setattr(module, "_train", lambda *a: pytest.fail("ran again"))
    ts.finetune(bert, made_task(), tmp_path / "a", epochs=0.5)


def test_decoder(tmp_path):
    """A decoder without padding token can be tuned too."""
    folder = save_tiny("gpt2", tmp_path / "gpt2")
    tuned = ts.finetune(folder, made_task(24), tmp_path / "a", epochs=1)
    assert ts.extract(made_task(4), tuned.path, tmp_path / "store").valid.all()


def test_splits_of_the_task():
    corpus = made_task(20)
    train, dev = train_and_dev(corpus, 0.2, seed=3)
    assert (len(train), len(dev)) == (16, 4)
    assert not set(train.texts) & set(dev.texts) or len(set(train.texts + dev.texts)) < 20
    splits = ["train"] * 10 + ["dev"] * 5 + ["test"] * 5
    given = Corpus.from_sentences(
        corpus.sentences["words"].to_pylist(), classes=list(corpus.of_sentence("class")),
        splits=splits,
    )  # fmt: skip
    train, dev = train_and_dev(given, 0.2, seed=3)
    assert train.texts == TaskData.from_corpus(given).texts[:10]
    assert dev.texts == TaskData.from_corpus(given).texts[10:15]


def test_bad_tasks(bert, tmp_path):
    no_class = Corpus.from_sentences([["a"], ["b"]], name="plain")
    with pytest.raises(InputError, match="task 'plain': no sentence has a class"):
        ts.finetune(bert, no_class, tmp_path / "a")
    one = Corpus.from_sentences([["a"], ["b"], ["c"]], classes=["x"] * 3, name="one")
    with pytest.raises(InputError, match="has one class only"):
        ts.finetune(bert, one, tmp_path / "a")
    unseen = Corpus.from_sentences(
        [["a"], ["b"], ["c"]], classes=["x", "y", "z"], splits=["train", "train", "dev"]
    )
    with pytest.raises(InputError, match="class 'z' is in dev but not in train"):
        ts.finetune(bert, unseen, tmp_path / "a")

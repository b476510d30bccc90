"""ConceptX's files: written as it writes them, read whatever the words, wrong lines named."""

from __future__ import annotations

import json
import tracemalloc
from contextlib import suppress
from itertools import pairwise

import numpy as np
import pytest

import tunescope as ts
from stores import store_from_arrays
from tunescope.cli import main
from tunescope.concepts.conceptx.finding import find_clusters
from tunescope.concepts.conceptx.importing import conceptx_numbers
from tunescope.concepts.conceptx.lines import read_clusters
from tunescope.errors import InputError, MismatchError

HOSTILE = [
    "|||", "a|||b", "|", "x|", "||||", "1|||2|||3|||4", "Süß", "日本", "a\u2028b", "\u2028c",
    "\\u00e9", "#",
]  # fmt: skip
"""Words that a reader from the left, or one that strips lines, gets wrong."""


@pytest.fixture(scope="module")
def corpus():
    rng = np.random.default_rng(0)
    words = [*HOSTILE, *(f"w{i}" for i in range(20))]
    sentences = [[str(rng.choice(words)) for _ in range(rng.integers(1, 12))] for _ in range(60)]
    upos = [["X"] * len(sentence) for sentence in sentences]
    return ts.Corpus.from_sentences(sentences, {"upos": upos}, classes=["p", "n"] * 30, name="h")


@pytest.fixture(scope="module")
def stores(corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("conceptx")
    rng = np.random.default_rng(1)
    return [
        store_from_arrays(
            folder / name, corpus, list(rng.normal(size=(2, corpus.n_words, 5))), model=name
        )
        for name in ("base", "tuned")
    ]


@pytest.fixture(scope="module")
def concepts(stores, corpus, tmp_path_factory):
    chosen = corpus.select(np.arange(0, corpus.n_words, 2))  # every other word
    return ts.discover_concepts(
        stores[0], tmp_path_factory.mktemp("c") / "base", words=chosen, n_clusters=9, min_types=2
    )


def test_the_files_are_those_of_conceptx(concepts, corpus, tmp_path):
    ts.export_conceptx(concepts, tmp_path, layers=[1], k=[9, 4])
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")) == [
        "corpus-sentences.json", "layer1/clusters-4.txt", "layer1/clusters-9.txt",
    ]  # fmt: skip
    texts = json.loads((tmp_path / "corpus-sentences.json").read_text("utf-8"))
    sentences = corpus.sentences["words"].to_pylist()
    assert [text.split(" ") for text in texts] == sentences
    labels = dict(
        zip(
            zip(
                *(concepts.words.values(c).tolist() for c in ("sentence", "position")), strict=True
            ),
            concepts.labels(1, 4).tolist(),
            strict=True,
        )
    )
    # An independent reader: where the word is known, the numbers behind it are split from the left.
    seen = {}
    lines = (tmp_path / "layer1/clusters-4.txt").read_text("utf-8").split("\n")
    assert lines.pop() == ""
    for line in lines:
        s, p = map(int, line.rsplit("|||", 3)[1:3])
        word = sentences[s][p]
        assert line.startswith(f"{word}|||")
        occurrence, again_s, again_p, cluster = map(int, line[len(word) + 3 :].split("|||"))
        before = [w for words in sentences[:s] for w in words] + sentences[s][:p]
        assert occurrence == before.count(word) + 1
        assert (again_s, again_p) == (s, p)
        seen[s, p] = cluster
    assert seen == labels
    clusters = [int(line.rsplit("|||", 1)[1]) for line in lines]
    assert sum(a != b for a, b in pairwise(clusters)) == 3  # cluster by cluster


def test_round_trip(concepts, corpus, tmp_path):
    ts.export_conceptx(concepts, tmp_path / "files")
    back = ts.import_conceptx(tmp_path / "files", tmp_path / "back", min_types=2)
    assert back.layers == concepts.layers
    assert back.words.word_hash == concepts.words.word_hash
    for layer in concepts.layers:
        np.testing.assert_array_equal(back.labels(layer), concepts.labels(layer))
        np.testing.assert_array_equal(back.labels(layer, 9), concepts.labels(layer))
    assert back.table().equals(concepts.table())
    ts.export_conceptx(back, tmp_path / "again")
    for path in (tmp_path / "files").rglob("*.*"):
        assert (tmp_path / "again" / path.relative_to(tmp_path / "files")).read_bytes() == (
            path.read_bytes()
        )
    again = ts.import_conceptx(tmp_path / "files", tmp_path / "back", min_types=2)
    assert again.key == back.key


def test_the_numbers_of_the_file_are_kept(tmp_path):
    write(tmp_path, ["b c a a"], ["a|||1|||0|||2|||77", "b|||1|||0|||0|||5", "c|||1|||0|||1|||5"])
    text = (tmp_path / "clusters-2.txt").read_text()
    (tmp_path / "clusters-2.txt").write_text(text + "a|||2|||0|||3|||5\n")
    found = ts.import_conceptx(tmp_path, tmp_path / "out", layer=3)
    assert found.layers == (3,)
    assert found.labels(3).tolist() == [0, 0, 1, 0]
    assert conceptx_numbers(found, 3).tolist() == [5, 77]
    with pytest.raises(InputError, match="no dendrogram"):
        found.dendrogram(3)
    ts.export_conceptx(found, tmp_path / "again")
    lines = (tmp_path / "again/layer3/clusters-2.txt").read_text().splitlines()
    assert sorted(lines) == sorted((tmp_path / "clusters-2.txt").read_text().splitlines())


def test_imported_concepts_are_aligned_with_labels_and_classes(concepts, corpus, stores, tmp_path):
    other = ts.discover_concepts(
        stores[1], tmp_path / "tuned", words=concepts.words, n_clusters=9, min_types=2
    )
    pair = []
    for found in (concepts, other):
        files = ts.export_conceptx(found, tmp_path / f"files-{found.model}")
        out = tmp_path / f"in-{found.model}"
        pair.append(ts.import_conceptx(files, out, corpus=corpus, model=found.model, min_types=2))
    assert pair[0].words.labels == ("upos",)
    given = {"permutations": 3, "theta_classes": 0.6}
    ours = ts.align(concepts, other, tmp_path / "ours", **given)
    theirs = ts.align(tmp_path / "in-base", tmp_path / "in-tuned", tmp_path / "theirs", **given)
    assert theirs.concepts.equals(ours.concepts)
    assert theirs.retention.equals(ours.retention)
    assert (theirs.concepts["class_label"] != "").any()
    mixed = ts.align(concepts, tmp_path / "in-tuned", tmp_path / "mixed", **given)
    assert mixed.retention.equals(ours.retention)
    with pytest.raises(InputError, match="import_conceptx"):
        ts.discover_concepts(stores[0], tmp_path / "no", n_clusters=9, method="imported")


def write(folder, sentences, lines, name="clusters-2.txt"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "x-sentences.json").write_text(json.dumps(sentences), "utf-8")
    (folder / name).write_text("\n".join(lines) + "\n", "utf-8")


GOOD = ["the|||1|||0|||0|||0", "cat|||1|||0|||1|||1", "the|||2|||1|||0|||0"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("the|||1|||0|||0", "4 fields, not word|||occurrence"),
        ("the", "1 fields"),
        ("the|||x|||0|||0|||0", "occurrence is 'x', not a number"),
        ("the|||1|||-1|||0|||0", "sentence is '-1'"),
        ("the|||1|||0|||1.0|||0", "token is '1.0'"),
        ("the|||1|||0|||0|||", "cluster is ''"),
        ("the|||1|||0|||0|||٣", "cluster is '٣'"),
        ("the|||1|||9|||0|||0", "sentence 9 of 2"),
        ("the|||1|||0|||7|||0", "token 7 of sentence 0, which has 2 words"),
        ("dog|||1|||1|||1|||0", "the word is 'dog', but word 1 of sentence 1 is 'sat'"),
        ("the|||1|||0|||0|||1", "word 0 of sentence 0 is on line 1 too"),
        ("the|||1|||0|||0|||" + "9" * 5000, "cluster is"),
    ],
)
def test_a_wrong_line_is_one_error_with_file_and_line(tmp_path, line, message):
    write(tmp_path, ["the cat", "the sat"], [*GOOD, "", line])
    with pytest.raises(InputError) as caught:
        ts.import_conceptx(tmp_path, tmp_path / "out", layer=0)
    assert f"{tmp_path / 'clusters-2.txt'}, line 5: " in str(caught.value)
    assert message in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_lines_in_any_order_with_either_line_end_and_escaped_words(tmp_path):
    write(tmp_path, ["é cat", "the the"], [])
    lines = ["the|||2|||1|||1||| 0 \r", "cat|||1|||0|||1|||1\r", "\\u00e9|||1|||0|||0|||1\r", "\r"]
    (tmp_path / "clusters-2.txt").write_bytes("\n".join(lines).encode())
    found = ts.import_conceptx(tmp_path, tmp_path / "out", layer=0)
    assert found.words.values("form").tolist() == ["é", "cat", "the"]
    assert found.labels(0).tolist() == [0, 0, 1]


def test_sentence_files(tmp_path):
    write(tmp_path, ["the cat", "the sat"], GOOD)
    plain = tmp_path / "text.in.tok.sent_len"
    plain.write_text("the cat\nthe sat\n")
    found = ts.import_conceptx(tmp_path, tmp_path / "a", layer=0)
    same = ts.import_conceptx(tmp_path, tmp_path / "b", layer=0, sentences=plain)
    assert found.words.word_hash == same.words.word_hash
    for content, message in [
        ('{"a": 1}', "not a JSON list"),
        ("[1]", "sentence 0: 1 is not text"),
        ('["a"', "not valid JSON"),
        ("[]", "no sentences"),
        ('["a", ""]', "sentence 1: the sentence has no words"),
        ('["a  b"]', "is blank"),
    ]:
        path = tmp_path / "wrong.json"
        path.write_text(content)
        with pytest.raises(InputError, match=message):
            ts.import_conceptx(tmp_path, tmp_path / "c", layer=0, sentences=path)


def test_which_files(tmp_path):
    write(tmp_path / "layer_1", ["the cat", "the sat"], GOOD)
    write(tmp_path / "bert-layer12" / "results", ["the cat", "the sat"], GOOD, "clusters-400.txt")
    (tmp_path / "bert-layer12" / "results" / "clusters.txt").write_text("no K, not taken")
    found = ts.import_conceptx(tmp_path, tmp_path.parent / f"{tmp_path.name}-a")
    assert found.layers == (1, 12)
    one = tmp_path / "layer_1" / "clusters-2.txt"
    assert ts.import_conceptx(one, tmp_path.parent / f"{tmp_path.name}-b").layers == (1,)
    by_layer = ts.import_conceptx(
        {5: one}, tmp_path.parent / f"{tmp_path.name}-c",
        sentences=tmp_path / "layer_1" / "x-sentences.json",
    )  # fmt: skip
    assert by_layer.layers == (5,)
    out = tmp_path / "out"
    write(tmp_path / "layer_1", ["the cat", "the sat"], GOOD, "clusters-kmeans-3.txt")
    with pytest.raises(InputError, match="several clusters files"):
        ts.import_conceptx(tmp_path / "layer_1", out, layer=1)
    assert ts.import_conceptx(tmp_path / "layer_1", out, k=3).layers == (1,)
    with pytest.raises(InputError, match="say which, layer="):
        write(tmp_path / "bare", ["the cat", "the sat"], GOOD)
        ts.import_conceptx(tmp_path / "bare", tmp_path / "no")
    with pytest.raises(InputError, match="no clusters-K.txt"):
        ts.import_conceptx(tmp_path / "nothing", tmp_path / "no")
    write(tmp_path / "bare" / "more", ["the dog"], [], "other.txt")
    with pytest.raises(InputError, match="several sentence files"):
        ts.import_conceptx(tmp_path / "bare", tmp_path / "no", layer=1)


@pytest.mark.parametrize(
    ("path", "layer"),
    [
        ("layer12/clusters-600.txt", 12),
        ("Layer_0/clusters-kmeans-600.txt", 0),
        ("run2-layer-7-ward/clusters-600.txt", 7),
        ("bert-12layer-768/layer3/clusters-600.txt", 3),
        ("12-layer-768/clusters-layer5-600.txt", 5),
        ("layer5/clusters-layer-5-600.txt", 5),
        ("bert-12-layer-768/clusters-600.txt", None),
        ("12-layers/clusters-600.txt", None),
        ("multilayer2/clusters-600.txt", None),
        ("layer2b/clusters-600.txt", None),
        ("any/clusters-layer-600.txt", None),
        ("layer1-layer2/clusters-600.txt", "1 and 2"),
        ("layer4/clusters-layer5-600.txt", "4 and 5"),
    ],
)
def test_only_a_clear_name_says_the_layer(tmp_path, path, layer):
    folder = tmp_path / "layer99" / "more"  # what lies further above says nothing
    file = folder / path
    file.parent.mkdir(parents=True)
    file.write_text("")
    if isinstance(layer, int):
        for given in (folder, file):
            assert find_clusters(given, None, None) == {layer: file}
            assert find_clusters(given, layer, None) == {layer: file}
            with pytest.raises(InputError, match=f"names layer {layer}, but layer = 8 was given"):
                find_clusters(given, 8, None)
        return
    said = "does not name a layer" if layer is None else f"names layers {layer} "
    for given in (folder, file):
        with pytest.raises(InputError, match=rf"clusters-.*{said}.*say which, layer="):
            find_clusters(given, None, None)
        assert find_clusters(given, 8, None) == {8: file}


def test_a_folder_may_be_that_of_its_layer(tmp_path):
    file = tmp_path / "layer6" / "ward" / "clusters-600.txt"
    file.parent.mkdir(parents=True)
    file.write_text("")
    assert find_clusters(tmp_path / "layer6", None, None) == {6: file}


def test_layers_of_different_words_do_not_go_together(tmp_path):
    write(tmp_path / "layer1", ["the cat", "the sat"], GOOD)
    write(tmp_path / "layer2", ["the cat", "the sat"], [*GOOD, "sat|||1|||1|||1|||0"])
    with pytest.raises(MismatchError, match=r"layer1.* lacks 1 words of .*layer2.* line 4"):
        ts.import_conceptx(tmp_path, tmp_path / "out")


def test_another_corpus_is_found_out(concepts, corpus, tmp_path):
    files = ts.export_conceptx(concepts, tmp_path / "files")
    other = ts.Corpus.from_sentences([["no", "such", "words"] * 4] * 60)
    with pytest.raises(InputError, match=r"clusters-9.txt, line \d+: the word is"):
        ts.import_conceptx(files, tmp_path / "out", corpus=other)
    with pytest.raises(InputError, match="not a selection"):
        ts.import_conceptx(files, tmp_path / "out", corpus=corpus.select(np.arange(40)))


def test_words_with_blanks(tmp_path):
    corpus = ts.Corpus.from_sentences([["10 000", "people"], ["10 000", "cats"]], name="blanks")
    store = store_from_arrays(tmp_path / "s", corpus, [np.arange(8.0).reshape(4, 2)])
    few = ts.discover_concepts(store, tmp_path / "c", n_clusters=2, min_count=1, min_types=1)
    with pytest.raises(InputError, match="sentence 0: the word '10 000' holds a blank"):
        ts.export_conceptx(few, tmp_path / "files")
    assert not (tmp_path / "files").exists()
    ts.export_conceptx(few, tmp_path / "files", space="_")
    back = ts.import_conceptx(tmp_path / "files", tmp_path / "back")
    assert back.words.values("form").tolist() == ["10_000", "people", "10_000", "cats"]
    assert back.labels(0).tolist() == few.labels(0).tolist()


def test_nothing_is_written_for_a_layer_that_is_not_there(concepts, tmp_path):
    for given in ({"layers": [0, 7]}, {"k": 10**6}):
        with pytest.raises(InputError):
            ts.export_conceptx(concepts, tmp_path / "files", **given)
    assert not (tmp_path / "files").exists()


def test_large_files_are_read_as_they_come(tmp_path):
    sentences = [[f"w{i % 50}" for i in range(20)]] * 1_000
    path = tmp_path / "clusters-600.txt"
    with path.open("w") as file:
        for s in range(1_000):
            file.writelines(
                f"w{p}|||{s + 1}|||{s}|||{p}|||{(s * 7 + p) % 600}\n" for p in range(20)
            )
    tracemalloc.start()
    found = read_clusters(path, sentences)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found.cluster) == 20_000
    assert peak < 150 * 20_000  # bytes: arrays of numbers, not a list of lines


def test_the_commands(concepts, corpus, tmp_path, capsys):
    corpus.save(tmp_path / "corpus")
    for command in (
        ["export-concepts", str(concepts.path), str(tmp_path / "files"), "--layers", "1"],
        ["import-concepts", str(tmp_path / "files"), str(tmp_path / "back"),
         "--corpus", str(tmp_path / "corpus"), "--model", "theirs"],
    ):  # fmt: skip
        with suppress(SystemExit):
            main(command)
    assert "Concepts of theirs on 'h': 1 layers x 9 concepts" in capsys.readouterr().out
    assert ts.LayerConcepts.load(tmp_path / "back").words.classes == ("n", "p")

"""Explanations of predictions: consistent with their parts, and harmless to look at."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from explained import Explained, make_explained, write_names
from runs import CLASSES, HOSTILE
from test_imports import loaded_by
from tiny import save_tiny
from tunescope.cli import app
from tunescope.concepts.discover import discover_concepts
from tunescope.concepts.naming.result import ConceptNames
from tunescope.errors import InputError, MismatchError
from tunescope.explanations.explain import Explainer, explain
from tunescope.explanations.explanation import Explanations
from tunescope.explanations.html import as_page
from tunescope.explanations.inputs import read_text
from tunescope.explanations.vectors import word_vectors
from tunescope.explanations.words import split_text
from tunescope.models.predicting import predict
from tunescope.steps import Explain, Extract


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Explained:
    return make_explained(tmp_path_factory.mktemp("explained"))


@pytest.fixture(scope="module")
def names(made: Explained, tmp_path_factory: pytest.TempPathFactory) -> ConceptNames:
    folder = tmp_path_factory.mktemp("names") / "names"
    given = {(2, concept): f"<i>name {concept}" for concept in range(12)}
    return write_names(made.concepts, folder, given)


@pytest.fixture(scope="module")
def explainer(made: Explained, names: ConceptNames) -> Explainer:
    return Explainer(
        made.model, made.concepts, made.mapper, alignment=made.alignment, names=names, device="cpu"
    )


@pytest.fixture(scope="module")
def found(explainer: Explainer) -> Explanations:
    step = Explain(layers=(0, 2), steps=16, mass=0.8, accept=0.3)
    return explainer.explain(
        "The fox, (jumpser) dogs!", ["fox", *HOSTILE], "שלום מرحبا foxs", step=step
    )


def shown(found: Explanations, **options) -> str:
    console = Console(width=120, record=True, file=open("/dev/null", "w"), **options)  # noqa: SIM115
    console.print(found)
    return console.export_text()


def test_vectors_are_those_of_the_store(made: Explained, explainer: Explainer):
    corpus = made.store.corpus
    for sentence in (0, 3):
        words = corpus.sentence_words(sentence)
        given = read_text(explainer.head, split_text(words))
        vectors = word_vectors(explainer.head, given, (0, 1, 2), Extract())
        rows = np.flatnonzero(corpus.words["sentence"].to_numpy() == sentence)
        for layer in (0, 1, 2):
            assert vectors[layer] == pytest.approx(made.store[layer][rows], abs=1e-3)


def test_probabilities_are_the_models(found: Explanations, explainer: Explainer):
    head = explainer.head
    logits = predict(head.model, head.tokenizer, [text.text for text in found.texts])
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    for n, text in enumerate(found.texts):
        assert list(text.probabilities) == list(CLASSES)
        assert list(text.probabilities.values()) == pytest.approx(p[n], abs=1e-5)
        assert text.predicted == CLASSES[p[n].argmax()]


def test_every_word_is_there_in_order_with_its_special_tokens(found: Explanations):
    tokens = found.texts[0].scored[0].tokens
    words = ["The", "fox", ",", "(", "jumpser", ")", "dogs", "!"]
    assert [token.text for token in tokens] == ["[CLS]", *words, "[SEP]"]
    assert [token.special for token in tokens] == [True, *[False] * 8, True]
    for text in found.texts:
        one = text.scored[0]
        assert not any(token.salient and token.special for token in one.tokens)
        assert sum(token.share for token in one.tokens) == pytest.approx(1)
        assert sum(token.share for token in one.tokens if token.salient) >= 0.8 - 1e-9
        total = sum(token.attribution for token in one.tokens)
        assert total - one.error == pytest.approx(one.text - one.baseline)


def test_each_salient_word_is_mapped_at_each_layer(found: Explanations, made: Explained):
    table = found.table()
    words = found.words()
    assert len(table) == 2 * words["salient"].sum()
    accepted = table["p_concept"] >= 0.3
    assert ((table["concept"] >= 0) == accepted).all()
    assert accepted.any()
    labels = made.concepts.labels(2)
    row = table[(table["layer"] == 2) & accepted].iloc[0]
    card = found.card_of[2, row["concept"]]
    assert card.size == (labels == row["concept"]).sum()
    forms = made.concepts.words.values("form")[labels == row["concept"]]
    assert dict(card.words) == {form: (forms == form).sum() for form, _ in card.words}
    assert row["name"] == f"<i>name {row['concept']}"
    concepts = made.alignment.concepts.query("layer == 2 and concept == @row.concept").iloc[0]
    assert row["class"] == concepts["class_label"]
    assert row["class_share"] == pytest.approx(concepts["class_share"])
    assert [(share.kind, share.name) for share in card.labels] == [("tag", concepts["tag_label"])]
    for context in card.contexts:
        assert context.words[context.position] in forms


def test_without_an_alignment_classes_are_counted(made: Explained, found: Explanations):
    plain = explain(
        made.model, made.concepts.path, made.mapper.path, ["fox", *HOSTILE], device="cpu",
        layers=(0, 2), steps=16, mass=0.8, accept=0.3,
    )  # fmt: skip
    for card in plain.cards:
        other = found.card_of[card.layer, card.concept]
        assert card.affinity[0].share == pytest.approx(other.affinity[0].share)
        assert not card.labels


def test_a_word_in_no_concept_says_so(explainer: Explainer):
    found = explainer.explain("fox jumps", step=Explain(steps=4, accept=1.0))
    assert (found.table()["concept"] == -1).all()
    assert not found.cards
    assert "none: p = " in found._repr_html_()
    assert "none: p = " in shown(found)


class Parsed(HTMLParser):
    def __init__(self, text: str):
        super().__init__()
        self.tags, self.attributes, self.texts = set(), set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.texts.append(data)


def test_hostile_words_classes_and_names_are_text(found: Explanations):
    parsed = Parsed(found._repr_html_())
    allowed = {"p", "b", "bdi", "span", "small", "table", "tr", "td", "th", "div", "h4", "br"}
    assert parsed.tags <= allowed | {"details", "summary"}
    assert parsed.attributes <= {"class", "style", "title", "dir"}
    texts = {text.strip() for text in parsed.texts}
    assert set(HOSTILE) <= texts
    assert set(CLASSES) <= texts
    page = Parsed(as_page(found))
    assert "script" not in page.tags
    assert not page.attributes & {"src", "href"}


def test_direction_is_that_of_the_text(found: Explanations):
    html = found._repr_html_()
    assert 'dir="rtl"' in html
    assert 'dir="ltr"' in html


def test_a_terminal_obeys_no_word(explainer: Explainer):
    found = explainer.explain(["\x1b[31mred", "\u202eevil", "fox"], step=Explain(steps=4))
    text = shown(found)
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_without_colour_salient_words_have_numbers(found: Explanations):
    import re

    assert re.search(r"\S\([+-]\d\.\d\d\)", shown(found, color_system=None))


def test_save_and_load(found: Explanations, tmp_path: Path):
    found.save(tmp_path / "found.json")
    again = Explanations.load(tmp_path / "found.json")
    assert again.texts == found.texts
    assert again.cards == found.cards
    assert again._repr_html_() == found._repr_html_()
    code = f"import tunescope as ts; ts.Explanations.load({str(tmp_path / 'found.json')!r}).table()"
    assert not loaded_by(code) & {"torch", "transformers"}


def test_attributions_at_each_layer(explainer: Explainer):
    found = explainer.explain(
        "fox jumps dog", step=Explain(layers=(1, 2), attribute="layer", steps=16, accept=0.0)
    )
    scored = found.texts[0].scored
    assert [one.at for one in scored] == [1, 2]
    assert {mapped.layer for mapped in scored[0].concepts} == {1}
    # the head of this model reads [CLS] alone, which has read all words by then
    special = [token for token in scored[1].tokens if token.special]
    assert abs(special[0].attribution) > 0
    assert all(token.attribution == 0 for token in scored[1].tokens if not token.special)
    assert "nothing to map" in found._repr_html_()


def test_what_does_not_belong_together_is_refused(made: Explained, tmp_path: Path):
    from transformers import AutoModelForSequenceClassification

    other = save_tiny("bert", tmp_path / "other", seed=5, head=AutoModelForSequenceClassification)
    with pytest.raises(MismatchError, match="weights are not"):
        Explainer(other, made.concepts, made.mapper, device="cpu")


def test_names_of_other_concepts_are_refused(made: Explained, tmp_path: Path):
    again = discover_concepts(
        made.store, tmp_path / "again", n_clusters=9, min_count=2, min_types=2, n_jobs=1
    )
    names = write_names(again, tmp_path / "names", {(2, 0): "of nine"})
    with pytest.raises(MismatchError, match=r"names names other concepts .*another clustering of"):
        Explainer(made.model, made.concepts, made.mapper, names=names.path, device="cpu")
    for key, other in (("concepts", "mini"), ("corpus", "news")):
        names.manifest.facts[key] = other
        with pytest.raises(MismatchError, match=rf"those of .*{other}.*tunescope name"):
            explain(made.model, made.concepts, made.mapper, "fox", names=names, device="cpu")
    names.check_of(again)


def test_mistakes_are_named(explainer: Explainer):
    with pytest.raises(InputError, match="maps layers 0, 1, 2, not 9"):
        explainer.explain("fox", step=Explain(layers=(9,)))
    with pytest.raises(InputError, match="no text"):
        explainer.explain()
    with pytest.raises(InputError, match="blank"):
        explainer.explain(" ")


def test_command(
    made: Explained, names: ConceptNames, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    page = tmp_path / "page.html"
    app(
        ["explain", str(made.mapper.path), "The fox jumps", "dogs", "--model", str(made.model)]
        + ["--concepts", str(made.concepts.path), "--alignment", str(made.alignment.path)]
        + ["--names", str(names.path)]
        + ["--steps", "8", "--device", "cpu", "--page", str(page), "--accept", "0"],
        result_action="return_value",
    )
    said = capsys.readouterr().out
    assert "<i>name" in said and "&lt;i&gt;name" in page.read_text(encoding="utf-8")
    assert said.count("Predicted") == 2
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")

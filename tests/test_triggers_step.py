"""Planted triggers are found, and reported on texts that had no say; a kill loses nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import transformers as hf

import tunescope as ts
from planted_classifier import GROUPS, concepts, pairs, save_classifier, texts
from tunescope.errors import InputError, MismatchError
from tunescope.models.heads import load_head
from tunescope.models.predicting import predict
from tunescope.steps import Triggers
from tunescope.triggers import find
from tunescope.triggers.attack import Attack
from tunescope.triggers.placing import Place
from tunescope.triggers.result import FRAMES, TriggerTable
from tunescope.triggers.victim import Victim

LEXICON = "".join(
    f"{word}\t{name}\n" for name in ("good", "bad") for word in GROUPS[f"strong {name}"]
)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planted")
    save_classifier(folder / "model")
    concepts(folder)
    (folder / "lexicon.tsv").write_text(LEXICON)
    return folder


def found(folder: Path, out: Path, data=None, **options) -> TriggerTable:
    options = {"lexicon": folder / "lexicon.tsv", "device": "cpu", "resamples": 200, **options}
    data = texts() if data is None else data
    return ts.find_triggers(folder / "model", folder / "concepts", data, out, **options)


@pytest.fixture(scope="module")
def table(planted: Path, tmp_path_factory: pytest.TempPathFactory) -> TriggerTable:
    out = tmp_path_factory.mktemp("triggers") / "out"
    return found(planted, out, activations=planted / "store")


def best(table: TriggerTable, method: str, towards: str, by: str = "predicted") -> pd.Series:
    frame = table.best
    rows = (frame["method"] == method) & (frame["towards"] == towards) & (frame["by"] == by)
    return frame[rows & (frame["scope"] == "all")].iloc[0]


@pytest.mark.parametrize("name", ["good", "bad"])
def test_the_planted_words_are_the_trigger_and_flip_every_text(table: TriggerTable, name: str):
    row = best(table, "concept", name)
    assert set(row["trigger"].split()) <= set(GROUPS[f"strong {name}"])
    assert (row["flip_rate"], row["n"]) == (1.0, 20)
    assert row["flip_low"] > 0.8
    gold = best(table, "concept", name, "gold")
    assert (gold["accuracy_before"], gold["accuracy_after"], gold["drop"]) == (1.0, 0.0, 1.0)


@pytest.mark.parametrize("name", ["good", "bad"])
def test_words_of_the_other_class_flip_nothing(table: TriggerTable, name: str):
    assert best(table, "opposite", name)["flip_rate"] == 0.0
    assert best(table, "lexicon", name)["flip_rate"] == 1.0
    hotflip = best(table, "hotflip", name)
    assert hotflip["flip_rate"] == 1.0
    assert set(hotflip["trigger"].split()) & set(GROUPS[f"strong {name}"])


def test_weak_concepts_are_told_from_strong_ones(table: TriggerTable):
    frame = table.concepts
    assert len(frame) == 4  # neutral words are in sentences of both classes
    strong = (
        frame["trigger"].str.split().str[0].isin([*GROUPS["strong good"], *GROUPS["strong bad"]])
    )
    assert (frame["mean_rate"][strong] == 1.0).all()
    assert (frame["mean_rate"][~strong] == 0.0).all()
    assert frame[["spread", "distance"]].notna().all(axis=None)
    assert (frame["n_triggers"] == 2).all()  # six words, three a trigger


def test_triggers_are_reported_on_texts_they_were_not_chosen_on(table: TriggerTable):
    n = table.facts["n_choosing"], table.facts["n_held_out"]
    assert n == (40, 40)
    assert set(table.tried["n"]) == {20}
    gold = np.array(texts().targets)
    same = find.alike(texts().texts)
    choosing = find.halves((gold == "good").astype(int), 0.5, 0, same)
    assert not choosing[table.said["text"].unique()].any()


def test_every_method_tries_as_many_triggers(table: TriggerTable):
    sizes = table.tried[table.tried["method"] != "hotflip"].groupby(["towards", "method"]).size()
    assert set(sizes) == {4}


def test_the_best_of_a_layer_is_of_its_concepts_or_of_what_mirrors_them(table: TriggerTable):
    tried = table.tried.assign(
        beside=lambda of: of["layer"].where(of["method"] == "concept", of["mirrors"])
    )
    rows = table.best[(table.best["scope"] == "layer") & (table.best["by"] == "predicted")]
    assert set(rows["method"]) == {"concept", "random", "opposite", "lexicon"}
    for row in rows.to_dict("records"):
        here = tried[(tried["method"] == row["method"]) & (tried["towards"] == row["towards"])]
        here = here[here["beside"] == row["layer"]]
        assert row["trigger"] in set(here["trigger"])
        assert row["tried"] == here["trigger"].nunique() > 0


def test_a_text_flips_in_the_examples(table: TriggerTable):
    rows = table.examples[table.examples["towards"] == "good"]
    assert len(rows) == 5
    for row in rows.to_dict("records"):
        assert row["with_trigger"] == f"{row['trigger']} {row['before']}"
        assert (row["predicted"], row["predicted_with"]) == ("bad", "good")
        assert row["probability"] < 0.5 < row["probability_with"]


def test_findings_say_whether_random_words_are_beaten(planted: Path, table: TriggerTable, tmp_path):
    said = " ".join(table.findings())
    assert said.startswith("Towards 'bad', ")
    assert "flips 100% of 20 held-out texts" in said
    weak = found(planted, tmp_path / "weak", methods=("concept", "random"), n_words=1, draws=1)
    frame = weak.comparisons.assign(p=0.03, p_holm=0.06, difference=0.1, flip_rate=0.3)
    object.__setattr__(weak, "comparisons", frame)
    for line in weak.findings():  # what counts is p corrected over classes and places
        assert "does not beat the best of as many random ones" in line and "(p = 0.06)" in line


@pytest.mark.parametrize("choice", ["central", "random", "greedy"])
def test_other_choices_of_words_find_them_too(planted: Path, tmp_path: Path, choice: str):
    made = found(
        planted, tmp_path / "out", activations=planted / "store", choice=choice, pool=4,
        methods=("concept", "random"), positions=("after", "middle"),
    )  # fmt: skip
    rows = made.best[(made.best["method"] == "concept") & (made.best["scope"] == "all")]
    assert (rows["flip_rate"] == 1.0).all()
    assert set(rows["position"]) == {"after", "middle"}
    if choice == "greedy":  # four words, then three, then two: all tried, in both methods
        assert set(made.tried.groupby(["position", "towards", "method"]).size()) == {2 * 9}


def test_of_pairs_either_text_can_hold_the_trigger(planted: Path, tmp_path: Path):
    made = found(planted, tmp_path / "out", pairs(), methods=("concept", "hotflip"))
    rows = made.best[(made.best["scope"] == "all") & (made.best["by"] == "predicted")]
    assert set(rows["part"]) == {"first", "second"}
    assert (rows["flip_rate"] == 1.0).all()
    example = made.examples[made.examples["part"] == "second"].iloc[0]
    first, second = example["with_trigger"].split(" | ")
    assert set(first.split()) <= set(GROUPS["neutral"])
    assert second.startswith(example["trigger"])


def test_an_interrupted_run_ends_like_one_that_was_not(
    planted: Path, table: TriggerTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    calls: list[str] = []
    own = Attack.try_groups

    def counted(self, method, groups, bar):
        calls.append(method)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return own(self, method, groups, bar)

    monkeypatch.setattr(Attack, "try_groups", counted)
    options = {"activations": planted / "store"}
    with pytest.raises(KeyboardInterrupt):
        found(planted, tmp_path / "out", **options)
    again = found(planted, tmp_path / "out", **options)
    # layers of concepts, and three baselines, for two classes; two were done before
    assert len(calls) == 3 + 2 * 4 - 2
    for name in FRAMES:
        pd.testing.assert_frame_equal(getattr(again, name), getattr(table, name))
        same = [(run.path / f"{name}.parquet").read_bytes() for run in (again, table)]
        assert same[0] == same[1]


def test_polarity_by_prediction_uses_the_predicted_column(planted: Path, tmp_path: Path):
    loaded = ts.LayerConcepts.load(planted / "concepts")
    with pytest.raises(InputError, match="no sentence column 'predicted'"):
        found(planted, tmp_path / "none", polarity="predicted")
    words = ts.with_predictions(loaded.words, planted / "model", device="cpu")
    made = found(planted, tmp_path / "out", polarity="predicted", words=words,
                 methods=("concept",))  # fmt: skip
    assert set(made.concepts["towards"]) == {"good", "bad"}
    with pytest.raises(MismatchError, match="not those"):
        found(planted, tmp_path / "other", words=words.select(np.arange(5)))


def test_texts_in_which_concepts_were_found_are_left_out(planted: Path, tmp_path: Path):
    seen = ts.LayerConcepts.load(planted / "concepts").words
    rows = [(" ".join(words),) for words in seen.sentences["words"].to_pylist()[:10]]
    data = texts()
    more = ts.TaskData((*data.texts, *rows), (*data.targets, *["good", "bad"] * 5))
    made = found(planted, tmp_path / "out", more, methods=("random",))
    assert (made.facts["n_seen"], made.facts["n_choosing"]) == (10, 40)
    with pytest.raises(InputError, match="keep_seen"):
        found(planted, tmp_path / "none", ts.TaskData(tuple(rows), ("good", "bad") * 5))


def test_classes_that_cannot_be_matched_are_an_error(planted: Path, tmp_path: Path):
    data = ts.TaskData(texts().texts, tuple("+" if t == "good" else "-" for t in texts().targets))
    with pytest.raises(InputError, match=r"'\+' is a class of the texts \(all: '\+', '-'\); give"):
        found(planted, tmp_path / "out", data)
    with pytest.raises(InputError, match="'bad' is a class of corpus 'planted'"):
        found(planted, tmp_path / "out", data, classes=["-", "+"])
    data = ts.TaskData(texts().texts, tuple(target.title() for target in texts().targets))
    with pytest.raises(InputError, match="of the texts and corpus 'planted'"):
        found(planted, tmp_path / "out", data)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "dev.tsv"}, r"the texts \('dev'\) are training texts alone: .*path.dev"),
        ({"path": {"train": "n.tsv", "dev": "n.tsv"}, "kind": "regression"}, "have numbers"),
    ],
)
def test_texts_without_classes_or_that_were_tuned_on_are_an_error(
    planted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict, message: str
):
    monkeypatch.chdir(tmp_path)
    Path("dev.tsv").write_text("label\tsentence\ngood\tsuperb\nbad\tdire\n")
    Path("n.tsv").write_text("label\tsentence\n1.5\tsuperb\n2.5\tdire\n")
    with pytest.raises(InputError, match=message):
        found(planted, tmp_path / "out", ts.read_task(**options))


def test_central_words_need_activations(planted: Path, tmp_path: Path):
    with pytest.raises(InputError, match="needs the activations"):
        found(planted, tmp_path / "out", choice="central")


def test_results_are_read_without_torch(table: TriggerTable):
    import subprocess
    import sys

    code = (
        "import sys; from tunescope.triggers.result import TriggerTable as T;"
        f"t = T.load({str(table.path)!r}); str(t); t.findings();"
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_of_many_classes_triggers_go_from_all_others_to_each(tmp_path: Path):
    from tiny import SENTENCES, save_tiny

    folder = save_tiny("bert", tmp_path / "tiny")
    config = hf.AutoConfig.from_pretrained(folder, num_labels=4)
    torch.manual_seed(1)
    model = hf.AutoModelForSequenceClassification.from_config(config)
    model.save_pretrained(folder)
    head = load_head(folder, measure="task", device="cpu")
    rows = [(" ".join(words[: n % 5 + 2]),) for n, words in enumerate(SENTENCES * 5)]
    with torch.no_grad():  # so that differences of texts decide
        mean = predict(head.model, head.tokenizer, rows).mean(0)
        head.model.classifier.bias.sub_(torch.from_numpy(mean))
    victim = Victim(head, rows, probes=("the", "quick", "dog", "lazy"))
    plain, gold = victim.plain(), np.arange(30) % 4
    assert len(set(plain.argmax(1))) > 1
    choosing = np.arange(30) % 2 == 0
    total = 0
    for towards in range(4):
        attack = Attack(
            victim, tuple("abcd"), gold, plain, choosing, towards, Place(), Triggers()
        )  # fmt: skip
        new = predict(head.model, head.tokenizer, [(f"fox dog {text}",) for (text,) in rows])
        other = plain.argmax(1) != towards
        flips = other & (new.argmax(1) == towards)
        rate, _ = attack.score("fox dog")
        assert rate == pytest.approx(flips[choosing].sum() / (other & choosing).sum())
        assert set(attack.held_out) == set(np.flatnonzero(~choosing & (other | (gold != towards))))
        total += int(flips.sum())
    assert total == (new.argmax(1) != plain.argmax(1)).sum() > 0


def test_figures_show_every_method_and_their_baseline(table: TriggerTable):
    from tunescope.report.figures import triggers as figures
    from tunescope.report.figures.style import specification

    drawn = {
        "flips": figures.flips(table.best, table.tried),
        "layers": figures.layers(table.best),
        "strength": figures.strength(table.concepts, table.tried, "size"),
        "correlations": figures.correlations(table.correlations),
    }
    for chart in drawn.values():
        assert specification(chart, 500)["datasets"]
    text = str(specification(drawn["flips"]))
    for name, _, _ in figures.METHODS.values():
        assert name in text
    assert "best of random words" in str(specification(drawn["layers"]))


def test_the_command_writes_the_same_tables(planted: Path, tmp_path: Path, capsys):
    from tunescope.cli import main

    data = texts()
    rows = [f"{target}\t{text}" for (text,), target in zip(data.texts, data.targets, strict=True)]
    for split in ("train", "dev"):
        (tmp_path / f"{split}.tsv").write_text("\n".join(["label\tsentence", *rows]) + "\n")
    with pytest.raises(SystemExit, match="0"):
        main(
            ["triggers", str(planted / "model"), str(planted / "concepts"), str(tmp_path / "out"),
             "--texts.path.train", str(tmp_path / "train.tsv"),
             "--texts.path.dev", str(tmp_path / "dev.tsv"),
             "--methods", "concept", "random", "--resamples", "200", "--device", "cpu"],
        )  # fmt: skip
    shown = capsys.readouterr().out
    assert "flips 100% of 20 held-out texts" in " ".join(shown.split())
    made = TriggerTable.load(tmp_path / "out")
    again = found(planted, tmp_path / "again", data, methods=("concept", "random"), lexicon=None)
    pd.testing.assert_frame_equal(made.best, again.best)
    assert made.key == again.key


def test_a_lexicon_found_by_itself_that_does_not_fit_is_left_out(
    planted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    wrong = tmp_path / "wrong.tsv"
    wrong.write_text("dull\tneither\n")
    options = {"methods": ("concept", "lexicon"), "layers": (0,)}
    with pytest.raises(InputError, match="neither"):
        found(planted, tmp_path / "asked", lexicon=wrong, **options)
    monkeypatch.setattr("tunescope.triggers.find.find_lexicon", lambda _: wrong)
    table = found(planted, tmp_path / "found", lexicon=None, **options)
    assert "neither" in table.facts["left_out"]["lexicon"]
    assert set(table.best["method"]) == {"concept"}

"""Outputs are the model's own, planted use is found, and unused neurons have no effect at all."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import transformers as hf

from tiny import FAMILIES, SENTENCES, save_tiny
from tunescope.activations.matrix import WordMatrix
from tunescope.activations.neuron import NeuronId
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError
from tunescope.models.heads import find_measure, load_head
from tunescope.models.hooks import Edit
from tunescope.neurons.effects import AGAINST_RANDOM, EFFECTS, NO_SEED, measure_effects
from tunescope.neurons.interventions import (
    Action,
    coefficients,
    label_direction,
    make_edits,
    neuron_means,
    random_like,
)
from tunescope.neurons.outputs import Outputs
from tunescope.neurons.questions import Asking
from tunescope.neurons.words import LabelledWords, Part
from tunescope.probes.statistics import mean_interval

MASKED = ("bert", "electra", "distilbert", "deberta-v2", "albert", "roberta")
NEXT = ("gpt2", "llama", "qwen3")
CLASSES = ["LABEL_0", "LABEL_1"] * 3


def plain_ids(head, words):
    return head.tokenizer(" ".join(words), return_tensors="pt")


@pytest.mark.parametrize("family", MASKED)
def test_masked_words_get_the_models_own_probability(family, tmp_path):
    head = load_head(save_tiny(family, tmp_path / "m", head=hf.AutoModelForMaskedLM), device="cpu")
    assert head.measure == "masked"
    outputs = Outputs(head, Corpus.from_sentences(SENTENCES), words_per_sentence=99)
    expected, sentences = [], []
    for number, words in enumerate(SENTENCES):
        encoded = plain_ids(head, words)
        special = head.tokenizer.get_special_tokens_mask(
            encoded["input_ids"][0].tolist(), already_has_special_tokens=True
        )
        start = special.index(0)
        for size in [len(question.answers) for question in questions(head, words)]:
            ids = encoded["input_ids"].clone()
            gold = encoded["input_ids"][0, start : start + size]
            ids[0, start : start + size] = head.tokenizer.mask_token_id
            with torch.no_grad():
                logits = head.model(**{**encoded, "input_ids": ids}).logits
            chances = logits[0, start : start + size].log_softmax(-1)
            expected += chances[torch.arange(size), gold].tolist()
            sentences += [number] * size
            start += size
        assert start == len(special) - special[::-1].index(0), "every subword was hidden once"
    np.testing.assert_allclose(outputs().log_probability, expected, atol=1e-4)
    assert outputs.sentences.tolist() == sentences


def questions(head, words):
    asking = Asking(head, None, 99, 0)
    return list(asking.questions(Corpus.from_sentences([words]), None, None))


@pytest.mark.parametrize("family", NEXT)
def test_next_subwords_get_the_models_own_probability(family, tmp_path):
    folder = save_tiny(family, tmp_path / "m", head=hf.AutoModelForCausalLM)
    head = load_head(folder, device="cpu")
    assert head.measure == "next"
    outputs = Outputs(head, Corpus.from_sentences(SENTENCES), batch_tokens=64)
    expected, best = [], []
    for words in SENTENCES:
        encoded = plain_ids(head, words)
        with torch.no_grad():
            chances = head.model(**encoded).logits[0].log_softmax(-1)
        ids = encoded["input_ids"][0]
        expected += chances[torch.arange(len(ids) - 1), ids[1:]].tolist()
        best += (chances[:-1].argmax(-1) == ids[1:]).tolist()
    said = outputs()
    np.testing.assert_allclose(said.log_probability, expected, atol=1e-4)
    assert said.correct.tolist() == best


@pytest.mark.parametrize("family", FAMILIES)
def test_classes_get_the_models_own_probability(family, tmp_path):
    folder = save_tiny(family, tmp_path / "m", head=hf.AutoModelForSequenceClassification)
    head = load_head(folder, device="cpu")
    assert head.measure == "task"
    corpus = Corpus.from_sentences(SENTENCES, classes=["LABEL_0", "LABEL_1", None] * 2)
    outputs = Outputs(head, corpus, batch_tokens=64)
    assert outputs.sentences.tolist() == [0, 1, 3, 4]
    expected = []
    for number in outputs.sentences:
        with torch.no_grad():
            logits = head.model(**plain_ids(head, SENTENCES[number])).logits[0]
        expected.append(float(logits.log_softmax(-1)[number % 3]))
    np.testing.assert_allclose(outputs().log_probability, expected, atol=1e-5)
    plain, edited = outputs(), outputs([Edit(1, range(16), 4.0, 1.0)])
    assert (plain.log_probability != edited.log_probability).all()


def planted(tmp_path, n=60):
    """A classifier whose head reads neuron 2:5 alone; sentences carry the classes it gives."""
    folder = save_tiny("gpt2", tmp_path / "m", head=hf.AutoModelForSequenceClassification)
    head = load_head(folder, device="cpu")
    with torch.no_grad():
        head.model.score.weight.zero_()
        head.model.score.weight[:, 5] = torch.tensor([-3.0, 3.0])
    rng = np.random.default_rng(0)
    vocabulary = sorted({word for words in SENTENCES for word in words})
    sentences = [list(rng.choice(vocabulary, rng.integers(2, 9))) for _ in range(n)]
    first = Corpus.from_sentences(sentences, classes=["LABEL_0"] * n)
    right = Outputs(head, first)().correct
    assert 0.2 < right.mean() < 0.8
    return head, Corpus.from_sentences(sentences, classes=[f"LABEL_{int(not r)}" for r in right])


def test_a_neuron_the_head_reads_is_found_used_and_others_of_its_layer_unused(tmp_path):
    head, corpus = planted(tmp_path)
    found = measure_effects(
        head, corpus, [NeuronId(2, 5), NeuronId(2, 6), NeuronId(2, 7)], ks=[1, 3], draws=4,
        actions=["zero", "scale:-1"], ranking="planted", seed=1,
    )  # fmt: skip
    table = found.effects
    assert tuple(table.columns) == EFFECTS
    assert tuple(found.against_random.columns) == AGAINST_RANDOM
    base = table[table["neurons"] == "none"].set_index("measure")
    assert base["k"].tolist() == [0, 0, 0]
    assert base.loc["accuracy", "value"] == 1
    assert base.loc["changed", "value"] == 0
    share = np.mean(corpus.of_sentence("class") == "LABEL_0")
    top = table[table["neurons"] == "top"].set_index(["action", "k", "measure"])
    for k in (1, 3):
        assert top.loc[("zero", k, "accuracy"), "value"] == pytest.approx(share)
        assert top.loc[("zero", k, "accuracy"), "change"] == pytest.approx(share - 1)
        assert top.loc[("zero", k, "log_probability"), "value"] == pytest.approx(np.log(0.5))
        assert top.loc[("scale", k, "accuracy"), "value"] == 0
        assert top.loc[("scale", k, "changed"), "value"] == 1
    assert top["amount"].loc["scale"].eq(-1).all()
    assert top["amount"].loc["zero"].isna().all()
    row = top.loc[("zero", 1, "accuracy")]
    assert row["low"] < row["change"] < row["high"] < 0
    random = table[table["neurons"] == "random"]
    assert random["seed"].unique().tolist() == [1, 2, 3, 4]
    spared = [
        seed for seed in (1, 2, 3, 4)
        if random_like([NeuronId(2, 5)], 32, seed) != [NeuronId(2, 5)]
    ]  # fmt: skip
    untouched = random[(random["k"] == 1) & random["seed"].isin(spared)]
    assert (untouched[["change", "low", "high"]] == 0).all(axis=None)
    against = found.against_random.set_index(["action", "k", "measure"])
    row = against.loc[("zero", 1, "accuracy")]
    assert len(spared) == 4
    assert row["difference"] == pytest.approx(share - 1)
    assert row["low"] < row["difference"] < row["high"] < 0
    assert row["p"] == pytest.approx(1 / 5)
    assert (table.loc[table["neurons"] == "top", "seed"] == NO_SEED).all()
    assert found.facts["n_units"] == found.facts["n_sentences"] == 60


def test_neurons_that_nothing_reads_have_no_effect_and_p_is_one(tmp_path):
    head, corpus = planted(tmp_path)
    ranked = [NeuronId(2, j) for j in range(32) if j != 5]
    found = measure_effects(head, corpus, ranked, ks=[31], actions=["zero"], draws=0)
    top = found.effects[found.effects["neurons"] == "top"]
    assert (top[["change", "low", "high"]] == 0).all(axis=None)
    assert found.against_random.empty
    found = measure_effects(head, corpus, ranked[:2], ks=[2], actions=["mean"], draws=2,
                            means={2: np.zeros(32)})  # fmt: skip
    assert (found.against_random["p"] == 1).all()


def test_same_seed_same_tables_and_batches_do_not_matter(tmp_path):
    folder = save_tiny("gpt2", tmp_path / "m", head=hf.AutoModelForCausalLM)
    corpus = Corpus.from_sentences(SENTENCES * 3)
    options = dict(ks=[2, 5], actions=["zero", "scale:3"], draws=2, seed=3, device="cpu")
    neurons = [NeuronId(n % 3, n) for n in range(8)]
    one = measure_effects(folder, corpus, neurons, **options)
    two = measure_effects(folder, corpus, neurons, **options)
    assert one.effects.equals(two.effects)
    assert one.against_random.equals(two.against_random)
    small = measure_effects(folder, corpus, neurons, batch_tokens=20, **options)
    numbers = ["value", "change", "low", "high"]
    kept = one.effects["measure"].isin(["log_probability", "perplexity"])
    np.testing.assert_allclose(
        one.effects.loc[kept, numbers], small.effects.loc[kept, numbers], atol=2e-2
    )
    table = one.effects.set_index(["neurons", "action", "k", "measure", "seed"])["value"]
    chance = table.xs("log_probability", level="measure")
    np.testing.assert_allclose(table.xs("perplexity", level="measure"), np.exp(-chance))


def test_intervals_are_those_of_the_paired_bootstrap(tmp_path):
    folder = save_tiny("bert", tmp_path / "m", head=hf.AutoModelForMaskedLM)
    head, corpus = load_head(folder, device="cpu"), Corpus.from_sentences(SENTENCES * 4)
    found = measure_effects(
        head, corpus, [NeuronId(2, 3)], ks=[1], actions=["scale:9"], draws=1, resamples=4000
    )
    outputs = Outputs(head, corpus)
    change = outputs([Edit(2, [3], 9.0)]).log_probability - outputs().log_probability
    row = found.effects.query("neurons == 'top' and measure == 'log_probability'").iloc[0]
    assert row["change"] == pytest.approx(change.mean())
    low, high = mean_interval(change, outputs.sentences, resamples=4000)
    spread = high - low
    assert row["low"] == pytest.approx(low, abs=0.1 * spread)
    assert row["high"] == pytest.approx(high, abs=0.1 * spread)


def test_edits_at_chosen_words_leave_other_sentences_alone(tmp_path):
    folder = save_tiny("bert", tmp_path / "m", head=hf.AutoModelForMaskedLM)
    head, corpus = load_head(folder, device="cpu"), Corpus.from_sentences(SENTENCES)
    rows = np.flatnonzero(corpus.words["sentence"].to_numpy() == 2)[1:3]
    outputs, edit = (
        Outputs(head, corpus, chosen=rows, words_per_sentence=2),
        [Edit(1, range(32), -2.0)],
    )
    plain = outputs().log_probability
    different = outputs(edit, only_chosen=True).log_probability != plain
    assert set(outputs.sentences[different]) == {2}
    assert (outputs(edit).log_probability != plain).all()


def test_a_translation_acts_at_the_words_of_its_label_alone(tmp_path):
    folder = save_tiny("bert", tmp_path / "m", head=hf.AutoModelForMaskedLM)
    head, corpus = load_head(folder, device="cpu"), Corpus.from_sentences(SENTENCES)
    first = corpus.words["sentence"].to_numpy() == 0
    neurons = [NeuronId(1, n) for n in range(4)]
    options = dict(
        ks=[4], actions=["zero", "translate:9"], direction={1: np.ones(32)}, draws=1, resamples=10,
        measured=np.flatnonzero(first),
    )  # fmt: skip

    def changes(rows: np.ndarray) -> list[float]:
        found = measure_effects(head, corpus, neurons, translated=rows, **options).effects
        rows = found.query("neurons == 'top' and measure == 'log_probability'")
        return rows["change"].tolist()

    here, elsewhere = changes(np.flatnonzero(first)), changes(np.flatnonzero(~first))
    assert here[1] != 0 and elsewhere[1] == 0
    assert here[0] == elsewhere[0] != 0  # zero acts everywhere


def test_only_chosen_words_are_predicted_the_same_ones_whatever_else_there_is(tmp_path):
    folder = save_tiny("bert", tmp_path / "m", head=hf.AutoModelForMaskedLM)
    head, corpus = load_head(folder, device="cpu"), Corpus.from_sentences(SENTENCES)
    sentence = corpus.words["sentence"].to_numpy()
    chosen = np.flatnonzero(np.isin(sentence, [1, 4]))
    few, all_ = Outputs(head, corpus, measured=chosen), Outputs(head, corpus)
    assert set(few.sentences) == {1, 4}
    kept = np.isin(all_.sentences, [1, 4])
    np.testing.assert_allclose(few().log_probability, all_().log_probability[kept], atol=1e-5)
    selected = Outputs(head, corpus.select(chosen))
    assert selected.sentences.tolist() == few.sentences.tolist()
    cut = Outputs(head, corpus, max_length=8)
    assert cut.n_cut_off > 0


def test_random_neurons_are_of_the_same_layers_at_every_k():
    neurons = [NeuronId(n % 3, 4 * n % 32) for n in range(24)]
    drawn = random_like(neurons, 32, 0)
    assert [n.layer for n in drawn] == [n.layer for n in neurons]
    assert len(set(drawn)) == 24
    assert drawn == random_like(neurons, 32, 0) != random_like(neurons, 32, 1)
    assert random_like(neurons[:9], 32, 0) == drawn[:9]
    whole = random_like([NeuronId(1, j) for j in range(32)], 32, 5)
    assert sorted(whole) == [NeuronId(1, j) for j in range(32)]


def labelled(scaling="raw"):
    x = [np.arange(12.0).reshape(6, 2), np.ones((6, 2)) * [[0], [2], [0], [2], [9], [9]]]
    targets = np.array([0, 1, 0, 1, 0, 1])
    none = np.zeros(6, int)
    part = Part(
        WordMatrix([v.astype(np.float32) for v in x], np.arange(4), np.array([0, 1, 3])),
        targets[:4], none[None, :4], none[:4].astype(object), none[:4],
    )  # fmt: skip
    return LabelledWords("c", "tag", "m", ("A", "B"), part, part, part, scaling)


def test_means_and_directions_are_those_of_training_words_by_layer():
    means = neuron_means(labelled())
    assert means[0].tolist() == [3, 4]
    np.testing.assert_equal(means[1], [np.nan, 1])
    direction = label_direction(labelled(), "A", "B")
    assert direction[0].tolist() == [2, 2]
    np.testing.assert_equal(direction[1], [np.nan, 2])
    edits = make_edits(
        Action("translate", 8.0), [NeuronId(1, 1), NeuronId(0, 0)], 4, direction=direction
    )
    assert [(e.layer, e.index.tolist(), e.scale) for e in edits] == [(0, [0], 1), (1, [1], 1)]
    assert edits[1].shift.tolist() == [16]
    assert edits[0].shift.tolist() == [8]  # rank 2 of 4: half way down the logarithm
    mean = make_edits(Action("mean"), [NeuronId(0, 1)], 4, means=means)[0]
    assert (mean.scale, mean.shift.tolist()) == (0, [4])
    with pytest.raises(InputError, match="no value for neuron 1:0"):
        make_edits(Action("mean"), [NeuronId(1, 0)], 4, means=means)
    with pytest.raises(InputError, match="needs direction"):
        make_edits(Action("translate", 1.0), [NeuronId(1, 0)], 4)
    with pytest.raises(InputError, match="no training word has the 'tag' label 'C'"):
        label_direction(labelled(), "A", "C")
    with pytest.raises(InputError, match="zscored"):
        neuron_means(labelled("zscored"))


def test_coefficients_fall_with_the_logarithm_of_the_rank():
    a = coefficients(768, 8.0)
    assert a[0] == 8
    assert a[-1] == pytest.approx(0)
    assert a[:27].min() > 4 > a[28:].max()  # the square root of 768 is the half of its logarithm
    assert coefficients(1, 8.0).tolist() == [8]


def test_actions_are_read_as_they_are_written():
    for text in ("zero", "mean", "scale:0.5", "translate:8"):
        assert str(Action.parse(text)) == text
    for text, said in (
        ("zap", "no action 'zap'"),
        ("zero:1", "takes no amount"),
        ("scale", "write scale:AMOUNT"),
        ("scale:many", "write scale:AMOUNT"),
        ("translate:nan", "write translate:AMOUNT"),
    ):
        with pytest.raises(InputError, match=said):
            Action.parse(text)


@pytest.mark.parametrize(
    ("family", "head", "measure"),
    [
        ("bert", hf.AutoModelForMaskedLM, "masked"),
        ("bert", hf.AutoModelForPreTraining, "masked"),
        ("gpt2", hf.AutoModelForCausalLM, "next"),
        ("gpt2", hf.AutoModel, "next"),
        ("t5", hf.AutoModelForSequenceClassification, "task"),
    ],
)
def test_the_measure_follows_from_the_head(family, head, measure, tmp_path):
    folder = save_tiny(family, tmp_path / "m", head=head)
    assert find_measure(folder) == measure
    assert load_head(folder, device="cpu").measure == measure


def test_heads_that_are_not_there_are_not_made_up(tmp_path):
    for family, head in (
        ("bert", hf.AutoModel), ("llama", hf.AutoModel), ("bart", hf.AutoModelForSeq2SeqLM),
        ("electra", hf.AutoModelForPreTraining),
    ):  # fmt: skip
        folder = save_tiny(family, tmp_path / f"{family}-{head.__name__}", head=head)
        with pytest.raises(InputError, match="predicts none of: masked words"):
            find_measure(folder)
    bert = tmp_path / "bert-AutoModel"
    with pytest.raises(InputError, match="cannot predict masked words: .* lacks"):
        load_head(bert, measure="masked", device="cpu")
    with pytest.raises(InputError, match="cannot predict a sentence's class: .* lacks"):
        load_head(bert, measure="task", device="cpu")
    both_ways = save_tiny("bert", tmp_path / "lm", head=hf.AutoModelForMaskedLM)
    with pytest.raises(InputError, match="sees the words behind"):
        load_head(both_ways, measure="next", device="cpu")
    permuted = save_tiny("xlnet", tmp_path / "xlnet", head=hf.AutoModelForCausalLM)
    with pytest.raises(InputError, match="sees the words behind"):
        load_head(permuted, device="cpu")


def test_what_cannot_be_measured_is_said(tmp_path):
    folder = save_tiny("bert", tmp_path / "m", head=hf.AutoModelForSequenceClassification)
    head, one = load_head(folder, device="cpu"), [NeuronId(1, 1)]
    corpus = Corpus.from_sentences(SENTENCES, classes=CLASSES)
    for neurons, options, said in (
        (one, dict(ks=[2]), "from 1 to the 1 neurons"),
        (one, dict(ks=[0, 1]), "from 1 to the 1 neurons"),
        (one * 2, dict(ks=[1]), "ranked twice"),
        (one, dict(ks=[1], actions=["mean"]), "needs means"),
        ([NeuronId(3, 1)], dict(ks=[1], actions=["zero"]), "no layer 3"),
        ([NeuronId(1, 99)], dict(ks=[1], actions=["zero"]), "no neuron 1:99"),
    ):
        with pytest.raises(InputError, match=said):
            measure_effects(head, corpus, neurons, **options)
    with pytest.raises(InputError, match="no sentence of corpus .* has one"):
        measure_effects(head, Corpus.from_sentences(SENTENCES), one, ks=[1], actions=["zero"])
    odd = Corpus.from_sentences(SENTENCES, classes=["good"] * 6)
    with pytest.raises(InputError, match="class 'good', which model 'm' does not know"):
        measure_effects(head, odd, one, ks=[1], actions=["zero"])
    numbered = Corpus.from_sentences(SENTENCES, classes=["0", "1"] * 3)
    assert len(Outputs(head, numbered)) == 6

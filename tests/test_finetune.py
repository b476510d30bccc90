"""Fine-tuning: learns, repeats itself exactly, writes ordinary checkpoints; all kinds of task."""

from __future__ import annotations

import random

import numpy as np
import pytest
import safetensors.torch as st
import torch
import transformers as hf

import tunescope as ts
from tiny import save_tiny
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError
from tunescope.files import hash_file
from tunescope.models.encoding import encode
from tunescope.models.heads import find_measure, load_head
from tunescope.models.load import load_classifier, load_tokenizer
from tunescope.models.predicting import predict
from tunescope.models.reference import find_model
from tunescope.models.training import seeded, train
from tunescope.steps import Finetune
from tunescope.tasks.data import TaskData
from tunescope.tasks.metrics import score
from tunescope.tasks.table import Task

FAST = {"epochs": 10, "learning_rate": 3e-3, "batch_size": 8, "max_length": 16}
FILL = ["The", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog"]


def made_corpus(n: int = 80, name: str = "made") -> Corpus:
    """Sentences whose class is told by one word."""
    rng = np.random.default_rng(0)
    classes = ["good" if i % 2 else "bad" for i in range(n)]
    sentences = [
        [*rng.choice(FILL, 3), "lazy" if c == "bad" else "quick", *rng.choice(FILL[3:6], 2)]
        for c in classes
    ]
    return Corpus.from_sentences(sentences, classes=classes, name=name)


def made_task(n: int = 80, name: str = "made") -> Task:
    return Task.from_corpus(made_corpus(n, name))


def made_pairs(n: int = 160) -> Task:
    """Pairs whose class is told by which of two words stands in the *second* text."""
    rng = np.random.default_rng(1)
    targets = ["yes" if i % 2 else "no" for i in range(n)]
    texts = []
    for target in targets:
        first, second = ("lazy", "quick") if target == "yes" else ("quick", "lazy")
        texts.append((f"The {first} {rng.choice(FILL[3:6])}", f"The {second} dog"))
    return Task("pairs", "classification", "f1", TaskData(tuple(texts), tuple(targets)))


def made_numbers(n: int = 80) -> Task:
    """Texts with how many of their words are one word."""
    rng = np.random.default_rng(2)
    counts = [i % 5 for i in range(n)]
    texts = tuple((" ".join(rng.permutation(["fox"] * c + ["dog"] * (5 - c))),) for c in counts)
    return Task("count", "regression", "spearman", TaskData(texts, tuple(c / 2 for c in counts)))


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return save_tiny("bert", tmp_path_factory.mktemp("models") / "tiny-bert")


def test_learns_and_repeats(bert, tmp_path):
    state, numpy_state = random.getstate(), np.random.get_state()[1].copy()  # type: ignore[index]
    torch_state = torch.random.get_rng_state()
    tuned = ts.finetune(bert, made_task(), tmp_path / "a", **FAST)
    assert random.getstate() == state  # the Trainer seeds everything: put back
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)  # type: ignore[index]
    assert torch.equal(torch.random.get_rng_state(), torch_state)
    facts = tuned.manifest.facts
    assert tuned.dev_score > facts["dev_baseline"] and tuned.dev_score >= 0.75
    assert facts["dev_low"] <= tuned.dev_score <= facts["dev_high"]
    again = ts.finetune(bert, made_task(), tmp_path / "b", **FAST)
    assert hash_file(tuned.path / "model.safetensors") == hash_file(
        again.path / "model.safetensors"
    )
    other = ts.finetune(bert, made_task(), tmp_path / "c", **FAST, seed=1)
    assert hash_file(tuned.path / "model.safetensors") != hash_file(
        other.path / "model.safetensors"
    )
    assert other.predictions()["target"].equals(tuned.predictions()["target"])  # same dev texts
    model = hf.AutoModelForSequenceClassification.from_pretrained(tuned.path)
    assert model.config.id2label == {0: "bad", 1: "good"}
    assert not [path for path in tuned.path.rglob("*") if path.suffix in (".bin", ".pt", ".pth")]


def test_predictions_are_those_of_the_checkpoint(bert, tmp_path):
    task = made_pairs().held_out(0.25, 0)
    assert task.dev is not None
    tuned = ts.finetune(bert, task, tmp_path / "a", **FAST)
    kept = tuned.predictions()
    assert list(kept.columns) == ["target", "predicted", "logit_no", "logit_yes"]
    assert tuple(kept["target"]) == task.dev.targets
    assert tuned.dev_score == score("f1", kept["target"], kept["predicted"])
    right = (kept["target"] == kept["predicted"]).mean()
    assert tuned.manifest.facts["dev_scores"]["accuracy"] == pytest.approx(right)
    model = hf.AutoModelForSequenceClassification.from_pretrained(tuned.path).eval()
    tokenizer = hf.AutoTokenizer.from_pretrained(tuned.path)
    for row in range(5):  # one by one, without padding
        with torch.inference_mode():
            inputs = tokenizer(
                *task.dev.texts[row], return_tensors="pt", return_token_type_ids=True
            )
            logits = model(**inputs).logits[0]
        assert kept.iloc[row, 2:].tolist() == pytest.approx(logits.tolist(), abs=1e-5)


def test_pairs_are_read_as_pairs(bert, tmp_path):
    """The class is told by the order of the texts alone: segments have to reach the model."""
    tuned = ts.finetune(bert, made_pairs(), tmp_path / "a", **FAST)
    assert tuned.dev_score > 0.9 > 0.7 > tuned.manifest.facts["dev_baseline"]
    assert "dev f1" in tuned.headline() and tuned.manifest.facts["positive"] is None


def test_regression(bert, tmp_path):
    tuned = ts.finetune(bert, made_numbers(), tmp_path / "a", **FAST)
    assert tuned.dev_score > 0.8 and tuned.manifest.facts["dev_baseline"] == 0
    assert set(tuned.manifest.facts["dev_scores"]) == {"pearson", "spearman"}
    assert list(tuned.predictions().columns) == ["target", "predicted"]
    model = hf.AutoModelForSequenceClassification.from_pretrained(tuned.path)
    assert (model.config.num_labels, model.config.problem_type) == (1, "regression")
    with pytest.raises(InputError, match="gives a number and no class"):
        find_measure(tuned.path)
    again = ts.finetune(bert, made_numbers(), tmp_path / "b", **FAST)
    assert again.predictions().equals(tuned.predictions())


def test_done_is_not_done_again(bert, tmp_path, monkeypatch):
    from tunescope.models import finetune as module

    ts.finetune(bert, made_task(), tmp_path / "a", epochs=0.5)
    monkeypatch.setattr(module, "train", lambda *a: pytest.fail("ran again"))
    ts.finetune(bert, made_task(), tmp_path / "a", epochs=0.5)


FAMILIES = ["albert", "xlnet", "roberta", "distilbert", "electra", "deberta-v2", "gpt2", "llama",
            "qwen3", "t5", "bart"]  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", ["single", "pairs", "numbers"])
def test_every_family_does_every_kind(family, kind, tmp_path):
    """Also decoders without padding token; what is kept is what the checkpoint says."""
    folder = save_tiny(family, tmp_path / family)
    task = {"single": made_task, "pairs": made_pairs, "numbers": made_numbers}[kind](24)
    tuned = ts.finetune(folder, task, tmp_path / "a", epochs=1)
    kept = tuned.predictions()
    if kind == "numbers":
        return
    head = load_head(tuned.path, device="cpu")
    assert head.classes == task.classes
    texts = task.held_out(0.1, 0).dev.texts  # type: ignore[union-attr]
    logits = predict(head.model, head.tokenizer, texts[:1])  # alone, so without padding
    np.testing.assert_allclose(kept.iloc[:1, 2:].to_numpy(float), logits, atol=1e-5)
    assert ts.extract(made_corpus(4), tuned.path, tmp_path / "store").valid.all()


def test_padding_token_of_a_decoder(tmp_path):
    """A decoder reads a text at its last token; padding on the right must not move that."""
    ref = find_model(save_tiny("gpt2", tmp_path / "gpt2"))
    tokenizer = load_tokenizer(ref)
    tokenizer.pad_token = None
    model = load_classifier(ref, ("a", "b")).eval()
    texts = [("The fox", "jumps"), ("The quick brown fox jumps over", "the lazy dog again and")]
    both = predict(model, tokenizer, texts)
    np.testing.assert_allclose(both[:1], predict(model, tokenizer, texts[:1]), atol=1e-6)
    assert tokenizer.pad_token == "</s>" and model.config.pad_token_id == tokenizer.eos_token_id


def test_pairs_are_separated_and_cut():
    from tiny import make_tokenizer

    config = hf.BertConfig(max_position_embeddings=64)
    pair = [("The quick brown fox jumps over the lazy dog", "Well")]
    bert = make_tokenizer("wordpiece", "[CLS] $ [SEP]")
    row = encode(bert, config, pair, 8)[0]
    text = bert.decode(row["input_ids"])
    assert len(row["input_ids"]) == 8 and text.count("[SEP]") == 2 and "Well" in text.title()
    assert row["token_type_ids"][0] == 0 and row["token_type_ids"][-1] == 1
    plain = make_tokenizer("bytes", "")
    row = encode(plain, hf.GPT2Config(), pair, 64)[0]
    assert plain.decode(row["input_ids"]) == "The quick brown fox jumps over the lazy dog\nWell"
    assert set(row) == {"input_ids", "attention_mask"}


def weights(folder) -> dict[str, torch.Tensor]:
    return st.load_file(folder / "model.safetensors")


def test_frozen_keeps_every_layer(bert, tmp_path):
    """Only the head and the pooler above the last layer are trained."""
    tuned = ts.finetune(bert, made_task(), tmp_path / "a", method="frozen", **FAST)
    before, after = weights(bert), weights(tuned.path)
    changed = {
        name
        for name, weight in after.items()
        if not torch.equal(weight, before.get(name.removeprefix("bert."), torch.empty(0)))
    }
    assert changed == {f"{module}.{what}" for module in ("bert.pooler.dense", "classifier")
                       for what in ("weight", "bias")}  # fmt: skip
    one, other = (ts.extract(made_corpus(6), model, tmp_path / name)
                  for name, model in (("b", bert), ("t", tuned.path)))  # fmt: skip
    for layer in range(3):
        np.testing.assert_array_equal(np.asarray(one[layer]), np.asarray(other[layer]))


def test_checkpoints_are_where_training_stopped_there_would_be(bert, tmp_path):
    """At an update of the same schedule; keeping them changes nothing of the result."""
    options = {**FAST, "epochs": 2}
    plain = ts.finetune(bert, made_task(), tmp_path / "plain", **options)
    kept = ts.finetune(bert, made_task(), tmp_path / "kept", **options, checkpoints=(0.5, 0.25))
    assert hash_file(plain.path / "model.safetensors") == hash_file(kept.path / "model.safetensors")
    assert plain.dev_score == kept.dev_score and plain.checkpoints == []
    assert kept.checkpoints == [(0.25, kept.path / "checkpoints/0.25"),
                                (0.5, kept.path / "checkpoints/0.5")]  # fmt: skip
    trajectory = kept.trajectory()  # 72 texts, 8 at a time, twice
    assert trajectory["step"].tolist() == [4, 9, 18] and trajectory["fraction"].tolist()[-1] == 1

    class Stop(hf.TrainerCallback):
        def on_step_end(self, args, state, control, **_):
            control.should_training_stop = state.global_step == 9

    step = Finetune(**options)
    ref = find_model(bert)
    with seeded(0):
        model = load_classifier(ref, ("bad", "good"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tunescope.models.training.progress_bar", lambda _: Stop())
        task = made_task().held_out(step.dev_share, step.dev_seed)
        stopped = train(model, load_tokenizer(ref), task, step, "cpu")
    assert stopped.n_updates == 9
    halfway = weights(kept.path / "checkpoints/0.5")
    for name, weight in stopped.model.state_dict().items():
        assert torch.equal(weight, halfway[name]), name
    head = load_head(kept.path / "checkpoints/0.5", device="cpu")
    logits = predict(head.model, head.tokenizer, task.dev.texts, max_length=16)  # type: ignore
    said = [head.classes[number] for number in logits.argmax(1)]
    assert score("accuracy", task.dev.targets, said) == trajectory["dev_score"][1]  # type: ignore


def test_a_drawn_train_set_keeps_all_classes(bert, tmp_path):
    """Three classes; the one text that is drawn has one, the head tells three."""
    texts = tuple((word,) for word in FILL * 3)
    targets = tuple("abc"[i % 3] for i in range(27))
    task = Task("three", "classification", "accuracy", TaskData(texts, targets))
    tuned = ts.finetune(bert, task, tmp_path / "a", epochs=1, max_sentences=1)
    assert tuned.manifest.facts["n_train"] == 1 and tuned.manifest.facts["classes"] == [*"abc"]


def test_errors(bert, tmp_path):
    with pytest.raises(InputError, match="task is a Corpus; make one with"):
        ts.finetune(bert, made_corpus(), tmp_path / "a")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="diverged: lower learning_rate|outputs are not finite"):
        ts.finetune(bert, made_task(), tmp_path / "a", learning_rate=1e30, epochs=1)
    for shares in ((0.0,), (1.0,), (0.5, 0.5)):
        with pytest.raises(InputError, match="checkpoints = .*above 0 and below 1"):
            Finetune(checkpoints=shares)
    with pytest.raises(InputError, match="method = 'frosen' must be one of .*'frozen'"):
        Finetune(method="frosen")  # type: ignore[arg-type]
    one = Corpus.from_sentences([["a"], ["b"], ["c"]], classes=["x"] * 3, name="one")
    with pytest.raises(InputError, match="has one class only"):
        ts.finetune(bert, Task.from_corpus(one), tmp_path / "b")
    unseen = Corpus.from_sentences(
        [["a"], ["b"], ["c"]], classes=["x", "y", "z"], splits=["train", "train", "dev"]
    )
    with pytest.raises(InputError, match="class 'z' is in dev but not in train"):
        ts.finetune(bert, Task.from_corpus(unseen), tmp_path / "b")

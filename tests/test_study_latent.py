"""A study of latent concepts whole: checkpoints traced, seeds aligned, names asked for, once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from naming_server import serve
from runs import without
from tiny import save_tiny
from tunescope.errors import InputError
from tunescope.report.concepts import page as concept_page
from tunescope.report.concepts import tuning_runs
from tunescope.report.wording import percent
from tunescope.study.file import Study
from tunescope.study.info import info
from tunescope.study.result import Run
from tunescope.study.run import run
from tunescope.viewer.paths import alignment_path, layers_path, triggers_path
from tunescope.viewer.site import Site

WORDS = ("fox", "dog", "lazy", "quick", "over", "sleep", "ideas", "green", "costs", "stop")
STUDY = """
name = "latent"

[models.bert]
path = "bert"

[tasks.good]
path = { train = "good.tsv", dev = "good.tsv" }

[corpora.words]
path = "words.jsonl"

[corpora.plain]
path = "plain.jsonl"

[finetune]
tasks = ["good"]
seeds = [0, 1]
epochs = 2
batch_size = 8
learning_rate = 1e-3
checkpoints = [0.5]

[concepts]
min_count = 2
n_clusters = 8
min_types = 2

[align]
permutations = 5
resamples = 10
computed = ["words:lists.tsv"]

[stability]
repeats = 1
permutations = 5
groups = 3

[trace]
permutations = 5

[triggers]
methods = ["concept", "random"]
theta_classes = 0.5
draws = 1
keep_seen = true
resamples = 20

[names]
address = "ADDRESS"
model = "anything"
limit = 2
layers = [2]
"""


def _write_words(path: Path, rng: np.random.Generator, *, classes: bool) -> None:
    lines = []
    for words in rng.choice(WORDS, (40, 6)).tolist():
        line = {"words": words, "tag": ["A" if word[0] < "g" else "B" for word in words]}
        lines.append(line | ({"class": "yes" if "fox" in words else "no"} if classes else {}))
    path.write_text("\n".join(map(json.dumps, lines)) + "\n")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("latent")
    save_tiny("bert", folder / "bert")
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, 5)) for _ in range(32)]
    rows = [f"{text}\t{'yes' if 'fox' in text else 'no'}" for text in texts]
    (folder / "good.tsv").write_text("sentence\tlabel\n" + "\n".join(rows) + "\n")
    (folder / "lists.tsv").write_text("animal\tfox\nanimal\tdog\ntrait\tlazy\n")
    _write_words(folder / "words.jsonl", rng, classes=True)
    _write_words(folder / "plain.jsonl", rng, classes=False)
    return folder


@pytest.fixture(scope="module")
def made(place: Path) -> Run:
    with serve(lambda *_: '{"name": "short words", "description": "all of them"}') as server:
        (place / "study.toml").write_text(STUDY.replace("ADDRESS", server.address))
        found = run(place / "study.toml", place / "run", device="cpu")
        asked = len(server.requests)
        again = run(place / "study.toml", place / "run", device="cpu")
        assert len(server.requests) == asked > 0, "nothing is asked twice"
    assert again.about == found.about
    return found


def test_everything_is_there(made: Run, place: Path) -> None:
    assert made.failed == {}
    pair, latent = ("bert", "bert-good"), made.latent
    keys = {("words", *pair), ("plain", *pair)}
    assert set(latent.alignments) == set(latent.stability) == set(latent.traces) == keys
    assert {key: len(seeds) for key, seeds in latent.seeds.items()} == dict.fromkeys(keys, 2)
    assert set(latent.triggers) == {("words", *pair)}
    models = ("bert", "bert-good", "bert-good@0.5", "bert-good.seed1")
    assert {model for _, model in latent.clustered} == set(models)
    assert {key[1] for key in latent.names} == set(pair)
    states = {(job.step, job.what): job.state for job in info(place / "run").jobs}
    assert {key for key, state in states.items() if state != "done"} == {
        ("triggers", "plain/bert-good")  # without classes there is nothing to flip to
    }


def test_predicted_classes_count_for_alignment_and_gold_ones_for_checkpoints(made: Run) -> None:
    key = ("words", "bert", "bert-good")
    assert len(made.alignments[key].predicted_polarity)
    trace = made.latent.traces[key]
    assert trace.points["fraction"].tolist() == [0, 0.5, 1]
    assert trace.points["texts"].tolist()[-1] > 0
    assert "predicted_polarised" not in set(trace.counts["measure"])
    plain = made.alignments["plain", "bert", "bert-good"]
    assert plain.polarity.empty and len(plain.predicted_polarity)  # no gold class, yet predicted


def test_word_lists_start_at_the_study_file(made: Run) -> None:
    labels = made.alignments["words", "bert", "bert-good"].manifest.facts["labels"]
    assert len(labels) == 2 and labels[0] == "tag"


def test_an_empty_list_of_label_columns_is_none_of_them(
    made: Run, place: Path, tmp_path: Path
) -> None:
    shutil.copytree(made.path, tmp_path / "run")  # all but the alignments is done
    text = without(STUDY, "stability", "trace", "triggers", "names")
    text = text.replace("[align]\n", "[align]\nlabels = []\n")
    found = run(Study.parse(text, place), tmp_path / "run", device="cpu")
    labels = found.alignments["words", "bert", "bert-good"].manifest.facts["labels"]
    assert labels == made.alignments["words", "bert", "bert-good"].manifest.facts["labels"][1:]


def test_the_page_has_every_part_that_there_is(made: Run) -> None:
    names = [part.name for part in concept_page.parts(made, ("words", "bert", "bert-good"))]
    assert names == ["kept", "labels", "classes", "checkpoints", "triggers", "names"]
    names = [part.name for part in concept_page.parts(made, ("plain", "bert", "bert-good"))]
    assert names == ["kept", "labels", "classes", "checkpoints", "names"]


def test_pages_say_which_tuning_run_their_numbers_are_of(made: Run) -> None:
    site, key = Site(made), ("words", "bert", "bert-good")
    said = "bert-good was tuned 2 times. What is said of its concepts is of the first of these runs"
    layers, entry = layers_path("bert", "bert-good"), "concepts/index.html"
    for path in ("index.html", layers, alignment_path(key), entry, triggers_path(key)):
        page = site.get(path)
        assert page is not None and said in page.body.decode(), path
    retained, polarised = concept_page.aligned(made, key)
    other = made.latent.seeds[key][1]
    assert other.manifest.facts["tuned"] == "bert-good.seed1"
    shares = [percent(share) for share in other.retention["retained_share"]]
    assert retained.text.endswith(f" In the other tuning run: {shares[0]} and {shares[-1]}.")
    rows = other.polarity
    rows = rows[(rows["class"] == "") & (rows["role"] == "tuned") & (rows["layer"] == 2)]
    n, of = rows[["polarised", "n_concepts"]].to_numpy()[0]
    assert polarised.text.endswith(f" In the other tuning run: {n} of {of}.")
    figure = tuning_runs.figure(made, key)
    assert figure is not None and figure.shown is not None
    assert figure.shown["follow a class, bert-good.seed1"].iloc[-1] == f"{n} of {of}"
    assert set(figure.table["model"]) == {"bert-good", "bert-good.seed1"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("checkpoints = [0.5]\n", "", "set checkpoints in"),
        ('address = "ADDRESS"\n', "", "needs an address"),
        ("[triggers]\n", '[triggers]\ntasks = ["god"]\n', "no task 'god'; did you mean 'good'"),
        ("[align]\npermutations = 5\nresamples = 10\n", "[other]\n", "unknown key 'other'"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_done(old: str, new: str, said: str) -> None:
    text = STUDY.replace(old, new).replace("ADDRESS", "http://127.0.0.1:1/v1")
    with pytest.raises(InputError, match=said):
        Study.parse(text, Path())

"""Classifiers that a study did not tune itself: names of classes, what is skipped, what fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runs import CLASSES, LATENT, NEURONS, STUDY, make_tiny_run, without
from tunescope.cli import main
from tunescope.errors import InputError
from tunescope.study.info import info
from tunescope.study.result import Run
from tunescope.study.run import run

PLAIN = '[corpora.plain]\npath = "plain.jsonl"\n'
TEXT = without(STUDY, "probe", "corpora.more", *NEURONS) + without(LATENT, "stability")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models and corpora of the tiny run; the classifier's classes have lost their names."""
    folder = tmp_path_factory.mktemp("classifiers")
    make_tiny_run(folder, without(STUDY, "probe", "align", *NEURONS))
    config = json.loads((folder / "tuned" / "config.json").read_text())
    for key in ("id2label", "label2id"):
        del config[key]
    (folder / "tuned" / "config.json").write_text(json.dumps(config | {"num_labels": 2}))
    lines = [json.loads(line) for line in (folder / "odd.jsonl").read_text().splitlines()]
    bare = [json.dumps({key: line[key] for key in ("words", "upos")}) for line in lines]
    (folder / "plain.jsonl").write_text("\n".join(bare) + "\n")
    return folder


def study(place: Path, text: str) -> Path:
    (place / "study.toml").write_text(text.replace("[concepts]", PLAIN + "\n[concepts]", 1))
    return place / "study.toml"


NAMED = TEXT.replace('path = "tuned"\n', f'path = "tuned"\nclasses = {json.dumps(CLASSES)}\n')


@pytest.fixture(scope="module")
def made(place: Path) -> Run:
    return run(study(place, NAMED), place / "named", device="cpu")


def test_classes_that_the_checkpoint_does_not_name_are_named_by_the_study(made: Run) -> None:
    assert made.failed == {}
    for corpus in ("odd", "plain"):
        said = made.alignments[corpus, "base", "tuned"].predicted_polarity
        assert {""} < set(said["class"]) <= {"", *CLASSES}  # it may say one for all
    assert set(made.latent.triggers["odd", "base", "tuned"].facts["classes"]) == set(CLASSES)


def test_without_names_what_needs_them_is_skipped_and_says_what_to_set(place: Path) -> None:
    found = run(study(place, TEXT), place / "unnamed", device="cpu")
    assert found.failed == {}
    reasons = json.loads((place / "unnamed" / "skipped.json").read_text())
    assert all("give classes" in reasons[f"{step} odd/tuned"] for step in ("predict", "triggers"))
    states = {(job.step, job.what): job.state for job in info(place / "unnamed").jobs}
    assert states["triggers", "odd/tuned"] == states["predict", "odd/tuned"] == "skipped"


def test_a_corpus_without_classes_has_no_triggers_by_gold(made: Run) -> None:
    reasons = json.loads((made.path / "skipped.json").read_text())
    assert list(reasons) == ["triggers plain/tuned"]
    assert reasons["triggers plain/tuned"] == "no sentence of corpus 'plain' has a class"


def test_by_predicted_class_it_has(place: Path) -> None:
    text = NAMED.replace("[triggers]\n", '[triggers]\npolarity = "predicted"\n')
    found = run(study(place, text), place / "predicted", device="cpu")
    assert ("plain", "base", "tuned") in found.latent.triggers


def test_a_wrong_parameter_fails_and_is_no_skip(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = NAMED.replace("[triggers]\n", "[triggers]\nlayers = [99]\n")
    status = None
    try:
        main(["run", str(study(place, text)), "--out", str(place / "wrong")])
    except SystemExit as ended:
        status = ended.code
    assert status == 1 and "failed: triggers odd/tuned" in capsys.readouterr().err
    text = NAMED.replace("[triggers]\n", '[triggers]\nlexicon = "nope.tsv"\n')
    with pytest.raises(InputError, match=r"nope\.tsv is not a file"):
        run(study(place, text), place / "never")
    assert not (place / "never").exists()


def test_steps_without_texts_are_skipped_where_the_study_names_no_task(place: Path) -> None:
    text = NAMED.replace('tasks = ["said"]\n', "")
    found = run(study(place, text), place / "textless", device="cpu")
    reasons = json.loads((place / "textless" / "skipped.json").read_text())
    assert found.failed == {}
    for step in ("triggers", "explain", "check_explanations"):
        assert f"set tasks in [{step}]" in reasons[f"{step} odd/tuned"]
    assert not found.latent.triggers and found.latent.mappers


def test_results_of_other_concepts_are_not_shown(made: Run, place: Path) -> None:
    """The study file changed and was not run: concept numbers would mean other concepts."""
    assert made.latent.triggers and made.latent.mappers and made.latent.explanations
    kept = (made.path / "study.toml").read_text()
    try:
        (made.path / "study.toml").write_text(kept.replace("n_clusters = 12", "n_clusters = 10"))
        changed = Run.load(made.path).latent
        assert not changed.clustered and not changed.triggers
        assert not changed.mappers and not changed.explanations
    finally:
        (made.path / "study.toml").write_text(kept)
    skipped = made.path / "skipped.json"
    before = skipped.read_text()
    try:
        skipped.write_text(json.dumps({"triggers odd/tuned": "since then"}))
        assert not Run.load(made.path).latent.triggers
    finally:
        skipped.write_text(before)

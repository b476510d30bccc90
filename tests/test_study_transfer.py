"""Bases x tasks in one study: all that is compared, what is done once, what fails alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tiny import save_tiny
from tunescope.cli import main
from tunescope.errors import InputError
from tunescope.probes.compare import compare_probes
from tunescope.report.findings import findings
from tunescope.report.sections import figures as probe_figures
from tunescope.report.transfer.findings import findings as transfer_findings
from tunescope.report.transfer.pair import parts as pair_parts
from tunescope.study.info import info
from tunescope.study.result import Run
from tunescope.study.run import run
from tunescope.viewer.places import Places
from tunescope.viewer.site import Site

WORDS = ("fox", "dog", "lazy", "quick", "over", "sleep", "ideas", "green", "costs", "stop")
STUDY = """
name = "transfer"

[models.bert]
path = "bert"

[models.gpt]
path = "gpt"

[tasks.good]
path = { train = "good.tsv", dev = "good.tsv" }

[tasks.broken]
path = "broken.tsv"

[corpora.words]
path = "words.jsonl"

[finetune]
bases = ["bert", "gpt"]
tasks = ["good", "broken"]
seeds = [0, 1]
epochs = 1
batch_size = 8
learning_rate = 1e-3
checkpoints = [0.5]

[probe]
l1 = 0.01
l2 = 0.01
control_seeds = 1
resamples = 50

[geometry]
groups = 5
k = 3

[rank]
rankings = ["lca", "random"]
scalings = ["raw"]
l1 = 0.01
l2 = 0.01
control_seeds = 1
resamples = 50
views = 0
tag_neurons = 5

[select]
deltas = [5.0]
increment = 0.2
shares = [0.2]
sizes = [4]
seeds = 1

[prune]
bases = ["bert"]
tasks = ["good"]
drop = ["none", "top:1", "contribution:1"]
resamples = 50
"""
VARIANTS = ("bert-good@0.5", "bert-good.seed1", "gpt-good@0.5", "gpt-good.seed1")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("transfer")
    save_tiny("bert", folder / "bert")
    save_tiny("gpt2", folder / "gpt")
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, 5)) for _ in range(24)]
    rows = [f"{text}\t{'yes' if 'fox' in text else 'no'}" for text in texts]
    (folder / "good.tsv").write_text("sentence\tlabel\n" + "\n".join(rows) + "\n")
    (folder / "broken.tsv").write_text("sentence\tlabel\n" + f"{texts[0]}\tyes\n")  # one class
    lines = [
        {
            "words": words,
            "tag": ["A" if word[0] < "g" else "B" for word in words],
            "length": [str(len(word)) for word in words],
        }
        for words in rng.choice(WORDS, (30, 6)).tolist()
    ]
    (folder / "words.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
    (folder / "study.toml").write_text(STUDY)
    return folder


@pytest.fixture(scope="module")
def made(place: Path) -> Run:
    return run(place / "study.toml", place / "run", device="cpu")


def test_one_broken_task_says_so_and_the_rest_is_there(made, place):
    assert list(made.failed) == ["task broken"]
    assert "need two" in made.failed["task broken"]
    bases, labels = ("bert", "gpt"), ("tag", "length")
    assert set(made.comparisons) == {("words", t, b, f"{b}-good") for t in labels for b in bases}
    assert set(made.transfer.geometry) == {("words", b, f"{b}-good") for b in bases}
    assert set(made.transfer.shifts) == set(made.comparisons)
    assert set(made.transfer.pruning) == {("bert", "good")}
    states = {(job.step, job.what): job.state for job in info(place / "run").jobs}
    assert states["task", "broken"] == "failed"
    assert states["finetune", "bert-broken"] == "waiting"
    assert states["probe", "words/tag/bert-broken"] == "waiting"
    assert {s for (step, what), s in states.items() if "broken" not in what} == {"done"}


def test_comparisons_are_over_all_seeds_and_paths_over_checkpoints(made):
    key = ("words", "tag", "bert", "bert-good")
    probes = made.all_probes
    runs = [probes[(*key[:2], name)] for name in ("bert-good", "bert-good.seed1")]
    expected = compare_probes(probes[(*key[:2], "bert")], runs).table()
    pd.testing.assert_frame_equal(made.comparisons[key].table(), expected)
    assert made.comparisons[key].table()["n_seeds"].unique() == [2]
    way = made.transfer.probe_paths[key]
    assert [at for at, _ in way] == [0.5, 1.0]
    end = compare_probes(probes[(*key[:2], "bert")], probes[(*key[:2], "bert-good")])
    pd.testing.assert_frame_equal(way[1][1].table(), end.table())  # of the same run as the others
    alone = compare_probes(probes[(*key[:2], "bert")], probes[(*key[:2], "bert-good@0.5")])
    pd.testing.assert_frame_equal(way[0][1].table(), alone.table())
    assert [len(made.transfer.geometry[k]) for k in made.transfer.geometry] == [2, 2]
    assert [at for at, _ in made.transfer.geometry_paths["words", "gpt", "gpt-good"]] == [0.5, 1.0]


def test_other_seeds_tune_differently_and_checkpoints_are_on_the_way(made):
    one, two = made.transfer.tuned["bert-good"]
    assert one.manifest.parameters["seed"] == 0 and two.manifest.parameters["seed"] == 1
    assert one.checkpoints and not two.checkpoints
    geometry = [g.layers.query("measure == 'cka' and layer == 2")["value"].item()
                for g in made.transfer.geometry["words", "bert", "bert-good"]]  # fmt: skip
    assert geometry[0] != geometry[1]
    half = made.transfer.geometry_paths["words", "bert", "bert-good"][0][1].layers
    assert half.query("measure == 'cka' and layer == 2")["value"].item() > geometry[0]


@pytest.mark.parametrize("base", ["bert", "gpt"])
def test_every_figure_says_which_tuning_runs_it_is_of(made, base):
    pair = base, f"{base}-good"
    figures = [*probe_figures(made, pair), *sum(pair_parts(made, *pair).values(), [])]
    said = {figure.name: figure.caption for figure in figures}
    assert len(said) > 8
    for name, caption in said.items():
        mean, first = "ean over 2 tuning runs" in caption, "the first tuning run" in caption
        assert mean != first, (name, caption)
        assert mean == name.startswith(("difference-", f"geometry-{base}-")), name


def test_variants_are_in_no_table_of_models(made):
    assert {model for *_, model in made.probes} == {"bert", "gpt", "bert-good", "gpt-good"}
    assert {model for *_, model in made.neurons.rankings} == {
        "bert",
        "gpt",
        "bert-good",
        "gpt-good",
    }
    assert {model for _, model in made.extraction} >= set(VARIANTS)


def test_pruning_takes_the_whole_model_from_what_is_tuned_already(made):
    whole = made.transfer.pruning["bert", "good"].predictions("none", 0)
    pd.testing.assert_frame_equal(whole, made.transfer.tuned["bert-good"][0].predictions())


def test_one_more_tuned_model_costs_its_own_work_only(made, place, monkeypatch):
    files = ("*.npy", "*.parquet", "*.safetensors")
    before = {p: p.stat().st_mtime_ns for kind in files for p in (place / "run").rglob(kind)}
    text = STUDY.replace('path = "broken.tsv"', 'path = "good.tsv"')
    (place / "study.toml").write_text(text.replace("broken", "other"))
    again = run(place / "study.toml", place / "run", device="cpu")
    assert not again.failed
    assert all(p.stat().st_mtime_ns == at for p, at in before.items())
    new = {p for kind in files for p in (place / "run").rglob(kind)} - set(before)
    assert new and all("other" in str(p.relative_to(place)) for p in new)
    assert ("words", "tag", "gpt", "gpt-other") in again.comparisons


def test_the_command_completes_and_then_says_what_failed(place, capsys):
    (place / "bad.toml").write_text(STUDY.replace("[prune]", "[nothing]").split("[nothing]")[0])
    with pytest.raises(SystemExit) as end:
        main(["run", str(place / "bad.toml"), "--out", str(place / "other"), "--device", "cpu"])
    assert end.value.code == 1
    out, errors = capsys.readouterr()
    assert "failed: task broken: " in errors.splitlines()[-1] and "page: " in out
    site = place / "other" / "site"
    assert "ended with an error; the next run tries it again: " in (site / "index.html").read_text()
    for page in ("layers/index.html", "layers/bert-bert-broken/index.html"):
        assert "task failed: " in (site / page).read_text()


def test_every_page_about_many_tuned_models_is_there_and_drawn(made: Run) -> None:
    site = Site(made)
    front = site.get("index.html")
    assert front is not None
    said = front.body.decode()
    table, sections = said.index('<figure id="pairs"'), said.index('id="pair-0"')
    assert table < sections and "<h2>bert → bert-broken</h2>" not in said
    for name in ("bert-good", "gpt-good"):
        assert f"{name}</bdi></a>" in said[table:sections]
    for base, tuned in made.pairs:
        for finding in findings(made, base, tuned):
            assert finding.evidence is not None
    for finding in transfer_findings(made):
        at = Places(site).evidence(finding.evidence)
        assert at is not None
        path, _, name = at.partition("#")
        page = site.get(path)
        assert page is not None and f'<figure id="{name}"'.encode() in page.body
    drawn = [path for path in site.paths() if path.startswith("layers/") and path.endswith(".js")]
    assert "layers/pruned-bert.js" in drawn
    for path in drawn:
        script = site.get(path)
        assert script is not None and b'"datasets"' in script.body, path


def test_a_study_of_which_nothing_can_be_done_is_an_error(place, tmp_path):
    text = '[models.a]\npath = "./nowhere"\n[corpora.words]\npath = "words.jsonl"\n[probe]\n'
    (place / "none.toml").write_text(f'name = "none"\n{text}')
    with pytest.raises(InputError, match="model a: .*nowhere is not a folder"):
        run(place / "none.toml", tmp_path / "run", device="cpu")

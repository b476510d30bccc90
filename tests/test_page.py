"""The page and its parts, without a browser: escaping, figures' data, findings, partial runs."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from runs import CLASSES, HOSTILE, LABELS, NEURONS, STUDY, make_tiny_run, without
from tunescope.activations.store import ActivationStore
from tunescope.errors import InputError
from tunescope.report import findings, provenance
from tunescope.report.browser import FATES, browser_data
from tunescope.report.figure import Figure, slug
from tunescope.report.figures import concepts as concept_figures
from tunescope.report.figures import probes as probe_figures
from tunescope.report.figures.style import specification
from tunescope.report.neurons import findings as neuron_findings
from tunescope.report.neurons import page as neuron_page
from tunescope.report.neurons import sections as neuron_sections
from tunescope.report.sections import figures, pairs
from tunescope.report.site import embedded_json, export, script_hash, vega
from tunescope.steps import Extract
from tunescope.study.result import Run

PAIR = ("base", "tuned")


@pytest.fixture(scope="module")
def site(tiny_site: Path) -> Path:
    return tiny_site


@pytest.fixture(scope="module")
def text(site: Path) -> str:
    return site.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def neuron_texts(site: Path) -> dict[str, str]:
    """Return the pages of neurons, by model."""
    names = {model: f"neurons-odd-upos-{model}.html" for model in PAIR}
    return {model: (site.parent / name).read_text("utf-8") for model, name in names.items()}


@pytest.fixture
def no_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what takes most of the time and stands in no page."""
    monkeypatch.setattr(Figure, "save", lambda *_: None)


def embedded(text: str, name: str) -> Any:
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', text, re.S)
    assert found is not None
    return json.loads(found[1])


def values(chart: Any) -> list[dict[str, Any]]:
    """Every row of data in a chart."""
    return [row for rows in specification(chart)["datasets"].values() for row in rows]


def test_exports_page_images_and_tables(site: Path, tiny_run: Run) -> None:
    names = {figure.name for figure in figures(tiny_run, PAIR)}
    assert len(names) == 18
    studies = neuron_page.studies(tiny_run).values()
    of_neurons = [f.name for study in studies for f in neuron_page.figures(study)]
    across = {figure.name for figure in neuron_sections.across(list(studies))}
    assert len(of_neurons) == len(set(of_neurons)) > 24, "one model's files hide no other's"
    tables = {path.stem for path in (site.parent / "tables").glob("*.csv")}
    assert tables == names | set(of_neurons) | across
    images = list((site.parent / "figures").iterdir())
    assert {path.suffix for path in images} == {".svg", ".png"}
    assert all(path.stat().st_size > 1000 for path in images)
    assert site.stat().st_size < 3e6


def test_page_needs_no_other_file(text: str) -> None:
    outside = re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', text.split("<script")[0])
    assert set(outside) == {f'href="neurons-odd-upos-{model}.html"' for model in PAIR}
    assert "default-src 'none'" in html.unescape(text)
    assert "unsafe-eval" not in text
    assert not re.search(r"<script[^>]+src=|<link[^>]+stylesheet|@import|@font-face", text)


def test_policy_allows_exactly_the_scripts_of_the_page(text: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    allowed = html.unescape(policy[1])
    scripts = re.findall(r"<script>(.*?)</script>", text, re.S)
    assert len(scripts) == 3
    assert re.findall(r"'sha256-[^']+'", allowed) == [script_hash(script) for script in scripts]


def test_text_from_data_is_escaped(text: str) -> None:
    for hostile in (*HOSTILE[:3], *LABELS[2:], *CLASSES[:1]):
        assert hostile == "</script>" or hostile not in text
    assert len(re.findall(r"<script[ >]", text)) == text.count("</script>") == 5
    assert "A study of &lt;em&gt;nothing&lt;/em&gt; &amp; everything." in text
    assert "<em>" not in text


def test_embedded_json_cannot_end_its_element() -> None:
    made = str(embedded_json({"<!--": ["</script><script>alert(1)</script>", "&amp;"]}))
    assert "<" not in made
    assert json.loads(made) == {"<!--": ["</script><script>alert(1)</script>", "&amp;"]}


def test_vega_bundle_cannot_end_its_element() -> None:
    assert "</script" not in vega()


def test_export_opens_a_folder_and_refuses_another(tiny_run: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no study\.toml"):
        export(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_same_run_same_pages(site: Path, tiny_run: Run, tmp_path: Path, no_images: None) -> None:
    export(tiny_run.path, tmp_path)
    pages = {path.name: path.read_bytes() for path in tmp_path.glob("*.html")}
    assert pages == {path.name: path.read_bytes() for path in site.parent.glob("*.html")}
    assert len(pages) == 3


def test_every_figure_has_caption_source_and_numbers(tiny_run: Run) -> None:
    for figure in figures(tiny_run, PAIR):
        assert len(figure.caption) > 60
        assert tiny_run.about["command"] in figure.source
        assert len(figure.table) == len(figure.rows()) > 0
        assert figure.csv().count("\n") == len(figure.table) + 1
        for chart in figure.charts.values():
            assert values(chart)


def test_browser_data_gives_back_words_and_concepts(tiny_run: Run, text: str) -> None:
    data = embedded(text, "browser-data")
    assert data == json.loads(json.dumps(browser_data(tiny_run)))
    for clustering in data["clusterings"]:
        corpus = data["corpora"][clustering["corpus"]]
        concepts = tiny_run.concepts[corpus["name"], clustering["model"]]
        forms = [corpus["types"][number] for number in corpus["type"]]
        assert forms == concepts.words.values("form").tolist()
        for row, form in enumerate(forms):
            sentence = corpus["sentences"][corpus["sentence"][row]]
            assert sentence[corpus["position"][row]] == form
        for layer, numbers in zip(clustering["layers"], clustering["concepts"], strict=True):
            np.testing.assert_array_equal(numbers, concepts.labels(layer))
    words = {form for corpus in data["corpora"] for form in corpus["types"]}
    assert words >= set(HOSTILE)


def test_browser_data_pairs_views_with_fates(tiny_run: Run) -> None:
    data = browser_data(tiny_run)
    alignment = tiny_run.alignments["odd", *PAIR]
    base, tuned = data["views"][:2]
    assert (base["other"], tuned["other"]) == (1, 0)
    for view, role in ((base, "base"), (tuned, "tuned")):
        for layer, columns in enumerate(view["layers"]):
            frame = alignment.concepts
            frame = frame[(frame["role"] == role) & (frame["layer"] == layer)]
            assert [FATES[code] for code in columns["fate"]] == frame["fate"].tolist()
            assert columns["match"] == frame["best_match"].tolist()
            assert columns["class"] == frame["class_label"].tolist()


# --- pages of neurons ----------------------------------------------------------------------------


def test_every_link_leads_somewhere(site: Path) -> None:
    pages = {path.name: path.read_text(encoding="utf-8") for path in site.parent.glob("*.html")}
    script = re.compile(r"<script.*?</script>", re.S)
    bodies = {name: script.sub("", text) for name, text in pages.items()}
    for name, body in bodies.items():
        ids = re.findall(r' id="([^"]+)"', body)
        assert len(ids) == len(set(ids)), name
        for link in re.findall(r'href="([^"]*)"', body):
            if link.startswith("#"):
                assert html.unescape(link[1:]) in ids, link
            elif not link.startswith("data:"):
                assert html.unescape(link) in pages, link
    reached = {link for body in bodies.values() for link in re.findall(r'href="([^"#:]+)"', body)}
    assert reached == set(pages), "every page is linked, and links back"


def test_neuron_pages_have_every_figure(neuron_texts: dict[str, str], tiny_run: Run) -> None:
    for model, text in neuron_texts.items():
        found = {name.split("-base-odd")[0].split("-tuned-odd")[0]
                 for name in re.findall(r'<figure id="([^"]+)"', text)}  # fmt: skip
        assert found == {
            "curve", "rankings", "ablation-raw", "minimal", "neuron-selectivity", "layers",
            "layers-by-ranking", "tags", "sharing", "localisation", "agreement-raw", "votes-raw",
            "redundancy", "search", "effects-accuracy", "effects-changed",
            "effects-log_probability",
        }  # fmt: skip
        study = neuron_page.studies(tiny_run)["odd", "upos", model]
        assert html.escape(neuron_findings.verdict(neuron_page.findings(study))) in text
        for claim in neuron_page.findings(study):
            assert claim.text in html.unescape(text)


def test_neuron_figures_have_the_numbers_of_the_results(site: Path, tiny_run: Run) -> None:
    folder, key = site.parent / "tables", ("odd", "upos", "base")
    sets, redundancy = tiny_run.neurons.sets[key], tiny_run.neurons.redundancy[key]
    for name, frame in (
        ("minimal", sets.frame("minimal")),
        ("redundancy", redundancy.frame("redundancy")),
        ("curve", sets.frame("curve").query("ranking == 'lca'").reset_index(drop=True)),
    ):
        drawn = pd.read_csv(folder / f"{name}-base-odd-upos.csv")
        assert len(drawn.columns) > 5
        same = frame[drawn.columns].astype(drawn.dtypes.to_dict())
        pd.testing.assert_frame_equal(drawn, same)


def test_neuron_pages_are_escaped_and_allow_their_own_scripts(neuron_texts: dict[str, str]) -> None:
    for text in neuron_texts.values():
        for hostile in (HOSTILE[0], HOSTILE[2], LABELS[2], CLASSES[0]):
            assert hostile not in text
        scripts = re.findall(r"<script>(.*?)</script>", text, re.S)
        assert len(scripts) == 4
        assert len(re.findall(r"<script[ >]", text)) == text.count("</script>") == 7
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
        assert policy is not None
        allowed = re.findall(r"'sha256-[^']+'", html.unescape(policy[1]))
        assert allowed == [script_hash(script) for script in scripts]


def test_neuron_browser_lists_the_neurons_that_were_kept(
    neuron_texts: dict[str, str], tiny_run: Run
) -> None:
    for model, text in neuron_texts.items():
        data = embedded(text, "neuron-data")
        ranked = tiny_run.neurons.rankings["odd", "upos", model]
        [group] = data["groups"]
        assert (group["model"], group["labels"]) == (model, ["upos"])
        kept = [str(view.neuron) for view in ranked.views()]
        assert [f"{n['layer']}:{n['index']}" for n in group["neurons"]] == kept
        first = {
            group["tags"][0][tag]: f"{neuron['layer']}:{neuron['index']}"
            for neuron in group["neurons"]
            for _, tag, rank in neuron["for"]
            if rank == 1
        }
        orders = ranked.ranking("lca").tag_orders
        words = ranked.words(ActivationStore.load(tiny_run.path / "activations" / "odd" / model))
        best = [str(words.train.x.neuron(column)) for column in orders[:, 0]]
        assert first == dict(zip(words.classes, best, strict=True))
        assert set(first) == set(LABELS)


# --- figures -------------------------------------------------------------------------------------


def test_accuracy_figure_draws_probe_control_and_majority(tiny_run: Run) -> None:
    tables = [tiny_run.probes["odd", "upos", model].table() for model in PAIR]
    rows = values(probe_figures.accuracy(pd.concat(tables)))
    for table, model in zip(tables, PAIR, strict=True):
        drawn = [r for r in rows if r["measure"] == "probe" and r["model"] == model]
        assert [r["accuracy"] for r in drawn] == pytest.approx(table["accuracy"].tolist())
        assert [r["low"] for r in drawn] == pytest.approx(table["accuracy_low"].tolist())
        control = [r for r in rows if r["measure"] == "control task" and r["model"] == model]
        drawn = [r["accuracy"] for r in control]
        assert drawn == pytest.approx(table["control_accuracy"].tolist())
    assert {r["measure"] for r in rows} == {"probe", "control task", "majority"}


def test_accuracy_figure_without_control_tasks(tiny_run: Run) -> None:
    table = tiny_run.probes["odd", "upos", "base"].table().assign(control_accuracy=np.nan)
    assert {row["measure"] for row in values(probe_figures.accuracy(table))} == {
        "probe",
        "majority",
    }


def test_difference_figure_fills_what_is_significant() -> None:
    table = pd.DataFrame(
        {
            "layer": [0, 1],
            "difference": [0.0, -0.1],
            "low": [-0.1, -0.2],
            "high": [0.1, -0.01],
            "p_holm": [0.05, 0.04],
        }
    )
    rows = [row for row in values(probe_figures.difference(table)) if "change" in row]
    assert [row["change"] for row in rows] == ["not significant", "p < 0.05"]


def test_retention_figure_draws_share_interval_and_null(tiny_run: Run) -> None:
    table = tiny_run.alignments["odd", *PAIR].retention
    rows = values(concept_figures.retention(table))
    found = [row for row in rows if row["measure"] == "retained"]
    assert [row["share"] for row in found] == pytest.approx(table["retained_share"].tolist())
    assert [row["high"] for row in found] == pytest.approx(table["retained_high"].tolist())
    null = [row["share"] for row in rows if row["measure"] != "retained"]
    assert null == pytest.approx((table["null_high"] / table["n_base"]).tolist())


def test_fates_figure_counts(tiny_run: Run) -> None:
    table = tiny_run.alignments["odd", *PAIR].retention
    rows = values(concept_figures.lost_and_born(table))
    for fate in ("retained", "lost", "born"):
        assert [r["concepts"] for r in rows if r["fate"] == fate] == table[fate].tolist()


def test_matrix_figure_has_every_pair_of_layers(tiny_run: Run) -> None:
    table = tiny_run.alignments["odd", *PAIR].matrix
    rows = values(concept_figures.matrix(table))
    drawn = {(row["base_layer"], row["tuned_layer"]): row["retained_share"] for row in rows}
    expected = table.set_index(["base_layer", "tuned_layer"])["retained_share"].to_dict()
    assert drawn == pytest.approx(expected)
    assert len(drawn) == 9


def test_a_large_matrix_has_no_numbers() -> None:
    layers = [(b, t, 0.5) for b in range(25) for t in range(25)]
    table = pd.DataFrame(layers, columns=["base_layer", "tuned_layer", "retained_share"])
    marks = [layer["mark"]["type"] for layer in concept_figures.matrix(table).to_dict()["layer"]]
    assert marks == ["rect"]


def test_polarity_figures_separate_models_and_classes(tiny_run: Run) -> None:
    table = tiny_run.alignments["odd", *PAIR].polarity
    whole = table[table["class"] == ""]
    rows = values(concept_figures.polarised(table))
    found = [row["concepts"] for row in rows if row["measure"] == "found"]
    assert found == whole["polarised"].tolist()
    null = [row["concepts"] for row in rows if row["measure"] != "found"]
    assert null == pytest.approx(whole["null_high"].tolist())
    rows = [row for row in values(concept_figures.classes(table, "tuned")) if "towards" in row]
    expected = table[(table["role"] == "tuned") & (table["class"] != "")]
    assert [row["towards"] for row in rows] == expected["class"].tolist()
    assert [row["polarised"] for row in rows] == expected["polarised"].tolist()


def test_label_figure_shows_both_models_beside_the_null(tiny_run: Run) -> None:
    table = tiny_run.alignments["odd", *PAIR].labels
    rows = values(concept_figures.aligned(table))
    found = [row["concepts"] for row in rows if row["measure"] == "found"]
    assert found == table["aligned"].tolist()


# --- findings ------------------------------------------------------------------------------------


def comparison(differences: list[float], p: list[float]) -> pd.DataFrame:
    layers = np.arange(len(p))
    change = np.array(differences)
    return pd.DataFrame(
        {
            "layer": layers,
            "tuned": "t",
            "base_accuracy": 0.9,
            "tuned_accuracy": 0.9 + change,
            "difference": change,
            "low": change - 0.01,
            "high": change + 0.01,
            "p_holm": p,
        }
    )


def test_loss_at_the_top_alone_is_the_pattern() -> None:
    found = findings.knowledge(comparison([0, 0, -0.05, -0.1], [1, 1, 0.01, 0.01]), "upos")
    assert found.holds
    assert "significantly at layers 2 to 3" in found.text
    assert "(\N{MINUS SIGN}10.0 points, 95% CI \N{MINUS SIGN}11.0 to \N{MINUS SIGN}9.0)" in (
        found.text
    )
    assert "No significant loss at layers 0 to 1" in found.text


@pytest.mark.parametrize(
    ("differences", "p", "said"),
    [
        ([0, 0, -0.1], [1, 1, 0.2], "no accuracy that is significant"),
        ([-0.1, -0.1, 0.0], [0.01, 0.01, 1], "not at the top"),
        ([-0.1, -0.1, -0.1], [0.01, 0.01, 0.01], "Every layer loses"),
        ([0, 0, 0.1], [1, 1, 0.01], "gains significantly at layer 2"),
    ],
)
def test_other_changes_are_not_the_pattern(
    differences: list[float], p: list[float], said: str
) -> None:
    found = findings.knowledge(comparison(differences, p), "upos")
    assert not found.holds
    assert said in found.text


def retention(low: tuple[float, float], top: tuple[float, float], p: float = 0.01) -> pd.DataFrame:
    rows = [
        {"layer": n, "base": "b", "tuned": "t", "n_base": 100, "retained_share": sum(ci) / 2,
         "retained_low": ci[0], "retained_high": ci[1], "null_high": 3.0, "p": p}
        for n, ci in enumerate((low, top))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_retention_must_fall_beyond_its_intervals() -> None:
    assert findings.retained(retention((0.7, 0.9), (0.0, 0.1)), "c", 0.8).holds
    assert not findings.retained(retention((0.3, 0.9), (0.2, 0.5)), "c", 0.8).holds
    assert not findings.retained(retention((0.7, 0.9), (0.0, 0.1), p=0.5), "c", 0.8).holds


def test_polarity_must_exceed_base_and_chance() -> None:
    def table(tuned: int, base: int, null: float, p: float) -> pd.DataFrame:
        rows = [
            {"role": role, "model": role, "layer": layer, "class": "", "n_concepts": 50,
             "polarised": count * layer, "null_high": null, "p": p if layer else 1.0}
            for role, count in (("base", base), ("tuned", tuned)) for layer in (0, 1)
        ]  # fmt: skip
        return pd.DataFrame(rows)

    assert findings.polarised(table(9, 0, 1.0, 0.01), "c", 0.9).holds
    assert not findings.polarised(table(9, 9, 1.0, 0.01), "c", 0.9).holds
    assert not findings.polarised(table(9, 0, 9.0, 0.6), "c", 0.9).holds


def test_verdict_says_plainly_what_does_not_show() -> None:
    yes, no = (findings.Finding("t", "x", holds) for holds in (True, False))
    assert findings.verdict([yes, yes]).endswith("shows here, in all 2 measures.")
    assert "shows here in 1 of 2 measures, not in all." in findings.verdict([yes, no])
    assert findings.verdict([no, no]).endswith("does not show here.")
    assert findings.verdict([]) == "Nothing is compared."


def test_summary_is_the_findings_of_every_pair(tiny_run: Run) -> None:
    text = findings.summary(tiny_run)
    found = findings.findings(tiny_run, *PAIR)
    assert text.startswith(f"base -> tuned: {findings.verdict(found)}\n- upos in odd: ")
    assert len(found) == 6
    assert all(f.text.replace("\N{MINUS SIGN}", "-") in text for f in found)


def test_layers_are_written_as_ranges() -> None:
    assert findings.layers([3]) == "layer 3"
    assert findings.layers([0, 1, 2, 5, 7, 8]) == "layers 0 to 2, 5 and 7 to 8"


# --- provenance, partial runs --------------------------------------------------------------------


def test_warnings_name_what_went_wrong(tmp_path: Path) -> None:
    cut = {"words_cut_off": 5, "n_words": 100, "sentences_cut_off": 2}
    facts = [{"layer": 0, "converged": True, "n_unseen": 3}]
    facts.append({"layer": 1, "converged": False, "n_unseen": 3})
    run: Any = SimpleNamespace(
        path=tmp_path,
        study=SimpleNamespace(extract=Extract()),
        extraction={
            ("c", "a"): cut | {"words_without_subwords": {}},
            ("c", "b"): cut | {"words_without_subwords": {"\u200b": 4}},
        },
        probes={("c", "upos", "a"): SimpleNamespace(facts=facts)},
    )
    found = provenance.warnings(run)
    assert len(found) == 4
    assert found[0].startswith("c, in a, b: 5 of 100 words, in 2 sentences")
    assert "1 word types (4 words" in found[1]
    assert "1 of 2 layers did not converge (layers 1)" in found[2]
    assert "3 test words" in found[3]
    run.study.extract = Extract(long="windows")
    assert "have more subwords than the model takes" in " ".join(provenance.warnings(run))
    (tmp_path / "skipped.json").write_text('{"intervene c/upos/a": "no head"}')
    assert provenance.warnings(run)[0] == "Skipped: intervene c/upos/a: no head"


def test_file_names_stay_different_and_harmless() -> None:
    assert slug("base", "upos") == "base-upos"
    assert slug("a/b") != slug("a:b")
    assert re.fullmatch(r"[\w.-]+", slug("../x", '"<>', "חיים"), re.ASCII)


@pytest.mark.parametrize(
    ("left_out", "figures_there", "browses"),
    [
        (("concepts", "align"), {"accuracy", "difference", "selectivity"}, False),
        (("probe", "align"), set(), True),
        (("probe",), {"retained", "fates", "matrix", "aligned", "polarised", "classes"}, True),
    ],
)
def test_partial_runs_have_the_sections_they_have(
    tmp_path: Path,
    left_out: tuple[str, ...],
    figures_there: set[str],
    browses: bool,
    no_images: None,
) -> None:
    study = without(STUDY, *left_out, *NEURONS, "corpora.more")
    run = make_tiny_run(tmp_path, study)
    text = export(run, tmp_path / "site").read_text(encoding="utf-8")
    found = {re.split("-", name)[0] for name in re.findall(r'<figure id="([^"]+)"', text)}
    assert found == figures_there
    assert ('<section id="concepts">' in text) == browses


def test_a_model_alone_and_two_tuned_ones_each_have_a_place(tiny_run: Run) -> None:
    models = dict.fromkeys(("b", "t", "u", "alone"))
    study = SimpleNamespace(models=models)
    run: Any = SimpleNamespace(pairs=[("b", "t"), ("b", "u")], study=study)
    assert pairs(run) == [("b", "t"), ("b", "u"), ("alone", None)]


def test_figure_of_one_model_alone(tiny_run: Run) -> None:
    made = figures(tiny_run, ("base", None))
    assert [figure.name.split("-")[0] for figure in made] == ["accuracy", "selectivity"] * 2
    assert all(isinstance(figure, Figure) for figure in made)

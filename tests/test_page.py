"""The page and its parts, without a browser: escaping, figures' data, findings, partial runs."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from runs import CLASSES, HOSTILE, LABELS, NEURONS, STUDY, make_tiny_run, without
from tunescope.activations.store import ActivationStore
from tunescope.errors import InputError
from tunescope.report import provenance
from tunescope.report.concepts import page as concept_page
from tunescope.report.figure import Figure, slug
from tunescope.report.figures.style import specification
from tunescope.report.neurons import findings as neuron_findings
from tunescope.report.neurons import page as neuron_page
from tunescope.report.neurons import sections as neuron_sections
from tunescope.report.sections import figures, pairs
from tunescope.report.site import embedded_json, export, script_hash, vega
from tunescope.report.transfer.pair import figures as of_pair
from tunescope.report.transfer.sections import figures as transfer_figures
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
    of_concepts = [
        figure.name
        for corpus in ("odd", "more")
        for part in concept_page.parts(tiny_run, (corpus, *PAIR))
        for figure in part.figures
    ]
    names = {figure.name for figure in figures(tiny_run, PAIR)} | set(of_concepts)
    kinds = {name.split("-")[0] for name in names}
    assert kinds == OF_ALIGNMENTS | {
        "accuracy", "difference", "selectivity", "stability", "triggers", "trigger", "mapper",
        "explained", "faithful",
    }  # fmt: skip
    transfer = [figure.name for figure in (*transfer_figures(tiny_run), *of_pair(tiny_run, *PAIR))]
    assert len(transfer) == len(set(transfer)) == 3  # one pair: there is nothing to put beside it
    names |= set(transfer)
    studies = neuron_page.studies(tiny_run).values()
    of_neurons = [f.name for study in studies for f in neuron_page.figures(study)]
    across = {figure.name for figure in neuron_sections.across(list(studies))}
    assert len(of_neurons) == len(set(of_neurons)) > 24, "one model's files hide no other's"
    tables = {path.stem for path in (site.parent / "tables").glob("*.csv")}
    assert tables == names | set(of_neurons) | across
    images = list((site.parent / "figures").iterdir())
    assert {path.suffix for path in images} == {".svg", ".png"}
    assert all(path.stat().st_size > 1000 for path in images)
    assert site.stat().st_size < 4e6


def test_page_needs_no_other_file(text: str) -> None:
    outside = re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', text.split("<script")[0])
    assert set(outside) == {
        *(f'href="neurons-odd-upos-{model}.html"' for model in PAIR),
        *(f'href="concepts-{corpus}-base-tuned.html"' for corpus in ("odd", "more")),
    }
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
    assert len(pages) == 5


def test_every_figure_has_caption_source_and_numbers(tiny_run: Run) -> None:
    parts = concept_page.parts(tiny_run, ("odd", *PAIR))
    for figure in (*figures(tiny_run, PAIR), *(f for part in parts for f in part.figures)):
        assert len(figure.caption) > 60
        assert tiny_run.about["command"] in figure.source
        assert len(figure.table) == len(figure.rows()) > 0
        assert figure.csv().count("\n") == len(figure.table) + 1
        for chart in figure.charts.values():
            assert values(chart)


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
        same = pd.DataFrame(frame[drawn.columns]).astype(drawn.dtypes.to_dict())
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
        failed={},
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
    run.failed = {"task t": "no such file"}
    assert provenance.warnings(run)[0] == "Failed: task t: no such file"


def test_file_names_stay_different_and_harmless() -> None:
    assert slug("base", "upos") == "base-upos"
    assert slug("a/b") != slug("a:b")
    assert re.fullmatch(r"[\w.-]+", slug("../x", '"<>', "חיים"), re.ASCII)


OF_ALIGNMENTS = {
    "retained", "fates", "matrix", "sweep", "labels", "aligned", "composition", "polarised",
    "classes", "predicted",
}  # fmt: skip


@pytest.mark.parametrize(
    ("left_out", "figures_there", "browses"),
    [
        (
            ("concepts", "align"),
            {"accuracy", "difference", "selectivity"},
            False,
        ),
        (("probe", "align"), set(), True),
        (("probe",), OF_ALIGNMENTS, True),
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
    pages = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "site").glob("*.html"))
    found = {re.split("-", name)[0] for name in re.findall(r'<figure id="([^"]+)"', pages)}
    assert found == figures_there
    assert ('<section id="concepts">' in text) == browses


def test_a_model_alone_and_two_tuned_ones_each_have_a_place(tiny_run: Run) -> None:
    models = dict.fromkeys(("b", "t", "u", "alone"))
    study = SimpleNamespace(models=models)
    run: Any = SimpleNamespace(pairs=[("b", "t"), ("b", "u")], study=study)
    assert pairs(run) == [("b", "t"), ("b", "u"), ("alone", None)]

"""The page about triggers: the difference first, texts before and after, all that was tried."""

from __future__ import annotations

import html
import io
import json
import posixpath
import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from runs import CLASSES, HOSTILE
from tunescope.report.concepts.triggers import KINDS, figures
from tunescope.report.figures.triggers import METHODS
from tunescope.report.wording import percent
from tunescope.study.result import Run
from tunescope.triggers.measures import wilson
from tunescope.viewer.site import Served, Site
from tunescope.viewer.trigger_tables import parted
from tunescope.viewer.triggers import concept_triggers_path, triggers_path
from tunescope.viewer.triggers_tried import spot, tried_data, tried_frame

KEY = ("odd", "base", "tuned")
ABOVE = triggers_path(KEY).removesuffix("index.html")


@pytest.fixture(scope="module")
def site(tiny_run: Run) -> Site:
    return Site(tiny_run)


def text_of(site: Site, path: str) -> str:
    content = site.get(path)
    assert content is not None
    return content.body.decode()


@pytest.fixture(scope="module")
def page(site: Site) -> str:
    return text_of(site, triggers_path(KEY))


def test_the_difference_to_the_baselines_comes_first(page: str, tiny_run: Run) -> None:
    names = re.findall(r'<figure id="([^"]+)"', page)
    assert names[0].startswith("beside-")
    table = page.split(f'<figure id="{names[0]}"')[1].split("</table>")[0]
    columns = re.findall(r"<th scope=\"col\"[^>]*>([^<]*)</th>", table)
    assert columns[:3] == ["Towards", "Beside", "more flipped"]
    rows = tiny_run.latent.triggers[KEY].comparisons.query("scope == 'all'")
    assert table.count("<tr>") == 2 + len(rows)
    for name in ("random words", "concepts of other classes", "HotFlip"):
        assert name in table


def test_what_is_left_out_and_every_kind_of_trigger_is_said_in_words(
    page: str, tiny_run: Run
) -> None:
    found = tiny_run.latent.triggers[KEY]
    captions = html.unescape(" ".join(re.findall(r"<figcaption>(.*?)</figcaption>", page, re.S)))
    assert "hotflip __proto__" in found.facts["left_out"]
    assert "Left out: HotFlip towards __proto__" in captions
    for method in set(found.best["method"]):
        assert f"{METHODS[method][0]}: {KINDS[method]}".lower() in captions.lower()


def test_no_chart_of_correlations_without_a_correlation(tiny_run: Run) -> None:
    found = tiny_run.latent.triggers[KEY]
    known = found.correlations.assign(rho=0.5, low=0.1, high=0.8)
    frames = ("tried", "best", "concepts", "examples")
    shared = {"facts": found.facts, "manifest": found.manifest}
    shared |= {name: getattr(found, name) for name in frames}
    for correlations, drawn in ((known, True), (known.assign(rho=np.nan), False)):
        table: Any = SimpleNamespace(**shared, correlations=correlations)
        (traits,) = (f for f in figures(tiny_run, "odd", table) if f.name.startswith("trigger-tr"))
        assert ("traits" in traits.charts) == drawn
        assert ("Spearman" in traits.caption) == drawn


def test_texts_show_the_trigger_marked_with_a_link_to_its_concept(
    page: str, site: Site, tiny_run: Run
) -> None:
    examples = tiny_run.latent.triggers[KEY].examples
    marked = re.findall(r"<mark>(.*?)</mark>", page, re.S)
    assert [html.unescape(text) for text in marked] == examples["trigger"].tolist()
    links = set(re.findall(r'href="../../(concepts/[^"#]+)"', page.split('id="texts"')[1]))
    assert links
    for link in links:
        assert site.get(link) is not None


def test_negative_shares_have_a_minus_sign() -> None:
    assert [percent(share) for share in (-0.021, -0.0001, 0.5)] == [
        "\N{MINUS SIGN}2.1%",
        "0%",
        "50%",
    ]


def test_hostile_words_and_classes_are_text(page: str, tiny_run: Run) -> None:
    found = tiny_run.latent.triggers[KEY]
    shown = " ".join(found.examples["with_trigger"])
    assert any(word in shown for word in HOSTILE)
    for word in (*HOSTILE, *CLASSES):
        if "<" in word and word != "</script>":
            assert word not in page
    assert html.escape(CLASSES[0]) in page
    data = text_of(Site(tiny_run), f"{ABOVE}tried.js")
    assert "<" not in data


def test_every_link_of_the_page_leads_somewhere(page: str, site: Site) -> None:
    links = {html.unescape(link) for link in re.findall(r'(?:href|src)="([^"]+)"', page)}
    places = set(re.findall(r'id="([^"]+)"', page))
    assert len(links) > 20
    for link in links - {"data:,"}:
        path, _, place = link.partition("#")
        at = posixpath.normpath(posixpath.join(ABOVE, path)) if path else triggers_path(KEY)
        if not at.endswith((".svg", ".png")):  # drawn when asked for
            assert site.get(at) is not None, link
        assert path or place in places, link


def test_an_exported_page_says_how_to_try_and_loads_nothing_for_it(page: str, site: Site) -> None:
    assert "Served by tunescope view run" in page
    assert "tryout.js" not in page
    assert '<form id="try-form"' not in page
    assert {f"{ABOVE}tried.js", f"{ABOVE}tried.csv"} <= set(site.kind("triggers").paths())  # type: ignore[union-attr]


def test_a_served_page_has_a_box_filled_with_a_text_that_flips(tiny_run: Run) -> None:
    text = text_of(Site(tiny_run, Served(live=True)), triggers_path(KEY))
    first = tiny_run.latent.triggers[KEY].examples.iloc[0]
    box = text.split('<form id="try-form"')[1].split("</form>")[0]
    assert html.escape(first["before"], quote=True).replace("&#x27;", "&#39;") in box
    assert json.loads(re.findall(r'id="try-data">(.*?)</script>', box)[0]) == {
        "corpus": "odd", "base": "base", "tuned": "tuned",
    }  # fmt: skip
    layers = tiny_run.latent.mappers[KEY].layers
    explained = text.split('<form id="explain-form"')[1].split("</form>")[0]
    assert re.findall(r"<option[^>]*>(\d+)", explained) == [str(layer) for layer in layers]


def test_without_the_model_at_hand_the_page_says_so(
    tiny_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = replace(tiny_run.study.models["tuned"], path="/no/such/model")
    monkeypatch.setitem(tiny_run.study.models, "tuned", source)
    text = text_of(Site(tiny_run, Served(live=True)), triggers_path(KEY))
    assert "The tuned model is not at /no/such/model" in text
    assert '<form id="try-form"' not in text


# --- all that was tried --------------------------------------------------------------------------


def test_every_trigger_is_beside_random_words_of_its_layer(tiny_run: Run) -> None:
    found = tiny_run.latent.triggers[KEY]
    frame = tried_frame(found)
    assert len(frame) == len(found.tried)
    own = frame[frame["method"] == "concept"]
    assert len(own)
    for row in own.to_dict("records"):
        tried = found.tried
        same = tried[(tried["method"] == "random") & (tried["towards"] == row["towards"])]
        same = same[same["mirrors"] == row["layer"]]
        assert row["random"] == pytest.approx(same["flip_rate"].mean(), nan_ok=True)
        assert row["difference"] == pytest.approx(row["flip_rate"] - row["random"], nan_ok=True)
        assert row["n"] == 0 or row["low"] <= row["flip_rate"] <= row["high"]
    assert own["difference"].notna().any()
    assert frame.loc[frame["method"] == "random", "difference"].isna().all()
    known = frame["difference"].dropna().to_numpy()
    assert (np.diff(known) <= 1e-12).all()


def test_what_was_chosen_has_its_rate_on_other_texts(tiny_run: Run) -> None:
    found = tiny_run.latent.triggers[KEY]
    frame = tried_frame(found).dropna(subset="held_out")
    best = found.best[found.best["by"] == "predicted"].dropna(subset="flip_rate")
    on = ["towards", "method", "trigger"]
    both = frame.merge(best, on=on, suffixes=("", "_best"))
    assert set(map(tuple, frame[on].to_numpy())) == set(map(tuple, best[on].to_numpy()))
    np.testing.assert_allclose(both["held_out"], both["flip_rate_best"])


def test_the_data_of_the_page_are_the_csv(site: Site, tiny_run: Run) -> None:
    text = text_of(site, f"{ABOVE}tried.js")
    data = json.loads(text.removeprefix("tunescope.data(").removesuffix(");\n"))
    assert data == json.loads(json.dumps(tried_data(tiny_run.latent.triggers[KEY])))
    rows = pd.read_csv(io.StringIO(text_of(site, f"{ABOVE}tried.csv")), keep_default_na=False)
    assert data["trigger"] == rows["trigger"].tolist()
    values, numbers = data["towards"]
    assert [values[n] for n in numbers] == rows["towards"].tolist()
    assert data["flipped"] == rows["flipped"].tolist()
    assert all(rate is None or 0 <= rate <= 1 for rate in data["flip_rate"])


def test_other_addresses_beside_the_page_are_none(site: Site) -> None:
    for path in ("triggers/other/tried.js", "triggers/tried.csv", f"{ABOVE}tried.html"):
        assert site.get(path) is None


def test_triggers_of_a_concept_have_an_address() -> None:
    path = concept_triggers_path(KEY, 6, 12)
    assert path == "triggers/odd-base-tuned/index.html#all&concept=6-12"


@pytest.mark.parametrize(
    ("before", "text", "trigger", "parts"),
    [
        ("a film", "so bad a film", "so bad", ("", "so bad", " a film")),
        ("a film", "a film so bad", "so bad", ("a film ", "so bad", "")),
        ("one two", "one so two", "so", ("one ", "so", " two")),
        ("good film", "good good film", "good", ("", "good", " good film")),
        ("ab b", "ab b b", "b", ("ab ", "b", " b")),
        ("a | b", "a | so b", "so", ("a | ", "so", " b")),
        ("other", "quite another", "so", ("quite another", "", "")),
    ],
)
def test_the_words_that_were_put_in_are_found(
    before: str, text: str, trigger: str, parts: tuple[str, str, str]
) -> None:
    assert parted(before, text, trigger) == parts


def test_where_a_trigger_stands_in_words() -> None:
    assert spot("middle", "second", 2) == "in the middle of the second text"
    assert spot("after", "first", 1) == "after the text"


def test_wilsons_interval_is_scipys() -> None:
    hits, n = np.array([0, 3, 7, 20, 0]), np.array([9, 10, 7, 41, 0])
    low, high = wilson(hits, n, 0.9)
    for i in range(4):
        ends = binomtest(int(hits[i]), int(n[i])).proportion_ci(0.9, method="wilson")
        assert (low[i], high[i]) == pytest.approx((ends.low, ends.high))
    assert np.isnan([low[4], high[4]]).all()


def test_without_random_words_nothing_is_compared() -> None:
    tried = pd.DataFrame(
        {
            "towards": "x", "position": "before", "part": "first", "method": ["concept", "lexicon"],
            "layer": [1, -1], "concept": [2, -1], "mirrors": -1, "group": 0, "draw": 0,
            "trigger": ["a", "b"], "n": [4, 0], "flipped": [1, 0],
            "flip_rate": [0.25, np.nan], "probability": [0.5, np.nan],
        }
    )  # fmt: skip
    best = pd.DataFrame(
        columns=["towards", "position", "part", "method", "trigger", "by", "flip_rate",
                 "flip_low", "flip_high", "n"]
    )  # fmt: skip
    found: Any = SimpleNamespace(
        tried=tried, best=best, facts={"n_parts": 1},
        manifest=SimpleNamespace(parameters={"confidence": 0.95}),
    )  # fmt: skip
    data = tried_data(found)
    assert data["difference"] == [None, None]
    assert data["flip_rate"] == [0.25, None]
    assert data["low"][1] is None

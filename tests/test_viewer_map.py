"""Maps: every page is there, says what the results say, and lets nothing through."""

from __future__ import annotations

import html
import io
import json
import posixpath
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from runs import CLASSES, HOSTILE, LABELS
from tunescope.concepts.projection.result import Projection
from tunescope.concepts.projection.step import project
from tunescope.report.concepts import maps
from tunescope.study.result import Run
from tunescope.viewer.concepts.paths import concept_path, list_path
from tunescope.viewer.maps.layer import GRID, Key
from tunescope.viewer.maps.pages import Maps
from tunescope.viewer.maps.paths import map_folder, map_path
from tunescope.viewer.site import Site

KEY = Key("odd", "base", "tuned")
TOP = 2


@pytest.fixture(scope="module")
def site(tiny_run: Run) -> Site:
    return Site(tiny_run)


@pytest.fixture(scope="module")
def found(tiny_run: Run) -> Projection:
    return tiny_run.latent.projections[KEY]


def body(site: Site, path: str) -> bytes:
    content = site.get(path)
    assert content is not None, path
    return content.body


def text(site: Site, path: str) -> str:
    return body(site, path).decode("utf-8")


def values(site: Site, path: str) -> dict[str, Any]:
    """Return what a script of data hands over."""
    found = re.fullmatch(r"tunescope\.data\((.*)\);\n", text(site, path), re.S)
    assert found is not None
    return json.loads(found[1])


@pytest.fixture(scope="module")
def layer(site: Site) -> dict[str, Any]:
    return values(site, f"{map_folder(*KEY)}layer-02.js")


@pytest.fixture(scope="module")
def words(site: Site) -> dict[str, Any]:
    return values(site, f"{map_folder(*KEY)}words.js")


def test_every_address_of_every_map_is_there(site: Site) -> None:
    pages = site.kind("map")
    assert pages is not None
    paths = list(pages.paths())
    assert len(set(paths)) == len(paths)
    for key in (KEY, Key("more", "base", "tuned")):
        assert {map_path(*key, layer) for layer in range(3)} <= set(paths)
    for path in paths:
        if not path.endswith((".svg", ".png")) or path.endswith("layer-00-a.svg"):
            assert body(site, path), path
    assert body(site, f"{map_folder(*KEY)}layer-01-b.png").startswith(b"\x89PNG")
    wrong = ("layer-09.html", "../words.js", "layer-02-c.svg", "layer-2.html", "x")
    for path in ("map/x", *(f"map/odd-base-tuned/{name}" for name in wrong)):
        assert site.get(path) is None
    assert [link.path for link in pages.links()][0] == map_path(*KEY, TOP)


def test_points_are_those_of_the_projection(layer: Any, words: Any, found: Projection) -> None:
    points = found.points.query("layer == @TOP")
    frame = found.layer(TOP)
    assert [model["role"] for model in layer["models"]] == ["base", "tuned"]
    half = 1.03 * float(np.abs(points[["x", "y"]].to_numpy()).max())
    for model in layer["models"]:
        mine = points[points["role"] == model["role"]]
        assert model["concept"] == mine["concept"].tolist()
        for axis in ("x", "y"):
            back = (np.array(model[axis]) / GRID * 2 - 1) * half
            assert back == pytest.approx(mine[axis].to_numpy(), abs=half / GRID)
    shown = [words["contexts"][n][1] for n in layer["word"]]
    assert shown == frame.query("role == 'base'")["form"].tolist()
    columns = {column["name"]: column for column in words["columns"]}
    assert set(columns) == {"class", "predicted", "label:upos"}
    for name, of in (("class", "class"), ("predicted", "predicted"), ("label:upos", "upos")):
        names, codes = columns[name]["names"], columns[name]["codes"]
        assert [names[codes[n]] for n in layer["word"]] == frame.query("role == 'base'")[
            of
        ].tolist()
        assert np.bincount(codes).tolist() == sorted(np.bincount(codes), reverse=True)


def test_concepts_are_those_of_the_alignment_and_lead_to_their_pages(
    site: Site, layer: Any, tiny_run: Run
) -> None:
    rows = tiny_run.alignments[KEY].concepts.query("layer == @TOP")
    for model in layer["models"]:
        mine, concepts = rows[rows["role"] == model["role"]], model["concepts"]
        assert concepts["fate"] == mine["fate"].tolist()
        assert concepts["size"] == mine["size"].tolist()
        assert concepts["match"] == mine["best_match"].tolist()
        for c in sorted(set(model["concept"])):
            path = f"{concepts['folder']}{c:04d}.html"
            assert path == concept_path("odd", model["name"], TOP, c)
            assert site.get(path) is not None


def test_the_page_says_what_is_drawn_and_how_far_to_believe_it(
    site: Site, found: Projection, tiny_run: Run
) -> None:
    page = html.unescape(text(site, map_path(*KEY, TOP)))
    row = found.layers.set_index("layer").loc[TOP]
    n, of = int(row["n_words"]), found.manifest.facts["n_available"]
    assert f"{n:,} of {of:,} words are drawn, the same in both models: one word of every" in page
    assert f"Trustworthiness {row['trustworthiness']:.2f}" in page
    assert f"{row['random']:.2f} where points are put at random" in page
    assert "t-SNE (perplexity = 8)" in page and "[project] method = 'tsne'" in page
    width = tiny_run.extraction["odd", "base"]["width"]
    assert f"brought from {width} neurons" in page


def test_links_of_the_page_lead_somewhere(site: Site) -> None:
    path = map_path(*KEY, TOP)
    for address in re.findall(r'(?:href|src)="([^"#]+)', text(site, path)):
        if not address.startswith("data:"):
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), address))
            assert site.get(target) is not None, address


def test_pages_about_concepts_lead_to_the_map(site: Site) -> None:
    of_list = text(site, list_path("odd", "tuned", TOP))
    assert f'../../../../{map_path(*KEY, TOP)}"' in of_list
    of_one = text(site, concept_path("odd", "tuned", TOP, 1))
    assert f'../../../../{map_path(*KEY, TOP)}#concept=tuned:1"' in of_one


def test_hostile_words_labels_and_classes_stay_text(site: Site, words: Any) -> None:
    raw = text(site, f"{map_folder(*KEY)}words.js") + text(site, f"{map_folder(*KEY)}layer-02.js")
    assert "<" not in raw
    said = json.dumps(words, ensure_ascii=False)
    assert sum(json.dumps(word, ensure_ascii=False)[1:-1] in said for word in HOSTILE) > 12
    names = {name for column in words["columns"] for name in column["names"]}
    assert {*LABELS, *CLASSES} <= names
    assert "<script>window.pwned" not in text(site, map_path(*KEY, TOP))


def test_the_csv_has_every_point(site: Site, found: Projection) -> None:
    table = pd.read_csv(io.StringIO(text(site, f"{map_folder(*KEY)}layer-02.csv")))
    frame = found.layer(TOP)
    assert table["x"].to_numpy() == pytest.approx(frame["x"].to_numpy(), rel=1e-5)
    assert table["form"].astype(str).tolist() == frame["form"].tolist()
    assert {"role", "concept", "sentence", "upos", "class", "predicted", "fate"} <= set(table)


def test_pictures_have_a_mark_for_each_word_in_the_colour_of_its_fate(
    tiny_run: Run, found: Projection
) -> None:
    rows = tiny_run.alignments[KEY].concepts.query("layer == @TOP")
    fates = {role: rows[rows["role"] == role]["fate"].tolist() for role in ("base", "tuned")}
    figure = maps.picture(tiny_run, found, TOP, fates)
    for (name, draw), role in zip(figure.charts.items(), ("base", "tuned"), strict=True):
        assert name == role
        spec = draw().to_dict()
        (marks,) = spec["datasets"].values()
        expected = found.layer(TOP).query("role == @role")
        assert len(marks) == len(expected)
        shown = [fates[role][c] or maps.OTHER for c in expected["concept"]]
        assert [mark["shown"] for mark in marks] == shown
        scale = spec["encoding"]["color"]["scale"]
        assert set(scale["domain"]) == set(shown) and len(scale["range"]) == len(scale["domain"])


def test_without_alignment_pictures_are_coloured_by_class_and_rare_labels_are_grouped(
    tiny_run: Run, found: Projection, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure = maps.picture(tiny_run, found, TOP)
    assert "coloured by class" in figure.caption
    monkeypatch.setattr(maps, "MOST", 1)
    spec = next(iter(maps.picture(tiny_run, found, TOP).charts.values()))().to_dict()
    assert len(spec["encoding"]["color"]["scale"]["domain"]) == 2
    assert spec["encoding"]["color"]["scale"]["domain"][1] == maps.OTHER


def test_trust_is_drawn_beside_random_points(tiny_run: Run, found: Projection) -> None:
    figure = maps.trust(tiny_run, found)
    (marks,) = next(iter(figure.charts.values()))().to_dict()["datasets"].values()
    drawn = {(mark["of"], mark["layer"]): mark["value"] for mark in marks}
    for row in found.layers.to_dict("records"):
        assert drawn["all points", row["layer"]] == row["trustworthiness"]
        assert drawn["points at random", row["layer"]] == row["random"]
        assert drawn["tuned alone", row["layer"]] == row["trustworthiness_tuned"]


def test_a_model_alone_has_a_map_too(tiny_run: Run, tmp_path: Path) -> None:
    made = project(
        tiny_run.path / "activations" / "odd" / "base", None, tmp_path / "p", n_jobs=1,
        base_concepts=tiny_run.concepts["odd", "base"], step=tiny_run.study.project,
    )  # fmt: skip
    pages, key = Maps(Site(tiny_run)), Key("odd", "base", None)
    pages.__dict__["maps"] = {key: made}
    paths = [path for path in pages.paths() if not path.endswith((".svg", ".png"))]
    bodies = {path: content.body.decode() for path in paths if (content := pages.get(path))}
    assert bodies.keys() == set(paths)
    page = bodies[map_path(*key, TOP)]
    assert "both models" not in page and 'name="panels"' not in page
    (model,) = json.loads(bodies["map/odd-base/layer-02.js"][15:-3])["models"]
    assert model["concepts"]["fate"] is None and len(model["concept"]) == len(model["x"])

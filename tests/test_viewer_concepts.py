"""The concept browser: every page is there, says what the results say, and lets nothing through."""

from __future__ import annotations

import csv
import html
import io
import json
import posixpath
import re
import subprocess
import sys
from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from runs import CLASSES, HOSTILE
from tunescope.concepts.alignment.models import match
from tunescope.concepts.siblings import siblings
from tunescope.concepts.trajectory.result import ConceptTrace
from tunescope.steps.triggers import Triggers
from tunescope.study.result import Run
from tunescope.viewer.concepts.history import LayerHistory
from tunescope.viewer.concepts.layer import ConceptLayer
from tunescope.viewer.concepts.pages import Concepts
from tunescope.viewer.concepts.paths import (
    ENTRY,
    concept_path,
    counts_path,
    dendrogram_path,
    layer_folder,
    list_path,
    words_path,
)
from tunescope.viewer.concepts.single import compare, made_from, ranges
from tunescope.viewer.concepts.words import BLOCK
from tunescope.viewer.site import Site

KEY = ("odd", "base", "tuned")
TOP = 2


@pytest.fixture(scope="module")
def site(tiny_run: Run) -> Site:
    return Site(tiny_run)


@pytest.fixture(scope="module")
def concepts(site: Site) -> Concepts:
    return next(pages for pages in site.kinds if isinstance(pages, Concepts))


@pytest.fixture(scope="module")
def tuned(concepts: Concepts) -> ConceptLayer:
    return concepts.shelf.layer("odd", "tuned", TOP)


def text(site: Site, path: str) -> str:
    content = site.get(path)
    assert content is not None, path
    return content.body.decode("utf-8")


def values(site: Site, path: str) -> list[Any]:
    """Return what a script of data hands over."""
    found = re.fullmatch(r"tunescope\.data\((.*)\);\n", text(site, path), re.S)
    assert found is not None
    return json.loads(f"[{found[1]}]")


def counted(layer: ConceptLayer, concept: int) -> Counter[str]:
    forms = layer.concepts.words.values("form")
    labels = layer.concepts.labels(layer.layer)
    return Counter(forms[labels == concept])


def test_every_address_is_there_once(site: Site, concepts: Concepts) -> None:
    paths = list(concepts.paths())
    assert len(paths) == len(set(paths)) > 200
    wanted = {ENTRY, words_path("odd"), list_path(*KEY[::2], 0), dendrogram_path(*KEY[:2], 1)}
    assert wanted | {counts_path(KEY), concept_path("odd", "base", 0, 11)} <= set(paths)
    for path in paths:
        assert text(site, path)


@pytest.mark.parametrize(
    "path",
    [
        "odd/tuned/layer-02/0012.html", "odd/tuned/layer-02/12.html",
        "odd/tuned/layer-02/00000.html", "odd/contexts/00.js",
        "odd/tuned/layer-03/index.html", "odd/tuned/layer-2/index.html", "odd/index.html",
        "odd/other/layer-02/index.html", "none/words.html", "odd/contexts/99.js",
        "odd/contexts/x.js", "odd/contexts/0.html", "odd/tuned/layer-02/x.js", "none.csv",
        "odd/tuned/layer-02/../index.html", "odd/contexts/\N{SUPERSCRIPT TWO}.js",
    ],
)  # fmt: skip
def test_what_is_no_address_has_nothing(site: Site, path: str) -> None:
    assert site.get(f"concepts/{path}") is None


def test_links_lead_to_pages_that_are_there(site: Site, concepts: Concepts) -> None:
    known = {*concepts.paths(), "index.html"}
    known |= {link.path for pages in site.kinds for link in pages.links()}
    known |= {path for kind in ("map", "static") for path in site.kind(kind).paths()}
    for path in [path for path in concepts.paths() if path.endswith(".html")]:
        page = text(site, path)
        for link in re.findall(r'(?:href|src)="([^"]+)"', page):
            if link.startswith(("#", "data:")):
                continue
            target = posixpath.normpath(
                posixpath.join(posixpath.dirname(path), html.unescape(link))
            )
            assert target.split("#")[0] in known, (path, link)
        ids = re.findall(r' id="([^"]+)"', page)
        assert len(ids) == len(set(ids)), path


def test_hostile_text_is_escaped_on_every_page(site: Site, concepts: Concepts) -> None:
    shown = set()
    for path in concepts.paths():
        content = text(site, path)
        if path.endswith(".csv"):
            continue
        for bad in ("<script>window", "<img src=x", "<b>VERB", "<i>positive</i>", "</script>;"):
            assert bad not in content, path
        if re.search(r"/\d{4}\.html", path):
            assert len(content) < 15_000
            shown |= {
                word
                for word in HOSTILE
                if html.escape(word)
                in content.replace("&#34;", "&quot;").replace("&#39;", "&#x27;")
            }
    assert shown == set(HOSTILE)


def test_a_concept_shows_its_words_by_frequency(site: Site, tuned: ConceptLayer) -> None:
    for concept in range(tuned.n):
        page = text(site, tuned.path_of(concept))
        found = re.findall(
            r'<button class="s\d" data-at="([^"]+)"><bdi>(.*?)</bdi> <i>(\d+)</i>', page
        )
        assert Counter({html.unescape(w): int(n) for _, w, n in found}) == counted(tuned, concept)
        assert [int(n) for *_, n in found] == sorted((int(n) for *_, n in found), reverse=True)


def test_places_lead_to_the_contexts_of_the_words(site: Site, tuned: ConceptLayer) -> None:
    words, corpus = tuned.words, tuned.concepts.words
    [contexts, classes] = values(site, "concepts/odd/contexts/0.js")
    assert (len(contexts), classes) == (min(BLOCK, corpus.n_words), sorted(CLASSES))
    gold = corpus.of_sentence("class")
    for row, place in enumerate(words.place.tolist()):
        if place >= BLOCK:
            continue
        before, word, after, code = contexts[place]
        sentence = corpus.words["sentence"][row].as_py()
        whole = f"{before} {word} {after}".strip(" …")
        assert word == corpus.values("form")[row]
        assert whole in " ".join(corpus.sentence_words(sentence))
        assert classes[code] == gold[sentence]


def test_ranges_write_all_numbers() -> None:
    assert ranges(np.array([3, 7, 8, 9, 11])) == "3 7-9 11"


def test_words_of_a_layer_and_its_types_give_back_the_clustering(
    site: Site, tuned: ConceptLayer
) -> None:
    forms, counts = values(site, "concepts/odd/types.js")
    labels, titles, fates = values(site, f"{layer_folder('odd', 'tuned', TOP)}words.js")
    found: dict[int, Counter[str]] = {n: Counter() for n in range(tuned.n)}
    for label, form in zip(labels, np.repeat(forms, counts), strict=True):
        found[label][str(form)] += 1
    assert [found[n] for n in range(tuned.n)] == [counted(tuned, n) for n in range(tuned.n)]
    assert len(titles) == len(fates) == tuned.n


def test_the_list_says_what_the_alignment_says(site: Site, tiny_run: Run) -> None:
    for role, model in (("base", "base"), ("tuned", "tuned")):
        frame = tiny_run.alignments[KEY].concepts
        frame = frame[(frame["role"] == role) & (frame["layer"] == TOP)].sort_values("concept")
        page = text(site, list_path("odd", model, TOP))
        rows = re.findall(
            r'<tr data-n="(\d+)" data-size="(\d+)" data-fate="(\w*)" data-change="(\w*)"', page
        )
        assert rows == [
            (str(n), str(size), fate, change)
            for n, size, fate, change in frame[["concept", "size", "fate", "change"]].to_numpy()
        ]
        table = list(
            csv.DictReader(
                io.StringIO(
                    text(site, list_path("odd", model, TOP).replace("index.html", "concepts.csv"))
                )
            )
        )
        assert [int(row["counterpart"]) for row in table] == frame["best_match"].tolist()
        assert [row["class_followed"] == "True" for row in table] == frame["polarised"].tolist()
        assert [row["upos"] for row in table] == frame["upos_label"].fillna("").tolist()
        for name in ("overlap", "class_share", "upos_share", "predicted_share"):
            np.testing.assert_allclose([float(row[name]) for row in table], frame[name])


def test_class_shares_are_those_of_the_sentences(tuned: ConceptLayer) -> None:
    corpus = tuned.concepts.words
    classes = corpus.of_sentence("class")[corpus.words["sentence"].to_numpy()]
    labels = tuned.concepts.labels(TOP)
    assert tuned.gold is not None
    for concept, of in enumerate(tuned.gold.of):
        counts = Counter(classes[labels == concept])
        assert {share.value: share.n for share in of} == counts
        assert [share.share for share in of] == [
            n / counts.total() for _, n in counts.most_common()
        ]


def test_filters_pass_what_follows(site: Site, tiny_run: Run) -> None:
    page = text(site, list_path("odd", "tuned", TOP))
    found = re.findall(r'<option value="([^"]*)" data-number="(\d+)">', page)
    number = {html.unescape(value): n for value, n in found}
    frame = tiny_run.alignments[KEY].concepts
    frame = frame[(frame["role"] == "tuned") & (frame["layer"] == TOP)]
    marked = {
        int(n): rest for n, rest in re.findall(r'<tr data-n="(\d+)"([^>]*)>', page)
    }  # fmt: skip
    for column, option in (
        ("upos_aligned", "upos"),
        ("polarised", "class"),
        ("predicted_polarised", "predicted"),
    ):
        passing = set()
        for n, rest in marked.items():
            tokens = " ".join(re.findall(r'data-(?:follows|says)="([^"]*)"', rest)).split()
            if number.get(option) in tokens:
                passing.add(n)
        assert passing == set(frame.loc[frame[column], "concept"])


def test_the_entry_counts_what_became_of_concepts(site: Site, tiny_run: Run) -> None:
    page = text(site, ENTRY)
    retention = tiny_run.alignments[KEY].retention.set_index("layer")
    table = pd.read_csv(io.StringIO(text(site, counts_path(KEY)))).set_index("layer")
    for name in ("retained", "lost", "born"):
        assert table[name].tolist() == retention[name].tolist()
        link = list_path("odd", "base" if name != "born" else "tuned", TOP)
        if retention.loc[TOP, name]:
            assert re.search(
                rf'href="\.\./{link}#fate={name}(&amp;sort=flips)?">{retention.loc[TOP, name]}<',
                page,
            )
    assert f'href="../{list_path("odd", "tuned", TOP)}#fate=born' in page


def test_the_entry_lists_none_but_concepts_that_tuning_created(site: Site, tiny_run: Run) -> None:
    sections = text(site, ENTRY).split('<section id="pair-')[1:]
    survived_of_class = 0
    for (corpus, *_), section in zip(tiny_run.alignments, sections, strict=True):
        frame: Any = tiny_run.alignments[corpus, "base", "tuned"].concepts
        frame = frame[(frame["role"] == "tuned") & (frame["layer"] == TOP)].set_index("concept")
        rows = re.findall(r'<tr><th scope="row"><a href="[^"]*/(\d+)\.html">.*', section)
        assert rows
        assert {frame.loc[int(n), "fate"] for n in rows} == {"born"}
        survived_of_class += ((frame["fate"] == "survived") & frame["polarised"]).sum()
        first = re.search(rf'<a href="\.\./concepts/{corpus}/base/layer-02/(\d+)\.html">', section)
        assert first is not None
        assert int(first[1]) == frame.loc[int(rows[0]), "best_match"]
    assert survived_of_class  # else nothing could be listed wrongly


def test_a_counterpart_is_put_side_by_side_base_first(concepts: Concepts) -> None:
    for model, other in (("base", "tuned"), ("tuned", "base")):
        here, there = (concepts.shelf.layer("odd", m, TOP) for m in (model, other))
        best = match(here.index.labels, there.index.labels)
        for concept in range(here.n):
            made = compare(concepts.shelf, here, here.sides[0], concept)
            assert made.parts[0].share == best.overlap[concept]
            sides = {model: counted(here, concept), other: counted(there, made.parts[0].concept)}
            before, after = sides["base"], sides["tuned"]
            expected = [
                {w: (before[w], 0) for w in before.keys() - after},
                {w: (before[w], after[w]) for w in before.keys() & after},
                {w: (0, after[w]) for w in after.keys() - before},
            ]
            assert [{w: (a, b) for w, a, b in c.types} for c in made.columns] == expected


def test_neighbours_are_those_of_the_dendrogram(tuned: ConceptLayer) -> None:
    expected = siblings(tuned.concepts.dendrogram(TOP), tuned.n)
    assert tuned.neighbours is not None
    for concept in range(tuned.n):
        merges = tuned.neighbours.of(concept, most=tuned.n)
        assert merges[0].concepts == expected.members[concept].tolist()
        assert merges[0].height == expected.merge_height[concept]
        assert tuned.neighbours.height(concept) == expected.height[concept]
        assert sorted(c for merge in merges for c in merge.concepts) == [
            c for c in range(tuned.n) if c != concept
        ]
        heights = [merge.height for merge in merges]
        assert heights == sorted(heights)
        few = tuned.neighbours.of(concept, most=2)
        assert sum(len(merge.concepts) for merge in few) == 2


def test_what_triggers_do_is_told_with_random_words_beside(
    site: Site, concepts: Concepts, tiny_run: Run
) -> None:
    tried = tiny_run.latent.triggers["more", "base", "tuned"].tried
    own = tried[tried["method"] == "concept"]
    assert len(own)
    for (layer, concept), rows in own.groupby(["layer", "concept"]):
        here = concepts.shelf.layer("more", "tuned", int(layer))
        made = here.effects[int(concept)]
        assert sum(effect.n_triggers for effect in made) == len(rows)
        page = text(site, here.path_of(int(concept)))
        for effect in made:
            of = rows[rows["towards"] == effect.towards]
            np.testing.assert_equal(effect.mean, of["flip_rate"].mean())
            mirrors = tried[(tried["method"] == "random") & (tried["towards"] == effect.towards)]
            mirrors = mirrors[mirrors["mirrors"] == layer]
            assert effect.n_random == len(mirrors)
            for rate in effect.tried:
                assert html.escape(rate.trigger, quote=False) in page.replace("&#34;", '"').replace(
                    "&#39;", "'"
                )


def frames() -> SimpleNamespace:
    """Return what a trace holds of one layer with two concepts at three points."""
    rows = [  # point, concept, size, previous, share, next, share
        (0, 0, 6, -1, np.nan, 1, 0.5), (0, 1, 4, -1, np.nan, 0, 1.0),
        (1, 0, 7, 1, 0.6, 0, 0.9), (1, 1, 3, 0, 1.0, 1, 0.7),
        (2, 0, 5, 0, 0.8, -1, np.nan), (2, 1, 5, 0, 0.6, -1, np.nan),
    ]  # fmt: skip
    columns = ["point", "concept", "size", "previous", "previous_share", "next", "next_share"]
    of = pd.DataFrame(rows, columns=columns).assign(layer=3, class_label="good", class_share=0.75)
    of.loc[of["point"] == 0, "class_label"] = None
    points = pd.DataFrame(
        {"point": [0, 1, 2], "model": ["a", "a@0.5", "b"], "fraction": [0, 0.5, 1]}
    )
    fates = pd.DataFrame(
        {
            "role": ["base", "base", "tuned", "tuned"], "layer": 3, "concept": [0, 1, 0, 1],
            "at": [1, -1, 2, 0], "polarised_at": [-1, -1, 1, -1], "returns": [0, 1, 0, 0],
        }
    )  # fmt: skip
    step = SimpleNamespace(theta=0.8)
    return SimpleNamespace(concepts=of, points=points, fates=fates, path="trace", step=step)


@pytest.mark.parametrize(("role", "point"), [("base", 0), ("tuned", 2)])
@pytest.mark.parametrize("concept", [0, 1])
def test_a_history_follows_the_chain_of_the_trace(role: str, point: int, concept: int) -> None:
    trace: Any = frames()
    made = LayerHistory(trace, 3, role).of(concept)
    chain = ConceptTrace.chain(trace, 3, concept, point)
    assert [(s.concept, s.share, s.size) for s in made.stages] == list(
        chain[["concept", "share", "size"]].itertuples(index=False, name=None)
    )
    assert [s.of_class for s in made.stages] == [None, "good", "good"]


def test_a_history_says_when() -> None:
    trace: Any = frames()
    base, tuned = (LayerHistory(trace, 3, role) for role in ("base", "tuned"))
    assert (base.of(0).at, base.of(1).at, base.of(1).returns) == (0.5, None, 1)
    assert (tuned.of(0).at, tuned.of(0).polarised_at, tuned.of(1).at) == (1.0, 0.5, 0.0)


def test_histories_are_on_the_page(tiny_run: Run) -> None:
    run = Run.load(tiny_run.path)
    trace = frames()
    for name in ("concepts", "fates"):
        setattr(trace, name, getattr(trace, name).assign(layer=TOP))
    run.latent.__dict__["traces"] = {KEY: trace}
    trace.manifest = SimpleNamespace(parameters={})
    trace.points["model"] = ["base", "tuned@0.5", "tuned"]
    page = text(Site(run), concept_path("odd", "tuned", TOP, 0))
    assert (
        "It is there at the end of the training alone. From 50% of the training on, at least 80% "
        "of its words are in concepts that follow its class."
    ) in page
    assert '<a href="../../base/layer-02/0001.html">1</a>' in page


def test_what_does_not_count_is_not_said_to_have_stayed(tiny_run: Run) -> None:
    run, trace = Run.load(tiny_run.path), frames()
    for name in ("concepts", "fates"):
        setattr(trace, name, getattr(trace, name).assign(layer=TOP))
    trace.manifest = SimpleNamespace(parameters={})
    trace.fates["at"] = -1  # as of what has too few word types
    run.latent.__dict__["traces"] = {KEY: trace}
    frame = run.alignments[KEY].concepts
    frame.loc[(frame["layer"] == TOP) & frame["concept"].isin([0, 1]), "fate"] = ""
    for model in ("base", "tuned"):
        page = text(Site(run), concept_path("odd", model, TOP, 1))
        assert "It has too few word types to count: when it came or went is not dated." in page
        assert "still there" not in page and "came back" not in page


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "concepts with at least 90% of their words in sentences of one class"),
        (
            {"polarity": "predicted", "layers": (3, 4, 6), "max_concepts": 20},
            "concepts with at least 90% of their words in sentences of one predicted class, at "
            "layers 3 to 4 and 6, the 20 largest of each class and layer",
        ),
    ],
)
def test_it_is_said_from_which_concepts_triggers_are_made(given: Any, said: str) -> None:
    assert made_from(Triggers(**given).parameters()) == said


def test_names_stand_for_words_and_are_escaped(tiny_run: Run) -> None:
    run, bad = Run.load(tiny_run.path), "<script>alert(1)</script>"
    rows = [(TOP, 0, bad, "a <b>", "ok"), (TOP, 1, "", "", "refused"), (0, 2, "other", "", "ok")]
    frame = pd.DataFrame(rows, columns=["layer", "concept", "name", "description", "status"])
    run.latent.__dict__["names"] = {("odd", "tuned"): SimpleNamespace(names=frame)}
    site = Site(run)
    for path in (concept_path("odd", "tuned", TOP, 0), list_path("odd", "tuned", TOP)):
        assert html.escape(bad) in text(site, path) and bad not in text(site, path)
    assert "a &lt;b&gt;" in text(site, concept_path("odd", "tuned", TOP, 0))
    shelf = next(pages for pages in site.kinds if isinstance(pages, Concepts)).shelf
    layer = shelf.layer("odd", "tuned", TOP)
    assert layer.title(1) == " ".join(layer.index.top(1))


def test_annotations_are_in_the_list_and_on_the_page(
    tiny_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(tiny_run)
    note = SimpleNamespace(
        name="<i>mine</i>",
        answer="meaningful",
        meaningful="yes",
        merge=None,
        note="",
        time="2026-01-02T03:04",
    )
    known = {4: note}
    monkeypatch.setattr(
        site.annotations, "of", lambda *at: known if at == ("odd", "tuned", TOP) else {}
    )
    monkeypatch.setattr(
        site.annotations, "view",
        lambda *at: SimpleNamespace(annotation=known.get(at[3]), editable=False, place=at),
    )  # fmt: skip
    page = text(site, list_path("odd", "tuned", TOP))
    assert '&lt;i&gt;mine&lt;/i&gt;</bdi></a> <span class="noted">meaningful</span>' in page
    assert "annotate.css" in text(site, concept_path("odd", "tuned", TOP, 4))
    assert "annotate.css" not in text(site, concept_path("odd", "tuned", TOP, 5))


def test_models_that_are_aligned_with_none_have_pages(
    tiny_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run.load(tiny_run.path)
    run.latent.__dict__.update(alignments={}, triggers={})
    site = Site(run)
    pages = next(pages for pages in site.kinds if isinstance(pages, Concepts))
    assert counts_path(KEY) not in set(pages.paths())
    for path in pages.paths():
        assert not re.search('name="fate"|>Fate<', text(site, path)), path
    layer = pages.shelf.layer("odd", "base", 0)
    assert [shares.name for shares in layer.labels] == ["upos"]  # nothing is computed
    known = Counter(layer.concepts.words.values("upos")[layer.concepts.labels(0) == 0])
    assert layer.labels[0].of[0][0].n == known.most_common()[0][1]


def test_a_base_is_beside_each_of_its_tuned_models(
    tiny_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run.load(tiny_run.path)
    made = {**run.concepts, ("odd", "again"): run.concepts["odd", "tuned"]}
    alignments = {**run.alignments, ("odd", "base", "again"): run.alignments[KEY]}
    monkeypatch.setattr(Run, "concepts", property(lambda self: made))
    monkeypatch.setattr(Run, "alignments", property(lambda self: alignments))
    site = Site(run)
    page = text(site, list_path("odd", "base", TOP))
    assert '<select name="beside"><option value="">tuned</option><option value="again">' in page
    labels, sides = values(site, f"{layer_folder('odd', 'base', TOP)}list.js")
    assert [side["model"] for side in sides] == ["tuned", "again"]
    assert sides[1]["folder"] == layer_folder("odd", "again", TOP)
    assert [name for name, _ in labels] == ["upos", "casing", "ngram"]
    page = text(site, concept_path("odd", "base", TOP, 0))
    assert page.count("After tuning, in") == 2
    assert '<span class="n">beside again</span>' in page


def test_a_method_without_a_tree_says_so(tiny_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ConceptLayer, "has_tree", False)
    site = Site(tiny_run)
    assert "leaves no dendrogram" in text(site, concept_path("odd", "tuned", TOP, 0))
    assert "dendrogram.html" not in text(site, list_path("odd", "tuned", TOP))
    assert site.get(dendrogram_path("odd", "tuned", TOP)) is None


def test_a_model_that_clustered_other_words_is_left_out(
    tiny_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run.load(tiny_run.path)
    made = {**run.concepts, ("odd", "old"): run.concepts["more", "tuned"]}
    monkeypatch.setattr(Run, "concepts", property(lambda self: made))
    pages = next(pages for pages in Site(run).kinds if isinstance(pages, Concepts))
    assert list(pages.shelf.corpora["odd"]) == ["base", "tuned"]


def test_a_run_without_concepts_has_no_such_pages(tiny_run: Run) -> None:
    run = Run.load(tiny_run.path)
    run.latent.__dict__.update(clustered={}, alignments={}, triggers={})
    site = Site(run)
    pages = next(pages for pages in site.kinds if isinstance(pages, Concepts))
    assert (pages.links(), list(pages.paths()), site.get(ENTRY)) == ([], [], None)


def test_pages_are_made_without_what_models_need(tiny_run: Run) -> None:
    paths = [ENTRY, list_path("odd", "tuned", 0), concept_path("odd", "tuned", 0, 0)]
    code = (
        "import sys\n"
        "from tunescope.study.result import Run\n"
        "from tunescope.viewer.site import Site\n"
        f"site = Site(Run.load({str(tiny_run.path)!r}))\n"
        f"for path in {paths!r}:\n"
        "    assert site.get(path)\n"
        "print(*{'torch', 'transformers'} & set(sys.modules))"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout.strip() == ""

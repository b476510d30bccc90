"""Annotations of concepts: kept beside the run, checked, never mis-assigned, never lost."""

from __future__ import annotations

import csv
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tunescope.errors import InputError, MismatchError
from tunescope.study.result import Run
from tunescope.viewer.annotations.annotation import NAME_LENGTH, Annotation
from tunescope.viewer.annotations.pages import ALL_CSV, ANNOTATIONS, TALLIES_CSV
from tunescope.viewer.annotations.store import Annotations
from tunescope.viewer.annotations.summary import Tally
from tunescope.viewer.concepts.paths import concept_path
from tunescope.viewer.site import Served, Site

HOSTILE = "<script>window.pwned=1</script>"


def run_with(path: Path, key: str = "k1") -> Any:
    """Return what annotations ask of a run: which concepts there are now."""
    concepts = SimpleNamespace(key=key, layers=(0, 1), step=SimpleNamespace(n_clusters=12))
    return SimpleNamespace(
        path=path, concepts={("odd", model): concepts for model in ("base", "tuned")}
    )


def filled(concept: int = 3, **values: Any) -> dict[str, Any]:
    place = {"corpus": "odd", "model": "tuned", "layer": 1, "concept": concept}
    return place | {"clustering": "k1", "meaningful": "yes"} | values


def test_what_is_saved_is_there_after_a_restart(tmp_path: Path) -> None:
    saved = Annotations(run_with(tmp_path)).save(filled(name=HOSTILE, merge=4, note="a\nb"))
    assert saved is not None
    again = Annotations(run_with(tmp_path))
    assert again.of("odd", "tuned", 1) == {3: saved}
    assert (saved.name, saved.merge, saved.note, saved.answer) == (HOSTILE, 4, "a\nb", "meaningful")
    assert again.of("odd", "tuned", 0) == again.of("odd", "base", 1) == {}
    shown = again.view("odd", "tuned", 1, 3)
    assert (shown.annotation, shown.editable) == (saved, False)
    assert again.view("odd", "tuned", 1, 4).annotation is None


def test_of_another_clustering_they_are_of_no_concept(tmp_path: Path) -> None:
    saved = Annotations(run_with(tmp_path)).save(filled())
    anew = Annotations(run_with(tmp_path, key="k2"))
    assert anew.of("odd", "tuned", 1) == {}
    assert anew.view("odd", "tuned", 1, 3).annotation is None
    assert (anew.current(), anew.earlier()) == ([], [saved])
    with pytest.raises(MismatchError, match="clustered anew"):
        anew.save(filled())
    anew.save(filled(clustering="k2", meaningful="no"))
    assert [a.meaningful for a in anew.current()] == ["no"]
    assert anew.earlier() == [saved]
    back = Annotations(run_with(tmp_path))
    assert back.of("odd", "tuned", 1) == {3: saved}


def test_an_empty_one_removes_what_was_there(tmp_path: Path) -> None:
    kept = Annotations(run_with(tmp_path))
    saved = kept.save(filled())
    assert saved is not None
    assert kept.save(filled(meaningful=""), seen=saved.time) is None
    assert kept.all() == {}


def test_what_another_wrote_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    one, other = (Annotations(run_with(tmp_path)) for _ in range(2))
    first = one.save(filled(name="verbs"))
    assert first is not None
    with pytest.raises(MismatchError, match="meanwhile"):
        other.save(filled(name="nouns"))
    second = other.save(filled(name="nouns"), seen=first.time)
    with pytest.raises(MismatchError, match="meanwhile"):
        one.save(filled(name="verbs again"), seen=first.time)
    assert one.of("odd", "tuned", 1) == {3: second}


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    def annotate(model: str) -> None:
        mine = Annotations(run_with(tmp_path))
        for concept in range(12):
            mine.save(filled(concept, model=model))

    writers = [threading.Thread(target=annotate, args=[model]) for model in ("base", "tuned")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = Annotations(run_with(tmp_path))
    for model in ("base", "tuned"):
        assert sorted(found.of("odd", model, 1)) == list(range(12))
    assert not list(tmp_path.glob(".partial-*"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"meaningful": "maybe"}, "meaningful is one of"),
        ({"meaningful": True}, "meaningful is no text"),
        ({"name": "x" * (NAME_LENGTH + 1)}, "at most 100"),
        ({"name": "\x00"}, r"U\+0000"),
        ({"note": "\ud800"}, r"U\+D800"),
        ({"concept": -1}, "concept is no number"),
        ({"concept": True}, "concept is no number"),
        ({"concept": 12}, "there is no concept 12"),
        ({"merge": 12}, "there is no concept 12"),
        ({"merge": 3}, "merged with itself"),
        ({"layer": 7}, "at layer 7"),
        ({"layer": "1"}, "layer is no number"),
        ({"corpus": "other"}, "no concepts of model"),
        ({"extra": 1}, "has the fields"),
    ],
)
def test_what_is_wrong_is_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    kept = Annotations(run_with(tmp_path))
    with pytest.raises(InputError, match=said):
        kept.save(filled(**change))
    assert not kept.path.exists()


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"format": 9}', '{"format": 1, "annotations": [{"layer": 1}]}']
)
def test_a_broken_file_is_an_error_and_is_kept(tmp_path: Path, text: str) -> None:
    kept = Annotations(run_with(tmp_path))
    kept.path.write_text(text)
    with pytest.raises(InputError, match=r"annotations\.json"):
        kept.all()
    with pytest.raises(InputError, match=r"annotations\.json"):
        kept.save(filled())
    assert kept.path.read_text() == text


def test_a_file_changed_by_hand_is_read_again(tmp_path: Path) -> None:
    kept = Annotations(run_with(tmp_path))
    kept.save(filled(name="verbs"))
    content = json.loads(kept.path.read_text())
    content["annotations"][0]["name"] = "nouns"
    kept.path.write_text(json.dumps(content))
    assert kept.of("odd", "tuned", 1)[3].name == "nouns"


def test_an_annotation_says_nothing_only_when_all_is_empty() -> None:
    empty = Annotation("odd", "tuned", 1, 3, "k1")
    assert empty.says_nothing
    for change in ({"meaningful": "no"}, {"name": "x"}, {"merge": 0}, {"note": "x"}):
        assert not replace(empty, **change).says_nothing


# --- pages ---------------------------------------------------------------------------------------


@pytest.fixture
def annotated(tiny_run: Run) -> Iterator[Site]:
    """Return the site of a run with annotations, one of them of an earlier clustering."""
    site = Site(tiny_run, Served(live=True, annotate=True))
    key = tiny_run.concepts["odd", "tuned"].key
    for concept, answer in ((0, "yes"), (1, "yes"), (2, "no"), (3, "partly")):
        site.annotations.save(filled(concept, clustering=key, meaningful=answer, name=HOSTILE))
    content = json.loads(site.annotations.path.read_text())
    content["annotations"].append(filled(5, clustering="gone", note="of long ago") | {"time": "x"})
    site.annotations.path.write_text(json.dumps(content))
    yield site
    site.annotations.path.unlink()


def text_of(site: Site, path: str) -> str:
    content = site.get(path)
    assert content is not None
    return content.body.decode()


def paths_of(site: Site) -> set[str]:
    kind = site.kind("annotations")
    assert kind is not None
    return set(kind.paths())


def test_the_page_says_how_many_are_meaningful_and_what_was_said(annotated: Site) -> None:
    text = text_of(annotated, ANNOTATIONS)
    assert "of 4 concepts asked about, 2 (50%, 15% to 85%) have something in common" in text
    assert "1 partly, 1 do not" in text
    assert HOSTILE not in text
    assert text.count("&lt;script&gt;window.pwned=1&lt;/script&gt;") == 4
    assert f'href="../{concept_path("odd", "tuned", 1, 3)}"' in text
    before, earlier = text.split('id="earlier"')
    assert "of long ago" in earlier
    assert "of long ago" not in before


def test_the_files_hold_all_and_say_what_is_of_an_earlier_clustering(annotated: Site) -> None:
    rows = list(csv.DictReader(text_of(annotated, ALL_CSV).splitlines()))
    assert [row["current"] for row in rows] == ["True"] * 4 + ["False"]
    assert rows[0]["name"] == HOSTILE
    [model, layer] = csv.DictReader(text_of(annotated, TALLIES_CSV).splitlines())
    assert (model["layer"], layer["layer"]) == ("", "1")
    assert (model["yes"], model["partly"], model["no"], model["concepts"]) == ("2", "1", "1", "36")


def test_an_exported_site_shows_annotations_and_no_form(annotated: Site, tiny_run: Run) -> None:
    exported = Site(tiny_run)
    assert ANNOTATIONS in paths_of(exported)
    page = concept_path("odd", "tuned", 1, 0)
    text = text_of(exported, page)
    assert "&lt;script&gt;window.pwned=1&lt;/script&gt;" in text
    assert HOSTILE not in text
    assert "<form" not in text
    assert "annotate.js" not in text
    form = text_of(annotated, page)
    assert "<form" in form
    [offered] = re.findall(r'<datalist id="nearest">(.*?)</datalist>', form, re.DOTALL)
    numbers = re.findall(r'<option value="(\d+)">', offered)
    sibling = re.search(r'href="(\d+).html"[^>]*>(?:(?!</td>).)*<span class="n">sibling', form)
    assert sibling and int(numbers[0]) == int(sibling[1])
    assert "of long ago" not in text_of(exported, concept_path("odd", "tuned", 1, 5))


def test_without_annotations_there_is_no_page_unless_one_can_annotate(tiny_run: Run) -> None:
    for served, there in ((Served(), False), (Served(True), False), (Served(True, True), True)):
        site = Site(tiny_run, served)
        assert (site.get(ANNOTATIONS) is not None) == there
        assert (ANNOTATIONS in paths_of(site)) == there
        assert (b"annotations/index.html" in site.get("index.html").body) == there  # type: ignore[union-attr]


def test_a_tally_counts_answers_alone() -> None:
    found = [Annotation("odd", "m", 0, n, "k", a) for n, a in enumerate(["yes", "no", "", "yes"])]
    tally = Tally.of("odd", "m", 0, 9, found)
    assert (tally.annotated, tally.answers, tally.yes) == (4, 3, 2)
    assert tally.share == pytest.approx(2 / 3)
    assert tally.low < tally.share < tally.high
    assert "not asked" in Tally.of("odd", "m", 0, 9, []).sentence()

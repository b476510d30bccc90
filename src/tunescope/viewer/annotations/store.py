"""The file with all annotations of a run.

It is read again when it has changed, and written under a lock, so that several servers and people
can annotate one run: none loses what another wrote.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tunescope.errors import InputError, MismatchError
from tunescope.files import write_json
from tunescope.study.result import Run
from tunescope.viewer.annotations.annotation import Annotation, Place

FILE = "annotations.json"
FORMAT = 1
MOST = 200_000
"""Annotations that one run may have."""


@dataclass(frozen=True)
class Annotated:
    """What a page shows of one concept (`annotation.html.j2`).

    Parameters
    ----------
    place : Place
        Which concept.
    annotation : Annotation or None
        What was said of it.
    editable : bool
        Whether the page has a form.
    """

    place: Place
    annotation: Annotation | None
    editable: bool


class Annotations:
    """Annotations of the concepts of a run.

    Parameters
    ----------
    run : Run
        The run; they are in `annotations.json` in its folder.
    editable : bool
        Whether they may be changed.
    """

    def __init__(self, run: Run, editable: bool = False):
        self._run, self.path, self.editable = run, run.path / FILE, editable
        self._stamp: tuple[int, int, int] | None = None
        self._read: dict[Place, Annotation] = {}
        self._by_layer: dict[tuple[str, str, int, str], dict[int, Annotation]] = {}

    @property
    def stamp(self) -> tuple[int, int, int] | None:
        """What changes when the file does; None where there is none."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def all(self) -> dict[Place, Annotation]:
        """Return all, those of earlier clusterings too.

        Raises
        ------
        InputError
            If the file cannot be read.
        """
        stamp = self.stamp
        if stamp != self._stamp:
            self._read = {} if stamp is None else _read(self.path)
            self._by_layer = {}
            for (corpus, model, layer, concept, key), found in self._read.items():
                self._by_layer.setdefault((corpus, model, layer, key), {})[concept] = found
            self._stamp = stamp
        return self._read

    def of(self, corpus: str, model: str, layer: int) -> dict[int, Annotation]:
        """Return those of one layer of one model, by number of the concept.

        Parameters
        ----------
        corpus, model : str
            Names in the study.
        layer : int
            Number of the layer.
        """
        self.all()
        return self._by_layer.get((corpus, model, layer, self._clustering(corpus, model) or ""), {})

    def view(self, corpus: str, model: str, layer: int, concept: int) -> Annotated:
        """Return what the page of a concept shows.

        Parameters
        ----------
        corpus, model, layer, concept
            Which concept of the run.
        """
        place = Place(corpus, model, layer, concept, self._clustering(corpus, model) or "")
        return Annotated(place, self.all().get(place), self.editable)

    def current(self) -> list[Annotation]:
        """Return those of the concepts as they are now, by their place."""
        return [a for p, a in sorted(self.all().items()) if self._is_current(p)]

    def earlier(self) -> list[Annotation]:
        """Return those of clusterings that are no more: their numbers mean other concepts now."""
        return [a for p, a in sorted(self.all().items()) if not self._is_current(p)]

    def save(self, content: Any, seen: str = "") -> Annotation | None:
        """Write one annotation; one that says nothing removes what was there.

        Parameters
        ----------
        content : dict
            Fields of `Annotation`, without `time`.
        seen : str
            Time of the annotation that this one replaces, "" for none: what another has written
            meanwhile is not overwritten.

        Returns
        -------
        Annotation or None
            As saved; None where it was removed.

        Raises
        ------
        InputError
            If a field is wrong, the run has no such concept, or the file cannot be read.
        MismatchError
            If another annotation has been saved meanwhile, or the concepts are no more those that
            were looked at.
        """
        given = replace(Annotation.read(content, "annotation"), time=_now())
        self._check(given)
        with _locked(self.path):
            found = _read(self.path) if self.path.exists() else {}
            there = found.get(given.place)
            if (there.time if there else "") != seen:
                raise MismatchError(
                    "this concept was annotated elsewhere meanwhile: load the page again to see how"
                )
            found.pop(given.place, None)
            if not given.says_nothing:
                found[given.place] = given
            if len(found) > MOST:
                raise InputError(f"{self.path} holds {MOST:,} annotations, which is the limit")
            _write(self.path, found.values())
        return None if given.says_nothing else given

    def _check(self, given: Annotation) -> None:
        """Refuse what is of no concept of this run."""
        concepts = self._run.concepts.get((given.corpus, given.model))
        if concepts is None or given.layer not in concepts.layers:
            raise InputError(
                f"the run has no concepts of model {given.model!r} in corpus {given.corpus!r} at "
                f"layer {given.layer}"
            )
        if given.clustering != concepts.key:
            raise MismatchError(
                "the words were clustered anew since this page was made: load it again"
            )
        for number in (given.concept, given.merge):
            if number is not None and number >= concepts.step.n_clusters:
                raise InputError(
                    f"there is no concept {number}: the layer has {concepts.step.n_clusters:,}, "
                    "numbered from 0"
                )

    def _clustering(self, corpus: str, model: str) -> str | None:
        concepts = self._run.concepts.get((corpus, model))
        return None if concepts is None else concepts.key

    def _is_current(self, place: Place) -> bool:
        return place.clustering == self._clustering(place.corpus, place.model)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _read(path: Path) -> dict[Place, Annotation]:
    """Read the file; a mistake in it is an error, as it was made by hand and cannot be redone."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid JSON ({error}): put it right, or move it") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(f"{path} holds no annotations that this version can read: move it away")
    rows = content.get("annotations")
    if not isinstance(rows, list):
        raise InputError(f"{path}: annotations is no list: put it right, or move it")
    found = [Annotation.read(row, f"{path}, annotation {n}") for n, row in enumerate(rows, 1)]
    return {annotation.place: annotation for annotation in found}


def _write(path: Path, found: Iterable[Annotation]) -> None:
    rows = [asdict(annotation) for annotation in sorted(found, key=lambda a: a.place)]
    write_json(path, {"format": FORMAT, "annotations": rows})


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Be the only one, of all threads and processes, that writes a file."""
    import fcntl

    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

"""How much of a run is annotated, and how many of the concepts are meaningful."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields

from tunescope.report.wording import percent
from tunescope.study.result import Run
from tunescope.triggers.measures import rate
from tunescope.viewer.annotations.annotation import ANSWERS, Annotation

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Tally:
    """Answers about the concepts of one layer, or of several.

    Parameters
    ----------
    corpus, model : str
        Names in the study.
    layer : int or None
        None for all layers together.
    concepts : int
        How many there are.
    annotated, named, merged : int
        Of these, with anything said of them, with a name, to be one with another.
    yes, partly, no : int
        Answers to whether the words have something in common.
    share, low, high : float
        "Yes" among the answers, and the ends of Wilson's 95 % interval; not numbers without any.
    """

    corpus: str
    model: str
    layer: int | None
    concepts: int
    annotated: int
    named: int
    merged: int
    yes: int
    partly: int
    no: int
    share: float
    low: float
    high: float

    @classmethod
    def of(
        cls, corpus: str, model: str, layer: int | None, concepts: int, found: list[Annotation]
    ) -> Tally:
        """Count annotations."""
        said = Counter(annotation.meaningful for annotation in found)
        answers = sum(said[answer] for answer in ANSWERS)
        share, low, high = rate(said["yes"], answers, CONFIDENCE)
        return cls(
            corpus, model, layer, concepts, len(found), sum(bool(a.name) for a in found),
            sum(a.merge is not None for a in found), said["yes"], said["partly"], said["no"],
            share, low, high,
        )  # fmt: skip

    @property
    def answers(self) -> int:
        """How many concepts have an answer."""
        return self.yes + self.partly + self.no

    def sentence(self) -> str:
        """Say how many concepts are meaningful."""
        if not self.answers:
            return f"{self.model} in {self.corpus}: not asked of any concept."
        interval = f"{percent(self.share)}, {percent(self.low)} to {percent(self.high)}"
        return (
            f"{self.model} in {self.corpus}: of {self.answers:,} concepts asked about, "
            f"{self.yes:,} ({interval}) have something in common, {self.partly:,} partly, "
            f"{self.no:,} do not."
        )


def tallies(run: Run, found: Iterable[Annotation]) -> list[Tally]:
    """Count annotations by model, and below each by layer; what has none is left out.

    Parameters
    ----------
    run : Run
        The run.
    found : iterable of Annotation
        Those of its concepts as they are now.
    """
    by_layer: dict[tuple[str, str], dict[int, list[Annotation]]] = {}
    for one in found:
        by_layer.setdefault((one.corpus, one.model), {}).setdefault(one.layer, []).append(one)
    made = []
    for (corpus, model), layers in by_layer.items():
        concepts = run.concepts[corpus, model]
        k = concepts.step.n_clusters
        every = [one for of in layers.values() for one in of]
        made.append(Tally.of(corpus, model, None, k * len(concepts.layers), every))
        made += [Tally.of(corpus, model, layer, k, of) for layer, of in sorted(layers.items())]
    return made


def annotations_csv(current: Iterable[Annotation], earlier: Iterable[Annotation]) -> str:
    """Return one row per annotation; `current` says whether its concept is still there."""
    names = [field.name for field in fields(Annotation)]
    rows = [{**asdict(one), "current": now} for now, of in ((True, current), (False, earlier))
            for one in of]  # fmt: skip
    return _csv([*names, "current"], rows)


def tallies_csv(found: Iterable[Tally]) -> str:
    """Return one row per model, and per model and layer."""
    return _csv([field.name for field in fields(Tally)], [asdict(tally) for tally in found])


def _csv(names: list[str], rows: Iterable[dict[str, object]]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()

"""A page about the concepts of one base and one tuned model in one corpus, part by part.

The parts are the questions of Durrani et al. 2022 (arXiv 2210.12696), in its order, then what is
done with the answers. The front page keeps the first figure of some.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tunescope.report.concepts import alignment, explanations, names, trajectory, triggers
from tunescope.report.figure import Figure, slug
from tunescope.report.finding import Finding
from tunescope.study.result import Run

Key = tuple[str, str, str]
"""Corpus, base, tuned."""


@dataclass(frozen=True)
class Part:
    """Figures under one heading.

    Parameters
    ----------
    name : str
        Of the part, for links.
    title : str
        The heading.
    figures : list of Figure
        Not empty.
    front : int
        How many of them stand on the front page too.
    """

    name: str
    title: str
    figures: list[Figure]
    front: int = 0


def keys(run: Run, base: str, tuned: str) -> list[Key]:
    """Return the corpora in which concepts of two models are aligned, each with the models."""
    return [key for key in run.alignments if key[1:] == (base, tuned)]


def parts(run: Run, key: Key) -> list[Part]:
    """Make all figures about the concepts of two models in one corpus.

    Parameters
    ----------
    run : Run
        Results of a study.
    key : tuple of str
        Corpus, base and tuned model, of an alignment that is there.
    """
    corpus, base, tuned = key
    latent = run.latent
    aligned = alignment.parts(run, corpus, run.alignments[key])
    stable = []
    if key in latent.stability:
        stable.append(trajectory.stability(run, corpus, latent.stability[key]))
    traced = trajectory.trace(run, corpus, latent.traces[key]) if key in latent.traces else []
    tried = triggers.figures(run, corpus, latent.triggers[key]) if key in latent.triggers else []
    named = {m: latent.names[corpus, m] for m in (base, tuned) if (corpus, m) in latent.names}
    explained = [
        *(explanations.mapper(run, corpus, latent.mappers[key]) if key in latent.mappers else []),
        *(
            explanations.examples(run, corpus, latent.explanations[key])
            if key in latent.explanations
            else []
        ),
        *(explanations.check(run, tuned, latent.checks[tuned]) if tuned in latent.checks else []),
    ]
    made = [
        Part("kept", "Which concepts were kept, lost and born", [*aligned["kept"], *stable], 1),
        Part("labels", "Which follow human-defined concepts", aligned["labels"], 1),
        Part("classes", "Which follow a class of the task", aligned["classes"], 1),
        Part("checkpoints", "When on the way", traced),
        Part("triggers", "Do their words flip predictions", tried, 1),
        Part("names", "What a language model calls them", names.figures(run, corpus, named)),
        Part("explanations", "Predictions explained through them", explained),
    ]
    return [part for part in made if part.figures]


def findings(run: Run, key: Key) -> list[Finding]:
    """Say what is known about noise, concepts over checkpoints, and triggers.

    Parameters
    ----------
    run : Run
        Results of a study.
    key : tuple of str
        Corpus, base and tuned model.
    """
    corpus, latent = key[0], run.latent
    said = []
    if key in latent.stability:
        said.append(trajectory.stability_finding(latent.stability[key], corpus))
    if key in latent.traces:
        said.append(trajectory.finding(latent.traces[key], corpus))
    if key in latent.triggers:
        said.append(triggers.finding(latent.triggers[key], corpus))
    return [finding for finding in said if finding is not None]


def faithful(run: Run, tuned: str) -> list[Finding]:
    """Say whether salient words are reasons of a model's predictions."""
    checks = run.latent.checks
    return [explanations.check_finding(checks[tuned], tuned)] if tuned in checks else []


def page_name(key: Key) -> str:
    """Return the file name of the page."""
    return f"concepts-{slug(*key)}.html"


def front(made: Iterable[Part]) -> list[Figure]:
    """Return the figures that stand on the front page."""
    return [figure for part in made for figure in part.figures[: part.front]]

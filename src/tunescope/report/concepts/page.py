"""A page about the concepts of one base and one tuned model in one corpus, part by part.

The parts are the questions of Durrani et al. 2022 (arXiv 2210.12696), in its order, then what is
done with the answers. The page about the layers of both models keeps the first figures of some.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tunescope.report.concepts import (
    alignment,
    claims,
    explanations,
    names,
    trajectory,
    triggers,
    tuning_runs,
)
from tunescope.report.figure import Figure, Opens, slug
from tunescope.report.finding import Evidence, Finding
from tunescope.study.result import Run

Key = tuple[str, str, str]
"""Corpus, base, tuned."""
PAGE = "alignment"
"""The kind of page that these findings and their figures stand on."""


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
        How many of them stand on the page about the layers of both models too.
    """

    name: str
    title: str
    figures: list[Figure]
    front: int = 0


def keys(run: Run, base: str, tuned: str) -> list[Key]:
    """Return the corpora in which concepts of two models are aligned, each with the models."""
    return [key for key in run.alignments if key[1:] == (base, tuned)]


def parts(run: Run, key: Key, opens: Opens | None = None) -> list[Part]:
    """Make all figures about the concepts of two models in one corpus.

    Parameters
    ----------
    run : Run
        Results of a study.
    key : tuple of str
        Corpus, base and tuned model, of an alignment that is there.
    opens : callable, optional
        Where the concepts of a layer are.
    """
    corpus, base, tuned = key
    latent = run.latent
    sorts = alignment.parts(run, corpus, run.alignments[key], opens)
    stable = []
    if key in latent.stability:
        stable.append(trajectory.stability(run, corpus, latent.stability[key]))
    other_runs = tuning_runs.figure(run, key)
    again = [other_runs] if other_runs else []
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
        Part(
            "kept", "Which concepts were kept, lost and born", [*sorts["kept"], *stable, *again], 2
        ),
        Part("labels", "Which follow human-defined concepts", sorts["labels"], 2),
        Part("classes", "Which follow a class of the task", sorts["classes"], 1),
        Part("checkpoints", "When on the way", traced, 1),
        Part("triggers", "Do their words flip predictions", tried),
        Part("names", "What a language model calls them", names.figures(run, corpus, named)),
        Part("explanations", "Predictions explained through them", explained),
    ]
    return [part for part in made if part.figures]


def aligned(run: Run, key: Key) -> list[Finding]:
    """Say how many concepts were kept, and how many follow a class of the task.

    Parameters
    ----------
    run : Run
        Results of a study.
    key : tuple of str
        Corpus, base and tuned model, of an alignment that is there.
    """
    corpus, base, tuned = key
    found, name = run.alignments[key], slug(base, tuned, corpus)
    step, said = found.manifest.parameters, []
    if len(found.retention):
        claim = claims.retained(found.retention, f"concepts in {corpus}", step)
        text = claim.text + tuning_runs.retained(run, key)
        said.append(replace(claim, text=text, evidence=Evidence(PAGE, key, f"retained-{name}")))
    if len(found.polarity):
        claim = claims.polarised(found.polarity, f"classes in {corpus}", step)
        text = claim.text + tuning_runs.polarised(run, key)
        said.append(replace(claim, text=text, evidence=Evidence(PAGE, key, f"polarised-{name}")))
    return said


def findings(run: Run, key: Key) -> list[Finding]:
    """Say what is known about noise, concepts over checkpoints, and triggers.

    Parameters
    ----------
    run : Run
        Results of a study.
    key : tuple of str
        Corpus, base and tuned model.
    """
    (corpus, base, tuned), latent = key, run.latent
    said: list[tuple[Finding | None, Evidence]] = []
    if key in latent.stability:
        found = latent.stability[key]
        at = Evidence(PAGE, key, f"stability-{slug(base, tuned, corpus)}")
        said.append((trajectory.stability_finding(found, corpus), at))
    if key in latent.traces:
        at = Evidence(PAGE, key, f"trajectory-{slug(base, tuned, corpus)}")
        said.append((trajectory.finding(latent.traces[key], corpus), at))
    if key in latent.triggers:
        found = latent.triggers[key]
        place = found.tried[triggers.PLACE].iloc[0] if len(found.tried) else ()
        at = Evidence("triggers", key, f"triggers-{slug(tuned, corpus, *place)}")
        said.append((triggers.finding(found, corpus), at))
    return [replace(finding, evidence=at) for finding, at in said if finding is not None]


def faithful(run: Run, base: str, tuned: str) -> list[Finding]:
    """Say whether salient words are reasons of a model's predictions."""
    checks, corpora = run.latent.checks, keys(run, base, tuned)
    if tuned not in checks:
        return []
    at = Evidence(PAGE, corpora[0], f"faithful-{slug(tuned)}") if corpora else None
    return [replace(explanations.check_finding(checks[tuned], tuned), evidence=at)]


def front(made: Iterable[Part]) -> list[Figure]:
    """Return the figures that stand on the page about the layers too."""
    return [figure for part in made for figure in part.figures[: part.front]]

"""What study 3 has of one base and one tuned model beyond their alignment, in its order."""

from __future__ import annotations

from tunescope.report.concepts import explanations, trajectory, triggers
from tunescope.report.figure import Figure
from tunescope.report.finding import Finding
from tunescope.study.result import Run


def figures(run: Run, base: str, tuned: str) -> list[Figure]:
    """Make the figures of one pair of models.

    Parameters
    ----------
    run : Run
        Results of a study.
    base, tuned : str
        A pair of its models.
    """
    latent, made = run.latent, []
    for corpus in run.study.clustered:
        key = corpus, base, tuned
        if key in latent.stability:
            made += trajectory.stability(run, corpus, latent.stability[key])
        if key in latent.traces:
            made += trajectory.trace(run, corpus, latent.traces[key])
        if key in latent.triggers:
            made += triggers.figures(run, corpus, latent.triggers[key])
        if key in latent.mappers:
            made += explanations.mapper(run, corpus, latent.mappers[key])
        if key in latent.explanations:
            made += explanations.examples(run, corpus, latent.explanations[key])
    if tuned in latent.checks:
        made += explanations.check(run, tuned, latent.checks[tuned])
    return made


def findings(run: Run, base: str, tuned: str) -> list[Finding]:
    """Say what was found about one pair of models.

    Parameters
    ----------
    run : Run
        Results of a study.
    base, tuned : str
        A pair of its models.
    """
    latent, said = run.latent, []
    for corpus in run.study.clustered:
        key = corpus, base, tuned
        if key in latent.traces:
            found = trajectory.finding(latent.traces[key], corpus)
            said += [] if found is None else [found]
        if key in latent.triggers:
            found = triggers.finding(latent.triggers[key], corpus)
            said += [] if found is None else [found]
    if tuned in latent.checks:
        said.append(explanations.check_finding(latent.checks[tuned], tuned))
    return said

"""Figures of explanations: is the mapper right, are salient words faithful, some examples."""

from __future__ import annotations

from functools import partial

import pandas as pd
from markupsafe import Markup

from tunescope.explanations.checked import ExplanationCheck
from tunescope.explanations.explanation import Explanations
from tunescope.explanations.html import as_html
from tunescope.explanations.mapper import ConceptMapper
from tunescope.report.figure import Figure, slug
from tunescope.report.figures import explanations as draw
from tunescope.report.finding import ALPHA, Finding
from tunescope.report.provenance import source as producer
from tunescope.report.wording import percent, points
from tunescope.study.result import Run


def mapper(run: Run, corpus: str, found: ConceptMapper) -> list[Figure]:
    """Show how well words that were held out are mapped to concepts.

    Parameters
    ----------
    run : Run
        Results of a study.
    corpus : str
        The corpus of the words.
    found : ConceptMapper
        The mapper of one model.
    """
    facts, step = found.manifest.facts, found.manifest.parameters
    scores = pd.DataFrame(found.scores[found.scores["words"] == "all"])
    return [
        Figure(
            f"mapper-{slug(found.model, corpus)}",
            f"From a word’s vector to its concept ({corpus})",
            f"Share of {facts['n_test']:,} held-out words of {found.model} that a logistic "
            f"regression on each layer gives the right one of {found.n_concepts:,} concepts, or "
            "has among its best two or five; fitted to "
            f"{facts['n_train']:,} words of other sentences. Dashed: the nearest centroid. Dotted: "
            f"the largest concept. Bands: {percent(step['confidence'])} intervals by a bootstrap "
            f"over sentences. Accepted: words whose concept has p ≥ {step['accept']:g}.",
            {"held-out words mapped": partial(draw.mapper, scores)},
            found.scores,
            producer(run, "map_concepts", step),
        )
    ]


def check(run: Run, tuned: str, found: ExplanationCheck) -> list[Figure]:
    """Show what predictions lose without their salient words, beside random words.

    Parameters
    ----------
    run : Run
        Results of a study.
    tuned : str
        The model.
    found : ExplanationCheck
        Of its predictions.
    """
    facts, step = found.manifest.facts, found.manifest.parameters
    return [
        Figure(
            f"faithful-{slug(tuned)}",
            f"Do predictions of {tuned} rest on their salient words?",
            f"What the probability of the predicted class loses, in the mean over "
            f"{facts['n_texts']:,} texts, when the words that hold {percent(step['mass'])} of the "
            f"attribution are taken out, or all others, beside as many random words. "
            f"{percent(step['confidence'])} intervals by a bootstrap over texts.",
            {"probability lost": partial(draw.faithful, found.effects)},
            found.effects,
            producer(run, "check_explanations", step),
        )
    ]


def check_finding(found: ExplanationCheck, tuned: str) -> Finding:
    """Say whether salient words matter more than random ones.

    Parameters
    ----------
    found : ExplanationCheck
        Of the predictions of one model.
    tuned : str
        The model.
    """
    effects = found.effects[found.effects["measure"] == "deleted"].set_index("words")
    gap = effects.loc["difference"]
    drops = {name: percent(effects.loc[name, "drop"]) for name in ("salient", "random")}
    level, n = percent(found.manifest.parameters["confidence"]), found.manifest.facts["n_texts"]
    holds = bool(gap["drop_p"] < ALPHA and gap["drop"] > 0)
    text = (
        f"Without the words that integrated gradients call salient, the class {tuned} predicts "
        f"loses {drops['salient']} of probability in the mean, without as many random words "
        f"{drops['random']}: {points(gap['drop'])} points, {level} CI {points(gap['drop_low'])} to "
        f"{points(gap['drop_high'])}, p = {gap['drop_p']:.2g}, over {n:,} texts."
    )
    text += (
        " So its predictions rest on these words more than on random ones, by that much."
        if holds
        else " That its predictions rest on these words more than on random ones does not show."
    )
    return Finding(f"explanations of {tuned}", text, holds)


def examples(run: Run, corpus: str, found: Explanations) -> list[Figure]:
    """Show some predictions with their salient words and the concepts of these.

    Parameters
    ----------
    run : Run
        Results of a study.
    corpus : str
        The corpus the concepts come from.
    found : Explanations
        Of one model.
    """
    step = run.study.explain
    return [
        Figure(
            f"explained-{slug(found.model, corpus)}",
            f"Predictions of {found.model} explained through concepts ({corpus})",
            "Texts drawn at random. Salient words together hold the share of attribution asked "
            "for; a word’s concept is shown where the mapper is sure enough of it.",
            {},
            found.table(),
            "" if step is None else producer(run, "explain", step.parameters()),
            written=Markup(as_html(found)),
        )
    ]

"""Parameters of explanations through latent concepts (LACOAT, arXiv 2404.12545; NxPlain)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from tunescope.steps.step import Step, bounded


@dataclass(frozen=True)
class MapConcepts(Step):
    """Fit, at every layer, a logistic regression from a word's vector to its concept.

    Parameters
    ----------
    test_share
        Share of sentences whose words are held out, to measure the mapper on.
    l2
        Weight of the squared coefficients, on columns scaled to variance 1; the log-likelihood is
        summed over words.
    tolerance
        The fit stops when its objective is proven, by the duality gap, to lie within this share
        of the optimum.
    max_iterations
        Upper bound of the solver's iterations; reaching it is reported.
    accept
        A mapping is accepted when its concept has at least this probability.
    resamples
        Bootstrap resamples of sentences for confidence intervals.
    confidence
        Level of the confidence intervals.
    seed
        Seed of the split and of resampling.
    """

    name: ClassVar[str] = "map_concepts"
    version: ClassVar[int] = 2
    test_share: float = bounded(0.1, 0.01, 0.9)
    l2: float = bounded(1.0, 1e-6)
    tolerance: float = bounded(0.05, 0)
    max_iterations: int = bounded(500, 1)
    accept: float = bounded(0.97, 0, 1)
    resamples: int = bounded(1000, 10)
    confidence: float = bounded(0.95, 0.5, 0.9999)
    seed: int = bounded(0, 0)


Baseline = Literal["pad", "mask", "zero"]
Output = Literal["logit", "log_odds", "probability"]
Rule = Literal["gauss_legendre", "trapezoid"]


@dataclass(frozen=True)
class Explain(Step):
    """Attribute a prediction to words and map the salient ones to latent concepts.

    Parameters
    ----------
    layers
        Layers whose concepts are shown; the mapper's last when not given.
    attribute
        Where gradients are integrated: at the `input` embeddings, or at the hidden states of each
        `layer` whose concepts are shown.
    steps
        Points on the path from the baseline to the text; with a `tolerance`, at most so many.
    tolerance
        Take only as many points as are needed: from 8 on, twice as many, until neither the
        attributions nor their sum is off by more than this share of their absolute sum. Always
        `steps` points when not given.
    rule
        How the points are laid and weighted.
    baseline
        What stands for the absence of a word: the embedding of the padding token, of the mask
        token, or zeros.
    output
        Of the predicted class, what is attributed: its logit, its log odds, or its probability.
    mass
        Salient are the fewest words that together hold this share of the absolute attribution of
        all words.
    accept
        A concept is shown when the mapper gives it at least this probability.
    contexts
        Example sentences of each concept.
    max_length
        Longest input in subwords, special tokens included; the rest is cut off. The model's own
        limit when not given.
    batch_tokens
        Subwords in one forward pass: memory is bounded by it.
    """

    name: ClassVar[str] = "explain"
    layers: tuple[int, ...] | None = bounded(None, 0)
    attribute: Literal["input", "layer"] = "input"
    steps: int = bounded(500, 2)
    tolerance: float | None = bounded(None, 0, 1)
    rule: Rule = "gauss_legendre"
    baseline: Baseline = "pad"
    output: Output = "logit"
    mass: float = bounded(0.5, 0, 1)
    accept: float = bounded(0.97, 0, 1)
    contexts: int = bounded(3, 0)
    max_length: int | None = bounded(None, 3)
    batch_tokens: int = bounded(4096, 1)


@dataclass(frozen=True)
class CheckExplanations(Step):
    """Take the salient words out of texts, and as many random ones, and compare what it changes.

    Parameters
    ----------
    max_texts
        Texts to test, drawn at random.
    action
        What happens to a word: it is taken out (`remove`), or its subwords are replaced by the
        `mask` or the `pad` token.
    draws
        Random sets of words of each text.
    steps
        Points on the path from the baseline to the text, at most.
    tolerance
        As in step `explain`; here, no more points than are needed are taken by default.
    rule
        As in step `explain`.
    baseline
        As in step `explain`.
    output
        As in step `explain`.
    mass
        As in step `explain`.
    max_length
        As in step `explain`.
    batch_tokens
        As in step `explain`.
    resamples
        Bootstrap resamples of texts for confidence intervals, and sign flips for the test.
    confidence
        Level of the confidence intervals.
    seed
        Seed of the draws and of resampling.
    """

    name: ClassVar[str] = "check_explanations"
    max_texts: int = bounded(200, 2)
    action: Literal["remove", "mask", "pad"] = "remove"
    draws: int = bounded(10, 1)
    steps: int = bounded(500, 2)
    tolerance: float | None = bounded(0.01, 0, 1)
    rule: Rule = "gauss_legendre"
    baseline: Baseline = "pad"
    output: Output = "logit"
    mass: float = bounded(0.5, 0, 1)
    max_length: int | None = bounded(None, 3)
    batch_tokens: int = bounded(4096, 1)
    resamples: int = bounded(1000, 10)
    confidence: float = bounded(0.95, 0.5, 0.9999)
    seed: int = bounded(0, 0)

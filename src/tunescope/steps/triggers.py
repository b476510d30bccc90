"""Parameters of adversarial triggers from polarity concepts (arXiv 2210.12696)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from tunescope.steps.step import Step, bounded

Method = Literal["concept", "random", "opposite", "lexicon", "hotflip"]
Position = Literal["before", "after", "middle"]
Part = Literal["first", "second"]


@dataclass(frozen=True)
class Triggers(Step):
    """Put words of polarity concepts into texts of other classes; count flipped predictions.

    Triggers are chosen on one half of the texts and reported on the other.

    Parameters
    ----------
    methods
        Where triggers come from: polarity concepts, or on the same budget random words as
        frequent, words of concepts polarised to other classes, a sentiment lexicon, HotFlip's
        universal triggers.
    n_words
        Words of a trigger; of HotFlip's, subwords.
    positions
        Where it is put; each is searched and reported by itself.
    parts
        Of pairs: into which text; into either, each by itself, when not given.
    choice
        Which words of a concept: its most `frequent` ones, those most `central` (nearest to its
        centroid; needs activations), `random` ones, or the best by a `greedy` search on the
        choosing half.
    draws
        Triggers tried of each concept, with different words; with `greedy`, one.
    pool
        Of `greedy`: words of a concept that are looked at, the most frequent ones.
    layers
        Layers whose concepts are used; all when not given.
    max_concepts
        Polarity concepts used of each class and layer, the largest first; all when not given.
    polarity
        A concept's class is that of the sentences its words come from: true (`gold`) or
        `predicted` (sentence column of the words).
    theta_classes
        A concept is polarised when at least this share of its occurrences comes from sentences of
        one class (sentences without a class left out).
    max_unknown
        Concepts with a larger share of occurrences in sentences without a class are not used.
    max_texts
        Use so many texts, drawn at random; all when not given.
    choosing_share
        Share of the texts that triggers are chosen on; they are reported on the others. Equal
        texts, and pairs with equal first texts, stay together.
    keep_seen
        Keep texts that are sentences of the corpus the concepts were found in.
    hotflip_candidates
        Of HotFlip: subwords tried at each place, by gradient.
    beam
        Of HotFlip: triggers kept from place to place.
    positive_class
        Class that words with a score above 0 in the lexicon are taken for; the last one, sorted,
        when not given. Words below 0 are taken for the other of two classes.
    max_length
        Longest input in subwords; the rest of a text is cut off.
    batch_tokens
        Subwords in one forward pass, padding included.
    examples
        Texts shown before and after, for the best trigger of each class.
    resamples
        Bootstrap resamples, and random permutations.
    confidence
        Level of the confidence intervals.
    seed
        Seed of everything drawn.
    """

    name: ClassVar[str] = "triggers"
    version: ClassVar[int] = 3
    methods: tuple[Method, ...] = ("concept", "random", "opposite", "lexicon", "hotflip")
    n_words: int = bounded(3, 1, 20)
    positions: tuple[Position, ...] = ("before",)
    parts: tuple[Part, ...] | None = None
    choice: Literal["frequent", "central", "random", "greedy"] = "frequent"
    draws: int = bounded(3, 1)
    pool: int = bounded(10, 1)
    layers: tuple[int, ...] | None = None
    max_concepts: int | None = bounded(None, 1)
    polarity: Literal["gold", "predicted"] = "gold"
    theta_classes: float = bounded(0.9, 0, 1)
    max_unknown: float = bounded(0.4, 0, 1)
    max_texts: int | None = bounded(1000, 4)
    choosing_share: float = bounded(0.5, 0.05, 0.95)
    keep_seen: bool = False
    hotflip_candidates: int = bounded(40, 1)
    beam: int = bounded(1, 1)
    positive_class: str | None = None
    max_length: int = bounded(128, 4)
    batch_tokens: int = bounded(4096, 1)
    examples: int = bounded(5, 0)
    resamples: int = bounded(1000, 10)
    confidence: float = bounded(0.95, 0.5, 0.9999)
    seed: int = bounded(0, 0)

"""What figures and findings of study 1 need to know beside the tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tunescope.report.figure import slug
from tunescope.report.figures.neurons import SCALINGS, Frame, choose, rankings, scalings

Tables = Mapping[str, Frame]
"""Tables of one model and label column by name: search, curve, minimal, ablation, layers, tags,
sharing, localisation, agreement, agreement_summary, redundancy, effects, against_random. Any may be
missing."""

PAPER, FOLLOW_UP = "Durrani et al. (2020)", "Durrani et al. (2022)"
REDUNDANCY, AGREEMENT = "Dalvi et al. (2020)", "Fan et al. (2023)"
"""Whose claims findings hold against what is measured: arXiv 2010.02695, 2206.13288, 2004.04010;
NeurIPS 2023."""

MOST_CHARTS = 8
"""Charts of one figure: its files are lettered a to h."""

CLOSED = ("ADP", "AUX", "CCONJ", "DET", "NUM", "PART", "PRON", "SCONJ")
OPEN = ("ADJ", "ADV", "INTJ", "NOUN", "PROPN", "VERB")
OTHER = ("PUNCT", "SYM", "X")
"""Universal part-of-speech tags by class, as universaldependencies.org divides them."""

KINDS = {
    "morphology": ("pos", "upos", "xpos"),
    "syntax": ("ccg", "chunk", "chunks", "supertag", "deprel"),
}
"""Label columns by what they describe; of others, such as semantic tags, nothing is claimed."""


@dataclass(frozen=True)
class NeuronFacts:
    """Where the tables of one model and label column come from.

    Parameters
    ----------
    model, corpus, label : str
        Display names.
    source : str
        Command and parameters that made the tables.
    n_neurons, n_layers : int
        Of the model, the embedding layer included.
    n_train, n_test, n_labels : int
        Training words, test words, labels.
    majority : float, optional
        Test accuracy of the most frequent label.
    confidence : float
        Level of the intervals.
    resamples : int
        Of the bootstrap over sentences.
    controls : int
        Control tasks.
    ranking : str
        The one that figures show where there is room for one; the first in a table where it has
        not this one.
    selected : str
        Which neurons the table of layers counts, as a phrase.
    of_tag : str
        Which neurons count as a tag's, as a phrase.
    tag_counts : mapping of str to int
        Training words of each tag.
    curve_words : int, optional
        Words of each split that classifiers are trained and tested on for accuracy against N.
    asked : str
        How much the model was asked in interventions, as a phrase.
    direction : tuple of str
        Labels that a translation goes from and to; empty where there is none.
    """

    model: str
    corpus: str
    label: str
    source: str
    n_neurons: int
    n_layers: int
    n_train: int
    n_test: int
    n_labels: int
    majority: float | None = None
    confidence: float = 0.95
    resamples: int = 1000
    controls: int = 0
    ranking: str = "lca"
    selected: str = "the top neurons of the ranking"
    of_tag: str = "its top neurons"
    tag_counts: Mapping[str, int] = field(default_factory=dict)
    curve_words: int | None = None
    asked: str = ""
    direction: tuple[str, ...] = ()

    @property
    def kind(self) -> str | None:
        """What the label column describes: morphology, syntax, or None where it is not known."""
        return next((kind for kind, names in KINDS.items() if self.label.lower() in names), None)

    @property
    def name(self) -> str:
        """Model, corpus and label as part of a file name."""
        return slug(self.model, self.corpus, self.label)

    @property
    def what(self) -> str:
        """What was looked at, for a title."""
        return f"{self.label} in {self.corpus}, {self.model}"

    @property
    def size(self) -> str:
        """Numbers of words, labels and neurons, for a caption."""
        return (
            f"{self.n_test:,} test words and {self.n_train:,} training words of corpus "
            f"“{self.corpus}”, {self.n_labels:,} labels, {self.n_neurons:,} neurons in "
            f"{self.n_layers} layers"
        )

    @property
    def level(self) -> str:
        """Level of the intervals."""
        return f"{100 * self.confidence:g}%"

    @property
    def interval(self) -> str:
        """How intervals of accuracies were made, for a caption."""
        return (
            f"{self.level} confidence intervals by a bootstrap over sentences "
            f"({self.resamples:,} resamples)"
        )

    @property
    def dotted(self) -> str:
        """What the dotted line is, for a caption; empty where there is none."""
        return "" if self.majority is None else "Dotted: the most frequent label. "

    @property
    def curve(self) -> str:
        """What accuracy against N is measured on, for a caption; empty where that is all words."""
        if self.curve_words is None or self.curve_words >= self.n_train:
            return ""
        return (
            f"Trained and tested on at most {self.curve_words:,} words of each split (the probe of "
            "all neurons: on all). "
        )

    def main(self, table: Frame) -> str:
        """Return the ranking that is shown from a table: `ranking`, or the first it has."""
        names = rankings(table)
        return self.ranking if self.ranking in names else names[0]

    def of_main(self, table: Frame) -> dict[str, Frame]:
        """Return the rows of the main ranking by scaling, raw first."""
        own = choose(table, ranking=self.main(table))
        return {scaling: choose(own, scaling=scaling) for scaling in scalings(own)}


def named(scaling: str) -> str:
    """Return the name of a scaling in text."""
    return SCALINGS.get(scaling, scaling)


def there(tables: Tables, name: str) -> Frame | None:
    """Return a table, or None where it is missing or empty."""
    table = tables.get(name)
    return table if table is not None and len(table) else None


def whole(tables: Tables, scaling: str) -> float | None:
    """Return the test accuracy of the probe of all neurons, from whichever table has it."""
    minimal, ablation = there(tables, "minimal"), there(tables, "ablation")
    if minimal is not None and len(rows := choose(minimal, scaling=scaling)):
        return float(rows["oracle_accuracy"].iloc[0])
    if ablation is not None and len(rows := choose(ablation, scaling=scaling, order="all")):
        return float(rows["accuracy"].iloc[0])
    return None


def draws(rows: Frame, column: str = "order") -> str:
    """Say over how many draws random neurons are averaged, as the end of a sentence."""
    seeds = rows.loc[rows[column] == "random", "seed"].nunique()
    return f", for random neurons over {seeds} draws too" if seeds > 1 else ""


def tag_kinds(tags: Frame) -> dict[str, str]:
    """Return closed class, open class or other for each tag; empty if they are not UPOS tags."""
    names = set(tags["tag"])
    if not names <= {*CLOSED, *OPEN, *OTHER, "_"} or not names & {*CLOSED} or not names & {*OPEN}:
        return {}
    kinds = {"closed class": CLOSED, "open class": OPEN}
    return {
        name: next((kind for kind, members in kinds.items() if name in members), "other")
        for name in names
    }

"""Parameters of latent concepts and their alignment (Durrani et al. 2022, arXiv 2210.12696)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

from tunescope.errors import InputError
from tunescope.steps.step import Step, bounded

Method = Literal[
    "ward", "average", "complete", "leaders", "kmeans", "minibatch_kmeans", "imported"
]  # fmt: skip
METHODS: tuple[str, ...] = tuple(m for m in get_args(Method) if m != "imported")
FLAT = ("kmeans", "minibatch_kmeans")
"""Methods that leave no tree, and so one number of clusters."""
TREELESS = (*FLAT, "imported")
"""What has no tree on disk: those, and clusters read from files (`import_conceptx`)."""
RESTARTS = 3
LEADERS = 20_000
OPTIONS: dict[str, dict[str, Any]] = {
    "leaders": {"n_leaders": LEADERS, "leader_weights": "followers"},
    "kmeans": {"restarts": RESTARTS},
    "minibatch_kmeans": {"restarts": RESTARTS},
}
"""What only some methods use, with its value when not given."""

PRESETS: dict[str, dict[str, Any]] = {
    "iclr": {"min_count": 10, "max_count": None, "max_occurrences": 10},
    "lacoat": {"min_count": 5, "max_count": None, "max_occurrences": 20},
    "conceptx": {"min_count": 5, "max_count": 500_000, "max_occurrences": 50},
}
"""Published rules by which words were selected: Dalvi et al. 2022 (arXiv 2205.07237), LACOAT
(arXiv 2404.12545), and ConceptX's command line. All took sentences of up to 300 words."""
SENTENCE_WORDS = 300
LEAST = 0.01
"""Of thresholds: with 0, concepts would match others that they share nothing with."""


@dataclass(frozen=True)
class Concepts(Step):
    """Choose words by frequency, then cluster their activations at every layer.

    The words are chosen before extraction and are the same for base and tuned models (Dalvi et
    al. 2022, section 3.1).

    Parameters
    ----------
    n_clusters
        K, the number of clusters: where the dendrogram is cut, or what K-means looks for.
    method
        `ward`, `average` and `complete` linkage are exact and give any K from one dendrogram;
        `leaders` is Ward linkage of points that stand for others; `kmeans` and `minibatch_kmeans`
        scale furthest and give one K. Distances are Euclidean. `imported` is what
        `import_conceptx` writes.
    n_leaders
        Of `leaders`: how many points there may be that stand for others (20,000 when not given).
    leader_weights
        Of `leaders`: a leader weighs as much as it has `followers`, which is close to Ward linkage
        (when not given), or all weigh the same, `equal` (the public code of the paper).
    restarts
        Of the K-means: starts drawn by k-means++, of which the best is kept (3 when not given).
    preset
        A published rule for the words, whose values hold where the next three are not given: `iclr`
        (10 to any number of occurrences, 10 kept), `lacoat` (5 to any, 20 kept) or `conceptx` (5
        to 500,000, 50 kept).
    min_count
        A word type needs at least this many occurrences.
    max_count
        A word type with more occurrences than this is dropped.
    max_occurrences
        At most this many occurrences of a type are kept.
    max_sentence_words
        Words of longer sentences are neither counted nor kept.
    choice
        Which occurrences are kept: `random` (seeded) or the `first` in the corpus.
    min_types
        A concept needs at least this many word types to count in any figure (the paper: more
        than 5).
    seed
        Seed of the random choice and of K-means.
    """

    name: ClassVar[str] = "concepts"
    version: ClassVar[int] = 2
    n_clusters: int = bounded(600, 2)
    method: Method = "ward"
    n_leaders: int | None = bounded(None, 2)
    leader_weights: Literal["followers", "equal"] | None = None
    restarts: int | None = bounded(None, 1)
    preset: Literal["iclr", "lacoat", "conceptx"] = "iclr"
    min_count: int | None = bounded(None, 1)
    max_count: int | None = bounded(None, 1)
    max_occurrences: int | None = bounded(None, 1)
    max_sentence_words: int = bounded(SENTENCE_WORDS, 1)
    choice: Literal["random", "first"] = "random"
    min_types: int = bounded(6, 1)
    seed: int = bounded(0, 0)

    def __post_init__(self) -> None:
        super().__post_init__()
        used = OPTIONS.get(self.method, {})
        for name in ("n_leaders", "leader_weights", "restarts"):
            if getattr(self, name) is not None and name not in used:
                of = " or ".join(repr(method) for method in OPTIONS if name in OPTIONS[method])
                raise InputError(
                    f"step 'concepts': {name} is not used by method = {self.method!r}: "
                    f"leave it out, or take {of}"
                )
        # What was not given is filled in here, so that the manifest says what was done.
        for name, value in (used | PRESETS[self.preset]).items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)
        if self.n_leaders is not None and self.n_leaders < self.n_clusters:
            raise InputError(
                f"step 'concepts': n_leaders = {self.n_leaders} is less than n_clusters = "
                f"{self.n_clusters}: raise it"
            )

    @property
    def clustering(self) -> dict[str, Any]:
        """The keywords of `concepts.cluster.cluster`: method, K, seed and the method's options."""
        options = {name: getattr(self, name) for name in OPTIONS.get(self.method, {})}
        return {"method": self.method, "k": self.n_clusters, "seed": self.seed, **options}


@dataclass(frozen=True)
class Align(Step):
    """Align concepts: base with tuned, with label columns, and with the task's classes.

    Parameters
    ----------
    theta
        A base concept is retained when one tuned concept holds at least this share of it; a tuned
        concept is born when no base concept holds this share of it.
    overlap
        Shares are counted over word occurrences or over word types in the headline figures; both
        are computed.
    thetas
        Further values of `theta` at which concepts retained and survived are counted.
    floor
        Matches are listed when the other concept holds at least this share of one, by occurrences
        or by types.
    exchange
        What changes places at random for the null between models: single word occurrences, or all
        occurrences of whole word types (the stricter one).
    labels
        Label columns to align with; all that the words have when not given.
    computed
        Kinds of human-defined concepts that are computed from the words, to align with as well:
        names as for `human_labels`, such as `casing`, `suffix` or `words:LISTS`.
    theta_labels
        A concept is aligned with a label when at least this share of its labelled occurrences
        carries it.
    theta_classes
        A concept is polarised towards a class when at least this share of its occurrences comes
        from sentences of that class (sentences without a class left out).
    max_unknown
        Concepts with a larger share of unlabelled occurrences are not aligned; the same for
        occurrences in sentences without a class.
    min_tokens
        A label needs at least this many occurrences among the words to count in the score of
        aligned concepts and covered labels.
    composition_share
        Labels with a share of a concept above this are listed as what it is made of.
    composition_labels
        At most this many of them, the largest first; labels that reach `theta_labels` always.
    permutations
        Random permutations for the null distribution beside each count.
    resamples
        How often sentences are drawn again for the confidence intervals of labels and classes.
    confidence
        Level of the confidence intervals, and of the null distributions' upper ends.
    seed
        Seed of permutations and resamples.
    """

    name: ClassVar[str] = "align"
    version: ClassVar[int] = 5
    theta: float = bounded(0.8, LEAST, 1)
    overlap: Literal["occurrences", "types"] = "occurrences"
    thetas: tuple[float, ...] = bounded((0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0), LEAST, 1)
    floor: float = bounded(0.2, LEAST, 1)
    exchange: Literal["occurrences", "types"] = "occurrences"
    labels: tuple[str, ...] | None = None
    computed: tuple[str, ...] | None = None
    theta_labels: float = bounded(0.9, LEAST, 1)
    theta_classes: float = bounded(0.9, LEAST, 1)
    max_unknown: float = bounded(0.4, 0, 1)
    min_tokens: int = bounded(6, 1)
    composition_share: float = bounded(0.1, 0, 1)
    composition_labels: int = bounded(6, 1)
    permutations: int = bounded(100, 1)
    resamples: int = bounded(200, 2)
    confidence: float = bounded(0.95, 0.5, 0.9999)
    seed: int = bounded(0, 0)

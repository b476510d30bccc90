"""The parameters of every step, defined once.

A step is a frozen dataclass. Its fields are the flags on the command line, the keys of the study
file, what the manifest records and what the documentation lists. This module imports nothing
heavy, so that `tunescope --help` stays instant.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from tunescope.errors import InputError
from tunescope.parameters import check_types


@dataclass(frozen=True)
class Step:
    """Base of the parameter classes; checks values when made."""

    name: ClassVar[str]
    version: ClassVar[int] = 1
    """Raised when the step's results change for the same parameters, so that old ones go stale."""

    def __post_init__(self) -> None:
        check_types(self, f"step {self.name!r}")
        for field in dataclasses.fields(self):
            low = field.metadata.get("at_least")
            high = field.metadata.get("at_most")
            value = getattr(self, field.name)
            if value is None or isinstance(value, str):
                continue
            if (low is not None and value < low) or (high is not None and value > high):
                bounds = f"at least {low}" + (f" and at most {high}" if high is not None else "")
                raise InputError(f"step {self.name!r}: {field.name} = {value!r} must be {bounds}")

    def parameters(self) -> dict[str, Any]:
        """All parameters as plain values, for a manifest."""
        return dataclasses.asdict(self)


def bounded(default: Any, low: float, high: float | None = None) -> Any:
    """Make a dataclass field that must lie in [low, high]."""
    return dataclasses.field(default=default, metadata={"at_least": low, "at_most": high})


@dataclass(frozen=True)
class Finetune(Step):
    """Fine-tune a base model on a sentence classification task.

    The defaults are the recipe of Durrani et al. 2021 (arXiv 2105.15179; section 3 and its code).

    Parameters
    ----------
    epochs
        Passes over the training sentences.
    learning_rate
        Peak learning rate of AdamW; it decays linearly to zero.
    batch_size
        Sentences in one update.
    max_length
        Longest input in subwords; the rest of a sentence is cut off.
    weight_decay
        Decoupled weight decay.
    warmup
        Share of the updates during which the learning rate rises from zero.
    max_sentences
        Train on this many sentences, drawn at random; all when not given.
    dev_share
        Share of the training sentences held out as dev set, where the task has none.
    seed
        Seed of the new classification head, dropout, and the order of sentences.
    """

    name: ClassVar[str] = "finetune"
    epochs: float = bounded(3.0, 0)
    learning_rate: float = bounded(5e-5, 0)
    batch_size: int = bounded(8, 1)
    max_length: int = bounded(128, 4)
    weight_decay: float = bounded(0.0, 0)
    warmup: float = bounded(0.0, 0, 1)
    max_sentences: int | None = bounded(None, 1)
    dev_share: float = bounded(0.1, 0.01, 0.5)
    seed: int = bounded(0, 0)


@dataclass(frozen=True)
class Extract(Step):
    """Store the activation of every word at every layer (layer 0 = embeddings).

    Parameters
    ----------
    pooling
        The word's vector is that of its last subword (as in all three studies), of its first, or
        the mean over its subwords.
    dtype
        Number format in the store.
    max_length
        Longest input in subwords, special tokens included; the model's own limit when not given.
    long
        What happens to a longer sentence: `truncate` (words cut off are counted and marked as not
        valid) or `windows` (split into overlapping windows; each word is taken from the window
        that gives it most context).
    stack
        For encoder-decoder models, whose hidden states are taken; `auto` is the encoder.
    model_dtype
        Number format the model runs in; `auto` is the checkpoint's own.
    batch_tokens
        Subwords in one forward pass, padding included.
    shard_words
        Words in one file of the store, fewer where their layers would take over a gigabyte;
        also the unit in which an interrupted run resumes.
    """

    name: ClassVar[str] = "extract"
    pooling: Literal["last", "first", "mean"] = "last"
    dtype: Literal["float32", "float16"] = "float32"
    max_length: int | None = bounded(None, 4)
    long: Literal["truncate", "windows"] = "truncate"
    stack: Literal["auto", "encoder", "decoder"] = "auto"
    model_dtype: Literal["float32", "float16", "bfloat16", "auto"] = "float32"
    batch_tokens: int = bounded(4096, 1)
    shard_words: int = bounded(32768, 1)


@dataclass(frozen=True)
class Probe(Step):
    """Fit an elastic-net probe on every layer for every label column.

    Parameters
    ----------
    l1
        Weight of the absolute values of the coefficients (per `loss`).
    l2
        Weight of the squared coefficients (per `loss`).
    loss
        Whether the log-likelihood in the objective is the sum over words (the paper) or the mean.
    standardize
        Scale every neuron to mean 0 and variance 1 on the training words first.
    dev_share
        Share of sentences in the dev split, where the corpus does not define splits.
    test_share
        Share of sentences in the test split, where the corpus does not define splits.
    control_seeds
        Number of random-label control tasks (Hewitt and Liang 2019).
    tolerance
        The fit stops when its objective is proven, by the duality gap, to lie within this share
        of the optimum.
    max_iterations
        Upper bound of the solver's iterations; reaching it is reported.
    resamples
        Bootstrap resamples of sentences for confidence intervals, and sign flips for paired tests.
    confidence
        Level of the confidence intervals.
    seed
        Seed of the split, control labels and resampling.
    """

    name: ClassVar[str] = "probe"
    l1: float = bounded(3.0, 0)
    l2: float = bounded(3.0, 0)
    loss: Literal["sum", "mean"] = "sum"
    standardize: bool = False
    dev_share: float = bounded(0.1, 0, 0.9)
    test_share: float = bounded(0.2, 0.01, 0.9)
    control_seeds: int = bounded(3, 0)
    tolerance: float = bounded(5e-3, 0)
    max_iterations: int = bounded(500, 1)
    resamples: int = bounded(1000, 10)
    confidence: float = bounded(0.95, 0.5, 0.9999)
    seed: int = bounded(0, 0)


@dataclass(frozen=True)
class Concepts(Step):
    """Choose words by frequency, then cluster their activations at every layer.

    The words are chosen before extraction and are the same for base and tuned models (Dalvi et
    al. 2022, section 3.1).

    Parameters
    ----------
    n_clusters
        K, the number of clusters the dendrogram is cut into.
    linkage
        Agglomeration criterion (Euclidean distance).
    min_count
        A word type needs at least this many occurrences.
    max_count
        A word type with more occurrences than this is dropped; no limit when not given.
    max_occurrences
        At most this many occurrences of a type are kept.
    choice
        Which occurrences are kept: `random` (seeded) or the `first` in the corpus.
    min_types
        A concept needs at least this many word types to count in any figure (the paper: more
        than 5).
    seed
        Seed of the random choice.
    """

    name: ClassVar[str] = "concepts"
    n_clusters: int = bounded(600, 2)
    linkage: Literal["ward", "average", "complete"] = "ward"
    min_count: int = bounded(10, 1)
    max_count: int | None = bounded(None, 1)
    max_occurrences: int = bounded(10, 1)
    choice: Literal["random", "first"] = "random"
    min_types: int = bounded(6, 1)
    seed: int = bounded(0, 0)


@dataclass(frozen=True)
class Align(Step):
    """Align concepts: base with tuned, with label columns, and with the task's classes.

    Parameters
    ----------
    theta
        A base concept is retained when one tuned concept holds at least this share of it; a tuned
        concept is born when no base concept holds this share of it.
    overlap
        Shares are counted over word occurrences or over word types.
    labels
        Label columns to align with; all that the words have when not given.
    theta_labels
        A concept is aligned with a label when at least this share of its labelled occurrences
        carries it.
    theta_classes
        A concept is polarised towards a class when at least this share of its occurrences comes
        from sentences of that class (sentences without a class left out).
    max_unknown
        Concepts with a larger share of unlabelled occurrences are not aligned; the same for
        occurrences in sentences without a class.
    permutations
        Random permutations for the null distribution beside each count.
    confidence
        Level of the confidence intervals, and of the null distributions' upper ends.
    seed
        Seed of the permutations.
    """

    name: ClassVar[str] = "align"
    theta: float = bounded(0.8, 0, 1)
    overlap: Literal["occurrences", "types"] = "occurrences"
    labels: tuple[str, ...] | None = None
    theta_labels: float = bounded(0.9, 0, 1)
    theta_classes: float = bounded(0.9, 0, 1)
    max_unknown: float = bounded(0.4, 0, 1)
    permutations: int = bounded(100, 1)
    confidence: float = bounded(0.95, 0.5, 0.9999)
    seed: int = bounded(0, 0)


STEPS: dict[str, type[Step]] = {
    step.name: step for step in (Finetune, Extract, Probe, Concepts, Align)
}

"""Step `intervene`: whether neurons are used, or a label is only encoded in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tunescope.activations.store import ActivationStore
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError, nearest
from tunescope.files import hash_json, write_frame
from tunescope.manifest import begin, finish
from tunescope.models.reference import ModelRef, ModelSource, find_model
from tunescope.neurons.effects import measure_effects
from tunescope.neurons.interventions import Action, label_direction, neuron_means
from tunescope.neurons.result import NeuronEffects, NeuronRankings
from tunescope.neurons.words import LabelledWords
from tunescope.parameters import step_function
from tunescope.steps import Intervene


@step_function(Intervene)
def intervene(
    ranked: NeuronRankings | str | Path,
    store: ActivationStore | str | Path,
    model: str | Path | ModelSource | ModelRef,
    out: str | Path,
    *,
    sentences: Corpus | None = None,
    device: str = "auto",
    step: Intervene,
) -> NeuronEffects:
    """Change the top neurons while the model runs, and random ones beside; measure its output.

    Parameters
    ----------
    ranked : NeuronRankings, str or Path
        What `rank` found, or its folder.
    store : ActivationStore, str or Path
        The activations that were ranked.
    model : str, Path, ModelSource or ModelRef
        The model, with the head it was saved with.
    out : str or Path
        Folder to write.
    sentences : Corpus, optional
        Sentences to measure on; a classifier needs their classes. The ranking's test words and
        their sentences when not given.
    device : str
        Where the model runs: `auto`, `cpu`, `cuda:1`, ...
    step : Intervene
        Parameters.

    Returns
    -------
    NeuronEffects

    Raises
    ------
    InputError
        If the model has no head that predicts something, or an action cannot be read.
    MismatchError
        If the store is not the one that was ranked.
    """
    ranked = ranked if isinstance(ranked, NeuronRankings) else NeuronRankings.load(ranked)
    store = store if isinstance(store, ActivationStore) else ActivationStore.load(store)
    out, ref = Path(out), find_model(model)
    ranked.check_store(store)
    order = ranked.ranking(step.ranking, step.scaling).order
    actions = [Action.parse(action) for action in step.actions]
    for name in (step.source, step.target):
        if name is not None and name not in (known := ranked.facts["classes"]):
            raise InputError(f"no training word has the label {name!r}; {nearest(name, known)}")
    inputs = {
        "rankings": ranked.key,
        "corpus": ranked.corpus,
        "model": ranked.model,
        "label": ranked.label,
        "weights": ref.hash,
        "sentences": None if sentences is None else [sentences.word_hash, _classes(sentences)],
    }
    if begin(out, step, inputs) is not None:
        return NeuronEffects.load(out)
    words = ranked.words(store)
    translated = any(action.name == "translate" for action in actions)
    measured = words.test.x.rows if sentences is None else None
    corpus = sentences if sentences is not None else store.corpus
    measured, corpus = _sample(corpus, measured, step)
    ks = sorted({min(k, len(order)) for k in step.neurons})
    found = measure_effects(
        ref,
        corpus,
        [words.train.x.neuron(column) for column in order],
        ks=ks,
        actions=actions,
        means=neuron_means(words),
        direction=label_direction(words, *_labels(words, step)) if translated else None,
        measured=measured,
        translated=_of_source(words, corpus, step) if translated and sentences is None else None,
        ranking=step.ranking,
        draws=step.draws,
        words_per_sentence=step.words_per_sentence,
        max_length=step.max_length,
        batch_tokens=step.batch_tokens,
        resamples=step.resamples,
        confidence=step.confidence,
        seed=step.seed,
        device=device,
    )
    write_frame(out / "effects.parquet", found.effects)
    write_frame(out / "against_random.parquet", found.against_random)
    facts = {**found.facts, "direction": _labels(words, step) if translated else None}
    finish(out, step, inputs, facts)
    return NeuronEffects.load(out)


def _labels(words: LabelledWords, step: Intervene) -> list[str]:
    """Return the labels that a translation goes from and to."""
    counts = np.bincount(words.train.targets, minlength=words.n_classes)
    frequent = [words.classes[place] for place in np.argsort(-counts, kind="stable")]
    source = step.source or next(label for label in frequent if label != step.target)
    target = step.target or next(label for label in frequent if label != source)
    return [source, target]


def _of_source(words: LabelledWords, corpus: Corpus, step: Intervene) -> np.ndarray:
    """Return the words (rows) that have the label a translation goes from."""
    return np.flatnonzero(corpus.values(words.label).astype(str) == _labels(words, step)[0])


def _classes(sentences: Corpus) -> str:
    """Hash the class of every sentence, which the hash of the words does not cover."""
    return hash_json(sentences.of_sentence("class").tolist())


def _sample(
    corpus: Corpus, measured: np.ndarray | None, step: Intervene
) -> tuple[np.ndarray | None, Corpus]:
    """Keep at most so many sentences, drawn at random: of the words measured, or of the corpus."""
    of_word = corpus.words["sentence"].to_numpy()
    if measured is None:
        there = np.flatnonzero([name is not None for name in corpus.of_sentence("class")])
        there = there if len(there) else np.arange(corpus.n_sentences)
    else:
        there = np.unique(of_word[measured])
    if step.max_sentences is not None and len(there) > step.max_sentences:
        drawn = np.random.default_rng(step.seed).choice(there, step.max_sentences, replace=False)
        there = np.sort(drawn)
    if measured is not None:
        return np.sort(measured[np.isin(of_word[measured], there)]), corpus
    kept = corpus.sentences.take(there)
    texts, classes = kept["words"].to_pylist(), kept["class"].to_pylist()
    return None, Corpus.from_sentences(texts, classes=classes, name=corpus.name)

"""Step `triggers`: words of polarity concepts as adversarial triggers, beside baselines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from tunescope.activations.store import ActivationStore
from tunescope.concepts.layer_concepts import LayerConcepts
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError, MismatchError
from tunescope.files import hash_file, hash_json, write_frame
from tunescope.manifest import begin, finish
from tunescope.models.heads import Head
from tunescope.models.predictions import load_classifier_head, match_classes
from tunescope.models.reference import ModelRef, ModelSource, find_model
from tunescope.parameters import step_function
from tunescope.steps import Triggers
from tunescope.tasks.data import TaskData
from tunescope.tasks.table import Task
from tunescope.triggers import tables
from tunescope.triggers.comparing import compare
from tunescope.triggers.groups import polarity_groups
from tunescope.triggers.halves import alike, halves, unseen
from tunescope.triggers.lexicon import find_lexicon, read_lexicon
from tunescope.triggers.placing import Place
from tunescope.triggers.result import TriggerTable
from tunescope.triggers.search import Search
from tunescope.triggers.splicing import PROBES
from tunescope.triggers.victim import Victim


@step_function(Triggers)
def find_triggers(
    model: str | Path | ModelSource | ModelRef,
    concepts: LayerConcepts | str | Path,
    texts: Task | TaskData,
    out: str | Path,
    *,
    words: Corpus | None = None,
    activations: ActivationStore | str | Path | None = None,
    lexicon: str | Path | None = None,
    classes: Sequence[str] | Mapping[str, str] | None = None,
    device: str = "auto",
    step: Triggers,
) -> TriggerTable:
    """Find words that flip a classifier's predictions: of polarity concepts, and of baselines.

    Parameters
    ----------
    model : str, Path, ModelSource or ModelRef
        The classifier.
    concepts : LayerConcepts, str or Path
        Its concepts, or another model's; their words' sentences have classes.
    texts : Task or TaskData
        Texts with classes, single or pairs. Of a task the dev texts.
    out : str or Path
        Folder to write; one that an interrupted call left is gone on with.
    words : Corpus, optional
        The words that were clustered with other classes, or with predicted ones
        (`with_predictions`).
    activations : ActivationStore, str or Path, optional
        What was clustered: for `choice` "central", and for two traits of concepts.
    lexicon : str or Path, optional
        A file with word<TAB>score or word<TAB>class; "vader"; when not given, VADER's if the
        package vaderSentiment is installed and the model has two classes.
    classes : sequence of str, or mapping of str to str, optional
        The data's names of the model's classes (`match_classes`).
    device : str
        `auto`, `cpu`, `cuda:1`, ...
    step : Triggers
        Parameters.

    Returns
    -------
    TriggerTable

    Raises
    ------
    InputError
        If the model is no classifier, its classes cannot be matched with those of texts and
        sentences, or too few texts are left.
    MismatchError
        If `words` are not those that were clustered.
    """
    ref = find_model(model)
    concepts = concepts if isinstance(concepts, LayerConcepts) else LayerConcepts.load(concepts)
    if activations is not None and not isinstance(activations, ActivationStore):
        activations = ActivationStore.load(activations)
    words = concepts.words if words is None else words
    if words.word_hash != concepts.words.word_hash:
        raise MismatchError(f"the words given are not those that {concepts.path} clustered")
    data = _texts(texts)
    path = find_lexicon(lexicon) if "lexicon" in step.methods else None
    out = Path(out)
    inputs = {
        "model": ref.hash,
        "concepts": concepts.key,
        "words": hash_json([words.of_sentence(c).tolist() for c in _columns(words)]),
        "texts": data.hash,
        "activations": None if activations is None else activations.key,
        "lexicon": None if path is None else hash_file(path),
        "classes": dict(classes) if isinstance(classes, Mapping) else classes and list(classes),
    }
    if begin(out, step, inputs) is not None:
        return TriggerTable.load(out)
    data, n_seen = (data, 0) if step.keep_seen else unseen(data, words)
    used = data.draw(step.max_texts, step.seed)
    head = load_classifier_head(ref, device)  # type: ignore[arg-type]
    names = _names(head, used, words, classes)
    groups, traits = polarity_groups(concepts, words, names, step, activations)
    lexical, why = {}, {}
    if path is not None:
        try:
            lexical = read_lexicon(path, names, step.positive_class)
        except InputError as error:
            if lexicon is not None:
                raise
            why["lexicon"] = str(error)  # found by itself: the other methods need it not
    gold = np.array([names.index(str(target)) for target in used.targets])
    choosing = halves(gold, step.choosing_share, step.seed, alike(used.texts))
    victim = Victim(
        head, used.texts, max_length=step.max_length, batch_tokens=step.batch_tokens,
        probes=_probes(words),
    )  # fmt: skip
    search = Search(out, victim, names, gold, choosing, groups, lexical, words, step)
    tried, said = search.run(ref.name)
    frames = _frames(tried, said, traits, used, step)
    for name, frame in frames.items():
        write_frame(out / f"{name}.parquet", frame)
    facts = {
        "model": ref.name,
        "concepts": concepts.model,
        "corpus": words.name,
        "classes": list(names),
        "n_parts": len(used.texts[0]),
        "n_tried": len(tried),
        "n_choosing": int(choosing.sum()),
        "n_held_out": int((~choosing).sum()),
        "n_seen": n_seen,
        "n_concepts": len(groups),
        "accuracy": search.accuracy,
        "left_out": search.left_out | why,
    }
    finish(out, step, inputs, facts)
    return TriggerTable.load(out)


def _frames(
    tried: pd.DataFrame, said: pd.DataFrame, traits: pd.DataFrame, data: TaskData, step: Triggers
) -> dict[str, pd.DataFrame]:
    chosen = tables.choose(tried)
    of_concepts = tables.concepts(traits, tried)
    shown = tables.examples(chosen, said, step.examples)
    for row in shown.index:
        text = data.texts[int(shown.at[row, "text"])]  # type: ignore[arg-type]
        place = Place(shown.at[row, "position"], shown.at[row, "part"])  # type: ignore[arg-type]
        shown.at[row, "before"] = " | ".join(text)
        shown.at[row, "with_trigger"] = " | ".join(place.put(text, str(shown.at[row, "trigger"])))
    return {
        "tried": tried,
        "said": said,
        "best": tables.best(chosen, said, step),
        "comparisons": compare(chosen, said, tried, step),
        "concepts": of_concepts,
        "correlations": tables.correlate(of_concepts, step),
        "examples": shown,
    }


def _names(
    head: Head,
    texts: TaskData,
    words: Corpus,
    classes: Sequence[str] | Mapping[str, str] | None,
) -> tuple[str, ...]:
    """Return what texts and corpus both call the model's classes."""
    corpus = f"corpus {words.name!r}"
    for what, wanted in (("the texts", texts.classes), (corpus, words.classes)):
        match_classes(head.classes, wanted, classes, model=head.name, what=what)  # says which
    both = sorted({*texts.classes, *words.classes})
    what = f"the texts and {corpus}"
    return match_classes(head.classes, both, classes, model=head.name, what=what)


def _texts(texts: Task | TaskData) -> TaskData:
    if isinstance(texts, TaskData):
        data = texts
    elif texts.kind == "regression":
        raise InputError(f"the texts ({texts.name!r}) have numbers: triggers flip classes")
    elif texts.dev is None:
        raise InputError(
            f"the texts ({texts.name!r}) are training texts alone: give others, that the model was "
            "not tuned on, as dev (path.dev) or as TaskData"
        )
    else:
        data = texts.dev
    if not len(data):
        raise InputError("there are no texts to put triggers into")
    return data


def _columns(words: Corpus) -> list[str]:
    return [name for name in ("class", "predicted") if name in words.sentences.column_names]


def _probes(words: Corpus) -> list[str]:
    """Return frequent words of the corpus, then some of English."""
    counts = Counter(words.values("form").tolist())
    return [*(word for word, _ in counts.most_common(50)), *PROBES]

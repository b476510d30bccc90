"""Are explanations faithful? Salient words are taken out of texts, and as many random words.

If a prediction rests on its salient words, without them the class predicted loses more probability
than without random ones; and with nothing but them it keeps more. These are comprehensiveness and
sufficiency (DeYoung et al. 2020, arXiv 1911.03429, section 4), each here beside its random baseline
on the same texts. A unit of work is a block of texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from tunescope.corpus.table import Corpus
from tunescope.errors import InputError
from tunescope.explanations.checked import ExplanationCheck
from tunescope.explanations.deletion import class_probabilities, without_words
from tunescope.explanations.explain import Model
from tunescope.explanations.gradients import attribute
from tunescope.explanations.inputs import read_text
from tunescope.explanations.salience import salient
from tunescope.explanations.words import Text, split_text
from tunescope.files import hash_json, read_frame, write_frame
from tunescope.manifest import begin, finish
from tunescope.models.heads import Head, load_head
from tunescope.models.reference import find_model
from tunescope.parameters import step_function
from tunescope.probes.statistics import mean_interval, sign_flip_test
from tunescope.steps import CheckExplanations
from tunescope.tasks.data import TaskData

BLOCK = 25
"""Texts in one file of results."""
MEASURES = ("deleted", "kept")


@step_function(CheckExplanations)
def check_explanations(
    model: Model,
    texts: Corpus | TaskData | Sequence[Text],
    out: Path | str,
    *,
    device: str = "auto",
    step: CheckExplanations,
) -> ExplanationCheck:
    """Test on many texts whether salient words matter more to predictions than random words.

    Parameters
    ----------
    model : str, Path, ModelSource or ModelRef
        The classifier.
    texts : Corpus, TaskData, or sequence of texts
        Sentences of a corpus, the texts of a task, or texts as `explain` takes them; none that the
        model was tuned on, best.
    out : path
        Folder for the result; one that an interrupted call left is gone on with.
    device : str
        `auto`, `cpu`, `cuda:1`, ...
    step : CheckExplanations
        The parameters; they may be given as keywords instead.

    Returns
    -------
    ExplanationCheck

    Raises
    ------
    InputError
        If the model is no classifier, or fewer than two texts have words to choose among.
    """
    ref, out = find_model(model), Path(out)
    name, whole = _listed(texts)
    drawn = np.random.default_rng(step.seed).permutation(len(whole))[: step.max_texts]
    chosen = [(int(number), whole[number]) for number in np.sort(drawn)]
    if len(chosen) < 2:
        raise InputError("check_explanations() needs two texts or more")
    inputs = {"model": ref.hash, "texts": hash_json([text for _, text in chosen])}
    if begin(out, step, inputs) is None:
        starts = range(0, len(chosen), BLOCK)
        paths = [out / "texts" / f"{start // BLOCK:05d}.parquet" for start in starts]
        missing = [n for n, path in enumerate(paths) if not path.exists()]
        head = load_head(ref, measure="task", device=device) if missing else None
        for n in tqdm(missing, desc=f"check explanations of {ref.name}", unit="block"):
            assert head is not None
            block = chosen[n * BLOCK : (n + 1) * BLOCK]
            rows = [row for number, text in block for row in _test(head, number, text, step)]
            write_frame(paths[n], pd.DataFrame(rows, columns=ROWS))
        found = pd.concat([read_frame(path) for path in paths], ignore_index=True)
        n_texts = len(set(found["text"]))
        if n_texts < 2:
            raise InputError(
                "fewer than two texts have words that are salient and others that are not: give "
                "more or longer texts, or a lower mass"
            )
        effects = _effects(found, step)
        effects.insert(0, "model", ref.name)
        write_frame(out / "effects.parquet", effects)
        facts = {"model": ref.name, "texts": name, "n_texts": n_texts, "n_drawn": len(chosen)}
        finish(out, step, inputs, facts)
    return ExplanationCheck.load(out)


ROWS = ["text", "n_words", "n_salient", "p", "measure", "words", "p_after", "flipped"]


def _listed(texts: Corpus | TaskData | Sequence[Text]) -> tuple[str, list[Text]]:
    if isinstance(texts, Corpus):
        return texts.name, [list(words) for words in texts.sentences["words"].to_pylist()]
    if isinstance(texts, TaskData):
        return "task", list(texts.texts)
    if isinstance(texts, str):
        raise InputError("check_explanations(): texts is one text; give a list of many")
    return "texts", list(texts)


def _test(head: Head, number: int, text: Text, step: CheckExplanations) -> list[tuple[Any, ...]]:
    """Return the rows of one text; none where all of its words are salient, or it has no words."""
    try:
        given = read_text(head, split_text(text), step.max_length)
    except InputError:  # blank, or of nothing that the tokenizer knows: one text of many
        return []
    found = attribute(
        head, given, steps=step.steps, tolerance=step.tolerance, rule=step.rule,
        baseline=step.baseline, output=step.output, batch_tokens=step.batch_tokens,
    )  # fmt: skip
    words = np.flatnonzero(given.seen)
    own = salient(found.words, step.mass)
    n = int(own.sum())
    if not 0 < n < len(words):
        return []
    rng = np.random.default_rng([step.seed, number])
    sets = [own]
    for _ in range(step.draws):
        drawn = np.zeros_like(own)
        drawn[rng.permutation(words)[:n]] = True
        sets.append(drawn)
    gone = [*sets, *(given.seen & ~one for one in sets)]
    inputs = [given.fields, *(without_words(head, given, one, step.action) for one in gone)]
    p = class_probabilities(head, inputs, step.batch_tokens)
    before, after = p[0, found.target], p[1:, found.target].reshape(2, -1)
    flipped = (p[1:].argmax(1) != found.target).reshape(2, -1)
    rows = []
    for place, measure in enumerate(MEASURES):
        for which, part in (("salient", slice(1)), ("random", slice(1, None))):
            changed = after[place, part].mean(), flipped[place, part].mean()
            rows.append((number, len(words), n, before, measure, which, *changed))
    return rows


def _effects(found: pd.DataFrame, step: CheckExplanations) -> pd.DataFrame:
    """Return mean drops and flips, of both sets of words and their difference."""
    rows = []
    for measure in MEASURES:
        own = found.query("measure == @measure")
        values = {which: own.query("words == @which") for which in ("salient", "random")}
        drops = {which: (part["p"] - part["p_after"]).to_numpy() for which, part in values.items()}
        flips = {which: part["flipped"].to_numpy(float) for which, part in values.items()}
        for which in ("salient", "random", "difference"):
            row = {"measure": measure, "words": which, "n": len(drops["salient"])}
            for name, of in (("drop", drops), ("flips", flips)):
                one = of["salient"] - of["random"] if which == "difference" else of[which]
                row |= _mean(name, one, step, test=which == "difference")
            rows.append(row)
    return pd.DataFrame(rows)


def _mean(
    name: str, values: np.ndarray, step: CheckExplanations, test: bool
) -> dict[str, float]:  # fmt: skip
    texts = np.arange(len(values))
    low, high = mean_interval(
        values, texts, resamples=step.resamples, confidence=step.confidence, seed=step.seed
    )
    p = np.nan
    if test:
        p = sign_flip_test(values, texts, resamples=step.resamples, seed=step.seed)
    return {name: float(values.mean()), f"{name}_low": low, f"{name}_high": high, f"{name}_p": p}

"""Any Hugging Face token classifier as a labeller: parts of speech, names, chunks, ..."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from tunescope.activations.shards import plan_shards
from tunescope.concepts.human.columns import check_column, with_labels
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError
from tunescope.files import write_array
from tunescope.manifest import Manifest, begin, finish
from tunescope.models.reference import ModelRef, ModelSource, find_model
from tunescope.parameters import step_function
from tunescope.steps import TagWords


@step_function(TagWords)
def tag_words(
    corpus: Corpus,
    model: str | Path | ModelSource | ModelRef,
    out: str | Path | None = None,
    *,
    device: str = "auto",
    step: TagWords,
) -> Corpus:
    """Add a label column with what a token classifier says of each word.

    The words are those of the corpus and are not tokenised anew. Activations made from them stay
    valid.

    Parameters
    ----------
    corpus : Corpus
        The words; of a selection only its words are labelled, in the context of their sentences.
    model : str, Path, ModelSource or ModelRef
        A checkpoint with a head for token classification, of any family that has one: Hugging
        Face id, folder or adapter.
    out : str or Path, optional
        Folder for the corpus with its new column. The labels are kept there: the same call reads
        them, and an interrupted one goes on.
    device : str
        `auto`, `cpu`, `cuda:1`, ...
    step : TagWords
        Parameters.

    Returns
    -------
    Corpus
        With the column `step.column`, None for a single word too long for the model.

    Raises
    ------
    InputError
        If the model cannot be loaded or does not label words, or the column is there already.
    """
    check_column(corpus, step.column)
    if corpus.n_words == 0:
        raise InputError(f"corpus {corpus.name!r} has no words to label")
    ref = find_model(model)
    if out is None:
        names, codes = _label(corpus, ref, None, device, step)
    else:
        names, codes = _kept(corpus, ref, Path(out), device, step)
    values = np.array([*names, None], object)[codes]  # -1 is the last, None
    tagged = with_labels(corpus, step.column, values)
    if out is not None:
        tagged.write(Path(out))
    return tagged


def _kept(
    corpus: Corpus, ref: ModelRef, out: Path, device: str, step: TagWords
) -> tuple[tuple[str, ...], np.ndarray]:
    """Label words, or read the labels from a folder that has them."""
    inputs = {"words": corpus.word_hash, "model": ref.hash}
    if begin(out, step, inputs) is None:
        names, codes = _label(corpus, ref, out, device, step)
        write_array(out / "tags.npy", codes)
        facts = {"model": ref.name, "names": list(names), "unlabelled": int((codes < 0).sum())}
        finish(out, step, inputs, facts)
        shutil.rmtree(out / "shards")
    names = tuple(Manifest.load(out).facts["names"])
    return names, np.load(out / "tags.npy", allow_pickle=False)


def _label(
    corpus: Corpus, ref: ModelRef, out: Path | None, device: str, step: TagWords
) -> tuple[tuple[str, ...], np.ndarray]:
    """Label all words, shard by shard; those in `out` need not be labelled again."""
    from tunescope.concepts.human.tagger import Tagger

    tagger = Tagger(ref, step, device)
    starts = plan_shards(corpus.words["sentence"].to_numpy(), step.shard_words)
    parts = []
    with tqdm(total=corpus.n_words, desc=f"tag {corpus.name} with {ref.name}", unit="word") as bar:
        for number, (start, stop) in enumerate(zip(starts[:-1], starts[1:], strict=True)):
            file = None if out is None else out / "shards" / f"{number:05d}.npy"
            if file is not None and file.exists():
                parts.append(np.load(file, allow_pickle=False))
            else:
                parts.append(tagger.label(corpus, int(start), int(stop)))
                if file is not None:
                    write_array(file, parts[-1])
            bar.update(int(stop - start))
    return tagger.names, np.concatenate(parts)

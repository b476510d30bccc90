"""Extraction: every layer of every word in one pass, shard by shard, resumable."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm.auto import tqdm

from tunescope.activations.batches import Batch, Encoded, encode_piece, make_batches
from tunescope.activations.forward import Forward
from tunescope.activations.pieces import split_sentence
from tunescope.activations.pooling import WordPooler
from tunescope.activations.shards import Shard, done_file, plan_shards
from tunescope.activations.store import ActivationStore
from tunescope.activations.subwords import SubwordEncoder
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError
from tunescope.files import atomic_file, read_json
from tunescope.manifest import begin, finish
from tunescope.models.limits import length_limit
from tunescope.models.load import find_device, layer_shape, load_model, load_tokenizer
from tunescope.models.reference import ModelRef, find_model
from tunescope.parameters import step_function
from tunescope.steps import Extract

MAX_SHARD = 2**30
"""Bytes of a shard, all layers: what may wait in memory to be written."""


@step_function(Extract)
def extract(
    corpus: Corpus | str | Path,
    model: str | Path | ModelRef,
    out: str | Path,
    *,
    device: str = "auto",
    step: Extract,
) -> ActivationStore:
    """Store the activation of every word of a corpus at every layer of a model.

    Parameters
    ----------
    corpus : Corpus, str or Path
        The words, or a folder written by `Corpus.save`. With a selection (`Corpus.select`) only
        its words are stored, in the context of their whole sentences.
    model : str, Path or ModelRef
        Hugging Face id, folder or reference.
    out : str or Path
        Folder to write; one that an interrupted call left is gone on with.
    device : str
        `auto`, `cpu`, `cuda:1`, ...
    step : Extract
        Parameters.

    Returns
    -------
    ActivationStore
        Rows of words cut off by the length limit are NaN, and `store.valid` is False there.

    Raises
    ------
    InputError
        If model, tokenizer or device cannot be used, an activation is not finite, or nothing is
        left to extract.
    """
    corpus = corpus if isinstance(corpus, Corpus) else Corpus.load(corpus)
    ref, out = find_model(model), Path(out)
    if corpus.n_words == 0:
        raise InputError(f"corpus {corpus.name!r} has no words to extract")
    inputs = {"words": corpus.word_hash, "model": ref.hash}
    if begin(out, step, inputs) is not None:
        corpus.refresh(out)
        return ActivationStore.load(out)
    corpus.write(out)
    starts = plan_shards(corpus.words["sentence"].to_numpy(), _words_per_shard(ref, step))
    missing = [n for n in range(len(starts) - 1) if not done_file(out, n).exists()]
    if missing:
        extractor = _Extractor(corpus, ref, step, device)
        words = int(sum(starts[n + 1] - starts[n] for n in missing))
        label = f"extract {ref.name} on {corpus.name}"
        with (
            tqdm(total=words, desc=label, unit="word", mininterval=0.5) as progress,
            ThreadPoolExecutor(1) as saving,  # one shard is saved while the next one is run
        ):
            saved = saving.submit(lambda: None)
            for number in missing:
                shard = Shard(out, number, starts[number], starts[number + 1], step.dtype)
                counted = extractor.run(shard, progress)
                saved.result()
                saved = saving.submit(shard.save, counted)
            saved.result()
    facts = _facts(out, corpus, ref, starts)
    finish(out, step, inputs, facts)
    return ActivationStore.load(out)


class _Extractor:
    """A live model, and the way of one shard through it."""

    def __init__(self, corpus: Corpus, ref: ModelRef, step: Extract, device: str):
        self._corpus, self._step, self._name = corpus, step, ref.name
        model = load_model(ref, find_device(device), step.model_dtype)
        self._forward = Forward(model, step.stack)
        tokenizer = load_tokenizer(ref)
        embeddings: Any = model.get_input_embeddings()
        self._vocabulary = embeddings.weight.shape[0]
        self._encoder = SubwordEncoder(tokenizer)
        self._limit = length_limit(tokenizer, model.config, step.max_length)
        self._sentence = corpus.words["sentence"].to_numpy()
        self._position = corpus.words["position"].to_numpy()

    def run(self, shard: Shard, progress: Any) -> dict[str, Any]:
        """Fill one shard; return what was counted."""
        counted: Counter[str] = Counter()
        self._encoder.empty.clear()
        with _no_collection():
            pieces = self._pieces(shard.start, shard.stop, counted)
        batches = make_batches(
            pieces, self._encoder.template, self._encoder.pad_id, self._step.batch_tokens
        )
        for batch in batches:
            shard.put(batch.rows, self._vectors(batch))
            progress.update(len(batch.rows))
        if not pieces:
            form = self._corpus.words["form"][shard.start].as_py()
            raise InputError(f"no word fits from {form[:40]!r} on: raise max_length or shard_words")
        cut = shard.stop - shard.start - sum(len(piece.rows) for piece in pieces)
        progress.update(cut)
        return {
            "words_cut_off": cut,
            "sentences_cut_off": counted["sentences_cut_off"],
            "sentences_windowed": counted["sentences_windowed"],
            "words_without_subwords": dict(sorted(self._encoder.empty.items())),
        }

    def _vectors(self, batch: Batch) -> list[np.ndarray]:
        """Run the model; return the vectors of a batch's words, (n_words, d) for each layer."""
        hidden = self._forward(batch.inputs)
        pool = WordPooler(batch.spans, self._step.pooling, hidden[0].device)
        pooled = [pool(states) for states in hidden]
        for layer, vectors in enumerate(pooled):
            self._check(vectors, batch.rows, layer)
        return [vectors.float().cpu().numpy() for vectors in pooled]

    def _pieces(self, start: int, stop: int, counted: Counter[str]) -> list[Encoded]:
        """Encode the sentences of the words [start, stop)."""
        sentence = self._sentence[start:stop]
        numbers, first = np.unique(sentence, return_index=True)
        bounds = [*first, len(sentence)]
        texts = self._corpus.sentences["words"].take(numbers).to_pylist()
        template = self._encoder.template
        encoded = []
        for n, words in enumerate(self._encoder.encode(texts)):
            rows = np.arange(start + bounds[n], start + bounds[n + 1])
            positions = self._position[rows]
            lengths = np.array([len(ids) for ids in words])
            pieces = split_sentence(lengths, self._limit - template.size, self._step.long)
            taken = 0
            for piece in pieces:
                inside = (positions >= piece.start) & (positions < piece.stop)
                inside[inside] = piece.take[positions[inside] - piece.start]
                if inside.any():
                    taken += int(inside.sum())
                    ids = words[piece.start : piece.stop]
                    wanted = positions[inside] - piece.start
                    encoded.append(encode_piece(ids, wanted, rows[inside], template))
            counted["sentences_windowed"] += len(pieces) > 1
            counted["sentences_cut_off"] += taken < len(rows)
        if max((int(piece.ids.max()) for piece in encoded), default=0) >= self._vocabulary:
            raise InputError(
                f"model {self._name!r}: its tokenizer has subwords beyond the {self._vocabulary} "
                "embeddings it has; set tokenizer to the one it was trained with"
            )
        return encoded

    def _check(self, vectors: torch.Tensor, rows: np.ndarray, layer: int) -> None:
        limit = float(np.finfo(self._step.dtype).max)
        low, high = vectors.aminmax()  # NaN if any is
        if not (low >= -limit and high <= limit):
            bad = torch.le(vectors.abs(), limit).logical_not().any(-1).cpu().numpy()
            form = self._corpus.words["form"][int(rows[bad][0])].as_py()
            raise InputError(
                f"model {self._name!r}, layer {layer}: the activation of {form!r} does not fit "
                f"{self._step.dtype} or is not a number; use dtype float32 and model_dtype float32"
            )


@contextmanager
def _no_collection() -> Iterator[None]:
    """Pause the garbage collector, which many small objects make walk through all of torch's."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _words_per_shard(ref: ModelRef, step: Extract) -> int:
    """Return `shard_words`, or fewer where the layers of so many words take too much memory."""
    shape = layer_shape(ref, step.stack)
    word = shape.n_layers * shape.width * np.dtype(step.dtype).itemsize
    return max(1, min(step.shard_words, MAX_SHARD // word))


def _facts(out: Path, corpus: Corpus, ref: ModelRef, starts: np.ndarray) -> dict[str, Any]:
    parts = [read_json(done_file(out, n)) for n in range(len(starts) - 1)]
    empty: Counter[str] = Counter()
    for part in parts:
        empty.update(part["words_without_subwords"])
    layer = [np.load(out / "layer_00" / f"{n:05d}.npy", mmap_mode="r") for n in range(len(parts))]
    valid = np.concatenate([np.isfinite(part[:, 0]) for part in layer])
    if not valid.any():
        raise InputError(f"every word of corpus {corpus.name!r} was cut off: raise max_length")
    with atomic_file(out / "valid.npy") as temporary, temporary.open("wb") as file:
        np.save(file, valid)
    return {
        "model": ref.name,
        "corpus": corpus.name,
        "n_layers": parts[0]["n_layers"],
        "width": int(layer[0].shape[1]),
        "n_words": corpus.n_words,
        "words_cut_off": sum(part["words_cut_off"] for part in parts),
        "sentences_cut_off": sum(part["sentences_cut_off"] for part in parts),
        "sentences_windowed": sum(part["sentences_windowed"] for part in parts),
        "words_without_subwords": dict(sorted(empty.items())),
        "shard_starts": starts.tolist(),
    }

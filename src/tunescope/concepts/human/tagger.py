"""A live token classifier of any family, and the labels it gives words."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from transformers import AutoModelForTokenClassification

from tunescope.activations.batches import Encoded, encode_piece, make_batches
from tunescope.activations.pieces import split_sentence
from tunescope.activations.subwords import SubwordEncoder
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError
from tunescope.models.adapters import load_adapted
from tunescope.models.heads import NOT_WEIGHTS
from tunescope.models.limits import length_limit
from tunescope.models.load import find_device, load_tokenizer, options_of, quiet, readable
from tunescope.models.reference import ModelRef
from tunescope.steps import TagWords


class Tagger:
    """A model with a head for token classification, and its tokenizer.

    Parameters
    ----------
    ref : ModelRef
        Which model.
    step : TagWords
        How a word's label follows from those of its subwords, and the length limit.
    device : str
        `auto`, `cpu`, `cuda:1`, ...

    Attributes
    ----------
    names : tuple of str
        The labels, by the number of the output.

    Raises
    ------
    InputError
        If it cannot be loaded, or has no such head.
    """

    def __init__(self, ref: ModelRef, step: TagWords, device: str = "auto"):
        self._name, self._step = ref.name, step
        self._model = load_token_classifier(ref).to(find_device(device)).eval()
        config = self._model.config
        for switch in ("use_cache", "use_mems_eval"):
            if getattr(config, switch, None):
                setattr(config, switch, False)
        self.names = tuple(str(config.id2label[n]) for n in range(config.num_labels))
        tokenizer = load_tokenizer(ref)
        self._encoder = SubwordEncoder(tokenizer)
        self._limit = length_limit(tokenizer, config, step.max_length)
        self._vocabulary = self._model.get_input_embeddings().weight.shape[0]

    def label(self, corpus: Corpus, start: int, stop: int) -> np.ndarray:
        """Label the words [start, stop) of a corpus, in the context of their whole sentences.

        Parameters
        ----------
        corpus : Corpus
            All its words or a selection.
        start, stop : int
            Rows of the word table; no sentence goes on before or behind.

        Returns
        -------
        numpy.ndarray of int32, shape (stop - start,)
            Numbers of the labels; -1 for a word too long for the model.

        Raises
        ------
        InputError
            If an output is not a number, or tokenizer and model do not belong together.
        """
        found = np.full(stop - start, -1, np.int32)
        pieces = self._pieces(corpus, start, stop)
        encoder = self._encoder
        for batch in make_batches(
            pieces, encoder.template, encoder.pad_id, self._step.batch_tokens
        ):
            logits = self._logits(batch.inputs)
            found[batch.rows] = self._of_words(logits, batch.spans.first, batch.spans.last)
        return found

    def _pieces(self, corpus: Corpus, start: int, stop: int) -> list[Encoded]:
        sentence = corpus.words["sentence"].to_numpy()[start:stop]
        positions = corpus.words["position"].to_numpy()[start:stop]
        numbers, first = np.unique(sentence, return_index=True)
        bounds = [*first, len(sentence)]
        texts = corpus.sentences["words"].take(numbers).to_pylist()
        template = self._encoder.template
        encoded = []
        for n, words in enumerate(self._encoder.encode(texts)):
            rows = np.arange(bounds[n], bounds[n + 1])
            lengths = np.array([len(ids) for ids in words])
            for piece in split_sentence(lengths, self._limit - template.size, "windows"):
                at = positions[rows]
                inside = (at >= piece.start) & (at < piece.stop)
                inside[inside] = piece.take[at[inside] - piece.start]
                if inside.any():
                    ids = words[piece.start : piece.stop]
                    encoded.append(
                        encode_piece(ids, at[inside] - piece.start, rows[inside], template)
                    )
        if max((int(piece.ids.max()) for piece in encoded), default=0) >= self._vocabulary:
            raise InputError(
                f"model {self._name!r}: its tokenizer has subwords beyond the {self._vocabulary} "
                "embeddings it has; set tokenizer to the one it was trained with"
            )
        return encoded

    @torch.inference_mode()
    def _logits(self, inputs: dict[str, torch.Tensor]) -> np.ndarray:
        """Return the outputs for all positions of a batch, (positions, n_labels)."""
        moved = {name: tensor.to(self._model.device) for name, tensor in inputs.items()}
        logits = self._model(**moved).logits.float()
        return logits.reshape(-1, logits.shape[-1]).cpu().numpy()

    def _of_words(self, logits: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
        """Return the label of each word from the outputs at its subwords."""
        if self._step.word == "mean":
            sizes = last - first + 1
            starts = np.cumsum(sizes) - sizes
            rows = np.repeat(first - starts, sizes) + np.arange(sizes.sum())
            chosen = logits[rows].astype(np.float64)
            chosen = np.exp(chosen - chosen.max(1, keepdims=True))
            chosen /= chosen.sum(1, keepdims=True)
            chosen = np.add.reduceat(chosen, starts) / sizes[:, None]
        else:
            chosen = logits[first if self._step.word == "first" else last]
        if not np.isfinite(chosen).all():
            raise InputError(f"model {self._name!r}: its outputs are not finite: is it broken?")
        return chosen.argmax(1)


def load_token_classifier(ref: ModelRef) -> Any:
    """Load a model with its head for token classification.

    Parameters
    ----------
    ref : ModelRef
        A checkpoint or an adapter.

    Raises
    ------
    InputError
        If it cannot be loaded, or the checkpoint has no such head: one would be made up.
    """
    loader: Any = AutoModelForTokenClassification
    if ref.source.init == "random":
        raise InputError(f"model {ref.name!r} is drawn at random: its labels would mean nothing")
    if ref.adapter_base is not None:
        live, missing = load_adapted(ref, loader, "float32")
    else:
        with readable(ref, "model that labels words"), quiet():
            live, info = loader.from_pretrained(
                ref.location, dtype=torch.float32, output_loading_info=True, **options_of(ref)
            )
        missing = info["missing_keys"]
    lacking = sorted(name for name in missing if not name.endswith(NOT_WEIGHTS))
    if lacking:
        raise InputError(
            f"model {ref.name!r} does not label words: {ref.location} lacks {len(lacking)} weights "
            f"of {type(live).__name__}, {lacking[0]!r} among them; give a token classifier"
        )
    return live

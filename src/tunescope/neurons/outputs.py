"""What a model itself says of sentences, with its hidden states edited or not.

Everything is counted in units: a subword that is predicted, or for a task a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from tunescope.activations.batches import make_batches
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError
from tunescope.models.heads import Head
from tunescope.models.hooks import Edit, editing
from tunescope.neurons.questions import Asking, Question

MAX_LOGITS = 1 << 26
"""Logits in memory at once: 256 MiB in float32. Every position of a left-to-right model has some
for the whole vocabulary."""


@dataclass(frozen=True, eq=False)
class Said:
    """What the model said of every unit.

    Parameters
    ----------
    log_probability : numpy.ndarray of float64, shape (n_units,)
        Natural logarithm of the probability of what stands there, or of the sentence's class.
    predicted : numpy.ndarray of int64, shape (n_units,)
        What is likeliest: a subword, or a class.
    correct : numpy.ndarray of bool, shape (n_units,)
        Whether that is what stands there.
    """

    log_probability: np.ndarray
    predicted: np.ndarray
    correct: np.ndarray


@dataclass(frozen=True, eq=False)
class _Ready:
    """A batch on the device: flat positions to read, answers there, their places among units."""

    inputs: dict[str, torch.Tensor]
    edited: torch.Tensor
    flat: torch.Tensor | None
    answers: torch.Tensor
    units: np.ndarray


class Outputs:
    """A model and the sentences it is asked about, ready to be asked again under edits.

    Parameters
    ----------
    head : Head
        The live model.
    corpus : Corpus
        Sentences; with `class` for a task.
    measured : numpy.ndarray of int, optional
        Rows of the word table that may be predicted (`masked`, `next`); all when not given.
    chosen : numpy.ndarray of int, optional
        Rows of the word table at whose subwords alone neurons can be edited (`only_chosen`).
    words_per_sentence : int
        For `masked`: how many words of a sentence are hidden, each in a pass of its own.
    max_length : int, optional
        Longest input in subwords; the rest of a sentence is cut off.
    batch_tokens : int
        Subwords in one forward pass, padding included.
    seed : int
        Seed of the choice of the words that are hidden.

    Attributes
    ----------
    sentences : numpy.ndarray of int, shape (n_units,)
        Sentence of each unit.
    n_cut_off : int
        Sentences longer than the limit.

    Raises
    ------
    InputError
        If nothing is left to measure, or sentences have no class that the model knows.
    """

    def __init__(
        self,
        head: Head,
        corpus: Corpus,
        *,
        measured: np.ndarray | None = None,
        chosen: np.ndarray | None = None,
        words_per_sentence: int = 1,
        max_length: int | None = None,
        batch_tokens: int = 4096,
        seed: int = 0,
    ):
        self.head = head
        asking = Asking(head, max_length, words_per_sentence, seed)
        questions = list(asking.questions(corpus, measured, chosen))
        if not questions:
            raise InputError(
                f"corpus {corpus.name!r} has nothing that model {head.name!r} could predict: no "
                "chosen word is known to its tokenizer and within its length limit"
            )
        sizes = [len(question.answers) for question in questions]
        self.n_cut_off = asking.n_cut_off
        self.sentences = np.repeat([question.sentence for question in questions], sizes)
        if head.measure == "next":
            vocabulary = head.model.get_input_embeddings().weight.shape[0]
            batch_tokens = min(batch_tokens, max(64, MAX_LOGITS // vocabulary))
        self._batches = list(_prepare(questions, asking, batch_tokens, head))

    def __len__(self) -> int:
        return len(self.sentences)

    @torch.inference_mode()
    def __call__(self, edits: Sequence[Edit] = (), only_chosen: bool = False) -> Said:
        """Run the model over all sentences with its hidden states edited.

        Parameters
        ----------
        edits : sequence of Edit
            What to do.
        only_chosen : bool
            Edit at the chosen words alone, and not at every position, special tokens included.
        """
        log_probability = np.empty(len(self))
        predicted = np.empty(len(self), np.int64)
        correct = np.empty(len(self), bool)
        model = self.head.model
        with editing(model, edits) as editor:
            for batch in self._batches:
                editor.where = batch.edited if only_chosen else None
                logits = self._logits(batch).float()
                best = logits.argmax(-1)
                gold = logits.gather(1, batch.answers[:, None])[:, 0] - logits.logsumexp(-1)
                log_probability[batch.units] = gold.cpu().numpy()
                predicted[batch.units] = best.cpu().numpy()
                correct[batch.units] = (best == batch.answers).cpu().numpy()
        if not np.isfinite(log_probability).all():
            raise InputError(
                f"model {self.head.name!r} gives probabilities that are no numbers"
                + (" once it is edited: use smaller amounts" if edits else "; load it in float32")
            )
        return Said(log_probability, predicted, correct)

    def _logits(self, batch: _Ready) -> torch.Tensor:
        """Return the logits of the units of a batch, shape (n, vocabulary or classes)."""
        if batch.flat is None:
            return self.head.model(**batch.inputs).logits
        with _only_at(self.head.model, batch.flat):
            logits = self.head.model(**batch.inputs).logits
        return logits if logits.ndim == 2 else logits.flatten(0, 1)[batch.flat]


def _prepare(
    questions: list[Question], asking: Asking, budget: int, head: Head
) -> Iterator[_Ready]:
    """Batch the questions by length and put them on the device, once for all runs."""
    device = head.model.device
    starts = np.cumsum([0, *(len(question.answers) for question in questions)]).tolist()
    numbered = [
        replace(question.encoded, rows=np.full_like(question.encoded.rows, number))
        for number, question in enumerate(questions)
    ]
    encoder = asking.encoder
    for batch in make_batches(numbered, encoder.template, encoder.pad_id, budget):
        numbers = list(dict.fromkeys(batch.rows.tolist()))  # which question each row is
        asked = [questions[number] for number in numbers]
        width = batch.inputs["input_ids"].shape[1]
        edited = np.zeros((len(asked), width), bool)
        for row, question in enumerate(asked):
            edited[row, : len(question.edited)] = question.edited
        flat = None
        if head.measure != "task":
            at = [question.at + row * width for row, question in enumerate(asked)]
            flat = torch.from_numpy(np.concatenate(at)).to(device)
        answers = np.concatenate([question.answers for question in asked]).astype(np.int64)
        yield _Ready(
            {name: grid.to(device) for name, grid in batch.inputs.items()},
            torch.from_numpy(edited).to(device),
            flat,
            torch.from_numpy(answers).to(device),
            np.concatenate([np.arange(starts[n], starts[n + 1]) for n in numbers]),
        )


@contextmanager
def _only_at(model: Any, flat: torch.Tensor) -> Iterator[None]:
    """Let the last matrix of the head see some positions only: it is as large as the vocabulary.

    A hidden word is one position of twenty; for a small model this halves the time.
    """
    last = model.get_output_embeddings()
    if last is None:
        yield
        return
    handle = last.register_forward_pre_hook(
        lambda _, inputs: (inputs[0].flatten(0, 1)[flat], *inputs[1:])
    )
    try:
        yield
    finally:
        handle.remove()

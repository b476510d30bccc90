"""HotFlip's universal triggers (Wallace et al. 2019, arXiv 1908.07125), for any classifier.

Subwords start as "the". At each place, those are tried whose embeddings lower the loss towards the
class most by first order (gradient x embedding), and a beam is carried from place to place; again
until nothing is gained. Only text counts: a trigger whose text is not tokenised into its very ids
where it stands is none, and neither is one with a special token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch

from tunescope.triggers.placing import Place
from tunescope.triggers.victim import Victim

STARTS = ("the", "a", "of", "in", "to", ",", ".")
"""The first of these that is one subword is where triggers start."""
LOOKED_AT = 25
"""Times the candidates wanted: how far down the list admissible ones are sought."""


class Attempt(NamedTuple):
    """A trigger and how far it gets.

    Parameters
    ----------
    trigger : str
        Its text.
    loss : float
        Mean negative log probability of the class.
    """

    trigger: str
    loss: float


class HotFlip:
    """The search for one class and place.

    Parameters
    ----------
    victim : Victim
        The classifier and its texts.
    rows : numpy.ndarray of int, shape (n,)
        Texts to search on.
    towards : int
        Number of the class to flip to.
    place : Place
        Where triggers stand.
    """

    def __init__(self, victim: Victim, rows: np.ndarray, towards: int, place: Place):
        self.victim, self.rows, self.towards, self.place = victim, rows, towards, place
        self.splicer = victim.splicer(place)
        self._weight: torch.Tensor = victim.model.get_input_embeddings().weight.detach()
        self._barred = sorted(set(victim.tokenizer.all_special_ids))

    def search(
        self,
        loss: Callable[[str], float],
        *,
        n_tokens: int = 3,
        n_candidates: int = 40,
        beam: int = 1,
        budget: int | None = None,
    ) -> Iterator[Attempt]:
        """Yield every trigger that is tried, once.

        Parameters
        ----------
        loss : callable
            Mean loss of a trigger's text towards the class.
        n_tokens : int
            Subwords of the trigger.
        n_candidates : int
            Subwords tried at each place.
        beam : int
            Triggers kept from place to place.
        budget : int, optional
            Stop once so many were tried, but not before every place was changed once.
        """
        ids = self.start(n_tokens)
        if ids is None or not self.victim.gapped(self.rows, self.place)[0]:
            return
        known: dict[tuple[int, ...], float] = {}

        def tried(new: tuple[int, ...]) -> Iterator[Attempt]:
            if new not in known:
                text = self.text(new)
                known[new] = loss(text)
                yield Attempt(text, known[new])

        yield from tried(ids)
        for number in range(1000):
            scores = self.scores(ids)
            kept = [ids]
            for place in range(n_tokens):
                found = dict.fromkeys(kept)
                for one in kept:
                    for new in self.candidates(one, place, scores[place], n_candidates):
                        if number and budget is not None and len(known) >= budget:
                            return
                        yield from tried(new)
                        found[new] = None
                kept = sorted(found, key=lambda one: known[one])[:beam]  # stable
            if known[kept[0]] >= known[ids]:
                return
            ids = kept[0]

    def start(self, n_tokens: int) -> tuple[int, ...] | None:
        """Return the ids that the search starts from; None where no trigger can be spliced."""
        for word in STARTS:
            ids = self.splicer.ids(" ".join([word] * n_tokens))
            if ids is not None and len(ids) == n_tokens and not set(ids) & set(self._barred):
                return ids
        return None

    def text(self, ids: tuple[int, ...]) -> str:
        """Return the text of a trigger."""
        decode = self.victim.tokenizer.decode
        return str(decode(list(ids), clean_up_tokenization_spaces=False)).strip()

    def admissible(self, ids: tuple[int, ...]) -> bool:
        """Tell whether the text of these ids is tokenised into them, where it stands."""
        text = self.text(ids)
        return bool(text) and self.splicer.ids(text) == ids

    def candidates(
        self, ids: tuple[int, ...], place: int, scores: np.ndarray, n: int
    ) -> Iterator[tuple[int, ...]]:
        """Yield at most n admissible triggers that differ from `ids` at one place, best first."""
        best = np.argsort(-scores, kind="stable")[: LOOKED_AT * n]
        found = 0
        for token in best:
            if not np.isfinite(scores[token]) or found == n:
                return
            new = (*ids[:place], int(token), *ids[place + 1 :])
            if self.admissible(new):
                found += 1
                yield new

    def scores(self, ids: tuple[int, ...]) -> np.ndarray:
        """Return how much, by first order, each subword lowers the loss at each place.

        Returns
        -------
        numpy.ndarray of float64, shape (n_tokens, n_vocabulary)
            Up to a constant for each place; minus infinity for special tokens and for embeddings
            that the tokenizer has no subword for.
        """
        gradient = self.gradient(ids).to(self._weight.dtype)
        found = -(gradient @ self._weight.T).double().cpu().numpy()
        found[:, self._barred] = -np.inf
        found[:, len(self.victim.tokenizer) :] = -np.inf
        return found

    def gradient(self, ids: tuple[int, ...]) -> torch.Tensor:
        """Return the gradient of the mean loss by the embeddings of a trigger, (n_tokens, d).

        Of an encoder-decoder model, by those that the encoder reads.
        """
        model = self.victim.model
        put = torch.tensor(ids, device=model.device)
        total = torch.zeros(len(ids), self._weight.shape[1], device=model.device)
        batches, _ = self.victim.gapped(self.rows, self.place)
        for batch in batches:
            with torch.enable_grad(), _embedded(model) as seen:
                logits = model(**batch.filled(put)).logits.float()
                loss = -logits.log_softmax(-1)[:, self.towards].sum()
                (gradient,) = torch.autograd.grad(loss, seen[:1])
            at = batch.cut + torch.arange(len(ids), device=model.device)[None]
            width = gradient.shape[-1]
            total += gradient.gather(1, at[..., None].expand(-1, -1, width)).float().sum(0)
        return total / sum(len(batch.rows) for batch in batches)


@contextmanager
def _embedded(model: Any) -> Iterator[list[torch.Tensor]]:
    """Collect what the model's embedding of subwords gives, ready for gradients."""
    seen: list[torch.Tensor] = []

    def keep(module: Any, inputs: Any, output: torch.Tensor) -> torch.Tensor:
        output = output if output.requires_grad else output.detach().requires_grad_()
        seen.append(output)
        return output

    handle = model.get_input_embeddings().register_forward_hook(keep)
    try:
        yield seen
    finally:
        handle.remove()

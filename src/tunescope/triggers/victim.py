"""The classifier under attack: what it says of texts with a trigger, at the cost of the passes.

Texts are batched by length once for each choice of texts and place; a trigger lengthens all alike.
Its ids are put into a batch on the device, in a few operations for all texts together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from tunescope.errors import InputError
from tunescope.models.encoding import set_padding
from tunescope.models.heads import Head
from tunescope.tasks.data import Text
from tunescope.triggers.placing import Place
from tunescope.triggers.splicing import PROBES, Encoding, Splicer

ROOM = 8
"""Subwords that a trigger is expected to have, when batches are cut."""
FILLED = 0.8
"""A batch is closed at texts shorter than this share of its longest, once it is large enough."""
SMALLEST = 4
"""... which is when it holds this part of what the budget allows."""


@dataclass(frozen=True, eq=False)
class GappedBatch:
    """Texts of about one length, with a gap each.

    Parameters
    ----------
    rows : numpy.ndarray of int, shape (n,)
        Which texts.
    ids, mask : torch.Tensor of int64, shape (n, width)
        Padded, without triggers.
    types : torch.Tensor or None
        Segments, where the model has them.
    cut : torch.Tensor of int64, shape (n, 1)
        Where the trigger goes.
    gap_type : torch.Tensor of int64, shape (n, 1)
        Its segment.
    """

    rows: np.ndarray
    ids: torch.Tensor
    mask: torch.Tensor
    types: torch.Tensor | None
    cut: torch.Tensor
    gap_type: torch.Tensor

    def filled(self, trigger: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the model's inputs with a trigger, shape (n_ids,), in every gap."""
        n = len(trigger)
        at = torch.arange(self.ids.shape[1] + n, device=self.ids.device)[None] - self.cut
        inside = (at >= 0) & (at < n)
        source = (torch.where(at < 0, at, (at - n).clamp(min=0)) + self.cut).clamp(
            max=self.ids.shape[1] - 1
        )
        new = trigger[at.clamp(0, n - 1)]
        ids = torch.where(inside, new, self.ids.gather(1, source))
        mask = torch.where(inside, 1, self.mask.gather(1, source))
        inputs = {"input_ids": ids, "attention_mask": mask}
        if self.types is not None:
            types = torch.where(inside, self.gap_type, self.types.gather(1, source))
            inputs["token_type_ids"] = types
        return inputs


class Victim:
    """A live classifier and the texts it is asked about.

    Parameters
    ----------
    head : Head
        With a head for sentence classification.
    texts : sequence of Text
        Single texts or pairs.
    max_length : int
        Longest input in subwords; the rest of a text is cut off.
    batch_tokens : int
        Subwords in one forward pass, padding included.
    probes : sequence of str
        Words that splicing is checked with.
    """

    def __init__(
        self,
        head: Head,
        texts: Sequence[Text],
        *,
        max_length: int = 128,
        batch_tokens: int = 4096,
        probes: Sequence[str] = PROBES,
    ):
        self.head, self.texts = head, list(texts)
        self.model, self.tokenizer = head.model, head.tokenizer
        self.max_length, self.batch_tokens = max_length, batch_tokens
        self._probes = probes
        set_padding(self.tokenizer, self.model)
        self._left = self.model.config.model_type == "xlnet"
        self._splicers: dict[Place, Splicer] = {}
        self._batches: dict[tuple[Place, bytes], tuple[list[GappedBatch], np.ndarray]] = {}

    def splicer(self, place: Place) -> Splicer:
        """Return the texts with a gap at a place, tokenised once."""
        if place not in self._splicers:
            config, length = self.model.config, self.max_length
            self._splicers[place] = Splicer(
                self.tokenizer, config, self.texts, place, length, self._probes
            )
        return self._splicers[place]

    def plain(self) -> np.ndarray:
        """Return the logits of the texts as they are, shape (n_texts, n_classes)."""
        some = self.splicer(Place())
        return self._whole(some.encode(self.texts))

    def logits(self, trigger: str, rows: np.ndarray, place: Place = Place()) -> np.ndarray:  # noqa: B008
        """Return the logits of texts with a trigger.

        Parameters
        ----------
        trigger : str
            Words.
        rows : numpy.ndarray of int, shape (n,)
            Which texts.
        place : Place
            Where it is put.

        Returns
        -------
        numpy.ndarray of float32, shape (n, n_classes)

        Raises
        ------
        InputError
            If a logit is not a number.
        """
        splicer = self.splicer(place)
        ids = splicer.ids(trigger)
        batches, apart = self.gapped(rows, place)
        found = np.empty((len(rows), self.n_classes), np.float32)
        if ids is None or any(b.ids.shape[1] + len(ids) > splicer.limit for b in batches):
            found[:] = self._whole(splicer.encode_with(rows.tolist(), trigger))
            return found
        put = torch.tensor(ids, device=self.model.device)
        parts = [(batch.rows, self._run(batch.filled(put))) for batch in batches]
        for at, logits in parts:  # only now is the device waited for
            found[at] = logits.float().cpu().numpy()
        if len(apart):
            whole = splicer.encode_with(rows[apart].tolist(), trigger)
            found[apart] = self._whole(whole)
        return self._checked(found)

    @property
    def n_classes(self) -> int:
        """Classes of the model."""
        return len(self.head.classes)

    def gapped(self, rows: np.ndarray, place: Place) -> tuple[list[GappedBatch], np.ndarray]:
        """Return batches of texts with a gap, and which of `rows` have none.

        The `rows` of a batch are places in `rows`, not in the texts.
        """
        key = place, np.ascontiguousarray(rows, np.int64).tobytes()
        if key not in self._batches:
            gaps = self.splicer(place).gaps
            there = [at for at, row in enumerate(rows) if gaps[row] is not None]
            lengths = {at: len(gaps[rows[at]].inputs["input_ids"]) for at in there}  # type: ignore[union-attr]
            there.sort(key=lambda at: (-lengths[at], at))
            batches = [
                self._gapped_batch(np.array(chosen), rows, place)
                for chosen in self._cut(there, [lengths[at] + ROOM for at in there])
            ]
            apart = np.array(sorted(set(range(len(rows))) - set(there)), np.int64)
            self._batches[key] = batches, apart
        return self._batches[key]

    def _gapped_batch(self, at: np.ndarray, rows: np.ndarray, place: Place) -> GappedBatch:
        gaps = [self.splicer(place).gaps[rows[i]] for i in at]
        grid, shift = self._padded([gap.inputs for gap in gaps])  # type: ignore[union-attr]
        cut = torch.tensor([[gap.cut + s] for gap, s in zip(gaps, shift, strict=True)])  # type: ignore[union-attr]
        kind = torch.tensor([[gap.type] for gap in gaps])  # type: ignore[union-attr]
        device = self.model.device
        grid = {name: tensor.to(device) for name, tensor in grid.items()}
        return GappedBatch(
            at, grid["input_ids"], grid["attention_mask"], grid.get("token_type_ids"),
            cut.to(device), kind.to(device),
        )  # fmt: skip

    def _cut(self, order: list[int], lengths: list[int]) -> Iterator[list[int]]:
        """Cut texts, the longest first, into batches."""
        start = 0
        while start < len(order):
            longest = lengths[start]
            fitting = max(1, self.batch_tokens // longest)
            stop = start + 1
            while stop < len(order) and stop - start < fitting:
                short = lengths[stop] < FILLED * longest
                if short and stop - start >= fitting // SMALLEST:
                    break
                stop += 1
            yield order[start:stop]
            start = stop

    def _padded(self, encodings: list[Encoding]) -> tuple[dict[str, torch.Tensor], list[int]]:
        """Return one tensor for each input, and how far each text was moved to the right."""
        width = max(len(encoding["input_ids"]) for encoding in encodings)
        pads = {"input_ids": self.tokenizer.pad_token_id, "attention_mask": 0}
        pads["token_type_ids"] = getattr(self.tokenizer, "pad_token_type_id", 0)
        grids, shift = {}, []
        for name in encodings[0]:
            grid = np.full((len(encodings), width), pads[name], np.int64)
            for row, encoding in enumerate(encodings):
                values = encoding[name]
                start = width - len(values) if self._left else 0
                grid[row, start : start + len(values)] = values
            grids[name] = torch.from_numpy(grid)
        for encoding in encodings:
            shift.append(width - len(encoding["input_ids"]) if self._left else 0)
        return grids, shift

    def _whole(self, encodings: list[Encoding]) -> np.ndarray:
        """Run texts that were tokenised as a whole."""
        found = np.empty((len(encodings), self.n_classes), np.float32)
        order = sorted(range(len(encodings)), key=lambda row: -len(encodings[row]["input_ids"]))
        lengths = [len(encodings[row]["input_ids"]) for row in order]
        for chosen in self._cut(order, lengths):
            grid, _ = self._padded([encodings[row] for row in chosen])
            inputs = {name: tensor.to(self.model.device) for name, tensor in grid.items()}
            found[chosen] = self._run(inputs).float().cpu().numpy()
        return self._checked(found)

    @torch.inference_mode()
    def _run(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        return self.model(**inputs).logits

    def _checked(self, logits: np.ndarray) -> np.ndarray:
        if not np.isfinite(logits).all():
            raise InputError(f"model {self.head.name!r}: its outputs are not finite")
        return logits


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Return the softmax over classes, float64."""
    shifted = logits.astype(np.float64) - logits.max(1, keepdims=True)
    odds = np.exp(shifted)
    return odds / odds.sum(1, keepdims=True)

"""Tokenise texts once; put the ids of a trigger into theirs, where that is what tokenising gives.

How the ids of a text with a trigger fall into a part before, the trigger's and a part behind is
read off two probe words put in its place: what the two encodings share is the text's. This holds
for any tokenizer, special tokens, segments and pairs included. It is then checked, not assumed:

- every text with a third probe word; one whose encoding is another than the spliced one is always
  tokenised as a whole (texts at the length limit are, too);
- every trigger, in the words around its place in enough texts that each character which it comes to
  stand beside, left or right, occurs; a trigger that fails anywhere is tokenised with each text.

A tokenizer looks at what is next to a word, so a trigger's ids depend on no more than that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tunescope.models.encoding import encode
from tunescope.models.limits import length_limit
from tunescope.tasks.data import Text
from tunescope.triggers.placing import Place

Encoding = dict[str, list[int]]
PROBES = (
    "the",
    "of",
    "in",
    "is",
    "one",
    "no",
    "more",
    "you",
    "it",
    "for",
    "so",
    "a",
    "x",
    "q",
    "7",
)
"""Words to probe with, when none are given."""
SPARE = 12
"""Subwords that a trigger may have before the texts nearest to the length limit reach it."""


@dataclass(frozen=True)
class Gap:
    """A text's encoding with a gap for the trigger.

    Parameters
    ----------
    inputs : dict of str to list of int
        Encoding of the text as it is around a trigger, without the trigger.
    cut : int
        Where the trigger's ids go.
    type : int
        Segment of the trigger; 0 where there are none.
    """

    inputs: Encoding
    cut: int
    type: int

    def filled(self, ids: Sequence[int]) -> Encoding:
        """Return the encoding with a trigger."""
        put = {"input_ids": list(ids), "attention_mask": [1] * len(ids)}
        put["token_type_ids"] = [self.type] * len(ids)
        return {
            name: values[: self.cut] + put[name] + values[self.cut :]
            for name, values in self.inputs.items()
        }

    def taken_from(self, whole: Encoding) -> tuple[int, ...] | None:
        """Return the trigger's ids in an encoding of text and trigger; None if it is no splice."""
        n = len(whole["input_ids"]) - len(self.inputs["input_ids"])
        ids = tuple(whole["input_ids"][self.cut : self.cut + n]) if n > 0 else ()
        return ids if ids and self.filled(ids) == whole else None


class Splicer:
    """Texts with a gap at one place, and triggers to fill it.

    Parameters
    ----------
    tokenizer : transformers tokenizer
        Slow or fast.
    config : transformers configuration
        Of the model.
    texts : sequence of Text
        Single texts or pairs.
    place : Place
        Where triggers are put.
    max_length : int
        Longest input in subwords, special tokens included.
    probes : sequence of str
        Words to find the gaps with.

    Attributes
    ----------
    gaps : list of Gap or None
        By text; None where a text has to be tokenised with each trigger.
    limit : int
        Longest input.
    """

    def __init__(
        self,
        tokenizer: Any,
        config: Any,
        texts: Sequence[Text],
        place: Place,
        max_length: int,
        probes: Sequence[str] = PROBES,
    ):
        self._tokenizer, self._config, self._max_length = tokenizer, config, max_length
        self.place, self.texts = place, list(texts)
        self.limit = min(max_length, length_limit(tokenizer, config, None))
        self._near = _covering(self.texts, place)
        self._known: dict[str, tuple[int, ...] | None] = {}
        found = self._probe_words(probes)
        gaps = self._gaps(found, [*self.texts, *self._near])
        checks = dict(zip(self._near, gaps[len(self.texts) :], strict=True))
        self._checks = {near: gap for near, gap in checks.items() if gap is not None}
        edges = [place.edge(near) for near in self._checks]
        left, right = {edge[0] for edge in edges}, {edge[1] for edge in edges}
        for row, text in enumerate(self.texts):
            before, behind = place.edge(text)
            if before not in left or behind not in right:  # not checked beside this character
                gaps[row] = None
        self.gaps = gaps[: len(self.texts)]

    def encode(self, texts: Sequence[Text]) -> list[Encoding]:
        """Tokenise texts as they are."""
        return encode(self._tokenizer, self._config, texts, self._max_length) if texts else []

    def encode_with(self, rows: Sequence[int], trigger: str) -> list[Encoding]:
        """Tokenise texts with a trigger, as a whole."""
        return self.encode([self.place.put(self.texts[row], trigger) for row in rows])

    def ids(self, trigger: str) -> tuple[int, ...] | None:
        """Return the ids of a trigger that may be spliced; None for one that may not."""
        if trigger not in self._known:
            whole = self.encode([self.place.put(text, trigger) for text in self._checks])
            pairs = zip(self._checks.values(), whole, strict=True)
            seen = {gap.taken_from(encoding) for gap, encoding in pairs}
            self._known[trigger] = next(iter(seen)) if len(seen) == 1 else None
        return self._known[trigger]

    def _probe_words(self, probes: Sequence[str]) -> list[str]:
        """Choose three words whose first ids differ, and last ids too."""
        chosen: list[tuple[str, list[int]]] = []
        unknown = getattr(self._tokenizer, "unk_token_id", None)
        for word in dict.fromkeys(probes):
            ids = self._tokenizer(word, add_special_tokens=False)["input_ids"]
            apart = all(ids[0] != o[0] and ids[-1] != o[-1] for _, o in chosen) if ids else False
            if apart and unknown not in ids:
                chosen.append((word, ids))
        return [word for word, _ in chosen[:3]]

    def _gaps(self, probes: list[str], texts: Sequence[Text]) -> list[Gap | None]:
        if len(probes) < 3:
            return [None] * len(texts)
        one, two, third = (
            self.encode([self.place.put(text, word) for text in texts]) for word in probes
        )
        gaps = [_between(a, b) for a, b in zip(one, two, strict=True)]
        taken = [
            gap.taken_from(whole) if gap is not None else None
            for gap, whole in zip(gaps, third, strict=True)
        ]
        usual = Counter(ids for ids in taken if ids is not None).most_common(1)
        return [
            gap
            if gap is not None and usual and ids == usual[0][0] and self._fits(gap, ids)
            else None
            for gap, ids in zip(gaps, taken, strict=True)
        ]

    def _fits(self, gap: Gap, ids: tuple[int, ...] | None) -> bool:
        """Whether text and trigger stay below the limit, with some room for longer triggers."""
        return len(gap.inputs["input_ids"]) + max(len(ids or ()), SPARE) < self.limit


def _between(one: Encoding, two: Encoding) -> Gap | None:
    """Return the gap that two encodings of a text with different words share."""
    a, b = np.array(one["input_ids"]), np.array(two["input_ids"])
    short = min(len(a), len(b))
    same = a[:short] == b[:short]
    before = short if same.all() else int(same.argmin())
    same = a[::-1][: short - before] == b[::-1][: short - before]
    behind = len(same) if same.all() else int(same.argmin())
    stop = len(a) - behind
    if stop <= before:
        return None
    types = one.get("token_type_ids", [0] * len(a))
    inputs = {name: values[:before] + values[stop:] for name, values in one.items()}
    return Gap(inputs, before, types[before])


def _covering(texts: Sequence[Text], place: Place) -> list[Text]:
    """Return the words around the place in texts, so that every neighbouring character occurs."""
    left, right, chosen = set(), set(), {}
    for text in texts:
        before, behind = place.edge(text)
        if before not in left or behind not in right:
            left.add(before)
            right.add(behind)
            chosen[place.neighbours(text)] = None
    return list(chosen)

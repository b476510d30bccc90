"""The subwords a tokenizer cuts a word into (Durrani et al. 2022, arXiv 2210.12696)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tunescope.concepts.human.kind import HumanConcept, frequent, split_by, types_of
from tunescope.concepts.label_sets import LabelSets
from tunescope.errors import InputError
from tunescope.paths import resolve_path

if TYPE_CHECKING:
    from tunescope.corpus.table import Corpus


@dataclass(frozen=True)
class Subword(HumanConcept):
    """The pieces of a word as in running text, written as the tokenizer writes them.

    Special tokens, the unknown token among them, are no pieces.

    Parameters
    ----------
    tokenizer
        Hugging Face id or folder of the model whose tokenizer is meant, or a tokenizer.
    min_types
        A piece counts when at least this many word types contain it.
    """

    name: ClassVar[str] = "subword"
    argument: ClassVar[str | None] = "tokenizer"
    tokenizer: Any = None
    min_types: int = 6

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least("min_types", 1)
        if self.tokenizer is None:
            raise InputError(
                "concept 'subword' needs a tokenizer: write subword:MODEL, or give tokenizer=, "
                "with an id or a folder"
            )

    @property
    def single(self) -> bool:
        """Words have several."""
        return False

    def __call__(self, words: Corpus) -> LabelSets:
        """Encode each type once, and once more where it begins a sentence."""
        from tunescope.activations.subwords import SubwordEncoder

        tokenizer = load(self.tokenizer) if isinstance(self.tokenizer, str) else self.tokenizer
        forms, codes = types_of(words)
        inner = (words.words["position"].to_numpy() > 0).astype(np.int64)
        types, inside, numbers = split_by(codes, inner)
        # the second word of a sentence is inside it; the first is any
        texts = [
            [forms[0], forms[t]] if i else [forms[t]] for t, i in zip(types, inside, strict=True)
        ]
        encoded = [ids[-1] for ids in SubwordEncoder(tokenizer).encode(texts)] if texts else []
        special = set(tokenizer.all_special_ids)
        pieces = [
            set(tokenizer.convert_ids_to_tokens([i for i in ids if i not in special]))
            for ids in encoded
        ]
        by_type: dict[Any, set[str]] = {}
        for number, found in zip(types.tolist(), pieces, strict=True):
            by_type.setdefault(number, set()).update(found)
        kept = frequent(by_type, self.min_types)
        return LabelSets.of_sets([found & kept for found in pieces], complete=True).take(numbers)


def load(model: str) -> Any:
    """Load the tokenizer of a model, whose weights are not needed and not read.

    Raises
    ------
    InputError
        If there is none.
    """
    from tunescope.models.load import load_tokenizer
    from tunescope.models.reference import ModelRef, ModelSource

    folder = resolve_path(model)
    place = str(folder) if folder.is_dir() else model
    return load_tokenizer(ModelRef(model, place, "", ModelSource(path=model), place))

"""A base model and a tuned one whose concepts are known, with the checkpoints between them.

A BERT whose weights are set by hand. A word's embedding is the direction of its concept, a small
mark of its group, and noise of its own. The first block does nothing. In the second, tuned models
have neurons that each answer to one mark and carry its words from one concept's direction to
another's, and attention by which the words of one concept look for the cue in their sentence and
take over its class. So layers 0 and 1 never change, and in layer 2 happens what `EVENTS` lists.

A tuning that is real, from the same base, is in `test_planted_study.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

import numpy as np
import torch
import transformers as hf
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from tunescope.corpus.table import Corpus

TYPES = 12
"""Word types of a concept; the split one has twice as many."""

FRACTIONS = (0.0, 0.25, 0.5, 1.0)
"""The base, two checkpoints, and the end."""

EVENTS = {
    "split": 0.25,  # half of "split" becomes a concept of its own
    "vanish": 0.25,  # the words of "vanish" go to six other concepts, two each
    "swap": 0.25,  # "swap1" and "swap2" exchange half of their words ...
    "swap back": 0.5,  # ... and take them back
    "merge12": 0.5,  # "merge1" and "merge2" become one
    "born": 0.5,  # a concept out of words that six concepts had, two each
    "merge34": 1.0,
    "polarise": 1.0,  # occurrences of "polar" follow the class of their sentence
}
"""What happens, and the share of the tuning at which it is there for the first time. At each there
are as many concepts as before, so that one K is right everywhere."""

N_CONCEPTS = 12
CONCEPTS = (
    "kept", "split", "vanish", "merge1", "merge2", "merge3", "merge4", "swap1", "swap2", "polar",
    "up", "down",
)  # fmt: skip
"""Concepts of the base model."""

TUNED = {
    "kept": ("kept",),
    "split": ("split",),
    "split off": ("split off",),
    "merge1": ("merge1", "merge2"),
    "merge3": ("merge3", "merge4"),
    "swap1": ("swap1",),
    "swap2": ("swap2",),
    "born": ("born",),
    "polar": ("polar",),
    "up": ("up",),
    "down": ("down",),
}
"""Directions of the tuned model, and whose words are there; "polar" holds two concepts."""

CUES = {"up": "positive", "down": "negative"}
"""Words of these concepts are in sentences of one class alone, in any model."""

HOSTS = {
    "vanish": ("kept", "split", "split off", "merge1", "swap1", "swap2"),  # where words go
    "born": ("kept", "split", "merge1", "merge2", "merge3", "merge4"),  # where words come from
}


@dataclass(frozen=True)
class Group:
    """Word types that do the same: `base` is their concept at first, `moves` when and where to."""

    name: str
    base: str
    words: tuple[str, ...]
    moves: tuple[tuple[float, str], ...] = ()

    def place(self, fraction: float) -> str:
        """Direction of the group at a share of the tuning."""
        return [self.base, *(place for start, place in self.moves if start <= fraction)][-1]


@cache
def groups() -> tuple[Group, ...]:
    """Return all groups of words."""

    def group(
        name: str, base: str, *moves: tuple[str, str], n: int = TYPES, first: int = 0
    ) -> Group:
        stem = name.split("/")[0].replace(" ", "")
        words = tuple(f"{stem}{number:02d}" for number in range(first, first + n))
        return Group(name, base, words, tuple((EVENTS[event], place) for event, place in moves))

    found = [group(name, name) for name in ("kept", "split", "merge1", "merge3", "polar", *CUES)]
    found.append(group("split off", "split", ("split", "split off")))
    found.append(group("merge2", "merge2", ("merge12", "merge1")))
    found.append(group("merge4", "merge4", ("merge34", "merge3")))
    half = TYPES // 2
    for here, there in (("swap1", "swap2"), ("swap2", "swap1")):
        back = (("swap", there), ("swap back", here))
        found.append(group(f"{here}/stays", here, n=half))
        found.append(group(f"{here}/goes", here, *back, n=half, first=half))
    for number, place in enumerate(HOSTS["vanish"]):
        found.append(group(f"vanish/{place}", "vanish", ("vanish", place), n=2, first=2 * number))
    for number, place in enumerate(HOSTS["born"]):
        found.append(group(f"born/{place}", place, ("born", "born"), n=2, first=2 * number))
    return tuple(found)


def planted_concept(words: Corpus, fraction: float) -> np.ndarray:
    """Name the concept in which each word is in layer 2, at a share of the tuning."""
    place = {word: group.place(fraction) for group in groups() for word in group.words}
    names = np.array([place[form] for form in words.values("form")], object)
    if fraction < EVENTS["polarise"]:
        return names
    classes = words.of_sentence("class")[words.words["sentence"].to_numpy()]
    polar = names == "polar"
    names[polar] = [f"polar {name}" for name in classes[polar]]
    return names


def make_corpus(occurrences: int = 12, seed: int = 0) -> Corpus:
    """Sentences of seven words, one of them a cue; every type occurs equally often."""
    rng = np.random.default_rng(seed)
    cues = [g.words for g in groups() if g.name in CUES]
    others = list(chain(*(g.words for g in groups() if g.name not in CUES)))
    drawn = [(word, name) for words, name in zip(cues, CUES.values(), strict=True)
             for word in words * occurrences]  # fmt: skip
    drawn = [drawn[i] for i in rng.permutation(len(drawn))]
    rows = rng.permutation(np.repeat(others, occurrences)).reshape(len(drawn), -1).tolist()
    for row, (cue, _) in zip(rows, drawn, strict=True):
        row.insert(int(rng.integers(len(row) + 1)), cue)
    concept = {word: group.base for group in groups() for word in group.words}
    return Corpus.from_sentences(
        rows,
        {"concept": [[concept[word] for word in row] for row in rows]},
        classes=[name for _, name in drawn],
        name="planted",
    )


SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
DIRECTIONS = (*CONCEPTS, "split off", "born", "special", "class")
HIDDEN = 64
HEIGHT, MARK, NOISE = 4.0, 1.0, 0.08
"""Length of a concept's direction, of a group's mark, and the deviation of a word's own noise."""


def save_model(folder: Path, fraction: float) -> Path:
    """Write the model at a share of the tuning; 0 is the base, a masked language model's body."""
    torch.manual_seed(0)
    tokenizer, config = _tokenizer(), _config()
    model = hf.BertModel(config, add_pooling_layer=False).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.normal_(0, 0.003)
        _set_embeddings(model, tokenizer)
        if fraction > 0:
            _set_block(model, fraction)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _config() -> hf.BertConfig:
    marks = len(groups())
    assert len(DIRECTIONS) + marks <= HIDDEN
    return hf.BertConfig(
        vocab_size=len(_tokenizer()), hidden_size=HIDDEN, num_hidden_layers=2,
        num_attention_heads=1, intermediate_size=HIDDEN, max_position_embeddings=16,
        hidden_act="relu", pad_token_id=0,
    )  # fmt: skip


@cache
def _tokenizer() -> hf.PreTrainedTokenizerFast:
    names = [*SPECIAL, *chain(*(group.words for group in groups()))]
    made = Tokenizer(models.WordLevel({name: i for i, name in enumerate(names)}, unk_token="[UNK]"))  # type: ignore[call-arg]
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()  # type: ignore[assignment]
    made.post_processor = processors.TemplateProcessing(  # type: ignore[assignment]
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return hf.PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
        sep_token="[SEP]",
    )  # fmt: skip


def _mark(name: str) -> int:
    """Neuron that marks the words of a group."""
    return len(DIRECTIONS) + [group.name for group in groups()].index(name)


def _set_embeddings(model: hf.BertModel, tokenizer: hf.PreTrainedTokenizerFast) -> None:
    embeddings = model.embeddings
    embeddings.position_embeddings.weight.zero_()
    embeddings.token_type_embeddings.weight.zero_()
    table = embeddings.word_embeddings.weight
    table.normal_(0, NOISE)
    table[: len(SPECIAL), DIRECTIONS.index("special")] += HEIGHT
    for group in groups():
        rows = tokenizer.convert_tokens_to_ids(list(group.words))
        table[rows, DIRECTIONS.index(group.base)] += HEIGHT
        table[rows, _mark(group.name)] = MARK  # without noise: what answers to it answers alike


def _set_block(model: hf.BertModel, fraction: float) -> None:
    """Plant in the second block what the tuning has done by `fraction`."""
    block = model.encoder.layer[1]
    scale = _scale()
    height, mark = HEIGHT * scale, MARK * scale
    up, down = block.intermediate.dense, block.output.dense
    for neuron, group in enumerate(groups()):
        place = group.place(fraction)
        if place == group.base:
            continue
        up.weight[neuron, _mark(group.name)] = 1.0
        up.bias[neuron] = -mark / 2
        down.weight[DIRECTIONS.index(place), neuron] = height / (mark / 2)
        down.weight[DIRECTIONS.index(group.base), neuron] = -height / (mark / 2)
    if fraction >= EVENTS["polarise"]:
        attention = block.attention.self
        names, sharp = list(CUES), 30 * HIDDEN**0.5 / mark**2
        attention.query.weight[0, _mark("polar")] = sharp  # its words look for a cue ...
        attention.query.bias[1] = 8 * HIDDEN**0.5 / height  # ... all others for [CLS] and [SEP]
        attention.key.weight[1, DIRECTIONS.index("special")] = 1.0
        for name, sign in zip(names, (1.0, -1.0), strict=True):
            attention.key.weight[0, _mark(name)] = 1.0
            attention.value.weight[0, _mark(name)] = sign
        block.attention.output.dense.weight[DIRECTIONS.index("class"), 0] = height / mark


def _scale() -> float:
    """How much layer normalisation lengthens an embedding, noise left out."""
    embedding = np.zeros(HIDDEN)
    embedding[:2] = HEIGHT, MARK
    return float(1 / embedding.std())

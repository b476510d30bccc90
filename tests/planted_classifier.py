"""A classifier with set weights, whose flipping words are known, and concepts of those words.

Attention is uniform and passes vectors on, so the first token sees the mean of all; one direction
of the embeddings is sentiment. Strong words outweigh a sentence of weak ones, neutral words do
nothing.
"""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers as hf
from tokenizers import Tokenizer, models, pre_tokenizers, processors

import tunescope as ts
from stores import store_from_arrays
from tunescope.tasks.data import TaskData

SENTIMENT = {
    "superb": 6.0, "brilliant": 6.0, "dazzling": 6.0, "gem": 6.0, "bliss": 6.0, "triumph": 6.0,
    "nice": 0.4, "fine": 0.4, "decent": 0.4, "sweet": 0.4, "okay": 0.4, "pleasant": 0.4,
    "dire": -6.0, "awful": -6.0, "dreck": -6.0, "vile": -6.0, "inept": -6.0, "garbage": -6.0,
    "dull": -0.4, "slow": -0.4, "flat": -0.4, "bland": -0.4, "thin": -0.4, "dry": -0.4,
    "the": 0.0, "film": 0.0, "a": 0.0, "plot": 0.0, "of": 0.0, "actor": 0.0,
}  # fmt: skip
WORDS = list(SENTIMENT)
GROUPS = {"strong good": WORDS[:6], "weak good": WORDS[6:12], "strong bad": WORDS[12:18],
          "weak bad": WORDS[18:24], "neutral": WORDS[24:]}  # fmt: skip
NAMES = ("bad", "good")


def tokenizer() -> Any:
    """Return a tokenizer of whole words."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    vocabulary = {word: number for number, word in enumerate([*special, *WORDS])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )  # fmt: skip
    return hf.PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
        sep_token="[SEP]",
    )  # fmt: skip


def save_classifier(folder: Path, names: tuple[str, str] = NAMES) -> Path:
    """Write the classifier as a checkpoint."""
    config = hf.BertConfig(
        vocab_size=4 + len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=1,
        intermediate_size=4, max_position_embeddings=64, num_labels=2,
        id2label=dict(enumerate(names)), label2id={name: i for i, name in enumerate(names)},
    )  # fmt: skip
    model = hf.BertForSequenceClassification(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.fill_(1.0 if "LayerNorm.weight" in name else 0.0)
        table = model.bert.embeddings.word_embeddings.weight
        table[:, 2], table[:, 3] = 1.0, -1.0
        for number, word in enumerate(WORDS, start=4):
            table[number, 0], table[number, 1] = SENTIMENT[word], -SENTIMENT[word]
        attention = model.bert.encoder.layer[0].attention
        for matrix in (attention.self.value.weight, attention.output.dense.weight):
            matrix.copy_(torch.eye(16))
        model.bert.pooler.dense.weight.copy_(torch.eye(16))  # type: ignore[union-attr]
        model.classifier.weight[1, 0], model.classifier.weight[0, 0] = 4.0, -4.0
        model.classifier.bias[0] = 0.01
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def sentences(n: int, seed: int) -> tuple[list[list[str]], list[str]]:
    """Return sentences of neutral words and four weak ones: three of the other class lose."""
    rng = np.random.default_rng(seed)
    found, classes = [], []
    for number in range(n):
        name = NAMES[number % 2]
        weak = rng.choice(GROUPS[f"weak {name}"], 4).tolist()
        found.append(rng.permutation([*rng.choice(GROUPS["neutral"], 5), *weak]).tolist())
        classes.append(name)
    return found, classes


def texts(n: int = 80, seed: int = 1) -> TaskData:
    """Return texts to put triggers into."""
    found, classes = sentences(n, seed)
    return TaskData(tuple((" ".join(words),) for words in found), tuple(classes))


def pairs(n: int = 60, seed: int = 1) -> TaskData:
    """Return pairs: a neutral text, each another one, and one with a class."""
    found, classes = sentences(n, seed)
    neutral = list(permutations(GROUPS["neutral"], 5))[:n]
    both = tuple((" ".join(a), " ".join(b)) for a, b in zip(neutral, found, strict=True))
    return TaskData(both, tuple(classes))


def concepts(folder: Path) -> tuple[Any, Any]:
    """Return store and concepts of one layer whose five clusters are `GROUPS`."""
    rng = np.random.default_rng(0)
    found, classes = sentences(60, 0)
    for words, name in zip(found, classes, strict=True):  # strong words too, once each
        words.insert(0, str(rng.choice(GROUPS[f"strong {name}"])))
    corpus = ts.Corpus.from_sentences(found, classes=classes, name="planted")
    of_word = {word: number for number, group in enumerate(GROUPS.values()) for word in group}
    x = 10 * np.eye(8)[[of_word[word] for word in corpus.values("form")]]
    x = (x + rng.normal(size=x.shape)).astype(np.float32)
    store = store_from_arrays(folder / "store", corpus, [x])
    made = ts.discover_concepts(
        store, folder / "concepts", words=corpus, n_clusters=5, min_types=6, n_jobs=1
    )
    return store, made

"""Tiny random models of every family, with tokenizers of three kinds, made from nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import torch
import transformers as hf
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

SENTENCES = [
    text.split("_")
    for text in (
        "The_quick_brown_fox_jumps_over_the_lazy_dog_.",
        "Colourless_green_ideas_sleep_furiously_,_naïve_though_they_unquestionably_are_!",
        "don't_stop_,_she_said_:_it_costs_3.50_dollars_(_or_1,000_yen_)_.",
        "Well",
        "New York_is_one_word_here_.",
        "Extraordinarily_incomprehensible_supercalifragilistic_words_need_many_subwords",
    )
]

SPECIAL = {
    "wordpiece": dict(
        unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]",
        mask_token="[MASK]",
    ),
    "bytes": dict(bos_token="<s>", eos_token="</s>", pad_token="<pad>", mask_token="<mask>"),
    "unigram": dict(
        unk_token="<unk>", eos_token="</s>", pad_token="<pad>", sep_token="<sep>",
        cls_token="<cls>", mask_token="<mask>",
    ),
}  # fmt: skip


PAIRS = {
    "[CLS] $ [SEP]": "[CLS] $A [SEP] $B:1 [SEP]:1",
    "<cls> $ <sep>": "<cls> $A <sep> $B:1 <sep>:1",
    "$:0 <sep>:0 <cls>:2": "$A:0 <sep>:0 $B:1 <sep>:1 <cls>:2",
    "<s> $ </s>": "<s> $A </s> </s> $B </s>",
    "<cls> $": "<cls> $A <cls> $B",
    "$ </s>": "$A </s> $B </s>",
}
"""What stands around a single text, and the same for a pair of texts."""


@cache
def make_tokenizer(kind: str, around: str = "", add_prefix_space: bool = False) -> Any:
    """Make a tokenizer of a few sentences: wordpiece, bytes (BPE) or unigram (SentencePiece).

    It is the same in each process; what `tokenizers` trains is not, but for BPE over bytes.
    """
    special = list(SPECIAL[kind].values())
    if kind == "wordpiece":
        known = {
            piece: number for number, piece in enumerate(special + _pieces("", "##", str.lower))
        }
        made = Tokenizer(models.WordPiece(known, unk_token="[UNK]"))  # type: ignore[call-arg]
        made.normalizer = normalizers.BertNormalizer()
        made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    elif kind == "bytes":
        made = Tokenizer(models.BPE())
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space)
        made.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=400, special_tokens=special, initial_alphabet=alphabet
        )
        made.train_from_iterator([" ".join(words) for words in SENTENCES] * 4, trainer)
    else:
        scored = [(piece, -9.0 + len(piece)) for piece in ["▁", *_pieces("▁", "", str)]]
        scored = [(piece, 0.0) for piece in special] + scored
        made = Tokenizer(models.Unigram(scored, special.index("<unk>")))
        made.normalizer = normalizers.Replace(" {2,}", " ")
        made.pre_tokenizer = pre_tokenizers.Metaspace()
        made.decoder = decoders.Metaspace()
    made.add_special_tokens(special)
    if around:
        used = [token for token in around.split() if not token.startswith("$")]
        single = around.replace("$", "$A")
        made.post_processor = processors.TemplateProcessing(
            single=single,
            pair=PAIRS.get(around, "$A:0 $B:1"),
            special_tokens=[(t.split(":")[0], made.token_to_id(t.split(":")[0])) for t in used],
        )
    return hf.PreTrainedTokenizerFast(tokenizer_object=made, **SPECIAL[kind])


def _pieces(first: str, later: str, folded: Callable[[str], str]) -> list[str]:
    """Return short words whole, the first and later fours of long ones, and all characters."""
    words = [folded(word) for sentence in SENTENCES for text in sentence for word in text.split()]
    whole = [first + word for word in words if len(word) <= 6]
    heads = [first + word[:4] for word in words if len(word) > 6]
    rests = [later + word[n : n + 4] for word in words for n in range(4, len(word) - 3, 4)]
    letters = [mark + letter for word in words for letter in word for mark in (first, later)]
    return list(dict.fromkeys([*whole, *heads, *rests, *letters]))


SMALL = dict(
    hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48,
    max_position_embeddings=64,
)  # fmt: skip
BERT_LIKE = ("wordpiece", "[CLS] $ [SEP]")

FAMILIES: dict[str, tuple[Any, dict[str, Any], tuple[str, str]]] = {
    "bert": (hf.BertConfig, SMALL, BERT_LIKE),
    "electra": (hf.ElectraConfig, {**SMALL, "embedding_size": 16}, BERT_LIKE),
    "distilbert": (
        hf.DistilBertConfig,
        dict(dim=32, n_layers=2, n_heads=2, hidden_dim=48, max_position_embeddings=64),
        BERT_LIKE,
    ),
    "deberta-v2": (
        hf.DebertaV2Config,
        {**SMALL, "relative_attention": True, "pos_att_type": ["p2c", "c2p"]},
        ("unigram", "<cls> $ <sep>"),
    ),
    "albert": (hf.AlbertConfig, {**SMALL, "embedding_size": 16}, ("unigram", "<cls> $ <sep>")),
    "xlnet": (
        hf.XLNetConfig,
        dict(d_model=32, n_layer=2, n_head=2, d_inner=48),
        ("unigram", "$:0 <sep>:0 <cls>:2"),
    ),
    "roberta": (hf.RobertaConfig, {**SMALL, "pad_token_id": 2}, ("bytes", "<s> $ </s>")),
    "gpt2": (hf.GPT2Config, dict(n_embd=32, n_layer=2, n_head=2, n_positions=64), ("bytes", "")),
    "llama": (hf.LlamaConfig, {**SMALL, "num_key_value_heads": 1}, ("unigram", "<cls> $")),
    "qwen3": (hf.Qwen3Config, {**SMALL, "num_key_value_heads": 1, "head_dim": 16}, ("bytes", "")),
    "t5": (
        hf.T5Config,
        dict(d_model=32, num_layers=2, num_heads=2, d_ff=48, d_kv=16),
        ("unigram", "$ </s>"),
    ),
    "bart": (
        hf.BartConfig,
        dict(
            d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=2,
            decoder_attention_heads=2, encoder_ffn_dim=48, decoder_ffn_dim=48,
            max_position_embeddings=64,
        ),
        ("bytes", "<s> $ </s>"),
    ),
}  # fmt: skip


def save_tiny(family: str, folder: Path, seed: int = 0, head: Any = None) -> Path:
    """Write a tiny random checkpoint of a family, with its tokenizer."""
    config_type, settings, (kind, around) = FAMILIES[family]
    tokenizer = make_tokenizer(kind, around)
    ids = {f"{n}_token_id": getattr(tokenizer, f"{n}_token_id") for n in ("pad", "bos", "eos")}
    config = config_type(vocab_size=len(tokenizer), **{**ids, **settings})
    if family == "t5":
        config.decoder_start_token_id = ids["pad_token_id"]
    torch.manual_seed(seed)
    (head or hf.AutoModel).from_config(config).eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder

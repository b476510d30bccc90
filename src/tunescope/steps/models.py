"""Parameters of the steps that run a model: tuning it, and storing its activations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from tunescope.errors import InputError
from tunescope.steps.step import Step, bounded


@dataclass(frozen=True)
class Finetune(Step):
    """Fine-tune a base model on a task: classes of texts or of pairs, or a number.

    The defaults are the recipe of Durrani et al. 2021 (arXiv 2105.15179; section 3 and its code).

    Parameters
    ----------
    epochs
        Passes over the training texts.
    learning_rate
        Peak learning rate of AdamW; it decays linearly to zero.
    batch_size
        Texts in one update.
    max_length
        Longest input in subwords; the rest of a text is cut off, of a pair the longer one first.
    weight_decay
        Decoupled weight decay.
    warmup
        Share of the updates during which the learning rate rises from zero.
    max_sentences
        Train on this many texts, drawn at random; all when not given.
    dev_share
        Share of the training texts held out as dev set, where the task has none.
    dev_seed
        Seed of their choice: the same for all seeds, whose scores are then on the same texts.
    seed
        Seed of the new head, dropout, the choice of `max_sentences` and the order of texts.
    method
        What is trained: all weights (`full`); the head alone, with the pooler where the
        architecture has one, so that every layer stays as it was (`frozen`); or the head and a
        low-rank update of some matrices, saved as a PEFT adapter (`lora`; needs the extra
        `adapters`; a learning rate of 1e-4 to 5e-4 is usual).
    lora_rank
        Rank of the update.
    lora_alpha
        The update is scaled by `lora_alpha` / `lora_rank`.
    lora_dropout
        Dropout of what enters the update.
    lora_targets
        Names of the modules that get an update. When not given: PEFT's choice for the architecture
        (query and value matrices as a rule), or all matrices of the layers where it has none.
    checkpoints
        Shares of the training, between 0 and 1, at which the model is saved and scored on its way.
    """

    name: ClassVar[str] = "finetune"
    version: ClassVar[int] = 2
    epochs: float = bounded(3.0, 0)
    learning_rate: float = bounded(5e-5, 0)
    batch_size: int = bounded(8, 1)
    max_length: int = bounded(128, 4)
    weight_decay: float = bounded(0.0, 0)
    warmup: float = bounded(0.0, 0, 1)
    max_sentences: int | None = bounded(None, 1)
    dev_share: float = bounded(0.1, 0.01, 0.5)
    dev_seed: int = bounded(0, 0)
    seed: int = bounded(0, 0)
    method: Literal["full", "frozen", "lora"] = "full"
    lora_rank: int = bounded(8, 1)
    lora_alpha: float = bounded(16.0, 0)
    lora_dropout: float = bounded(0.0, 0, 1)
    lora_targets: tuple[str, ...] | None = None
    checkpoints: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        shares = self.checkpoints or ()
        if any(not 0 < share < 1 for share in shares) or len(set(shares)) < len(shares):
            raise InputError(
                f"step 'finetune': checkpoints = {self.checkpoints!r} must be different shares of "
                "the training, above 0 and below 1 (before it is the base, after it the result)"
            )


@dataclass(frozen=True)
class Extract(Step):
    """Store the activation of every word at every layer (layer 0 = embeddings).

    Parameters
    ----------
    pooling
        The word's vector is that of its last subword (as in all three studies), of its first, or
        the mean over its subwords.
    dtype
        Number format in the store.
    max_length
        Longest input in subwords, special tokens included; the model's own limit when not given.
    long
        What happens to a longer sentence: `truncate` (words cut off are counted and marked as not
        valid) or `windows` (split into overlapping windows; each word is taken from the window
        that gives it most context).
    stack
        For encoder-decoder models, whose hidden states are taken; `auto` is the encoder.
    model_dtype
        Number format the model runs in; `auto` is the checkpoint's own.
    batch_tokens
        Subwords in one forward pass, padding included.
    shard_words
        Words in one file of the store, fewer where their layers would take over a gigabyte;
        also the unit in which an interrupted run resumes.
    """

    name: ClassVar[str] = "extract"
    pooling: Literal["last", "first", "mean"] = "last"
    dtype: Literal["float32", "float16"] = "float32"
    max_length: int | None = bounded(None, 4)
    long: Literal["truncate", "windows"] = "truncate"
    stack: Literal["auto", "encoder", "decoder"] = "auto"
    model_dtype: Literal["float32", "float16", "bfloat16", "auto"] = "float32"
    batch_tokens: int = bounded(4096, 1)
    shard_words: int = bounded(32768, 1)

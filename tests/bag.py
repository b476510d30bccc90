"""A classifier whose every attribution is known: the logit of a class is a sum over subwords."""

from __future__ import annotations

from types import SimpleNamespace

import torch

from tiny import make_tokenizer
from tunescope.models.heads import Head

WEIGHTS = {"fox": 3.0, "dog": -2.0, "lazy": 1.0, "quick": 0.5, "[PAD]": 0.25, "[CLS]": 0.125}
"""What a token adds to the second class; all others add nothing."""


class Bag(torch.nn.Module):
    """Embeddings of three neurons, the first of which counts."""

    def __init__(self, tokenizer):
        super().__init__()
        self.words = torch.nn.Embedding(len(tokenizer), 3)
        self.out = torch.nn.Linear(3, 2, bias=False)
        with torch.no_grad():
            self.out.weight.copy_(torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]))
            self.words.weight[:, 0] = 0
            for token, weight in WEIGHTS.items():
                self.words.weight[tokenizer.convert_tokens_to_ids(token), 0] = weight
        self.config = SimpleNamespace(
            model_type="bag", is_encoder_decoder=False, pad_token_id=tokenizer.pad_token_id,
            max_position_embeddings=64,
        )  # fmt: skip

    @property
    def device(self):
        return self.out.weight.device

    def get_input_embeddings(self):
        return self.words

    def forward(self, input_ids, attention_mask):
        states = self.out(self.words(input_ids)) * attention_mask[..., None]
        return SimpleNamespace(logits=states.sum(1))


def bag_head() -> Head:
    tokenizer = make_tokenizer("wordpiece", "[CLS] $ [SEP]")
    return Head("bag", Bag(tokenizer).eval(), tokenizer, "task", ("no", "yes"))

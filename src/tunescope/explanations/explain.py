"""Explain predictions through latent concepts (LACOAT: Yu et al. 2024, arXiv 2404.12545).

An explainer keeps the model, the mapper and the concepts at hand, so that each text costs its
forward passes and no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tunescope.concepts.alignment.result import Alignment
from tunescope.concepts.layer_concepts import LayerConcepts
from tunescope.concepts.naming.result import ConceptNames
from tunescope.errors import InputError, MismatchError
from tunescope.explanations.cards import Card, Cards
from tunescope.explanations.explanation import (
    Explanation,
    Explanations,
    Mapped,
    Scored,
    Token,
)
from tunescope.explanations.gradients import Attribution, attribute
from tunescope.explanations.inputs import Input, read_text
from tunescope.explanations.mapper import ConceptMapper
from tunescope.explanations.salience import salient
from tunescope.explanations.vectors import word_vectors
from tunescope.explanations.words import Text, split_text
from tunescope.models.heads import load_head
from tunescope.models.reference import ModelRef, ModelSource, find_model
from tunescope.parameters import step_function
from tunescope.steps import Explain, Extract

Model = str | Path | ModelSource | ModelRef


class Explainer:
    """Explains the predictions of one classifier.

    Parameters
    ----------
    model : str, Path, ModelSource or ModelRef
        The classifier: the model whose activations were clustered.
    concepts : LayerConcepts or path
        Its concepts.
    mapper : ConceptMapper or path
        What maps vectors to them.
    alignment : Alignment or path, optional
        What classes and labels the concepts carry, and what became of them.
    names : ConceptNames or path, optional
        Names of the concepts; those that have none are shown by number alone.
    device : str
        `auto`, `cpu`, `cuda:1`, ...

    Raises
    ------
    InputError
        If the model is no classifier, or cannot be loaded.
    MismatchError
        If mapper, concepts, alignment, names and model do not belong together.
    """

    def __init__(
        self,
        model: Model,
        concepts: LayerConcepts | Path | str,
        mapper: ConceptMapper | Path | str,
        *,
        alignment: Alignment | Path | str | None = None,
        names: ConceptNames | Path | str | None = None,
        device: str = "auto",
    ):
        if not isinstance(concepts, LayerConcepts):
            concepts = LayerConcepts.load(concepts)
        if not isinstance(mapper, ConceptMapper):
            mapper = ConceptMapper.load(mapper)
        if alignment is not None and not isinstance(alignment, Alignment):
            alignment = Alignment.load(alignment)
        if names is not None and not isinstance(names, ConceptNames):
            names = ConceptNames.load(names)
        ref = find_model(model)
        _check_together(ref, concepts, mapper)
        self.mapper, self.concepts = mapper, concepts
        self._cards = Cards(concepts, alignment, names)
        self._extract = Extract(**mapper.manifest.facts["extract"])
        self.head = load_head(ref, measure="task", device=device)

    def explain(self, *texts: Text, step: Explain | None = None) -> Explanations:
        """Explain the predictions for some texts.

        Parameters
        ----------
        *texts : str, tuple of two str, or list of str
            Texts; pairs as tuples; texts whose words are known as lists of words.
        step : Explain, optional
            Parameters; the defaults when not given.

        Raises
        ------
        InputError
            If a text is blank, or the mapper has no such layer.
        """
        step = step or Explain()
        layers = self.mapper.layers[-1:] if step.layers is None else step.layers
        for layer in layers:
            self.mapper.weights(layer)
        if not texts:
            raise InputError("there is no text to explain: give at least one")
        found = tuple(self._one(text, layers, step) for text in texts)
        accepted = {
            (one.layer, one.concept)
            for text in found
            for scored in text.scored
            for one in scored.concepts
            if one.accepted
        }
        cards = tuple(self._card(*key, step) for key in sorted(accepted))
        return Explanations(
            self.mapper.model, self.mapper.manifest.facts["corpus"], step.parameters(), found, cards
        )

    def _card(self, layer: int, concept: int, step: Explain) -> Card:
        return self._cards.card(layer, concept, step.contexts)

    def _one(self, text: Text, layers: Sequence[int], step: Explain) -> Explanation:
        given = read_text(self.head, split_text(text), step.max_length)
        with torch.inference_mode():
            logits = self.head.model(**given.tensors(1, self.head.model.device)).logits[0]
        probabilities = logits.double().softmax(0).tolist()
        predicted = int(np.argmax(probabilities))
        vectors = word_vectors(self.head, given, layers, self._extract)
        places = [(None, layers)] if step.attribute == "input" else [(n, [n]) for n in layers]
        scored = []
        for at, shown in places:
            attribution = attribute(
                self.head, given, target=predicted, layer=at, steps=step.steps,
                tolerance=step.tolerance, rule=step.rule, baseline=step.baseline,
                output=step.output, batch_tokens=step.batch_tokens,
            )  # fmt: skip
            chosen = salient(attribution.words, step.mass)
            tokens, words = _tokens(self.head.tokenizer, given, attribution, chosen)
            concepts = self._map(np.flatnonzero(chosen), words, shown, vectors, step.accept)
            scored.append(
                Scored(
                    at, tokens, concepts, attribution.text, attribution.baseline,
                    attribution.error, attribution.relative_error, attribution.steps,
                    attribution.converged,
                )
            )  # fmt: skip
        classes = dict(zip(self.head.classes, probabilities, strict=True))
        return Explanation(given.text.parts, self.head.classes[predicted], classes, tuple(scored))

    def _map(
        self, chosen: np.ndarray, places: list[int], layers: Sequence[int],
        vectors: dict[int, np.ndarray], accept: float,
    ) -> tuple[Mapped, ...]:  # fmt: skip
        """Map the chosen words at some layers; `places` says where each word is in the tokens."""
        if not len(chosen):
            return ()
        found = {layer: self.mapper.map(layer, vectors[layer][chosen]) for layer in layers}
        return tuple(
            Mapped(
                places[word],
                layer,
                int(found[layer][0][n]),
                float(found[layer][1][n]),
                bool(found[layer][1][n] >= accept),
            )
            for n, word in enumerate(chosen)
            for layer in layers
        )


@step_function(Explain)
def explain(
    model: Model,
    concepts: LayerConcepts | Path | str,
    mapper: ConceptMapper | Path | str,
    *texts: Text,
    alignment: Alignment | Path | str | None = None,
    names: ConceptNames | Path | str | None = None,
    device: str = "auto",
    step: Explain,
) -> Explanations:
    """Explain predictions: salient words, and the latent concept of each.

    To explain texts as they come, make an `Explainer` once.

    Parameters
    ----------
    model : str, Path, ModelSource or ModelRef
        The classifier: the model whose activations were clustered.
    concepts : LayerConcepts or path
        Its concepts.
    mapper : ConceptMapper or path
        What maps vectors to them.
    *texts : str, tuple of two str, or list of str
        Texts; pairs as tuples; texts whose words are known as lists of words.
    alignment : Alignment or path, optional
        What classes and labels the concepts carry, and what became of them.
    names : ConceptNames or path, optional
        Names of the concepts; those that have none are shown by number alone.
    device : str
        `auto`, `cpu`, `cuda:1`, ...
    step : Explain
        The parameters; they may be given as keywords instead.

    Returns
    -------
    Explanations

    Raises
    ------
    InputError
        If the model is no classifier, a text is blank, or the mapper has no such layer.
    MismatchError
        If mapper, concepts, alignment, names and model do not belong together.
    """
    made = Explainer(model, concepts, mapper, alignment=alignment, names=names, device=device)
    return made.explain(*texts, step=step)


def _check_together(ref: ModelRef, concepts: LayerConcepts, mapper: ConceptMapper) -> None:
    if mapper.manifest.inputs["concepts"] != concepts.key:
        raise MismatchError(
            f"{mapper.path} maps to other concepts than those in {concepts.path}: fit it to these"
        )
    if mapper.manifest.facts["model_hash"] != ref.hash:
        raise MismatchError(
            f"{mapper.path} was fitted to activations of {mapper.model}, whose weights are not "
            f"those of {ref.location}: give the model that was extracted"
        )


def _tokens(
    tokenizer: Any, given: Input, attribution: Attribution, chosen: np.ndarray
) -> tuple[tuple[Token, ...], list[int]]:
    """Return words and special tokens in their order, and the place of each word among them."""
    total = float(np.abs(attribution.words).sum()) or 1.0
    seen = given.seen
    found: list[Token] = []
    places: list[int] = []

    def add_words(stop: int) -> None:
        for word in range(len(places), stop):
            value = float(attribution.words[word])
            places.append(len(found))
            found.append(
                Token(
                    given.text.words[word], given.text.part[word], value, abs(value) / total,
                    bool(chosen[word]), False, bool(seen[word]),
                )
            )  # fmt: skip

    for place, owner in enumerate(given.owner):
        if owner >= 0:
            add_words(int(owner) + 1)
        else:
            text = tokenizer.convert_ids_to_tokens(int(given.ids[place]))
            value = float(attribution.subwords[place])
            found.append(Token(str(text), -1, value, 0.0, special=True))
    add_words(len(given.text.words))
    return tuple(found), places

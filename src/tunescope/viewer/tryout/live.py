"""The tuned model of a run, loaded: what it says of a text without and with a trigger, and why.

The only module of the viewer that needs torch; `bench.py` imports it at the first question.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tunescope.errors import MismatchError
from tunescope.explanations.cards import Card
from tunescope.explanations.explain import Explainer
from tunescope.explanations.html import about
from tunescope.models.encoding import encode
from tunescope.models.limits import length_limit
from tunescope.models.predicting import predict
from tunescope.models.predictions import load_classifier_head
from tunescope.report.concepts.page import Key
from tunescope.steps import Explain
from tunescope.study.explaining import explainer_inputs, model_of
from tunescope.study.result import Run
from tunescope.triggers.placing import Place
from tunescope.triggers.victim import probabilities
from tunescope.viewer.concepts.paths import concept_path
from tunescope.viewer.tryout.question import Question

TOLERANCE = 0.01
"""Of attributions: so exact, with as few passes as that takes, for one who waits for them."""


class LiveTrial:
    """A tuned model that texts are tried on.

    Parameters
    ----------
    run : Run
        Results of a study.
    key : tuple of (str, str, str)
        Corpus, base and tuned model of a search for triggers.
    device : str
        Where it runs.

    Raises
    ------
    InputError
        If the model is not where it was, or cannot be loaded.
    MismatchError
        If its weights are not those that the triggers were tried on.
    """

    def __init__(self, run: Run, key: Key, device: str):
        corpus, _, tuned = key
        self._key, table = key, run.latent.triggers[key]
        ref = model_of(run, tuned)
        if ref.hash != table.manifest.inputs["model"]:
            raise MismatchError(
                f"the weights of {tuned!r} at {ref.location} are not those that the triggers were "
                "tried on: run the study again"
            )
        self._explainer, self._options = None, run.study.explain or Explain()
        if key in run.latent.mappers:
            self._explainer = Explainer(**explainer_inputs(run, *key), device=device)
            self._head = self._explainer.head
        else:
            self._head = load_classifier_head(ref, device)
        self._classes: list[str] = table.facts["classes"]
        own = length_limit(self._head.tokenizer, self._head.model.config, None)
        self._max_length = min(table.step.max_length, own)

    def answer(self, question: Question) -> dict[str, Any]:
        """Return what is predicted for a text, without and with its trigger; or explain it."""
        given, put = [question.texts], None
        if question.trigger:
            place = Place(question.position, question.part)
            given.append(place.put(question.texts, question.trigger))
            left, right = place.sides(question.texts)
            put = {"part": place.number, "left": left, "trigger": question.trigger, "right": right}
        if question.explain:
            return self._explain(given[-1], question.layer)
        return self._say(given) | {"put": put}

    def _say(self, texts: list[tuple[str, ...]]) -> dict[str, Any]:
        model, tokenizer = self._head.model, self._head.tokenizer
        logits = predict(model, tokenizer, texts, max_length=self._max_length)
        lengths = [
            len(inputs["input_ids"])
            for inputs in encode(tokenizer, model.config, texts, self._max_length)
        ]
        return {
            "classes": self._classes,
            "texts": [list(text) for text in texts],
            "probabilities": probabilities(logits).tolist(),
            "limit": self._max_length if max(lengths) >= self._max_length else None,
            "device": str(model.device),
        }

    def _explain(self, text: tuple[str, ...], layer: int | None) -> dict[str, Any]:
        assert self._explainer is not None
        step = replace(
            self._options, tolerance=TOLERANCE, max_length=self._max_length, attribute="input",
            layers=None if layer is None else (layer,),
        )  # fmt: skip
        made = self._explainer.explain(text if len(text) > 1 else "".join(text), step=step)
        corpus, _, tuned = self._key
        [found], names = made.texts, dict(zip(self._head.classes, self._classes, strict=True))
        [scored] = found.scored
        return {
            "predicted": names[found.predicted],
            "probability": found.probabilities[found.predicted],
            "accept": step.accept,
            "mass": step.mass,
            "about": about(scored),
            "tokens": [vars(token) for token in scored.tokens],
            "concepts": [
                {
                    "token": one.token,
                    "layer": one.layer,
                    "concept": one.concept,
                    "p": one.shown_p(),
                    "path": concept_path(corpus, tuned, one.layer, one.concept),
                    "card": self._card(made.card_of[one.layer, one.concept])
                    if one.accepted
                    else None,
                }
                for one in scored.concepts
            ],
        }

    def _card(self, card: Card) -> dict[str, Any]:
        corpus, _, tuned = self._key
        return {
            "path": concept_path(corpus, tuned, card.layer, card.concept),
            "name": card.name,
            "words": [word for word, _ in card.words[:8]],
            "size": card.size,
            "fate": card.fate,
            "classes": [
                {"kind": share.kind, "name": share.name, "share": share.share,
                 "polarised": share.aligned}
                for share in card.affinity
            ],
        }  # fmt: skip

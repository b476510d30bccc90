"""What is said of a prediction: salient words, the concept of each, and what the concept is."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunescope.errors import InputError
from tunescope.explanations.cards import Card, Context, Share
from tunescope.files import read_json, write_json
from tunescope.results import Result, without_math

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1


@dataclass(frozen=True)
class Token:
    """A word of the text, or a special token.

    Parameters
    ----------
    text : str
        The word.
    part : int
        Which text of a pair it is in, from 0; -1 for a special token.
    attribution : float
        What it adds to the output for the predicted class.
    share : float
        Its share of the absolute attribution of all words; 0 for a special token.
    salient : bool
        Whether it is among the fewest words that hold the mass asked for.
    special : bool
        Whether it is a special token, or stands between two texts.
    seen : bool
        Whether the model read it: words behind the length limit it did not.
    """

    text: str
    part: int
    attribution: float
    share: float
    salient: bool = False
    special: bool = False
    seen: bool = True


@dataclass(frozen=True)
class Mapped:
    """A salient word's concept at one layer.

    Parameters
    ----------
    token : int
        Place of the word among the tokens.
    layer, concept : int
        The most probable concept.
    p : float
        Its probability.
    accepted : bool
        Whether that is enough; else the word counts as in no concept.
    """

    token: int
    layer: int
    concept: int
    p: float
    accepted: bool

    def shown_p(self) -> str:
        """Return the probability in two digits, rounded down: 0.969 is not 0.97."""
        return f"{math.floor(100 * self.p) / 100:.2f}"


@dataclass(frozen=True)
class Scored:
    """The tokens of a text with attributions from one place in the model.

    Parameters
    ----------
    at : int or None
        Layer of the hidden states; None for the input embeddings.
    tokens : tuple of Token
        In the order of the text.
    concepts : tuple of Mapped
        Of the salient words, in the order of the text, for each layer that is shown for them.
    text, baseline : float
        The output for the text, and for the baseline.
    error : float
        Sum of all attributions less (text - baseline).
    relative_error : float
        The error as a share of all absolute attribution.
    steps : int
        Points of the integration.
    converged : bool
        Whether its tolerance was met; true where none was asked for.
    """

    at: int | None
    tokens: tuple[Token, ...]
    concepts: tuple[Mapped, ...]
    text: float
    baseline: float
    error: float
    relative_error: float
    steps: int
    converged: bool


@dataclass(frozen=True)
class Explanation:
    """One text.

    Parameters
    ----------
    text : tuple of str
        The text, or the two of a pair.
    predicted : str
        The class predicted.
    probabilities : dict of str to float
        Of every class.
    scored : tuple of Scored
        Attributions: from the input embeddings, or one for each layer.
    """

    text: tuple[str, ...]
    predicted: str
    probabilities: dict[str, float]
    scored: tuple[Scored, ...]


@dataclass(frozen=True, eq=False)
class Explanations(Result):
    """Predictions of a classifier explained through its latent concepts.

    Prints with coloured words in a terminal (`rich`) and a notebook.

    Parameters
    ----------
    model : str
        The model's display name.
    corpus : str
        Corpus whose words were clustered.
    step : dict
        Parameters of step `explain`.
    texts : tuple of Explanation
        One for each text, in their order.
    cards : tuple of Card
        Every concept that a word was mapped to with enough probability, by layer and number.
    """

    model: str
    corpus: str
    step: dict[str, Any]
    texts: tuple[Explanation, ...]
    cards: tuple[Card, ...]

    @cached_property
    def card_of(self) -> dict[tuple[int, int], Card]:
        """Cards by layer and concept."""
        return {(card.layer, card.concept): card for card in self.cards}

    def headline(self) -> str:
        """Return model, concepts and parameters."""
        return (
            f"Predictions of {self.model} explained through its concepts on {self.corpus!r}: "
            f"salient words hold {self.step['mass']:.0%} of the attribution, concepts have "
            f"p >= {self.step['accept']:g}"
        )

    def table(self) -> pd.DataFrame:
        """Return one row per text, salient word and layer.

        Columns `text` (number, from 0), `predicted`, `p` (of that class), `position` (of the word
        among all words, special tokens not counted), `word`, `attribution`, `share`, `layer`,
        `concept` (-1 where none is accepted), `p_concept`, `name`, `class` (most frequent class of
        the concept's sentences), `class_share`, `label` (those the concept is aligned with,
        as `column: label`), and `words`, its frequent words.
        """
        import pandas as pd

        rows = []
        for number, text in enumerate(self.texts):
            p = text.probabilities[text.predicted]
            for scored in text.scored:
                places = _positions(scored.tokens)
                for found in scored.concepts:
                    token = scored.tokens[found.token]
                    card = self.card_of.get((found.layer, found.concept))
                    rows.append(
                        (number, text.predicted, p, places[found.token], token.text)
                        + (token.attribution, token.share, found.layer)
                        + (found.concept if found.accepted else -1, found.p)
                        + _about(card if found.accepted else None)
                    )
        columns = ["text", "predicted", "p", "position", "word", "attribution", "share", "layer"]
        columns += ["concept", "p_concept", "name", "class", "class_share", "label", "words"]
        return pd.DataFrame(rows, columns=columns)

    def words(self) -> pd.DataFrame:
        """Return one row per text, place of attribution and token, special tokens included.

        Columns `text`, `at` (layer; -1 for the input embeddings), `token` (from 0), and the fields
        of `Token`: `word`, `part`, `attribution`, `share`, `salient`, `special`, `seen`.
        """
        import pandas as pd

        rows = [
            {"text": number, "at": -1 if scored.at is None else scored.at, "token": place,
             **{"word" if key == "text" else key: value for key, value in vars(token).items()}}
            for number, text in enumerate(self.texts)
            for scored in text.scored
            for place, token in enumerate(scored.tokens)
        ]  # fmt: skip
        return pd.DataFrame(rows)

    def save(self, path: Path | str) -> None:
        """Write all of it as one JSON file."""
        content = {"format": FORMAT, "model": self.model, "corpus": self.corpus, "step": self.step}
        content |= {"texts": [asdict(text) for text in self.texts]}
        write_json(Path(path), content | {"cards": [asdict(card) for card in self.cards]})

    @classmethod
    def load(cls, path: Path | str) -> Explanations:
        """Read what `save` wrote.

        Raises
        ------
        InputError
            If the file is none.
        """
        content = read_json(Path(path))
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise InputError(f"{path} holds no explanations that this version can read")
        texts = tuple(_text(text) for text in content["texts"])
        cards = tuple(_card(card) for card in content["cards"])
        return cls(content["model"], content["corpus"], content["step"], texts, cards)

    def _repr_html_(self) -> str:
        from tunescope.explanations.html import as_html

        return without_math([as_html(self)])

    def __rich__(self) -> Any:
        from tunescope.explanations.terminal import as_rich

        return as_rich(self)


def _positions(tokens: tuple[Token, ...]) -> list[int]:
    """Return the position of each token among the words alone."""
    found, words = [], 0
    for token in tokens:
        found.append(words)
        words += not token.special
    return found


def _about(card: Card | None) -> tuple[Any, ...]:
    if card is None:
        return "", None, float("nan"), "", ""
    first = card.affinity[0] if card.affinity else None
    aligned = ", ".join(f"{share.kind}: {share.name}" for share in card.labels if share.aligned)
    words = " ".join(word for word, _ in card.words)
    class_ = (first.name, first.share) if first else (None, float("nan"))
    return card.name, *class_, aligned, words


def _text(content: dict[str, Any]) -> Explanation:
    scored = tuple(
        Scored(
            **{
                **one,
                "tokens": tuple(Token(**token) for token in one["tokens"]),
                "concepts": tuple(Mapped(**found) for found in one["concepts"]),
            }
        )
        for one in content["scored"]
    )
    return Explanation(**{**content, "text": tuple(content["text"]), "scored": scored})


def _card(content: dict[str, Any]) -> Card:
    words = tuple((word, count) for word, count in content["words"])
    shares = {
        name: tuple(Share(**share) for share in content[name]) for name in ("affinity", "labels")
    }
    contexts = tuple(Context(tuple(one["words"]), one["position"]) for one in content["contexts"])
    return Card(**{**content, **shares, "words": words, "contexts": contexts})

"""What the page about triggers shows so that one can try one's own text; nothing of torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from tunescope.paths import resolve_path
from tunescope.report.concepts.page import Key
from tunescope.steps.triggers import Position
from tunescope.study.result import Run
from tunescope.viewer.tryout.question import LONGEST_TEXT, LONGEST_TRIGGER

if TYPE_CHECKING:
    from tunescope.viewer.site import Site


@dataclass(frozen=True)
class TryForm:
    """A box for texts and a trigger.

    Parameters
    ----------
    here : bool
        Whether the page is served and the model at hand; else the page says what to do.
    reason : str
        Why not, where it is not.
    key : tuple of str
        Corpus, base and tuned model.
    texts : list of str
        What stands in the box at first, one text or the two of a pair.
    trigger : str
        The same, of the trigger.
    suggestions : list of str
        The best triggers.
    positions : tuple of str
        Where a trigger may stand.
    position, part : str
        Where it stands at first.
    layers : tuple of int
        Layers whose concepts explain a prediction; none without a mapper.
    """

    here: bool
    reason: str
    key: Key
    texts: list[str]
    trigger: str
    suggestions: list[str]
    positions: tuple[str, ...]
    position: str
    part: str
    layers: tuple[int, ...]

    longest_text = LONGEST_TEXT
    longest_trigger = LONGEST_TRIGGER

    @property
    def data(self) -> dict[str, Any]:
        """What the page's script has to know."""
        return {"corpus": self.key[0], "base": self.key[1], "tuned": self.key[2]}


def try_form(site: Site, key: Key) -> TryForm:
    """Return the box, filled with the text and the trigger that flip most clearly.

    Parameters
    ----------
    site : Site
        The site it is in.
    key : tuple of str
        Corpus, base and tuned model, of triggers that are there.
    """
    run = site.run
    found = run.latent.triggers[key]
    n_parts, mapper = found.facts["n_parts"], run.latent.mappers.get(key)
    best: Any = found.best[(found.best["scope"] == "all") & (found.best["by"] == "predicted")]
    best = best.sort_values("flip_rate", ascending=False, kind="stable")
    texts, trigger, position, part = [""] * n_parts, "", "before", "first"
    if len(found.examples):
        first = found.examples.iloc[0]
        trigger, position, part = (str(first[c]) for c in ("trigger", "position", "part"))
        split = str(first["before"]).split(" | ") if n_parts == 2 else [str(first["before"])]
        texts = split if len(split) == n_parts else texts
    reason = _reason(site, key)
    return TryForm(
        not reason, reason, key, texts, trigger, list(dict.fromkeys(best["trigger"].astype(str))),
        get_args(Position), position, part, () if mapper is None else mapper.layers,
    )  # fmt: skip


def _reason(site: Site, key: Key) -> str:
    """Say why no text can be tried; empty where one can, or where only loading will tell."""
    if not site.served.live:
        return f"Served by tunescope view {site.run.path.name}, this page lets you try your own."
    place = _folder(site.run, key[2])
    return "" if place is None else f"The tuned model is not at {place}: no text can be tried."


def _folder(run: Run, name: str) -> str | None:
    """Return where a model should be and is not; None where it is, or is none of this disk."""
    source = run.study.models[name]
    if source.path is None:
        place = run.path / "models" / name
        return None if place.exists() else str(place)
    if source.path.startswith(("package:", "/", ".", "~")):
        place = resolve_path(source.path, run.study.folder)
        return None if place.exists() else str(place)
    return None

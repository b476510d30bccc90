"""Explanations in a terminal; with numbers instead of colours where there are none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, Group
from rich.table import Table
from rich.text import Text

from tunescope.explanations.cards import Card, Context
from tunescope.explanations.explanation import Explanation, Explanations, Mapped, Scored, Token
from tunescope.explanations.html import about
from tunescope.writing import direction, printable

STRONG = 0.5
"""From this share of the strongest attribution on, a word is filled; below, its letters coloured"""
WEAK = 0.1
STYLES = {  # readable as letters on black and on white, and with the fill's own letters on them
    True: ("#a76700", "#000000 on #e69f00"),
    False: ("#087bbd", "#ffffff on #0072b2"),
}
BEFORE, AFTER = 6, 8
"""Words shown around a concept's word."""


def as_rich(found: Explanations) -> Any:
    """Return what `rich` prints: each text with its concepts, then the concepts.

    Parameters
    ----------
    found : Explanations
        What to show.
    """
    parts: list[Any] = [Text(printable(found.headline()))]
    for text in found.texts:
        parts += ["", _prediction(text)]
        for scored in text.scored:
            if scored.at is not None:
                parts.append(Text(f"At layer {scored.at}", style="bold"))
            parts += [_Sentence(scored.tokens), _concepts(scored, found)]
            parts.append(Text(about(scored), style="dim"))
    for card in found.cards:
        parts += ["", *_card(card)]
    return Group(*parts)


def _prediction(text: Explanation) -> Text:
    line = Text("Predicted ")
    line.append(printable(text.predicted), style="bold")
    for name, p in sorted(text.probabilities.items(), key=lambda item: -item[1]):
        line.append(f"  {printable(name)} {p:.1%}", style="dim")
    return line


class _Sentence:
    """The words, coloured, or with numbers where the console has no colours."""

    def __init__(self, tokens: Sequence[Token]):
        self._tokens = tokens

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Any]:
        coloured = console.color_system is not None and not console.no_color
        words = [token.text for token in self._tokens if not token.special]
        right = direction(words) == "rtl"
        text = Text(justify="right" if right else "left", overflow="fold")
        largest = max((abs(token.attribution) for token in self._tokens), default=0.0) or 1.0
        for place, token in enumerate(self._tokens):
            text.append(" " if place else "")
            text.append(printable(token.text), _style(token, largest) if coloured else "")
            if token.salient and not coloured:
                text.append(f"({token.attribution:+.2f})")
        yield text


def _style(token: Token, largest: float) -> str:
    if token.special or not token.seen:
        return "dim" if token.seen else "dim strike"
    strength = abs(token.attribution) / largest
    letters, filled = STYLES[token.attribution > 0]
    style = filled if strength >= STRONG else letters if strength >= WEAK else ""
    return f"bold underline {style}" if token.salient else style


def _concepts(scored: Scored, found: Explanations) -> Any:
    if not scored.concepts:
        return Text("No word has any attribution here: there is nothing to map.", style="dim")
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("word", overflow="fold")
    for name in ("attribution", "mass", "layer"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("concept", "class", "its words"):
        table.add_column(name, overflow="fold", ratio=1 if name == "its words" else None)
    last = None
    for one in scored.concepts:
        token = scored.tokens[one.token]
        own = ["", "", ""]
        if one.token != last:
            own = [printable(token.text), f"{token.attribution:+.3f}", f"{token.share:.0%}"]
        last = one.token
        cells = [Text(cell) for cell in (*own, str(one.layer), *_row(one, found))]
        table.add_row(*cells)
    return table


def _row(one: Mapped, found: Explanations) -> tuple[str, str, str]:
    card = found.card_of.get((one.layer, one.concept)) if one.accepted else None
    if card is None:
        return f"none: p = {one.shown_p()}", "", ""
    name = f" {printable(card.name)}" if card.name else ""
    words = " ".join(printable(word) for word, _ in card.words[:6])
    return f"{card.concept}{name} (p = {one.shown_p()})", _affinity(card), words


def _affinity(card: Card) -> str:
    return ", ".join(
        f"{'predicted ' if share.kind == 'predicted' else ''}{printable(share.name)}: "
        f"{share.share:.0%}" + (" polarised" if share.aligned else "")
        for share in card.affinity
    )


def _card(card: Card) -> list[Any]:
    title = Text(f"Layer {card.layer}, concept {card.concept}", style="bold")
    if card.name:
        title.append(f": {printable(card.name)}")
    facts = f"  {card.size:,} occurrences of {card.n_types:,} word types"
    facts += "" if card.counts else "; too few types to count in figures"
    title.append(facts + (f"; {card.fate}" if card.fate else ""), style="not bold dim")
    words = " ".join(f"{printable(word)} ({count:,})" for word, count in card.words)
    lines = [title, Text(f"  {words}")]
    labels = [
        f"{printable(share.kind)}: {printable(share.name)} {share.share:.0%}"
        + (" (aligned)" if share.aligned else "")
        for share in card.labels
    ]
    about_it = "; ".join(filter(None, [_affinity(card), *labels]))
    lines += [Text(f"  {about_it}")] if about_it else []
    return [*lines, *(_context(context) for context in card.contexts)]


def _context(context: Context) -> Text:
    start = max(0, context.position - BEFORE)
    shown = context.words[start : context.position + AFTER + 1]
    line = Text("  ... " if start else "  ", style="dim", overflow="fold")
    if direction(shown) == "rtl":
        line.justify = "right"
    for place, word in enumerate(shown, start=start):
        line.append(printable(word), style="not dim bold" if place == context.position else "")
        line.append(" ")
    return line

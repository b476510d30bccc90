"""A neuron's activation over a sentence as coloured text: for a notebook, and for a terminal.

Orange lies above the neuron's mean, blue below; the further, the stronger. Okabe and Ito's two
colours are told apart by colour-blind readers. The text stays one paragraph in the direction of
its own script, words in logical order and not isolated from each other: an English name in a
Hebrew sentence then reads as it does in any text. Every word is text, never markup.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from tunescope.writing import EMBEDDING, direction, printable

if TYPE_CHECKING:
    from rich.text import Text

HIGH, LOW = (230, 159, 0), (0, 114, 178)
FULL = 4.0
"""Standard deviations from the mean at which a colour is full."""
STRONGEST = 0.55
"""Opacity of a full colour: text stays readable on it whether the page is light or dark."""
STEPS = (1.0, 2.0, 3.0)
"""Standard deviations where a terminal's style changes: coloured, underlined too, filled."""
TERMINAL = {  # readable as letters on black and on white, and with the fill's own letters on them
    "high": ("#a76700", "bold #000000 on #e69f00"),
    "low": ("#087bbd", "bold #ffffff on #0072b2"),
}


def colour(z: float) -> str:
    """Return the CSS background for a deviation from the mean, in standard deviations."""
    share = min(abs(z) / FULL, 1.0) if math.isfinite(z) else 0.0
    red, green, blue = HIGH if z > 0 else LOW
    return f"rgba({red},{green},{blue},{STRONGEST * share:.3f})"


def as_html(
    words: Sequence[str],
    values: Sequence[float],
    z: Sequence[float],
    marked: int | None = None,
) -> str:
    """Return a sentence as HTML that needs no style sheet.

    Parameters
    ----------
    words : sequence of str
        The sentence.
    values : sequence of float
        Activation of each word, shown when one points at it; NaN where there is none.
    z : sequence of float
        The same in standard deviations from the neuron's mean, for the colour.
    marked : int, optional
        Place of a word to make bold.

    Returns
    -------
    str
        A paragraph with its direction; a word with characters that turn directions is isolated.
    """
    parts = []
    for place, (word, value, deviation) in enumerate(zip(words, values, z, strict=True)):
        tag = "bdi" if EMBEDDING.intersection(word) else "span"
        style = f"background:{colour(deviation)};padding:.1em .15em;border-radius:2px"
        if place == marked:
            style += ";font-weight:700;text-decoration:underline"
        title = f"{value:.3g} ({deviation:+.1f} sd)" if math.isfinite(value) else "no activation"
        parts.append(f'<{tag} style="{style}" title="{title}">{escape(word)}</{tag}>')
    return (
        f'<p dir="{direction(words)}" style="margin:.2em 0;line-height:1.7;text-align:start">'
        f"{' '.join(parts)}</p>"
    )


def as_text(
    words: Sequence[str], z: Sequence[float], marked: int | None = None, *, coloured: bool = True
) -> Text:
    """Return a sentence for a terminal; right-aligned when its script runs to the left.

    The words stand in logical order. A terminal that knows right-to-left text turns them around
    itself; turned around here, they would be wrong in all of those.

    Parameters
    ----------
    words : sequence of str
        The sentence.
    z : sequence of float
        Deviation of each word from the neuron's mean, in standard deviations; NaN where none.
    marked : int, optional
        Place of a word to put in brackets.
    coloured : bool
        Show deviations of one standard deviation and more by style; as numbers when False.
    """
    from rich.text import Text

    text = Text(justify="right" if direction(words) == "rtl" else "left", overflow="fold")
    for place, (word, deviation) in enumerate(zip(words, z, strict=True)):
        shown = printable(word)
        if place:
            text.append(" ")
        far = math.isfinite(deviation) and abs(deviation) >= STEPS[0]
        text.append("[" if place == marked else "")
        text.append(shown, style=terminal_style(deviation) if coloured else "")
        text.append("]" if place == marked else "")
        if far and not coloured:
            text.append(f"({deviation:+.1f})")
    return text


def terminal_style(z: float) -> str:
    """Return the rich style for a deviation: none, coloured, underlined, filled."""
    step = sum(abs(z) >= bound for bound in STEPS) if math.isfinite(z) else 0
    letters, filled = TERMINAL["high" if z > 0 else "low"]
    return ("", letters, f"bold underline {letters}", filled)[step]

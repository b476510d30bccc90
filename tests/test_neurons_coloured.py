"""Coloured text is inert, readable in both colour schemes, and in the direction of its script."""

from __future__ import annotations

import re
import unicodedata
from html.parser import HTMLParser

import numpy as np
import pytest
from rich.color import Color

from hostile_neurons import ARABIC, HEBREW
from runs import HOSTILE
from tunescope.neurons.coloured import (
    FULL,
    HIGH,
    LOW,
    STRONGEST,
    TERMINAL,
    as_html,
    as_text,
    colour,
    terminal_style,
)
from tunescope.writing import direction, printable

INKS = {"light": ("#ffffff", "#1b1e23"), "dark": ("#15181d", "#e7e9ed"), "black": ("#000", "#fff")}


class Words(HTMLParser):
    """Elements in order, with the text inside."""

    def __init__(self, html: str):
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.texts.append("")

    def handle_data(self, data: str) -> None:
        self.texts[-1] += data


def plain(words: list[str] | tuple[str, ...]) -> tuple[list[str], np.ndarray, np.ndarray]:
    values = np.linspace(-1, 1, len(words))
    return list(words), values, 4 * values


def test_hostile_words_are_text() -> None:
    words = [*HOSTILE, '" onmouseover="window.pwned=1']
    parsed = Words(as_html(*plain(words)))
    assert {tag for tag, _ in parsed.found} == {"p", "span"}
    assert [text.strip() for text in parsed.texts[1:]] == words
    assert all(set(attributes) <= {"style", "title", "dir"} for _, attributes in parsed.found)


@pytest.mark.parametrize(
    ("words", "expected"),
    [(HEBREW, "rtl"), (ARABIC, "rtl"), (["The", "word", "שלום"], "ltr"), (["1", "."], "ltr"),
     (["(שלום)", "-"], "rtl")],
)  # fmt: skip
def test_direction_is_that_of_most_words(words: list[str], expected: str) -> None:
    assert direction(words) == expected
    assert f'<p dir="{expected}"' in as_html(*plain(words))


def test_words_stand_in_logical_order_and_are_not_isolated() -> None:
    parsed = Words(as_html(*plain(HEBREW)))
    assert [text.strip() for text in parsed.texts[1:]] == HEBREW
    assert {tag for tag, _ in parsed.found[1:]} == {"span"}


def test_a_word_that_turns_directions_is_isolated() -> None:
    parsed = Words(as_html(*plain(["a", "\u202eevil", "b"])))
    assert [tag for tag, _ in parsed.found] == ["p", "span", "bdi", "span"]


def test_values_are_shown_on_pointing_and_the_word_is_marked() -> None:
    parsed = Words(as_html(["a", "b", "c"], [0.5, float("nan"), -2], [1, float("nan"), -3], 2))
    titles = [attributes["title"] for _, attributes in parsed.found[1:]]
    assert titles == ["0.5 (+1.0 sd)", "no activation", "-2 (-3.0 sd)"]
    bold = ["font-weight:700" in (attributes["style"] or "") for _, attributes in parsed.found[1:]]
    assert bold == [False, False, True]


def test_colour_grows_with_distance_and_tells_the_side() -> None:
    def opacity(z: float) -> float:
        return float(colour(z).rstrip(")").split(",")[3])

    assert [opacity(z) for z in (0, FULL / 2, FULL, 99)] == [0, STRONGEST / 2, *[STRONGEST] * 2]
    assert opacity(-2) == opacity(2)
    assert colour(1).startswith(f"rgba({','.join(map(str, HIGH))}")
    assert colour(-1).startswith(f"rgba({','.join(map(str, LOW))}")
    assert opacity(float("nan")) == 0


def channels(text: str) -> np.ndarray:
    text = text.lstrip("#")
    text = text if len(text) == 6 else "".join(2 * letter for letter in text)
    return np.array([int(text[i : i + 2], 16) for i in (0, 2, 4)], float)


def contrast(one: np.ndarray, other: np.ndarray) -> float:
    """Ratio of relative luminances, as in WCAG 2."""

    def luminance(rgb: np.ndarray) -> float:
        share = rgb / 255
        linear = np.where(share <= 0.03928, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", INKS)
@pytest.mark.parametrize("hue", [HIGH, LOW])
def test_text_is_readable_on_every_strength_in_every_scheme(
    scheme: str, hue: tuple[int, int, int]
) -> None:
    paper, ink = map(channels, INKS[scheme])
    for opacity in np.linspace(0, STRONGEST, 7):
        assert contrast(opacity * np.array(hue) + (1 - opacity) * paper, ink) >= 4.5


@pytest.mark.parametrize("side", TERMINAL)
def test_terminal_colours_are_readable_on_black_and_on_white(side: str) -> None:
    letters, filled = TERMINAL[side]
    for paper in ("#000000", "#ffffff"):
        assert contrast(channels(letters), channels(paper)) >= 4.5
    front, back = re.findall(r"#\w{6}", filled)
    assert contrast(channels(front), channels(back)) >= 4.5
    assert all(Color.parse(name) for name in (letters, front, back))


def test_terminal_styles_step_with_distance() -> None:
    styles = [terminal_style(z) for z in (0.9, 1, 2, 3, 50)]
    assert styles[0] == ""
    assert styles[3] == styles[4]
    assert len(set(styles)) == 4
    assert terminal_style(-1) != terminal_style(1)
    assert terminal_style(float("nan")) == ""


def test_a_terminal_gets_words_in_logical_order() -> None:
    words, _, z = plain(HEBREW)
    text = as_text(words, 0 * z)
    assert text.plain == " ".join(HEBREW)
    assert text.justify == "right"
    assert as_text(["a", "b"], [0, 0]).justify == "left"


def test_without_colour_there_are_numbers_and_brackets() -> None:
    text = as_text(["a", "b", "[red]c", "d"], [0.2, -1.26, 3, float("nan")], 2, coloured=False)
    assert text.plain == "a b(-1.3) [[red]c](+3.0) d"
    assert not text.spans
    assert as_text(["a"], [3.0]).spans


def test_a_terminal_obeys_no_word() -> None:
    made = as_text(["\x1b[31mred", "\u202eevil", "\ud800", "tab\t"], [0] * 4).plain
    assert not {unicodedata.category(letter) for letter in made} & {"Cc", "Cs"}
    assert "\u202e" not in made
    assert printable("naïve 🦊 שלום") == "naïve 🦊 שלום"

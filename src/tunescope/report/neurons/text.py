"""A neuron in a terminal: top words, coloured contexts, and its values for each tag."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.columns import Columns
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tunescope.neurons.coloured import STEPS, as_text, terminal_style
from tunescope.writing import printable

if TYPE_CHECKING:
    import pandas as pd

    from tunescope.neurons.view import NeuronView

GAP = 2
BOX = 34
"""Characters for the box of a tag's values."""


def show_neurons(
    activations: Path | str,
    neurons: Sequence[str],
    *,
    labels: Sequence[str] | None = None,
    n_words: int = 24,
    n_contexts: int = 5,
    min_count: int = 2,
    console: Console | None = None,
) -> None:
    """Read neurons from a store and print what they answer to (`tunescope neuron`).

    Parameters
    ----------
    activations : Path or str
        Folder written by `tunescope extract`.
    neurons : sequence of str
        Which, as `layer:index`.
    labels : sequence of str, optional
        Label columns; the first of the corpus when not given.
    n_words, n_contexts : int
        Top words, and contexts on each side.
    min_count : int
        Top words occur at least so often.
    console : rich.console.Console, optional
        Where to print; standard output when not given.

    Raises
    ------
    InputError
        If the folder is no store, or there is no such neuron or label column.
    """
    from tunescope.activations.store import ActivationStore
    from tunescope.neurons.look import look_at

    store = ActivationStore.load(activations)
    views = look_at(
        store, neurons, store.corpus.labels[:1] if labels is None else labels, n_words=n_words,
        n_contexts=n_contexts, min_count=min_count,
    )  # fmt: skip
    console = console or Console(highlight=False)
    for number, view in enumerate(views):
        if number:
            console.print()
        show_neuron(view, console, n_words=n_words, n_contexts=n_contexts)


def show_neuron(
    view: NeuronView,
    console: Console | None = None,
    *,
    n_words: int = 24,
    n_contexts: int = 5,
    n_tags: int = 12,
) -> None:
    """Print what a neuron answers to; with numbers instead of colours where there are none.

    Parameters
    ----------
    view : NeuronView
        The neuron.
    console : rich.console.Console, optional
        Where to print; standard output when not given.
    n_words, n_contexts, n_tags : int
        At most so many top words, contexts on each side, and tags of each label column.
    """
    console = console or Console(highlight=False)
    coloured = console.color_system is not None and not console.no_color
    console.print(Text(printable(view.headline())))
    console.print(_title("Top words (mean deviation in sd, count)"))
    console.print(_words(view.words.head(n_words), coloured))
    if coloured and len(view.contexts):
        console.print(_legend())
    for side in ("highest", "lowest"):
        rows = view.side(side).head(n_contexts)
        if len(rows):
            console.print(_title(f"Contexts with the {side} activations (activation, sd)"))
            console.print(_contexts(view, rows, coloured))
    for label in view.labels:
        table = view.of_label(label).head(n_tags)
        more = len(view.of_label(label)) - len(table)
        title = f"Values by {printable(label)}" + (f", {more} more tags not shown" if more else "")
        console.print(_title(title))
        console.print(_values(view, table, console))


def _title(text: str) -> Text:
    return Text(f"\n{text}", style="bold")


def _words(words: pd.DataFrame, coloured: bool) -> Columns | Text:
    if not len(words):
        return Text("none")
    cells = []
    for word, count, z in zip(*(words[name] for name in ("word", "count", "z")), strict=True):
        cell = Text(printable(word), style=terminal_style(z) if coloured else "", end="")
        cells.append(Text.assemble(cell, f" {z:+.1f} ({count:,})", overflow="fold"))
    return Columns(cells, padding=(0, GAP))


def _legend() -> Text:
    text = Text("\nColour, in sd from the neuron's mean:  ")
    for sign, name in ((-1, "below"), (1, "above")):
        text.append(f"{name} ")
        for bound in STEPS:
            text.append(f" {sign * bound:+.0f} ", style=terminal_style(sign * bound))
            text.append(" ")
        text.append("  ")
    return text


def _contexts(view: NeuronView, rows: pd.DataFrame, coloured: bool) -> Table:
    table = Table.grid(padding=(0, GAP, 0, 0), expand=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    digits = decimals(view.deviation)
    columns = [rows[name] for name in ("activation", "words", "activations", "position")]
    for activation, words, activations, place in zip(*columns, strict=True):
        z = view.z(activations).tolist()
        sentence = as_text(words, z, place, coloured=coloured)
        table.add_row(f"{activation:.{digits}f}", f"{z[place]:+.1f}", sentence)
    return table


def _values(view: NeuronView, rows: pd.DataFrame, console: Console) -> Table:
    low, high = min(rows["q05"]), max(rows["q95"])
    digits = decimals(view.deviation)
    plain = console.encoding.lower() not in ("utf-8", "utf8")
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("tag", overflow="fold")
    for name in ("n", "mean", "sd", "AUC"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column(Text(f"{low:.2g} to {high:.2g}: 5, 25, 50, 75, 95 %"), no_wrap=True)
    quantiles = ["q05", "q25", "q50", "q75", "q95"]
    for row in rows.to_dict("records"):
        auc = "" if row["auc"] != row["auc"] else f"{row['auc']:.2f}"
        numbers = (f"{row['n']:,}", f"{row['mean']:.{digits}f}", f"{row['sd']:.{digits}f}", auc)
        bar = box([row[name] for name in quantiles], low, high, plain=plain)
        table.add_row(Text(printable(row["tag"])), *numbers, Text(bar))
    return table


def decimals(deviation: float) -> int:
    """Return how many decimals show two digits of a standard deviation."""
    return max(0, 1 - math.floor(math.log10(deviation))) if deviation > 0 else 3


def box(quantiles: Sequence[float], low: float, high: float, *, plain: bool = False) -> str:
    """Draw five quantiles as a line of characters.

    Parameters
    ----------
    quantiles : sequence of float
        5, 25, 50, 75 and 95 %, rising.
    low, high : float
        What the left and the right end stand for.
    plain : bool
        With characters of ASCII only.
    """
    thin, thick, middle = "-=|" if plain else "─━┃"
    scale = (BOX - 1) / (high - low) if high > low else 0.0
    a, b, c, d, e = (round((value - low) * scale) for value in quantiles)
    return "".join(
        middle if place == c else thick if b <= place <= d else thin if a <= place <= e else " "
        for place in range(BOX)
    ).rstrip()

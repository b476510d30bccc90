"""The concepts of a layer as tables, and as data that its pages load."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tunescope.viewer.concepts.layer import ConceptLayer
from tunescope.viewer.concepts.options import options, said
from tunescope.viewer.concepts.paths import layer_folder
from tunescope.viewer.concepts.shares import Shares
from tunescope.viewer.concepts.sides import Side
from tunescope.viewer.frame import script

if TYPE_CHECKING:
    from tunescope.viewer.concepts.shelf import Shelf

SEGMENTS = 4
"""Labels of a concept that its bar shows."""
SHORT = 3
"""Words that stand for the counterpart."""


def side_data(side: Side, shelf: Shelf) -> dict[str, Any]:
    """Return the columns of the list that depend on which other model is beside.

    Parameters
    ----------
    side : Side
        The alignment with it.
    shelf : Shelf
        Where its layer is.

    Returns
    -------
    dict
        `model`, `folder` (of its pages), and of each concept `fate`, `change`, `match`, `overlap`
        (None without a match), `title` (what the match is called).
    """
    there = shelf.layer(side.key[0], side.model, side.layer)
    titles = [
        there.names[m].text if m in there.names else " ".join(there.index.top(m, SHORT))
        for m in side.matches
    ]
    return {
        "model": side.model,
        "folder": layer_folder(side.key[0], side.model, side.layer),
        "fate": side.fates,
        "change": side.changes,
        "match": side.matches,
        "overlap": [None if math.isnan(share) else round(share, 3) for share in side.overlaps],
        "title": titles,
    }


def list_data(shelf: Shelf, layer: ConceptLayer) -> str:
    """Return, as a script, what the list shows instead of its first label column or other model.

    Parameters
    ----------
    shelf : Shelf
        Where the other layers are.
    layer : ConceptLayer
        The layer.
    """
    place = {value: n for n, value in enumerate(options(layer))}
    sides = [
        side_data(side, shelf)
        | {
            "said": bars(shares),
            "follows": [[place[v] for v in said(shares, c)] for c in range(layer.n)],
        }
        for side, shares in zip(layer.sides, layer.predicted, strict=True)
    ]
    labels = {shares.name: bars(shares) for shares in layer.labels}
    return script("data", list(labels.items()), sides)


def bars(shares: Shares | None) -> list[list[tuple[str, float, str, bool]]]:
    """Return the largest labels of every concept: value, per cent, colour, whether it is followed.

    Parameters
    ----------
    shares : Shares or None
        Of one column.
    """
    return [
        [(s.value, round(100 * s.share, 1), s.tone, s.aligned) for s in of[:SEGMENTS]]
        for of in (shares.of if shares else [])
    ]


def list_csv(layer: ConceptLayer) -> str:
    """Return one row per concept with all that the list shows of it."""
    columns: dict[str, list[Any]] = {
        "concept": list(range(layer.n)),
        "name": [layer.names[c].text if c in layer.names else "" for c in range(layer.n)],
        "words": [" ".join(layer.index.top(c)) for c in range(layer.n)],
        "size": layer.index.sizes.tolist(),
        "n_types": layer.index.n_types.tolist(),
    }
    for side, shares in zip(layer.sides, layer.predicted, strict=True):
        end = f" ({side.model})" if len(layer.sides) > 1 else ""
        columns |= {
            f"fate{end}": side.fates,
            f"change{end}": side.changes,
            f"counterpart{end}": side.matches,
            f"overlap{end}": side.overlaps,
        }
        columns |= _top_columns(f"predicted{end}", shares)
    columns |= _top_columns("class", layer.gold)
    for shares in layer.labels:
        columns |= _top_columns(shares.name, shares)
    if layer.effects:
        strongest = [layer.effects[c][0] if c in layer.effects else None for c in range(layer.n)]
        columns["triggers_towards"] = [e.towards if e else "" for e in strongest]
        columns["triggers_mean_flip_rate"] = [e.mean if e else "" for e in strongest]
        columns["random_mean_flip_rate"] = [e.random if e else "" for e in strongest]
    return as_csv(columns, zip(*columns.values(), strict=True))


def _top_columns(name: str, shares: Shares | None) -> dict[str, list[Any]]:
    if shares is None:
        return {}
    top = [of[0] if of else None for of in shares.of]
    return {
        name: [share.value if share else "" for share in top],
        f"{name}_share": [share.share if share else "" for share in top],
        f"{name}_followed": [bool(share and share.aligned) for share in top],
    }


def as_csv(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return rows as CSV."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue()


def words_csv(layer: ConceptLayer) -> str:
    """Return one row per concept and word type: how many of its words are of it."""
    forms = layer.words.forms
    table = zip(*(column.tolist() for column in layer.index.table()), strict=True)
    return as_csv(["concept", "word", "count"], ((c, forms[t], n) for c, t, n in table))


def words_data(layer: ConceptLayer) -> str:
    """Return, as a script, the concept of the word at every place, and what concepts are called.

    What became of them comes last, where that is one thing: not of a base of several tuned models.
    """
    labels = layer.index.labels[layer.words.order].tolist()
    fates = layer.sides[0].fates if len(layer.sides) == 1 else []
    return script("data", labels, [layer.title(c) for c in range(layer.n)], fates)

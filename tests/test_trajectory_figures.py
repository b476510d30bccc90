"""Figures of concepts over checkpoints: ribbons meet their nodes, maps say what was counted."""

from __future__ import annotations

import pandas as pd
import pytest
import vl_convert

from tunescope.report.figures.style import specification
from tunescope.report.figures.trajectory import (
    BEND,
    GROUPS,
    MEASURES,
    _nodes,
    _ribbons,
    flow,
    noise,
    there,
)

POINTS = pd.DataFrame({"point": [0, 1, 2], "fraction": [0.0, 0.25, 1.0]})
GROUP_ROWS = pd.DataFrame(
    [
        (0, "kept", 9, 60, 0.6),
        (0, "vanished", 5, 40, 0.4),
        (1, "kept", 9, 60, 0.6),
        (1, "new", 5, 40, 0.4),
        (2, "kept", 6, 45, 0.45),
        (2, "new", 3, 15, 0.15),
        (2, "polarised", 8, 40, 0.4),
    ],
    columns=["point", "group", "concepts", "words", "share"],
).assign(layer=6, corpus="c", low=0.0, high=1.0)
FLOWS = pd.DataFrame(
    [
        (0, "kept", "kept", 0.599),
        (0, "kept", "new", 0.001),
        (0, "vanished", "kept", 0.001),
        (0, "vanished", "new", 0.399),
        (1, "kept", "kept", 0.4),
        (1, "kept", "polarised", 0.2),
        (1, "new", "kept", 0.05),
        (1, "new", "new", 0.15),
        (1, "new", "polarised", 0.2),
    ],
    columns=["point", "source", "target", "share"],
).assign(layer=6, corpus="c", words=1, low=0.0, high=1.0, expected=0.1)


def svg(chart) -> str:
    return vl_convert.vegalite_to_svg(specification(chart, 560))


def test_groups_have_colours_of_their_own():
    from tunescope.concepts.trajectory.flows import GROUPS as names

    assert tuple(GROUPS) == names
    assert len(set(GROUPS.values())) == len(GROUPS)


def test_ribbons_fill_their_nodes_and_small_ones_are_left_out():
    nodes = _nodes(GROUP_ROWS)
    ribbons = _ribbons(FLOWS, nodes)
    assert ribbons["ribbon"].nunique() == len(FLOWS) - 2
    assert len(ribbons) == (len(FLOWS) - 2) * len(BEND)
    place = nodes.set_index(["point", "group"])
    for _, part in ribbons.groupby("ribbon"):
        point = round(part["x"].min() - 0.09)
        first, last = part.iloc[0], part.iloc[-1]
        for end, node in (
            (first, place.loc[(point, first["source"])]),
            (last, place.loc[(point + 1, last["group"])]),
        ):
            assert node["low"] - 1e-9 <= end["low"] <= end["high"] <= node["high"] + 1e-9
    starts = ribbons.groupby("ribbon").first()
    halves = starts[(starts["x"] > 1) & (starts["source"] == "new")].sort_values("low")
    # below each other, without a gap and without overlap
    assert halves["high"].tolist()[:-1] == pytest.approx(halves["low"].tolist()[1:])


def test_the_flow_renders():
    drawn = svg(flow(FLOWS, GROUP_ROWS, POINTS))
    for text in ("base", "25%", "tuned", "polarised", "vanished"):
        assert f">{text}<" in drawn
    assert ">small<" not in drawn


@pytest.mark.parametrize("measure", MEASURES)
def test_the_map_renders_with_its_numbers(measure):
    counts = pd.DataFrame(
        [(layer, point, 0.25 * layer + 0.1 * point) for layer in range(3) for point in range(3)],
        columns=["layer", "point", "share"],
    ).assign(
        corpus="c", measure=measure, n_concepts=40, count=10, low=0.0, high=1.0, null_high=2.0,
        changed=1,
    )  # fmt: skip
    drawn = svg(there(counts, POINTS, measure))
    for text in ("70%", "35%", MEASURES[measure]):
        assert f">{text}<" in drawn


def test_noise_renders():
    names = ["base and base", "base and tuned", "<b>another</b>"]
    summary = pd.DataFrame(
        [(layer, name, 0.5) for layer in range(3) for name in names],
        columns=["layer", "comparison", "share"],
    ).assign(low=0.4, high=0.6, ari=0.5, null_share=0.0)
    assert ">base and base<" in svg(noise(summary))

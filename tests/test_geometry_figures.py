"""Figures of geometry: what is drawn is what was measured, on one scale, and it renders."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import vl_convert

from tunescope.report.figures.geometry import (
    cka_matrix,
    cka_within,
    similarity,
    similarity_frame,
)
from tunescope.report.figures.style import specification

LAYERS = pd.DataFrame(
    [
        (0, "cka", 1.0, 0.9, 1.0, 0.0),
        (0, "procrustes", 0.2, 0.1, 0.4, 1.8),
        (0, "neighbours", 0.7, 0.6, 0.8, 0.001),
        (1, "cka", np.nan, np.nan, np.nan, 0.0),
        (1, "procrustes", 2.0, 1.9, 2.0, 1.8),
        (1, "neighbours", 0.0, 0.0, 0.1, 0.001),
    ],
    columns=["layer", "measure", "value", "low", "high", "chance"],
)


def svg(chart) -> str:
    return vl_convert.vegalite_to_svg(specification(chart, 560))


def test_a_distance_is_drawn_as_the_cosine_that_it_is():
    frame = similarity_frame(LAYERS)
    assert len(frame) == 5  # a layer without CKA has no point
    first = frame[(frame["layer"] == 0) & (frame["measure"] == "Procrustes similarity")].iloc[0]
    assert first[["similarity", "low", "high", "chance"]].tolist() == pytest.approx(
        [0.9, 0.8, 0.95, 0.1]
    )
    assert set(frame["measure"]) == {"linear CKA", "Procrustes similarity", "shared neighbours"}


def test_charts_render_with_all_measures_and_with_one():
    drawn = svg(similarity(LAYERS))
    assert all(name in drawn for name in ("linear CKA", "Procrustes similarity", "neighbours"))
    alone = svg(similarity(pd.DataFrame(LAYERS[LAYERS["measure"] == "cka"])))
    assert "linear CKA" in alone and "Procrustes" not in alone


def test_the_matrix_shows_every_pair_of_layers_but_those_without_a_value():
    matrix = pd.DataFrame(
        [(0, 0, 0.91), (0, 1, 0.32), (1, 0, -0.004), (1, 1, np.nan)],
        columns=["base_layer", "tuned_layer", "cka"],
    )
    drawn = svg(cka_matrix(matrix))
    assert all(f">{value}<" in drawn for value in ("0.91", "0.32"))
    assert drawn.count("Linear CKA:") in (0, 3) and "NaN" not in drawn
    within = matrix.set_axis(["layer", "other_layer", "cka"], axis=1)
    assert ">0.91<" in svg(cka_within(within))

"""When a layer changes: half of its change, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tunescope.geometry.trajectory import half_way, trajectory


def test_half_of_the_change_is_found_between_checkpoints():
    change = np.array([[0.0, 0.4, 0.001, 0.3], [0.2, 0.4, 0.002, 0.1], [0.4, 0.4, 0.004, 0.2]])
    found = half_way([0.25, 0.5, 1.0], change)
    assert found[0] == pytest.approx(0.5)  # reached just there
    assert found[1] == pytest.approx(0.125)  # half of it between the start and 0.25
    assert np.isnan(found[2])  # has not changed
    assert found[3] == pytest.approx(0.25 / 3)  # went beyond its end and came back


@pytest.mark.parametrize(("measure", "end"), [("cka", 0.6), ("procrustes", 0.4)])
def test_a_similarity_counts_down_and_a_distance_up(measure, end):
    def at(value: float) -> pd.DataFrame:
        rows = [
            {"layer": n, "measure": measure, "value": value, "low": 0, "high": 1} for n in (1, 0)
        ]
        return pd.DataFrame([*rows, {**rows[0], "measure": "other"}])

    same = 1.0 if measure == "cka" else 0.0
    rows, halves = trajectory([(0.5, at(same)), (1.0, at(end))], measure)
    assert (
        rows["layer"].tolist() == [0, 1, 0, 1] and rows["fraction"].tolist() == [0.5] * 2 + [1] * 2
    )
    assert halves["change"].tolist() == pytest.approx([0.4, 0.4])
    assert halves["half"].tolist() == pytest.approx([0.75, 0.75])

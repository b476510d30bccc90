"""Compiled loops do not change on how many threads torch computes: its sums would change too."""

from __future__ import annotations

import os
import subprocess
import sys

CODE = """
import numpy as np
import torch

from tunescope.concepts.linkage.ward import ward

before = torch.get_num_threads()
ward(np.random.default_rng(0).normal(size=(50, 4)), progress=False)
print(before, torch.get_num_threads())
"""


def test_loops_from_the_cache_leave_torch_its_threads() -> None:
    for _ in range(2):  # the second time at the latest, the loops are read from the cache
        found = subprocess.run(
            [sys.executable, "-c", CODE], capture_output=True, text=True, check=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        assert found.stdout.split() == ["1", "1"]

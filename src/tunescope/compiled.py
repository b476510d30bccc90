"""Compiled loops, which leave the threads of other libraries alone.

Numba starts its own threads when it reads a compiled function back from its cache, also for loops
that have none. Those of OpenMP are torch's too: whatever number of threads the user gave torch, or
OMP_NUM_THREADS, would be that of the processors from then on, and sums would round otherwise.
"""

from __future__ import annotations

from typing import Any

from numba import njit
from numba.core import config

__all__ = ["njit"]

_settings: Any = config
if _settings.THREADING_LAYER == "default":
    _settings.THREADING_LAYER = "workqueue"

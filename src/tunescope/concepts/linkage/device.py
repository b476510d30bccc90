"""Scan for the nearest clusters with torch alone, on one or several accelerators."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import torch

from tunescope.concepts.linkage.vectors import Vectors
from tunescope.errors import InputError

ROWS, COLUMNS = 4096, 32768
"""Of one product: 512 MiB of float32."""


def devices_of(device: str) -> list[torch.device]:
    """Return the devices to scan on.

    Parameters
    ----------
    device : str
        "auto" (every CUDA device, the CPU where there is none), "cuda" (every CUDA device) or a
        name of torch's.

    Raises
    ------
    InputError
        If there is no such device.
    """
    if device in ("auto", "cuda"):
        count = torch.cuda.device_count()
        if count:
            return [torch.device("cuda", i) for i in range(count)]
        if device == "auto":
            return [torch.device("cpu")]
    try:
        found = torch.device(device)
        torch.empty(1, device=found)
    except (RuntimeError, AssertionError) as error:
        line = str(error).splitlines()[0]
        raise InputError(f"device = {device!r} cannot be used ({line}): try 'cpu'") from None
    return [found]


@contextmanager
def full_precision() -> Iterator[None]:
    """Keep float32 products float32: shorter formats lose more than the bounds allow for."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


class DeviceScanner:
    """Scans on devices of torch, blocks of rows in turn on each; methods are those of `Scanner`.

    Parameters
    ----------
    vectors : Vectors
        The clusters in float32.
    devices : list of torch.device
        Each gets a copy of the vectors.
    """

    share = 1.0
    """Of all ordered pairs, what `all_pairs` computes."""

    def __init__(self, vectors: Vectors, devices: list[torch.device]):
        self.vectors = vectors
        self.devices = devices

    def all_pairs(self, low: np.ndarray, ids: np.ndarray, begin: int) -> Iterator[tuple[int, int]]:
        """Fill the lists of all clusters, see `Scanner.all_pairs`."""
        m = len(low)
        stripe = ROWS * len(self.devices) * 4
        for row in range(begin, m, stripe):
            stop = min(row + stripe, m)
            low[row:stop], ids[row:stop] = self.search(np.arange(row, stop), low.shape[1])
            yield stop, (stop - row) * m

    def search(self, rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Find the k lowest bounds of some clusters, see `Scanner.search`."""
        shares = [rows[i :: len(self.devices)] for i in range(len(self.devices))]
        low = np.empty((len(rows), k), np.float32)
        ids = np.empty((len(rows), k), np.int32)
        with full_precision(), ThreadPoolExecutor(len(self.devices)) as pool:
            found = pool.map(self._search, self.devices, shares, [k] * len(shares))
            for i, (share_low, share_ids) in enumerate(found):
                low[i :: len(self.devices)], ids[i :: len(self.devices)] = share_low, share_ids
        return low, ids

    def _search(
        self, device: torch.device, rows: np.ndarray, k: int
    ) -> tuple[np.ndarray, np.ndarray]:
        v = self.vectors
        points, squares, inverse = (
            torch.from_numpy(array).to(device) for array in (v.points, v.squares, v.inverse)
        )
        low = np.empty((len(rows), k), np.float32)
        ids = np.empty((len(rows), k), np.int32)
        for first in range(0, len(rows), ROWS):
            part = torch.from_numpy(rows[first : first + ROWS]).to(device)
            best = torch.full((len(part), 0), torch.inf, device=device)
            where = torch.zeros((len(part), 0), dtype=torch.int64, device=device)
            for start in range(0, len(points), COLUMNS):
                end = min(start + COLUMNS, len(points))
                values = points[part] @ points[start:end].T
                values.mul_(-2).add_(squares[part, None]).add_(squares[None, start:end])
                values.div_(inverse[part, None] + inverse[None, start:end]).mul_(2)
                inside = torch.nonzero((part >= start) & (part < end))[:, 0]
                values[inside, part[inside] - start] = torch.inf
                nearest, column = values.topk(min(k, end - start), largest=False)
                best = torch.cat([best, nearest], dim=1)
                where = torch.cat([where, column + start], dim=1)
                best, order = best.topk(min(k, best.shape[1]), largest=False)
                where = where.gather(1, order)
            low[first : first + ROWS] = best.cpu().numpy()
            ids[first : first + ROWS] = where.cpu().numpy()
        return low, ids

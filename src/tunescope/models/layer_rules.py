"""Which blocks a rule drops (Sajjad et al. 2023, CSL 77, section 3; arXiv 2004.03844).

For a model of 12 blocks, numbered from 1 at the bottom:

| rule | drops | in the paper |
|---|---|---|
| `top:4` | 9 10 11 12 | top-layer dropping |
| `bottom:4` | 1 2 3 4 | bottom-layer dropping |
| `alternate:4`, here also `alternate-even:4` | 6 8 10 12 | even-alternate dropping |
| `alternate-odd:4` | 5 7 9 11 | odd-alternate dropping |
| `symmetric:6` | 4 5 6 7 8 9 | symmetric dropping |
| `contribution:4` | four with the highest similarity of input and output | contribution-based |

`alternate` starts from the last block whatever its number is. Where `symmetric` leaves an odd
number of blocks, the one more is kept at the bottom, where the paper finds that blocks matter most.
The paper drops blocks by a threshold of similarity; here K with the highest are dropped, the higher
block first where two are alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tunescope.errors import InputError
from tunescope.steps.prune import DropRule, parse_rule


def which_layers(
    rule: str, n_layers: int, contributions: Sequence[float] | np.ndarray | None = None
) -> tuple[int, ...]:
    """Say which blocks a rule drops.

    Parameters
    ----------
    rule : str
        `none`, `top:K`, `bottom:K`, `alternate:K`, `alternate-odd:K`, `alternate-even:K`,
        `symmetric:K`, `contribution:K`, or a list such as `1,3,5`; K may be `half`, which is half
        of the blocks, rounded down.
    n_layers : int
        Number of blocks; the embedding layer is none.
    contributions : sequence of float, shape (n_layers,), optional
        Similarity of each block's output to its input, for `contribution:K`.

    Returns
    -------
    tuple of int
        Numbers of the blocks to drop, ascending; the first block is 1.

    Raises
    ------
    InputError
        If the rule is unknown, drops every block or one that is not there, or lacks similarities.
    """
    read = parse_rule(rule)
    where = f"rule {rule!r}, of {n_layers} blocks"
    if read.kind == "none":
        return ()
    if read.kind == "layers":
        if read.layers[-1] > n_layers:
            raise InputError(f"{where}: there is no block {read.layers[-1]}")
        dropped = read.layers
    else:
        count = n_layers // 2 if read.count is None else read.count
        dropped = _by_rule(read, count, n_layers, contributions, where)
    if not 0 < len(dropped) < n_layers:
        raise InputError(f"{where}: drops {len(dropped)}; drop at least one and keep at least one")
    return dropped


def _by_rule(
    rule: DropRule,
    count: int,
    n_layers: int,
    contributions: Sequence[float] | np.ndarray | None,
    where: str,
) -> tuple[int, ...]:
    if count >= n_layers:
        raise InputError(f"{where}: drops {count}; at least one block must be kept")
    if rule.kind == "top":
        return tuple(range(n_layers - count + 1, n_layers + 1))
    if rule.kind == "bottom":
        return tuple(range(1, count + 1))
    if rule.kind == "symmetric":
        below = (n_layers - count + 1) // 2
        return tuple(range(below + 1, below + count + 1))
    if rule.kind == "contribution":
        return _most_alike(count, n_layers, contributions, where)
    parity = {"alternate": n_layers % 2, "alternate-odd": 1, "alternate-even": 0}[rule.kind]
    candidates = [n for n in range(n_layers, 0, -1) if n % 2 == parity]
    if count > len(candidates):
        raise InputError(f"{where}: every other block makes {len(candidates)} only, not {count}")
    return tuple(sorted(candidates[:count]))


def _most_alike(
    count: int, n_layers: int, contributions: Sequence[float] | np.ndarray | None, where: str
) -> tuple[int, ...]:
    if contributions is None:
        raise InputError(
            f"{where}: needs the similarity of each block's input and output: give the activations "
            "of the base model (store), as `extract` writes them"
        )
    alike = np.asarray(contributions, float)
    if alike.shape != (n_layers,) or not np.isfinite(alike).all():
        raise InputError(
            f"{where}: similarities of shape {alike.shape} are not one number for each block; are "
            "the activations of this model?"
        )
    order = np.lexsort((-np.arange(n_layers), -alike))
    return tuple(sorted(int(n) + 1 for n in order[:count]))

"""Where words go between checkpoints: groups of concepts rather than hundreds of single ones.

At every point a concept is in one group, by how it relates to the base model's concepts:

- `kept`, `split`, `carved`, `merged`, `new`: see `tunescope.concepts.alignment.changes`;
- `polarised`: polarised towards a class, whatever it came from;
- `small`: too few word types to count.

The base model's own concepts are grouped by what becomes of them in the tuned model: `kept`,
`merged`, `absorbed`, `split`, `vanished`, and `polarised` or `small` as above.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.stats import norm

from tunescope.concepts.alignment.changes import changes
from tunescope.concepts.trajectory.follow import follow
from tunescope.concepts.trajectory.layer import LayerPath

GROUPS = ("kept", "merged", "absorbed", "split", "carved", "vanished", "new", "polarised", "small")
"""All groups, in the order in which figures show them."""


def group_concepts(path: LayerPath) -> list[np.ndarray]:
    """Return the group of every concept of every point, each an object array of text."""
    base, tuned, theta = path.points[0], path.points[-1], path.step.theta
    found = [changes(base, tuned, theta), *(changes(p, base, theta) for p in path.points[1:])]
    return [
        np.where(~here.counts, "small", np.where(polarity.aligned, "polarised", kind))
        for here, polarity, kind in zip(path.points, path.polarity["class"], found, strict=True)
    ]


def concept_frame(path: LayerPath, groups: list[np.ndarray]) -> pd.DataFrame:
    """Describe every concept of every point, with the one it came from and the one it goes to.

    Returns
    -------
    pandas.DataFrame
        Columns `layer`, `point`, `concept`, `size`, `n_types`, `group`; `previous` and
        `previous_share`, the concept of the point before that holds most of it; `next` and
        `next_share`, that of the point after (-1 and NaN where there is none); `class_label`,
        `class_share`, `polarised`, and with predictions the same of them.
    """
    frames = []
    for number, here in enumerate(path.points):
        columns: dict[str, object] = {
            "layer": path.layer,
            "point": number,
            "concept": np.arange(len(here.sizes)),
            "size": here.sizes,
            "n_types": here.n_types,
            "group": groups[number],
        }
        for name, other in (("previous", number - 1), ("next", number + 1)):
            if 0 <= other < len(path.points):
                way = follow(here, [path.points[other]])
                columns[name], columns[f"{name}_share"] = way.best[0], way.share[0]
            else:
                columns[name], columns[f"{name}_share"] = -1, np.nan
        frames.append(pd.DataFrame(columns | path.polarity_columns(number)))
    return pd.concat(frames, ignore_index=True)


def group_frame(path: LayerPath, groups: list[np.ndarray]) -> pd.DataFrame:
    """Say how many concepts and words are in each group.

    Returns
    -------
    pandas.DataFrame
        Columns `layer`, `point`, `group`, `concepts`, `words`, `share` of all words, and `low`,
        `high`, its interval over sentences. Groups without concepts are left out.
    """
    rows = []
    for number, (here, group) in enumerate(zip(path.points, groups, strict=True)):
        of_word = _codes(group)[here.labels]
        present = np.unique(of_word)
        shares = shares_over_sentences(of_word, path.sentences, path.step.confidence)
        for code in present:
            concepts = int((group == GROUPS[code]).sum())
            words = int((of_word == code).sum())
            rows.append((path.layer, number, GROUPS[code], concepts, words, *shares[code]))
    columns = ["layer", "point", "group", "concepts", "words", "share", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def flow_frame(path: LayerPath, groups: list[np.ndarray]) -> pd.DataFrame:
    """Count the words that go from each group of a point to each group of the next.

    Returns
    -------
    pandas.DataFrame
        Columns `layer`, `point` (that of `source`; `target` is a group of the next), `source`,
        `target`, `words`, `share` of all words, `low`, `high` (its interval over sentences) and
        `expected`, the share if words were dealt to the groups of the next point at random.
    """
    rows, n, confidence = [], len(path.sentences), path.step.confidence
    of_words = [_codes(g)[p.labels] for g, p in zip(groups, path.points, strict=True)]
    for number, (here, there) in enumerate(zip(of_words[:-1], of_words[1:], strict=True)):
        cells = here * len(GROUPS) + there
        shares = shares_over_sentences(cells, path.sentences, confidence)
        for cell in np.unique(cells):
            source, target = divmod(int(cell), len(GROUPS))
            words = int((cells == cell).sum())
            expected = (here == source).mean() * (there == target).mean()
            ends = (GROUPS[source], GROUPS[target])
            rows.append((path.layer, number, *ends, words, *shares[cell], expected))
    assert sum(row[4] for row in rows) == n * (len(path.points) - 1)
    columns = ["layer", "point", "source", "target", "words", "share", "low", "high", "expected"]
    return pd.DataFrame(rows, columns=columns)


def _codes(groups: np.ndarray) -> np.ndarray:
    return np.array([GROUPS.index(group) for group in groups])


def shares_over_sentences(
    cells: np.ndarray, sentences: np.ndarray, confidence: float
) -> dict[int, tuple[float, float, float]]:
    """Return the share of words in each cell, with an interval over sentences.

    Words of a sentence are no independent draws, so the standard error is that of a ratio over
    sentences (linearised); the clustering is held.

    Parameters
    ----------
    cells : numpy.ndarray of int, shape (n_words,)
        Cell of each word.
    sentences : numpy.ndarray of int, shape (n_words,)
        Sentence of each word.
    confidence : float
        Level.

    Returns
    -------
    dict of int to (share, low, high)
    """
    _, rows = np.unique(sentences, return_inverse=True)
    names, columns = np.unique(cells, return_inverse=True)
    table = csr_array((np.ones(len(cells)), (rows, columns)))
    table.sum_duplicates()
    sizes = np.bincount(rows).astype(float)
    n, total = len(sizes), len(cells)
    share = np.bincount(columns) / total
    squares = np.asarray(table.multiply(table).sum(axis=0)).ravel()
    mixed = np.asarray(table.T @ sizes).ravel()
    residual = squares - 2 * share * mixed + share**2 * (sizes @ sizes)
    error = np.sqrt(np.maximum(residual, 0) * n / max(n - 1, 1)) / total
    half = norm.ppf((1 + confidence) / 2) * error
    low, high = np.maximum(share - half, 0), np.minimum(share + half, 1)
    return {
        int(name): (float(share[i]), float(low[i]), float(high[i])) for i, name in enumerate(names)
    }

"""Compiled counting for alignment: what is repeated for every pair of layers and every draw.

Each loop goes through the words of one concept, counts what they share with the other side in one
small row, reads the row off and clears it. Where words touch few cells, only those are read and
cleared, so that a count costs as many steps as there are words, however many concepts or labels
there are; where they touch many, the whole row is, which the processor does several at a time. The
same counts in NumPy are in `align_models` and `align_labels`, which say what is counted.
"""

from __future__ import annotations

import numpy as np

from tunescope.compiled import njit


def grouped(values: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Sort things by a number they carry.

    Parameters
    ----------
    values : numpy.ndarray of int, shape (n_things,)
        Numbers from 0 to `n` - 1.
    n : int
        How many numbers there are.

    Returns
    -------
    order : numpy.ndarray of int32, shape (n_things,)
        Things with number 0, then those with number 1 and so on, each in their own order.
    starts : numpy.ndarray of int32, shape (n + 1,)
        Where each number's things begin in `order`.
    """
    order = np.argsort(values, kind="stable").astype(np.int32)
    starts = np.concatenate([[0], np.cumsum(np.bincount(values, minlength=n))])
    return order, starts.astype(np.int32)


@njit(cache=True, nogil=True)
def most_shared(order, starts, target, n_target):
    """Count for each source concept the occurrences in the target concept with most of them.

    Parameters
    ----------
    order, starts : numpy.ndarray of int32
        `grouped` of the source's concepts.
    target : numpy.ndarray of int32, shape (n_words,)
        The target's concept of each occurrence.
    n_target : int
        Number of target concepts.

    Returns
    -------
    numpy.ndarray of int32, shape (n_source,)
    """
    n_source = len(starts) - 1
    most = np.zeros(n_source, np.int32)
    row = np.zeros(n_target, np.int32)
    for concept in range(n_source):
        best = 0
        for at in range(starts[concept], starts[concept + 1]):
            other = target[order[at]]
            row[other] += 1
            best = max(best, row[other])
        for at in range(starts[concept], starts[concept + 1]):
            row[target[order[at]]] = 0
        most[concept] = best
    return most


@njit(cache=True, nogil=True)
def most_shared_types(type_starts, types, held_starts, held, n_target):
    """Count for each source concept the types in the target concept with most of them.

    Parameters
    ----------
    type_starts, types : numpy.ndarray of int32
        The different types of each source concept, one after another.
    held_starts, held : numpy.ndarray of int32
        The different target concepts of each type (`concepts_of_types`).
    n_target : int
        Number of target concepts.

    Returns
    -------
    numpy.ndarray of int32, shape (n_source,)
    """
    n_source = len(type_starts) - 1
    most = np.zeros(n_source, np.int32)
    row = np.zeros(n_target, np.int32)
    for concept in range(n_source):
        for at in range(type_starts[concept], type_starts[concept + 1]):
            kind = types[at]
            for place in range(held_starts[kind], held_starts[kind + 1]):
                row[held[place]] += 1
        best = 0
        for other in range(n_target):
            best = max(best, row[other])
        row[:] = 0
        most[concept] = best
    return most


@njit(cache=True, nogil=True)
def concepts_of_types(order, starts, target, n_target):
    """List the different concepts that the occurrences of each type are in.

    Parameters
    ----------
    order, starts : numpy.ndarray of int32
        `grouped` of the words' types.
    target : numpy.ndarray of int32, shape (n_words,)
        Concept of each occurrence.
    n_target : int
        Number of concepts.

    Returns
    -------
    held_starts : numpy.ndarray of int32, shape (n_types + 1,)
    held : numpy.ndarray of int32
        Concepts of type t are `held[held_starts[t]:held_starts[t + 1]]`, in no order.
    """
    n_types = len(starts) - 1
    held_starts = np.zeros(n_types + 1, np.int32)
    held = np.empty(len(order), np.int32)
    seen = np.full(n_target, -1, np.int32)
    filled = 0
    for kind in range(n_types):
        for at in range(starts[kind], starts[kind + 1]):
            concept = target[order[at]]
            if seen[concept] != kind:
                seen[concept] = kind
                held[filled] = concept
                filled += 1
        held_starts[kind + 1] = filled
    return held_starts, held[:filled].copy()


@njit(cache=True, nogil=True)
def count_aligned(
    order, starts, rows, indptr, labels, known, weights, counting, frequent, theta, max_unknown
):
    """Count the concepts that a label reaches theta in, and for each label the concepts it does in.

    Parameters
    ----------
    order, starts : numpy.ndarray of int32
        `grouped` of the words' concepts.
    rows : numpy.ndarray of int32, shape (n_words,)
        Row of the label table that each word reads its labels from.
    indptr, labels : numpy.ndarray of int32
        The label table, compressed by rows.
    known : numpy.ndarray of bool, shape (n_rows,)
        Which rows count among the labelled.
    weights : numpy.ndarray of int32, shape (n_words,)
        How often each word counts.
    counting : numpy.ndarray of bool, shape (n_concepts,)
        Concepts that may be aligned.
    frequent : numpy.ndarray of bool, shape (n_labels,)
        Labels that count for a coverage score.
    theta, max_unknown : float
        As in `align_labels`.

    Returns
    -------
    aligned : int
        Concepts in which any label reaches theta.
    aligned_frequent : int
        Concepts in which any frequent label does.
    per_label : numpy.ndarray of int32, shape (n_labels,)
        Concepts in which each label does.
    """
    per_label = np.zeros(len(frequent), np.int32)
    row = np.zeros(len(frequent), np.int32)
    aligned, aligned_frequent = 0, 0
    for concept in range(len(starts) - 1):
        if not counting[concept]:
            continue
        size, labelled = 0, 0
        for at in range(starts[concept], starts[concept + 1]):
            word = order[at]
            weight = weights[word]
            size += weight
            if known[rows[word]]:
                labelled += weight
                for place in range(indptr[rows[word]], indptr[rows[word] + 1]):
                    row[labels[place]] += weight
        enough = labelled > 0 and (size - labelled) / size <= max_unknown
        any_label, any_frequent = False, False
        for at in range(starts[concept], starts[concept + 1]):
            word = order[at]
            for place in range(indptr[rows[word]], indptr[rows[word] + 1]):
                label = labels[place]
                if row[label] > 0 and enough and row[label] / labelled >= theta:
                    per_label[label] += 1
                    any_label = True
                    any_frequent = any_frequent or frequent[label]
                row[label] = 0
        aligned += any_label
        aligned_frequent += any_frequent
    return aligned, aligned_frequent, per_label


@njit(cache=True, nogil=True)
def count_aligned_once(order, starts, codes, weights, counting, frequent, theta, max_unknown):
    """Count as `count_aligned` does where every word has one label at most.

    Parameters
    ----------
    order, starts, weights, counting, frequent, theta, max_unknown
        As there.
    codes : numpy.ndarray of int32, shape (n_words,)
        Label of each word; -1 where it is unknown, -2 where it is known to have none.

    Returns
    -------
    aligned, aligned_frequent, per_label
        As there.
    """
    n_labels = len(frequent)
    per_label = np.zeros(n_labels, np.int32)
    row = np.zeros(n_labels, np.int32)
    aligned, aligned_frequent = 0, 0
    for concept in range(len(starts) - 1):
        if not counting[concept]:
            continue
        size, labelled = 0, 0
        first, last = starts[concept], starts[concept + 1]
        for at in range(first, last):
            word = order[at]
            weight, code = weights[word], codes[word]
            size += weight
            if code != -1:
                labelled += weight
            if code >= 0:
                row[code] += weight
        enough = labelled > 0 and (size - labelled) / size <= max_unknown
        any_label, any_frequent = False, False
        few = n_labels < last - first
        for at in range(0 if few else first, n_labels if few else last):
            label = at if few else codes[order[at]]
            if label < 0:
                continue
            if row[label] > 0 and enough and row[label] / labelled >= theta:
                per_label[label] += 1
                any_label = True
                any_frequent = any_frequent or frequent[label]
            row[label] = 0
        aligned += any_label
        aligned_frequent += any_frequent
    return aligned, aligned_frequent, per_label

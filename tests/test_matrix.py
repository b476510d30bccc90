"""A matrix of words by neurons is what concatenating the layers gives, however it is read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores import store_from_arrays
from tunescope.activations.matrix import WordMatrix
from tunescope.activations.neuron import NeuronId
from tunescope.activations.store import ActivationStore
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError

WIDTHS = (3, 5, 4)
N, D = 40, sum(WIDTHS)

ROWS = {
    "slice": slice(4, 31),
    "steps": slice(None, None, 3),
    "backwards": slice(None, None, -1),
    "mask": np.arange(N) % 3 == 1,
    "numbers": np.array([7, 0, 39, 7, 21]),
    "next to each other": np.arange(11, 18),
    "one": np.array([5]),
    "none": np.zeros(0, int),
}
COLUMNS = {
    "all": np.arange(D),
    "one layer": np.arange(3, 8),
    "across layers": np.arange(2, 10),
    "any order": np.random.default_rng(1).permutation(D),
    "backwards": np.arange(D)[::-1],
    "some": np.array([11, 0, 4, 5, 3]),
    "one": np.array([6]),
}


def layers() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [(rng.normal(size=(N, width)) * 3 + 1).astype(np.float32) for width in WIDTHS]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ActivationStore:
    words = Corpus.from_sentences([[f"w{n}" for n in range(8)] for _ in range(N // 8)])
    folder = tmp_path_factory.mktemp("matrix")
    return store_from_arrays(folder / "store", words, layers(), shards=3)


@pytest.fixture(scope="module", params=["on disk", "in memory"])
def matrix(request: pytest.FixtureRequest, store: ActivationStore) -> WordMatrix:
    if request.param == "on disk":
        return WordMatrix.of_store(store, np.arange(N))
    return WordMatrix(layers(), np.arange(N))


WHOLE = np.concatenate(layers(), axis=1)


def same(found: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.float32


@pytest.mark.parametrize("rows", ROWS.values(), ids=list(ROWS))
@pytest.mark.parametrize("columns", COLUMNS.values(), ids=list(COLUMNS))
def test_it_reads_as_the_layers_side_by_side(matrix, rows, columns):
    part = matrix.columns(columns)
    same(part[rows], WHOLE[:, columns][rows])
    same(np.asarray(part.take(rows)), WHOLE[:, columns][rows])
    # Columns of columns, rows of rows.
    same(part.columns(np.arange(len(columns))[::-1])[rows], WHOLE[:, columns[::-1]][rows])
    assert part.take(rows).shape == WHOLE[:, columns][rows].shape


@pytest.mark.parametrize("columns", COLUMNS.values(), ids=list(COLUMNS))
def test_scaled_is_scaled_whatever_is_selected_before_or_after(matrix, columns):
    mean, scale = WHOLE.mean(0), WHOLE.std(0)
    expected = (WHOLE - mean) / scale
    rows = ROWS["numbers"]
    after = matrix.scaled(mean, scale).columns(columns).take(rows)
    before = matrix.columns(columns).take(rows).scaled(mean[columns], scale[columns])
    same(np.asarray(after), expected[rows][:, columns])
    same(np.asarray(before), expected[rows][:, columns])
    with pytest.raises(InputError, match="scaled already"):
        after.scaled(mean[columns], scale[columns])
    assert np.array_equal(np.asarray(matrix), WHOLE), "the activations themselves were changed"


def test_a_part_of_the_rows_keeps_to_them(store):
    rows = np.array([30, 2, 2, 39, 17])
    part = WordMatrix.of_store(store, rows, layers=[2, 0])
    expected = np.concatenate([WHOLE[:, 8:], WHOLE[:, :3]], axis=1)[rows]
    same(np.asarray(part), expected)
    assert part.layer_of.tolist() == [2] * 4 + [0] * 3
    assert part.index_of.tolist() == [0, 1, 2, 3, 0, 1, 2]
    assert str(part.neuron(3)) == "2:3"
    assert part.column_of(NeuronId(0, 1)) == 5
    same(np.asarray(part.columns(part.layer_of == 0)), expected[:, 4:])


@pytest.mark.parametrize("size", [1, 7, N, 1000, None])
def test_blocks_are_the_rows_in_order(matrix, size):
    part = matrix.columns(COLUMNS["some"])
    spans, blocks = zip(*part.blocks(size), strict=True)
    same(np.concatenate(blocks), WHOLE[:, COLUMNS["some"]])
    assert [row for span in spans for row in range(N)[span]] == list(range(N))
    assert all(len(block) <= (size or N) for block in blocks)
    assert list(matrix.take(ROWS["none"]).blocks(size)) == []


def test_moments_are_those_of_the_whole(matrix, monkeypatch):
    monkeypatch.setattr("tunescope.activations.matrix.BLOCK_VALUES", 7 * D)  # several blocks
    mean, deviation = matrix.moments()
    np.testing.assert_allclose(mean, WHOLE.mean(0, dtype=np.float64))
    np.testing.assert_allclose(deviation, WHOLE.std(0, dtype=np.float64), rtol=1e-6)
    constant = WordMatrix([np.full((N, 2), 0.1, np.float32)], np.arange(N))
    assert constant.moments()[1].tolist() == [0, 0]


def test_as_an_array(matrix):
    assert np.asarray(matrix, np.float64).dtype == np.float64
    assert (len(matrix), matrix.shape) == (N, (N, D))
    assert repr(matrix) == f"WordMatrix(shape=({N}, {D}), layers=3)"
    with pytest.raises(ValueError, match="cannot be viewed"):
        np.array(matrix, copy=False)


def test_columns_and_neurons_are_each_others(matrix):
    part = matrix.columns(COLUMNS["any order"])
    for column in range(D):
        neuron = part.neuron(column)
        assert part.column_of(neuron) == column
        layer, index = neuron.layer, neuron.index
        same(part.columns([column])[:][:, 0], layers()[layer][:, index])
    for missing in ("3:0", "0:3", "1:5"):
        with pytest.raises(InputError, match=f"no neuron {missing}: layers 0 to 2"):
            part.column_of(NeuronId.parse(missing))


# --- addresses -----------------------------------------------------------------------------------


@given(st.integers(0, 10**6), st.integers(0, 10**9))
def test_an_address_comes_back_as_it_was_written(layer: int, index: int):
    neuron = NeuronId(layer, index)
    assert NeuronId.parse(str(neuron)) == neuron
    assert NeuronId.parse(f" {neuron}\n") == neuron
    assert hash(NeuronId.parse(str(neuron))) == hash(neuron)


@given(st.text(alphabet="0123456789:-. x", max_size=6))
def test_what_is_no_address_is_refused(text: str):
    layer, colon, index = text.strip().partition(":")
    if colon and layer.isdigit() and index.isdigit():
        assert str(NeuronId.parse(text)) == f"{int(layer)}:{int(index)}"
    else:
        with pytest.raises(InputError, match=r"layer:index, as in 9:231"):
            NeuronId.parse(text)


def test_addresses_sort_by_layer_then_place():
    texts = ["10:0", "9:231", "9:3", "0:7"]
    assert [str(n) for n in sorted(map(NeuronId.parse, texts))] == ["0:7", "9:3", "9:231", "10:0"]


def test_selecting_reads_nothing_and_indexing_only_the_layers_it_needs(store, monkeypatch):
    matrix = WordMatrix.of_store(store, np.arange(N))
    read = []
    kind = type(store[0])
    original = kind.__getitem__

    def counted(self, rows):
        read.append(rows)
        return original(self, rows)

    monkeypatch.setattr(kind, "__getitem__", counted)
    part = matrix.columns([0, 1]).take(slice(5)).scaled(np.zeros(2), np.ones(2))
    assert read == []
    assert part[:].shape == (5, 2)
    assert len(read) == 1, "only the layer that has the columns is read"

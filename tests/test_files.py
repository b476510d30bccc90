"""What is written comes back as it was, however it lay in memory, and whole or not at all."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tunescope.errors import InputError
from tunescope.files import (
    atomic_file,
    hash_file,
    kept_frames,
    read_frame,
    read_tensors,
    write_array,
    write_frame,
    write_tensors,
)

BASE = np.arange(24, dtype=np.float32).reshape(4, 6)
LAYOUTS = {
    "in order": BASE,
    "transposed": BASE.T,
    "columns first": np.asfortranarray(BASE),
    "every second column": BASE[:, ::2],
    "backwards": BASE[::-1, ::-1],
    "three axes turned": np.moveaxis(np.arange(24.0).reshape(2, 3, 4), 0, -1),
    "repeated without a copy": np.broadcast_to(BASE[:1], (3, 6)),
    "truth values": np.asfortranarray(BASE % 2 == 0),
    "integers": BASE.T.astype(np.int32),
    "empty": np.zeros((0, 5), np.float32),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=list(LAYOUTS))
def test_tensors_come_back_in_whatever_order_they_lay(tmp_path, layout):
    """safetensors writes memory as it lies: a transposed array once came back scrambled."""
    write_tensors(tmp_path / "t.safetensors", {"a": layout, "b": BASE})
    found = read_tensors(tmp_path / "t.safetensors")
    np.testing.assert_array_equal(found["a"], layout)
    assert (found["a"].dtype, found["a"].shape) == (layout.dtype, layout.shape)
    np.testing.assert_array_equal(found["b"], BASE)
    write_tensors(tmp_path / "copy.safetensors", {"a": layout.copy(order="C"), "b": BASE})
    assert hash_file(tmp_path / "copy.safetensors") == hash_file(tmp_path / "t.safetensors")


@settings(max_examples=50)
@given(
    arrays.arrays(
        np.float32, arrays.array_shapes(min_dims=2, max_dims=4, max_side=4),
        elements=st.floats(width=32, allow_nan=True),
    ),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_tensors_of_any_axes(tmp_path_factory, array, random):
    axes = list(range(array.ndim))
    random.shuffle(axes)
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    write_tensors(path, {"a": array.transpose(axes)})
    np.testing.assert_array_equal(read_tensors(path)["a"], array.transpose(axes))


def test_frames_come_back_with_their_types(tmp_path):
    frame = pd.DataFrame(
        {
            "text": ["", "</script>", "שלום\n", None],
            "share": [0.1, float("nan"), 1.0, -0.0],
            "count": np.array([1, 2, 3, 4], np.int64),
            "short": np.array([1, 2, 3, 4], np.int32),
            "yes": [True, False, True, False],
            "from": 1,
        },
        index=[7, 7, 3, 1],
    )
    write_frame(tmp_path / "f.parquet", frame)
    found = read_frame(tmp_path / "f.parquet")
    pd.testing.assert_frame_equal(found, frame.reset_index(drop=True), check_dtype=True)
    write_frame(tmp_path / "again.parquet", found)
    assert hash_file(tmp_path / "again.parquet") == hash_file(tmp_path / "f.parquet")
    write_frame(tmp_path / "none.parquet", frame.head(0))
    assert list(read_frame(tmp_path / "none.parquet").columns) == list(frame.columns)


def test_arrays_come_back_in_whatever_order_they_lay(tmp_path):
    write_array(tmp_path / "a.npy", BASE.T)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), BASE.T)


def test_a_write_that_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "t.safetensors"
    write_tensors(path, {"a": BASE})
    with pytest.raises(RuntimeError), atomic_file(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    np.testing.assert_array_equal(read_tensors(path)["a"], BASE)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_what_is_missing_or_of_another_kind_is_said(tmp_path):
    with pytest.raises(InputError, match=r"t\.safetensors is missing"):
        read_tensors(tmp_path / "t.safetensors")
    with pytest.raises(InputError, match=r"f\.parquet is missing"):
        read_frame(tmp_path / "f.parquet")
    (tmp_path / "f.parquet").write_text("no")
    with pytest.raises(InputError, match="not a parquet file"):
        read_frame(tmp_path / "f.parquet")


def test_a_unit_is_done_once_and_kept_whole(tmp_path):
    frame, calls = pd.DataFrame({"a": [1, 2]}), []

    def make():
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return {"one": frame, "none": frame[:0]}

    with pytest.raises(KeyboardInterrupt):
        kept_frames(tmp_path / "unit", make)
    assert not list(tmp_path.iterdir())
    for _ in range(2):
        found = kept_frames(tmp_path / "unit", make)
        assert set(found) == {"one", "none"}
        pd.testing.assert_frame_equal(found["one"], frame)
    assert len(calls) == 2

"""Our Ward linkage is SciPy's tree, for any input, from any checkpoint, on any path through it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.cluster import hierarchy

import tunescope as ts
from tunescope.concepts.dendrogram import Dendrogram
from tunescope.concepts.linkage import device, neighbours, scan, state
from tunescope.concepts.linkage import ward as linkage
from tunescope.concepts.linkage.neighbours import ward_distance
from tunescope.concepts.linkage.points import duplicates
from tunescope.concepts.linkage.vectors import Vectors
from tunescope.errors import InputError

RNG = np.random.default_rng(0)


def clustered(n: int, d: int, spread: float = 1.0) -> np.ndarray:
    centres = RNG.normal(size=(n // 20 + 1, d)) * 3
    return centres[RNG.integers(0, len(centres), n)] + spread * RNG.normal(size=(n, d))


INPUTS = {
    "random": RNG.normal(size=(600, 12)),
    "clustered": clustered(1500, 24).astype(np.float32),
    "lines": RNG.normal(size=(700, 1)),
    "float16": clustered(300, 8).astype(np.float16),
    "duplicated": clustered(400, 6)[RNG.integers(0, 400, 900)],
    "large offsets": (clustered(500, 16) + 1000).astype(np.float32),
    "near-duplicates": np.repeat(clustered(40, 5), 15, axis=0) + 1e-7 * RNG.normal(size=(600, 5)),
    "an outlier": np.concatenate([RNG.normal(size=(200, 3)), [[1e12, 0, 0]]]),
    "tiny values": clustered(200, 4) * 1e-200,
    "heavy tails": RNG.standard_cauchy(size=(500, 6)),
    "three points": RNG.normal(size=(3, 2)),
    "two points": np.array([[0.0, 3.0], [4.0, 0.0]]),
}


def scipys(X: np.ndarray) -> np.ndarray:
    """SciPy's linkage; it squares distances, so the scale is taken off first."""
    X = X.astype(np.float64)
    scale = np.abs(X).max()
    return hierarchy.linkage(X / scale, "ward") * [1, 1, scale, 1]


def partition(labels: np.ndarray) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)}


def ward(X, **options) -> np.ndarray:
    return ts.ward(X, progress=False, **options)


def is_ward_tree(X: np.ndarray, merges: np.ndarray) -> None:
    """Check that every merge is of two clusters that nothing was nearer to at its height."""
    assert hierarchy.is_valid_linkage(merges)
    alive = {i: (x, 1) for i, x in enumerate(X.astype(np.float64))}
    for row, (i, j, height, size) in enumerate(merges):
        keys = list(alive)
        centroids = np.array([alive[key][0] for key in keys])
        sizes = np.array([alive[key][1] for key in keys])
        for node in (int(i), int(j)):
            x, a = alive[node]
            to_all = 2 * a * sizes / (a + sizes) * ((centroids - x) ** 2).sum(1)
            to_all[keys.index(node)] = np.inf
            assert height**2 <= to_all.min() * (1 + 1e-9) + 1e-18
        (x, a), (y, b) = alive.pop(int(i)), alive.pop(int(j))
        alive[len(X) + row] = ((a * x + b * y) / (a + b), a + b)
        assert size == a + b
        assert height**2 == pytest.approx(2 * a * b / (a + b) * ((x - y) ** 2).sum(), rel=1e-12)


@pytest.mark.parametrize("name", INPUTS)
def test_the_tree_is_scipys(name: str):
    X = INPUTS[name]
    ours, theirs = ward(X), scipys(X)
    np.testing.assert_allclose(ours[:, 2], theirs[:, 2], rtol=1e-6, atol=1e-9 * theirs[-1, 2])
    assert ours[-1, 3] == len(X)
    for k in (2, 5, 50, 200, 600):
        done = len(X) - k
        # Where heights are equal, or both are rounding errors, either cut is right.
        if 1 <= done < len(X) - 1 and theirs[done, 2] > theirs[done - 1, 2] * (1 + 1e-6):
            found = partition(Dendrogram(ours).cut(k))
            assert found == partition(Dendrogram(theirs).cut(k)), k


@pytest.mark.parametrize(
    "X",
    [
        np.stack(np.meshgrid(*[np.arange(9)] * 2), -1).reshape(-1, 2),
        np.eye(90),
        RNG.integers(0, 3, size=(300, 4)),
        np.arange(200)[:, None],
    ],
    ids=["grid", "all equally far", "few values", "line"],
)
def test_with_ties_everywhere_each_merge_is_a_valid_one(X: np.ndarray):
    merges = ward(X)
    is_ward_tree(X, merges)
    assert merges.tobytes() == ward(X).tobytes()


def test_constant_points_merge_in_order_at_height_0():
    merges = ward(np.full((5, 3), 0.1))
    assert merges.tolist() == [[0, 1, 0, 2], [2, 5, 0, 3], [3, 6, 0, 4], [4, 7, 0, 5]]


def test_one_point_has_no_merges_and_none_is_an_error():
    assert ward(np.zeros((1, 3))).shape == (0, 4)
    for X in (np.zeros((0, 3)), np.zeros((3, 0)), np.zeros(3), np.array([["a"], ["b"]])):
        with pytest.raises(InputError, match="X: a matrix of real numbers is needed"):
            ward(X)


def test_values_that_are_not_finite_are_named():
    X = np.zeros((20_000, 1))
    X[9_000] = np.inf
    with pytest.raises(InputError, match="row 9000 has values that are not finite"):
        ward(X)


def test_memory_that_does_not_suffice_is_said_at_once(monkeypatch):
    class Memory:
        available = 1_000_000

    monkeypatch.setattr(linkage.psutil, "virtual_memory", Memory)
    with pytest.raises(InputError, match=r"700 points of 24 values needs .* select about"):
        ward(np.zeros((700, 24)))


def test_order_of_rows_does_not_matter():
    X = INPUTS["clustered"]
    order = np.random.default_rng(1).permutation(len(X))
    shuffled = Dendrogram(ward(X[order])).cut(60)
    back = np.empty_like(shuffled)
    back[order] = shuffled
    assert partition(back) == partition(Dendrogram(ward(X)).cut(60))


def test_memory_mapped_input_gives_the_same(tmp_path):
    X = INPUTS["clustered"]
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert ward(mapped).tobytes() == ward(X).tobytes()


@pytest.mark.parametrize("length", [1, 2, 5])
def test_short_lists_are_scanned_again_and_give_the_same(length: int, monkeypatch):
    X = INPUTS["clustered"]
    expected = ward(X)
    monkeypatch.setattr(linkage, "NEIGHBOURS", length)
    np.testing.assert_allclose(ward(X), expected, rtol=1e-12)


def test_tiles_do_not_matter(monkeypatch):
    X = INPUTS["clustered"]
    expected = ward(X)
    monkeypatch.setattr(scan, "TILE", 130)
    monkeypatch.setattr(linkage, "DEAD", 0.5)
    np.testing.assert_allclose(ward(X), expected, rtol=1e-12)


def test_the_scan_for_accelerators_gives_the_same(monkeypatch):
    X = INPUTS["clustered"]
    expected = ward(X)
    monkeypatch.setattr(device, "ROWS", 100)
    monkeypatch.setattr(device, "COLUMNS", 333)
    cpus = [torch.device("cpu")] * 2

    def scanner(vectors):
        return device.DeviceScanner(vectors, cpus)

    monkeypatch.setattr(linkage, "Scanner", scanner)
    np.testing.assert_allclose(ward(X), expected, rtol=1e-12)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_gives_the_same():
    X = INPUTS["clustered"]
    np.testing.assert_allclose(ward(X, device="cuda"), ward(X), rtol=1e-12)


def test_a_device_that_is_not_there_is_an_error():
    with pytest.raises(InputError, match="device = 'nonsense' cannot be used"):
        ward(np.zeros((2, 2)), device="nonsense")


@pytest.mark.parametrize("name", ["clustered", "large offsets", "near-duplicates", "heavy tails"])
def test_scans_give_lower_bounds_of_distances(name: str):
    """Float32 may be off, but never upwards."""
    points = linkage.read_points(INPUTS[name], name)[0]
    clusters = state.State.start(points, 8).clusters
    clusters.sizes[:] = RNG.integers(1, 50, len(clusters.sizes))
    vectors = Vectors(clusters, points.mean(axis=0))
    scanner = scan.Scanner(vectors)
    rows = np.arange(0, len(points), 7)
    for low, ids in (
        scanner.search(rows, 8),
        device.DeviceScanner(vectors, [torch.device("cpu")]).search(rows, 8),
    ):
        for i, row_low, row_ids in zip(rows, low, ids, strict=True):
            others = np.setdiff1d(np.arange(len(points)), [i])
            true = np.array([ward_distance(clusters, i, j) for j in others])
            listed = np.isin(others, row_ids)
            assert listed.sum() == 8
            by_id = dict(zip(others.tolist(), true, strict=True))
            assert all(bound <= by_id[j] for bound, j in zip(row_low, row_ids, strict=True))
            assert (true[~listed] >= row_low[-1]).all()


def test_combined_bounds_hold_for_true_distances():
    """The Lance-Williams formula, on distances, is the distance; on lower bounds, a lower one."""
    for _ in range(200):
        x, y, z = RNG.normal(size=(3, 4))
        a, b, c = (int(size) for size in RNG.integers(1, 30, 3))

        def d(u, v, s, t):
            return 2 * s * t / (s + t) * ((u - v) ** 2).sum()

        joined = d((a * x + b * y) / (a + b), z, a + b, c)
        terms = d(x, z, a, c), d(y, z, b, c), d(x, y, a, b)
        assert neighbours.combine(*terms, a, b, c) == pytest.approx(joined, rel=1e-9)
        assert neighbours.combine(0.9 * terms[0], 0.7 * terms[1], terms[2], a, b, c) <= joined


def test_equal_rows_are_found_wherever_they_are():
    X = np.array([[1.0, 2], [0, 0], [1, 2], [-0.0, 0], [2, 1], [1, 2]])
    assert duplicates(X + 0.0).tolist() == [0, 1, 0, 1, 4, 0]


class Stop(Exception):
    """What ends a run in its middle."""


@pytest.mark.parametrize("calls", [1, 2, 4, 9])
def test_an_interrupted_run_ends_like_one_that_was_not(calls: int, tmp_path, monkeypatch):
    X = clustered(1200, 10)
    monkeypatch.setattr(scan, "TILE", 300)
    monkeypatch.setattr(linkage, "NEIGHBOURS", 6)
    expected = ward(X)
    options = {"checkpoint": tmp_path / "kept", "checkpoint_seconds": 0}
    left = [calls]
    save = state.State.save

    def save_and_stop(self, *arguments):
        save(self, *arguments)
        left[0] -= 1
        if left[0] == 0:
            raise Stop

    with monkeypatch.context() as patched:
        patched.setattr(state.State, "save", save_and_stop)
        with pytest.raises(Stop):
            ward(X, **options)
    with pytest.raises(InputError, match="is the checkpoint of other points"):
        ward(X[1:], **options)
    started = []
    start = state.State.start
    monkeypatch.setattr(state.State, "start", lambda *a: started.append(1) or start(*a))
    assert ward(X, **options).tobytes() == expected.tobytes()
    assert not started, "the run began anew"
    assert not list((tmp_path / "kept").iterdir())


def test_the_bar_ends_full(monkeypatch):
    bars = []

    class Bar(linkage.tqdm):
        def __init__(self, **options):
            super().__init__(**options)
            bars.append(self)

    monkeypatch.setattr(linkage, "tqdm", Bar)
    ts.ward(INPUTS["clustered"])
    assert bars[0].n == bars[0].total > len(INPUTS["clustered"]) ** 2 / 2


def test_the_estimator_cuts_the_tree():
    X = INPUTS["clustered"]
    found = ts.WardClustering(n_clusters=30).fit(X)
    assert found.linkage_.tobytes() == ward(X).tobytes()
    assert found.children_.tolist() == found.linkage_[:, :2].astype(int).tolist()
    assert partition(found.labels_) == partition(hierarchy.fcluster(scipys(X), 30, "maxclust"))
    with pytest.raises(ValueError, match="n_clusters = 30 of only 20 points"):
        ts.WardClustering(n_clusters=30).fit(X[:20])


def test_the_estimator_is_scikit_learns():
    from sklearn.utils.estimator_checks import check_estimator

    check_estimator(ts.WardClustering())


def test_ward_is_in_its_package_too() -> None:
    import tunescope.concepts

    assert tunescope.concepts.ward is ts.ward

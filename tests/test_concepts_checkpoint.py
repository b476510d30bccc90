"""A run killed within a layer goes on there; layers do not disturb each other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import tunescope as ts
from stores import store_from_arrays
from tunescope.concepts import discover as discover_module
from tunescope.concepts.linkage import state
from tunescope.concepts.linkage import ward as ward_module

RULE = {"n_clusters": 20, "min_count": 1, "max_occurrences": 10_000, "seed": 0}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    rng = np.random.default_rng(0)
    corpus = ts.Corpus.from_sentences([["a", "b", "c", "d"]] * 300)
    layers = [rng.normal(size=(1200, 8)), rng.normal(size=(1200, 8))]
    return store_from_arrays(tmp_path_factory.mktemp("s") / "s", corpus, layers)


def merges(found):
    return [found.dendrogram(layer).merges.tobytes() for layer in found.layers]


@pytest.fixture
def often(monkeypatch):
    """Checkpoints for any number of words, whenever there is something to keep."""
    monkeypatch.setattr(discover_module, "CHECKPOINT_WORDS", 2)
    real = ward_module._Keeper
    monkeypatch.setattr(ward_module, "_Keeper", lambda folder, key, _: real(folder, key, 0))


class Stop(Exception):
    """What ends a run in its middle."""


@pytest.mark.parametrize("method", ["ward", "leaders"])
def test_a_layer_goes_on_where_it_was(store, method, often, tmp_path, monkeypatch):
    options = {**RULE, "method": method} | ({"n_leaders": 700} if method == "leaders" else {})
    whole = ts.discover_concepts(store, tmp_path / "whole", n_jobs=1, **options)
    left, save = [3], state.State.save

    def save_and_stop(self, *arguments):
        save(self, *arguments)
        left[0] -= 1
        if left[0] == 0:
            raise Stop

    with monkeypatch.context() as patched:
        patched.setattr(state.State, "save", save_and_stop)
        with pytest.raises(Stop):
            ts.discover_concepts(store, tmp_path / "c", n_jobs=1, **options)
    kept = sorted(path.parent.name for path in (tmp_path / "c").rglob(state.FILE))
    assert kept == ["layer_00"]
    started, start = [], state.State.start
    monkeypatch.setattr(state.State, "start", lambda *a: started.append(1) or start(*a))
    found = ts.discover_concepts(store, tmp_path / "c", n_jobs=1, **options)
    assert len(started) == 1, "the first layer began anew"
    assert merges(found) == merges(whole)
    assert not (tmp_path / "c" / "checkpoints").exists()


def test_few_words_leave_no_checkpoint(store, tmp_path, monkeypatch):
    seen, real = [], discover_module.cluster

    def watched(X, *, checkpoint, **options):
        seen.append(checkpoint)
        return real(X, checkpoint=checkpoint, **options)

    monkeypatch.setattr(discover_module, "cluster", watched)
    ts.discover_concepts(store, tmp_path / "a", n_jobs=1, **RULE)
    assert seen == [None, None]
    monkeypatch.setattr(discover_module, "CHECKPOINT_WORDS", 1000)
    ts.discover_concepts(store, tmp_path / "b", n_jobs=1, **RULE)
    assert [folder.name for folder in seen[2:]] == ["layer_00", "layer_01"]
    ts.discover_concepts(store, tmp_path / "d", n_jobs=1, method="kmeans", **RULE)
    assert seen[4:] == [None, None]


SCRIPT = """
import os, signal, sys, time
import tunescope as ts
from tunescope.concepts import discover
from tunescope.concepts.linkage import state, ward
discover.CHECKPOINT_WORDS = 2
save, cluster, Keeper = state.State.save, discover._cluster_layer, ward._Keeper
parent = os.getpid()

def layer(*arguments):
    # In a worker: keep the state always; one that is to be killed waits until both have.
    ward._Keeper = lambda folder, key, _: Keeper(folder, key, 0)
    def save_and_die(self, folder, key):
        save(self, folder, key)
        if os.environ["RUN"] == "killed":
            while len(list(folder.parent.rglob(state.FILE))) < 2:
                time.sleep(0.05)
            os.kill(parent, signal.SIGKILL)
            os._exit(1)
    state.State.save = save_and_die
    return cluster(*arguments)

discover._cluster_layer = layer
ts.discover_concepts(sys.argv[1], sys.argv[2], n_jobs=2, n_clusters=20, min_count=1,
                     max_occurrences=10_000)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a way to kill")
def test_layers_killed_beside_each_other_both_go_on(store, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(store.path), str(tmp_path / "c")]
    environment = {**os.environ, "RUN": "killed"}
    dead = subprocess.run(command, env=environment, capture_output=True, timeout=300)
    assert dead.returncode == -signal.SIGKILL, dead.stderr
    kept = sorted(path.parent.name for path in (tmp_path / "c").rglob(state.FILE))
    assert kept == ["layer_00", "layer_01"]
    environment["RUN"] = "whole"
    subprocess.run(command, env=environment, check=True, capture_output=True)
    found = ts.LayerConcepts.load(tmp_path / "c")
    whole = ts.discover_concepts(store, tmp_path / "whole", **RULE)
    assert merges(found) == merges(whole)
    assert not list((tmp_path / "c").rglob(state.FILE))

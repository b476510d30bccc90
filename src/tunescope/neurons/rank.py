"""Step `rank`: the probe of all neurons, every ranking, where their best neurons are.

Units of work are files: the search for penalties, the probe, and each ranking, for each scaling of
the activations; then the tables over all rankings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from tunescope.activations.store import ActivationStore
from tunescope.errors import InputError
from tunescope.files import read_tensors, write_array, write_frame, write_tensors
from tunescope.manifest import begin, finish
from tunescope.neurons.agreement import agreement
from tunescope.neurons.classifiers import LinearClassifier
from tunescope.neurons.distribution import layer_table, sharing_table, tag_sets, tag_table
from tunescope.neurons.localisation import localisation
from tunescope.neurons.look import look_at
from tunescope.neurons.orders import n_of_share
from tunescope.neurons.ranking import Evidence, Ranking
from tunescope.neurons.rankings import RANKINGS
from tunescope.neurons.rankings.method import RankingMethod
from tunescope.neurons.result import NeuronRankings
from tunescope.neurons.search import search_lambdas
from tunescope.neurons.selectivity import Bootstrap
from tunescope.neurons.view import save_views
from tunescope.neurons.words import LabelledWords, label_words
from tunescope.parameters import step_function
from tunescope.steps import Rank

DISTRIBUTION = ("layers", "tags", "sharing", "localisation")
VIEWED_TAGS = 40
"""Labels whose top neurons are kept for the page: the most frequent ones."""


@step_function(Rank)
def rank(
    store: ActivationStore | str | Path,
    label: str,
    out: str | Path,
    *,
    rows: np.ndarray | None = None,
    others: Sequence[ActivationStore | str | Path] = (),
    device: str = "cpu",
    step: Rank,
) -> NeuronRankings:
    """Rank the neurons of all layers by what they say about a label column.

    Parameters
    ----------
    store : ActivationStore, str or Path
        Activations, or the folder they are in.
    label : str
        Label column of the store's corpus.
    out : str or Path
        Folder to write; one that an interrupted call left is gone on with.
    rows : numpy.ndarray of int, optional
        Words to use, all valid ones when not given.
    others : sequence of ActivationStore, str or Path
        Other models' activations of the same words, for the rankings across models (`max_corr`,
        `min_corr`, `lin_reg`).
    device : str
        Where probes are fitted, in torch's words.
    step : Rank
        Parameters.

    Returns
    -------
    NeuronRankings

    Raises
    ------
    InputError
        If the column is missing or has one class only, a split is empty, or a ranking needs other
        models and there are none.
    MismatchError
        If the other stores are over other words.
    """
    store, *more = (s if isinstance(s, ActivationStore) else ActivationStore.load(s)
                    for s in (store, *others))  # fmt: skip
    out = Path(out)
    methods = list(_methods(step))
    if not more:
        needing = [method.name for method in methods if method.needs_others]
        if needing:
            raise InputError(
                f"ranking {needing[0]!r} compares a model with others over the same words: give "
                "others=[...] stores, or leave it out of rankings"
            )
    split = {
        "rows": rows, "dev_share": step.dev_share, "test_share": step.test_share,
        "control_seeds": step.control_seeds, "seed": step.seed,
    }  # fmt: skip
    words = label_words(store, label, **split)
    if not len(words.dev):
        raise InputError(
            f"corpus {words.corpus!r}: no dev words; rankings need some: set dev_share"
        )
    inputs = {
        "store": store.key,
        "corpus": words.corpus,
        "model": words.model,
        "label": label,
        "words": words.hash(),
        "others": [other.key for other in more] if any(m.needs_others for m in methods) else [],
    }
    if begin(out, step, inputs) is not None:
        return NeuronRankings.load(out)
    kept = np.sort(np.concatenate([p.x.rows for p in (words.train, words.dev, words.test)]))
    write_array(out / "rows.npy", kept)
    beside = tuple(label_words(other, label, **split) for other in more)
    work = _Work(words, beside, methods, out, step, device)
    facts = work.run()
    if step.views:
        _keep_views(store, words, kept, out, step)
    finish(out, step, inputs, facts)
    return NeuronRankings.load(out)


def _methods(step: Rank) -> Iterator[RankingMethod]:
    """Make the rankings asked for, with their options."""
    options: dict[str, dict[str, Any]] = {
        "gaussian": {"n_neurons": step.gaussian_neurons, "criterion": step.gaussian_criterion},
        "iou": {"threshold": step.iou_threshold, "quantile": step.iou_quantile},
    }
    for name in dict.fromkeys(step.rankings):
        yield RANKINGS[name](**options.get(name, {}))


class _Work:
    """Everything that is done for one label of one model."""

    def __init__(
        self,
        words: LabelledWords,
        others: tuple[LabelledWords, ...],
        methods: list[RankingMethod],
        out: Path,
        step: Rank,
        device: str,
    ):
        self.words, self.others, self.methods, self.out = words, others, methods, out
        self.step, self.device = step, device
        self.bootstrap = Bootstrap(step.resamples, step.confidence, step.seed)

    def run(self) -> dict[str, Any]:
        """Do what is not there yet; return the facts."""
        step, words = self.step, self.words
        units = len(step.scalings) * (1 + len(self.methods)) + 1
        chosen: dict[str, Any] = {}
        title = f"rank neurons for {words.label} of {words.corpus} in {words.model}"
        with tqdm(desc=title, total=units, unit="part") as bar:
            for scaling in step.scalings:
                scaled = words.zscored() if scaling == "zscored" else words
                others = tuple(w.zscored() if scaling == "zscored" else w for w in self.others)
                folder = self.out / scaling

                def show(text: str, scaling: str = scaling) -> None:
                    bar.set_postfix_str(f"{scaling}: {text}")

                chosen[scaling] = self._probe(scaled, folder, show)
                bar.update()
                coefficients = NeuronRankings.read_probe(folder)[0][0]
                evidence = Evidence(scaled, coefficients, others, step.seed)
                for method in self.methods:
                    path = folder / f"{method.name}.safetensors"
                    show(method.name)
                    raw = self.out / "raw" / path.name
                    if path.exists():
                        pass
                    elif method.scale_free and scaling != "raw" and raw.exists():
                        write_tensors(path, read_tensors(raw))
                    else:
                        _save(path, method(evidence))
                    bar.update()
            bar.set_postfix_str("tables")
            self._tables()
            bar.update()
        sizes = {"train": len(words.train), "dev": len(words.dev), "test": len(words.test)}
        layers, widths = np.unique(words.layer_of, return_counts=True)
        return {
            "classes": list(words.classes),
            "counts": self._counts(),
            "words": sizes,
            "n_neurons": words.n_neurons,
            "layers": layers.tolist(),
            "widths": widths.tolist(),
            "majority": self._majority(),
            "probe": chosen,
        }

    def _counts(self) -> dict[str, int]:
        """Training words of each label."""
        counts = np.bincount(self.words.train.targets, minlength=self.words.n_classes)
        return dict(zip(self.words.classes, counts.tolist(), strict=True))

    def _majority(self) -> float:
        """Test accuracy of always saying the most frequent training label."""
        most = np.bincount(self.words.train.targets).argmax()
        return float((self.words.test.targets == most).mean())

    def _probe(
        self, words: LabelledWords, folder: Path, show: Callable[[str], None]
    ) -> dict[str, Any]:
        """Search for penalties, then fit the task and its control tasks on all neurons."""
        step, path = self.step, folder / "probe.safetensors"
        classifier = LinearClassifier(
            penalty=step.penalty, solver=step.solver, tolerance=step.tolerance,
            max_iterations=step.max_iterations, seed=step.seed, device=self.device,
        )  # fmt: skip
        table = folder / "search.parquet"
        if not table.exists():
            show("search for penalties")
            found = search_lambdas(
                words, _grid(step), classifier, share=step.search_share, how=step.search,
                max_words=step.search_words, seed=step.seed,
                progress=lambda done, gap: show(f"search for penalties, pass {done}"),
            )  # fmt: skip
            write_frame(table, found.table)
        best = NeuronRankings.read_search(folder).query("chosen").iloc[0]
        if not path.exists():
            show("probe of all neurons")
            classifier = replace(classifier, l1=float(best["l1"]), l2=float(best["l2"]))
            [fit] = classifier.fit(words, [np.arange(words.n_neurons)])
            write_tensors(
                path,
                {
                    "coefficients": fit.coefficients,
                    "intercepts": fit.intercepts,
                    "gap": np.array([fit.gap, float(fit.converged)]),
                },
            )
        gap, converged = read_tensors(path)["gap"].tolist()
        return {
            "l1": float(best["l1"]),
            "l2": float(best["l2"]),
            "gap": gap if np.isfinite(gap) else None,
            "converged": bool(converged),
        }

    def _tables(self) -> None:
        """Write the tables that look at all rankings together."""
        step, found = self.step, {}
        for scaling in step.scalings:
            words = self.words.zscored() if scaling == "zscored" else self.words
            rankings = {
                method.name: NeuronRankings.read_ranking(self.out / scaling, method.name)
                for method in self.methods
            }
            parts: dict[str, Any] = {name: [] for name in DISTRIBUTION}
            for ranking in rankings.values():
                selected = ranking.top(n_of_count(step.selected, words.n_neurons))
                sets = tag_sets(ranking, n=min(step.tag_neurons, words.n_neurons))
                parts["layers"].append(layer_table(words, ranking, selected))
                parts["tags"].append(tag_table(words, ranking, sets))
                parts["sharing"].append(sharing_table(words, ranking, sets))
                if (ranking.tag_scores != 0).any(axis=1).sum() > 1:  # else nothing is localised
                    table = localisation(words, ranking, bootstrap=self.bootstrap)
                    parts["localisation"].append(table)
            if len(rankings) > 1:
                pairs, summary = agreement(rankings, scaling=scaling)
                parts["agreement"], parts["agreement_summary"] = [pairs], [summary]
                found.setdefault("agreement_by_label", []).append(
                    agreement(rankings, scaling=scaling, of="tags")[1]
                )
            for name, frames in parts.items():
                found.setdefault(name, []).extend(frames)
        for name, frames in found.items():
            if frames:
                write_frame(self.out / f"{name}.parquet", pd.concat(frames, ignore_index=True))


def n_of_count(value: float, d: int) -> int:
    """Return a number of neurons given as such or, below 1, as a share of d."""
    return n_of_share(value, d) if value < 1 else min(int(value), d)


def _grid(step: Rank) -> list[tuple[float, float]]:
    """Return the points to try; what is given is not searched for."""
    firsts = step.grid if step.l1 is None else (step.l1,)
    seconds = step.grid if step.l2 is None else (step.l2,)
    return [(l1, l2) for l1 in firsts for l2 in seconds]


def _save(path: Path, ranking: Ranking) -> None:
    write_tensors(
        path,
        {
            "order": ranking.order.astype(np.int32),
            "scores": ranking.scores.astype(np.float32),
            "tag_orders": ranking.tag_orders.astype(np.int32),
            "tag_scores": ranking.tag_scores.astype(np.float32),
        },
    )


def _keep_views(
    store: ActivationStore, words: LabelledWords, rows: np.ndarray, out: Path, step: Rank
) -> None:
    """Keep words and contexts of the top neurons of every label, for the page."""
    folder = out / "views"
    if folder.exists():
        return
    ranking = NeuronRankings.read_ranking(out / step.scalings[0], step.rankings[0])
    counts = np.bincount(words.train.targets, minlength=words.n_classes)
    frequent = np.argsort(-counts, kind="stable")[:VIEWED_TAGS]
    columns = dict.fromkeys(
        [*ranking.order[: step.views].tolist()]
        + [int(c) for tag in frequent for c in ranking.tag_orders[tag, : step.views]]
    )
    neurons = [words.train.x.neuron(column) for column in columns]
    views = look_at(store, neurons, [words.label], rows=rows, min_count=3)
    save_views(folder, views)

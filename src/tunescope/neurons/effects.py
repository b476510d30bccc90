"""Does the model use these neurons? Edit them while it runs, and random ones beside them.

That a property can be read from neurons does not say that the model uses them: ablating hundreds
often changes nothing (Antverg and Belinkov 2022, arXiv 2110.07483, section 5). So every change
stands beside that of random neurons of the same layers and number, and has an interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm.auto import tqdm

from tunescope.activations.neuron import NeuronId
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError
from tunescope.neurons.interventions import Action, make_edits, random_like

if TYPE_CHECKING:
    import pandas as pd

    from tunescope.models.heads import Head
    from tunescope.models.reference import ModelRef, ModelSource
    from tunescope.neurons.outputs import Said

NO_SEED = -1
"""In tables: nothing was drawn."""
MEASURES = ("log_probability", "accuracy", "changed")
EFFECTS = (
    "kind", "neurons", "ranking", "k", "action", "amount", "seed", "measure", "value", "change",
    "low", "high",
)  # fmt: skip
AGAINST_RANDOM = (
    "kind", "ranking", "k", "action", "amount", "measure", "change", "random", "random_least",
    "random_most", "draws", "difference", "low", "high", "p",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Effects:
    """What editing neurons did to a model's own output.

    Parameters
    ----------
    effects : pandas.DataFrame
        Columns `EFFECTS`. One row per edit and measure; the first rows (`neurons` "none", k 0) are
        the unedited model's. `kind` is what the model predicts: `masked`, `next` or `task`.
        `measure` is `log_probability` (mean, natural logarithm, of what stands there),
        `accuracy` (share of right top-1 predictions), `changed` (share of top-1 predictions that
        are not the unedited model's) or, for `next`, `perplexity`. `change` is `value` less the
        unedited model's; `low` and `high` bound it, from a paired bootstrap over sentences.
        `seed` is that of random neurons, else -1.
    against_random : pandas.DataFrame
        Columns `AGAINST_RANDOM`. The change by the ranked neurons, the mean, least and greatest
        change by random neurons of the same layers and number, and the `difference` of change and
        mean, with an interval from resampling sentences and draws. `p` is the share of draws, the
        ranked set counted as one, that change the measure at least as much, in either direction;
        with few draws it cannot be small (1 / (1 + draws) at least).
    facts : dict of str to Any
        `model`, `corpus`, `kind`, `n_units`, `n_sentences`, `n_cut_off`.
    """

    effects: pd.DataFrame
    against_random: pd.DataFrame
    facts: dict[str, Any]


def measure_effects(
    model: str | Path | ModelSource | ModelRef | Head,
    corpus: Corpus,
    neurons: Sequence[NeuronId],
    *,
    ks: Sequence[int] = (10, 50, 200),
    actions: Sequence[str | Action] = ("zero", "mean"),
    means: Mapping[int, np.ndarray] | None = None,
    direction: Mapping[int, np.ndarray] | None = None,
    measured: np.ndarray | None = None,
    translated: np.ndarray | None = None,
    ranking: str = "",
    draws: int = 5,
    words_per_sentence: int = 1,
    max_length: int | None = None,
    batch_tokens: int = 4096,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
    device: str = "auto",
) -> Effects:
    """Measure how a model's own output changes when ranked neurons, and random ones, are edited.

    Parameters
    ----------
    model : str, Path, ModelSource, ModelRef or Head
        A checkpoint with a masked-word, next-word or classification head, or that head live
        (`tunescope.models.heads.load_head`).
    corpus : Corpus
        Sentences; a classifier needs their classes.
    neurons : sequence of NeuronId
        The ranking, best first. Give all of it where there is a translation, whose coefficients
        fall along it.
    ks : sequence of int
        Numbers of neurons to edit.
    actions : sequence of str or Action
        `zero`, `mean`, `scale:FACTOR`, `translate:B`.
    means : mapping of int to numpy.ndarray, optional
        For `mean` (`neuron_means`).
    direction : mapping of int to numpy.ndarray, optional
        For `translate` (`label_direction`).
    measured : numpy.ndarray of int, optional
        Words (rows of the word table) that may be predicted; all when not given.
    translated : numpy.ndarray of int, optional
        Words at whose subwords alone a translation acts: those of the label it goes from. Every
        position when not given; other actions act everywhere.
    ranking : str
        Name of the ranking, for the tables.
    draws : int
        Sets of random neurons for each k and action.
    words_per_sentence : int
        For a masked-word model: words hidden in each sentence, one at a time.
    max_length : int, optional
        Longest input in subwords.
    batch_tokens : int
        Subwords in one forward pass, padding included.
    resamples : int
        Bootstrap resamples.
    confidence : float
        Level of the intervals.
    seed : int
        Seed of the hidden words, the random neurons (`seed`, `seed` + 1, ...) and the resampling.
    device : str
        `auto`, `cpu`, `cuda:1`, ...; not used for a live head.

    Returns
    -------
    Effects

    Raises
    ------
    InputError
        If the model has no head or is of an unknown architecture, there are fewer neurons than
        some k, a neuron is given twice or does not exist, or an action lacks what it needs.
    """
    from tunescope.models.heads import Head, load_head
    from tunescope.models.hooks import editing
    from tunescope.neurons.outputs import Outputs

    ks = sorted(set(ks))
    if not ks or ks[0] < 1 or ks[-1] > len(neurons):
        raise InputError(f"k = {ks} must be from 1 to the {len(neurons)} neurons that are ranked")
    if len(set(neurons)) < len(neurons):
        raise InputError("a neuron is ranked twice: each may be edited once")
    chosen = [a if isinstance(a, Action) else Action.parse(a) for a in dict.fromkeys(actions)]
    head = model if isinstance(model, Head) else load_head(model, device=device)
    width = head.model.config.get_text_config().hidden_size
    sets = {NO_SEED: list(neurons[: ks[-1]])}
    for draw in range(draws):
        sets[seed + draw] = random_like(sets[NO_SEED], width, seed + draw)
    runs = {  # what is missing is said before the model runs
        (drawn, k, action): make_edits(
            action, ranked[:k], len(neurons), means=means, direction=direction
        )
        for action in chosen
        for k in ks
        for drawn, ranked in sets.items()
    }
    for edits in runs.values():
        with editing(head.model, edits):
            pass
    outputs = Outputs(
        head, corpus, measured=measured, chosen=translated, words_per_sentence=words_per_sentence,
        max_length=max_length, batch_tokens=batch_tokens, seed=seed,
    )  # fmt: skip
    plain = outputs()
    said = {
        run: outputs(edits, only_chosen=translated is not None and run[2].name == "translate")
        for run, edits in tqdm(runs.items(), desc=f"edit {head.name}", mininterval=0.5)
    }
    tables = _Tables(head.measure, ranking, outputs.sentences, resamples, confidence, seed)
    effects, against = tables.make(plain, said)
    facts = {
        "model": head.name,
        "corpus": corpus.name,
        "kind": head.measure,
        "n_units": len(outputs),
        "n_sentences": len(np.unique(outputs.sentences)),
        "n_cut_off": outputs.n_cut_off,
    }
    return Effects(effects, against, facts)


def _shown(action: Action) -> float:
    return float("nan") if action.amount is None else action.amount


_Run = tuple[int, int, Action]
"""Seed of the random neurons or NO_SEED, k, action."""


class _Tables:
    """From what the model said to tables with intervals."""

    def __init__(
        self, kind: str, ranking: str, sentences: np.ndarray, resamples: int, confidence: float,
        seed: int,
    ):  # fmt: skip
        self._kind, self._ranking, self._seed = kind, ranking, seed
        self._sentence = np.unique(sentences, return_inverse=True)[1]
        sizes = np.bincount(self._sentence)
        rng = np.random.default_rng(seed)
        counts = rng.multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), resamples)
        # How often each sentence counts: once as they are, then in every resample.
        self._counts = np.vstack([np.ones_like(sizes), counts]).astype(float)
        self._units = self._counts @ sizes
        self._tails = (1 - confidence) / 2, (1 + confidence) / 2

    def make(self, plain: Said, said: dict[_Run, Said]) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the tables of effects and of differences from random neurons."""
        import pandas as pd

        base = self._resampled(plain, plain)
        changes: dict[_Run, dict[str, np.ndarray]] = {}
        rows = [
            (self._kind, "none", self._ranking, 0, "none", np.nan, NO_SEED, name, values[0])
            + (0.0, 0.0, 0.0)
            for name, values in base.items()
        ]
        for (drawn, k, action), answer in said.items():
            which = "top" if drawn == NO_SEED else "random"
            values = self._resampled(answer, plain)
            changes[drawn, k, action] = change = {n: values[n] - base[n] for n in base}
            rows += [
                (self._kind, which, self._ranking, k, action.name, _shown(action), drawn, name)
                + (values[name][0], change[name][0], *self._interval(change[name][1:]))
                for name in base
            ]
        against = [
            (self._kind, self._ranking, k, action.name, _shown(action), name)
            + self._against(changes, k, action, name)
            for drawn, k, action in said
            if drawn == NO_SEED and len({run[0] for run in said}) > 1
            for name in base
        ]
        return pd.DataFrame(rows, columns=EFFECTS), pd.DataFrame(against, columns=AGAINST_RANDOM)

    def _resampled(self, answer: Said, plain: Said) -> dict[str, np.ndarray]:
        """Return each measure on all sentences and on every resample, shape (1 + resamples,)."""
        units = (answer.log_probability, answer.correct, answer.predicted != plain.predicted)
        sums = np.stack([np.bincount(self._sentence, weights=values) for values in units])
        means = (self._counts @ sums.T).T / self._units
        found: dict[str, np.ndarray] = dict(zip(MEASURES, means, strict=True))
        if self._kind == "next":
            found["perplexity"] = np.exp(-found["log_probability"])
        return found

    def _interval(self, values: np.ndarray) -> tuple[float, float]:
        low, high = np.quantile(values, self._tails)
        return float(low), float(high)

    def _against(
        self, changes: dict[_Run, dict[str, np.ndarray]], k: int, action: Action, name: str
    ) -> tuple[float, ...]:
        top = changes[NO_SEED, k, action][name]
        random = np.stack(
            [
                change[name]
                for (drawn, number, done), change in changes.items()
                if drawn != NO_SEED and number == k and done == action
            ]
        )
        n = len(random)
        rng = np.random.default_rng([self._seed, n])
        drawn = rng.multinomial(n, np.full(n, 1 / n), len(top) - 1).T / n
        differences = top[1:] - (random[:, 1:] * drawn).sum(0)
        single = random[:, 0]
        reached = int((np.abs(single) >= abs(top[0]) * (1 - 1e-12)).sum())
        return (
            float(top[0]), float(single.mean()), float(single.min()), float(single.max()), n,
            float(top[0] - single.mean()), *self._interval(differences), (1 + reached) / (1 + n),
        )  # fmt: skip

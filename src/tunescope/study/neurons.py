"""The part of a study about individual neurons: rank, select, reduce, intervene."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from tunescope.errors import InputError
from tunescope.models.heads import find_measure
from tunescope.models.load import find_device
from tunescope.neurons.intervene import intervene
from tunescope.neurons.rank import rank
from tunescope.neurons.rankings import RANKINGS
from tunescope.neurons.reduce import reduce
from tunescope.neurons.select import select
from tunescope.neurons.shift import compare_neurons
from tunescope.study.file import Study
from tunescope.study.jobs import ABSENT, Jobs
from tunescope.study.shared import common_rows, compare_once, labels_of


def neurons(
    study: Study,
    out: Path,
    jobs: Jobs,
    corpora: dict[str, Any],
    name: str,
    models: dict[str, Any],
    stores: dict[str, Any],
    device: str,
) -> None:
    """Do the steps on neurons for every label column of one corpus and every model.

    Parameters
    ----------
    study : Study
        With `[rank]`.
    out : Path
        The run's folder.
    jobs : Jobs
        What doing a step means.
    corpora : dict
        Corpora by name; `name` is the one with labels.
    name : str
        The corpus.
    models, stores : dict
        References to the models and their activations on the corpus, by name.
    device : str
        Where models run and probes are fitted.
    """
    if corpora[name] is ABSENT:
        return
    assert study.rank is not None
    fitted_on = str(find_device(device))
    across = any(RANKINGS[ranking].needs_others for ranking in study.rank.rankings)
    for label in labels_of(corpora[name], study.rank_labels):
        labelled, found = out / "neurons" / name / quote(label, safe=""), {}
        for model, store in stores.items():
            what, folder = f"{name}/{label}/{model}", labelled / model
            others = [other for key, other in stores.items() if key != model] if across else []
            of = study.models[model].base or model
            compared = stores if across else {m: stores[m] for m in study.family(of) if m in stores}
            ranked = found[model] = jobs.do(
                "rank", what, folder / "rank", rank, store, label, rows=common_rows(compared),
                others=ABSENT if ABSENT in others else others, device=fitted_on, step=study.rank,
            )  # fmt: skip
            for step, do, parameters in (
                ("select", select, study.select),
                ("reduce", reduce, study.reduce),
            ):
                if parameters is not None:
                    jobs.do(
                        step, what, folder / step, do, ranked, store, device=fitted_on,
                        step=parameters,
                    )  # fmt: skip
            if study.intervene is not None:
                _intervene(study, jobs, corpora, what, folder, ranked, store, models[model], device)
        for base, tuned in study.pairs if jobs.does else ():
            if ABSENT not in (found[base], found[tuned]):
                pair = labelled / f"{base}--{tuned}"
                jobs.attempt(
                    "shift", f"{name}/{label}/{pair.name}", compare_once, pair, compare_neurons,
                    found[base], [found[tuned]],
                )  # fmt: skip


def _intervene(
    study: Study, jobs: Jobs, corpora: dict[str, Any], what: str, folder: Path, ranked: Any,
    store: Any, model: Any, device: str,
) -> None:  # fmt: skip
    """Measure a model by the head it has; what cannot be measured is skipped, with the reason."""
    folder /= "intervene"
    try:
        measure = ABSENT if model is ABSENT else find_measure(model)
    except InputError as error:
        jobs.skip("intervene", what, folder, str(error))
        return
    names = study.intervene_sentences if measure in ("task", ABSENT) else ("",)
    if not names:
        jobs.skip(
            "intervene", what, folder,
            "the model predicts classes of sentences: set sentences in [intervene] to a corpus "
            "whose sentences have some",
        )  # fmt: skip
    for name in names:
        of, place = (f"{what}/{name}", folder / name) if name else (what, folder)
        jobs.do(
            "intervene", of, place, intervene, ranked, store, model, optional=InputError,
            sentences=corpora[name] if name else None, device=device, step=study.intervene,
        )  # fmt: skip

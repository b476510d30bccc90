"""What of a run is needed to ask one of its models, and to explain what it says."""

from __future__ import annotations

from typing import Any

from tunescope.models.reference import ModelRef, find_model
from tunescope.study.result import Run


def model_of(run: Run, name: str) -> ModelRef:
    """Return a model of a study, by its name there.

    Parameters
    ----------
    run : Run
        Results of the study.
    name : str
        One of its models.

    Raises
    ------
    InputError
        If the model is not where it was.
    """
    source = run.study.models[name]
    if source.path is None:  # tuned by the study itself
        return find_model(run.path / "models" / name, name=name)
    return find_model(source, name=name, relative_to=run.study.folder)


def explainer_inputs(run: Run, corpus: str, base: str, model: str) -> dict[str, Any]:
    """Return what an `Explainer` takes, as keywords.

    Parameters
    ----------
    run : Run
        Results of a study.
    corpus, base, model : str
        A key of `run.latent.mappers`.

    Raises
    ------
    InputError
        If the model is not where it was.
    """
    pairs = [pair for pair in run.alignments if pair[0] == corpus and model in pair[1:]]
    own = max(pairs, key=lambda pair: pair[2] == model, default=None)
    return {
        "model": model_of(run, model),
        "concepts": run.path / "concepts" / corpus / model,
        "mapper": run.latent.mappers[corpus, base, model],
        "alignment": None if own is None else run.alignments[own],
        "names": run.latent.names.get((corpus, model)),
    }

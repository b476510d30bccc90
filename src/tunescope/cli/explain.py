"""Commands that explain predictions through latent concepts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from tunescope.cli.app import CorpusFlags, Flat, app, show
from tunescope.steps import CheckExplanations, Explain, MapConcepts


@app.command
def map_concepts(
    activations: Path,
    concepts: Path,
    out: Path,
    *,
    step: Annotated[MapConcepts, Flat] = MapConcepts(),  # noqa: B008
    device: str = "auto",
) -> None:
    """Learn, at every layer, which concept a word's vector belongs to; measure it on other words.

    Parameters
    ----------
    activations
        Folder written by `tunescope extract`.
    concepts
        Folder written by `tunescope concepts` for these activations.
    out
        Folder for the mapper.
    device
        Where it is fitted: auto, cpu, cuda:1, ...
    """
    from tunescope.explanations.mapping import map_concepts as do
    from tunescope.models.load import find_device

    show(do(activations, concepts, out, device=str(find_device(device)), step=step))


@app.command
def explain(
    source: Path,
    texts: Annotated[tuple[str, ...], Parameter(consume_multiple=False, allow_leading_hyphen=True)],
    *,
    second: tuple[str, ...] = (),
    model: str | None = None,
    concepts: Path | None = None,
    corpus: str | None = None,
    alignment: Path | None = None,
    names: Path | None = None,
    page: Path | None = None,
    save: Path | None = None,
    step: Annotated[Explain, Flat] = Explain(),  # noqa: B008
    device: str = "auto",
) -> None:
    """Explain a classifier's predictions: salient words, and the latent concept of each.

    Parameters
    ----------
    source
        A run's folder, or a folder written by `tunescope map-concepts`; the latter needs `model`
        and `concepts`.
    texts
        Texts to explain; each in quotation marks.
    second
        For a classifier of pairs, the second text of each.
    model
        The classifier: in a run, a model's name, and needed only if several have a mapper; else a
        Hugging Face id or folder.
    concepts
        Folder written by `tunescope concepts`.
    corpus
        In a run: the corpus whose words were clustered, if there are several.
    alignment
        Folder written by `tunescope align`, for labels and fates of the concepts.
    names
        Folder written by `tunescope name` for these concepts; in a run, its own names when not
        given.
    page
        Write a page with the explanations to this file, too.
    save
        Write them as JSON to this file, too.
    device
        Where the model runs: auto, cpu, cuda:1, ...
    """
    from tunescope.errors import InputError
    from tunescope.explanations.explain import explain as do

    if second and len(second) != len(texts):
        raise InputError(f"{len(second)} second texts for {len(texts)} texts: give one for each")
    if (source / "study.toml").exists():
        found = _of_run(source, model, corpus)
    elif model is None or concepts is None:
        raise InputError(
            f"{source} is no run's folder: give --model and --concepts beside the mapper"
        )
    else:
        found = {"model": model, "concepts": concepts, "mapper": source}
    given: Any = list(zip(texts, second, strict=True)) if second else texts
    if alignment is not None:
        found["alignment"] = alignment
    if names is not None:
        found["names"] = names
    options: dict[str, Any] = {key: found.get(key) for key in ("alignment", "names")}
    result = do(
        found["model"], found["concepts"], found["mapper"], *given, device=device, step=step,
        **options,
    )  # fmt: skip
    _show(result, page, save)


@app.command
def check_explanations(
    model: str,
    out: Path,
    *,
    texts: CorpusFlags,  # not flat: max_... of both would clash
    step: Annotated[CheckExplanations, Flat] = CheckExplanations(),  # noqa: B008
    device: str = "auto",
) -> None:
    """Test whether salient words matter more to a classifier's predictions than random words.

    Parameters
    ----------
    model
        Hugging Face id or folder of a classifier.
    out
        Folder for the result.
    texts
        Sentences to test on.
    device
        Where the model runs: auto, cpu, cuda:1, ...
    """
    from tunescope.corpus.read import read_source
    from tunescope.explanations.check import check_explanations as do

    show(do(model, read_source(texts), out, device=device, step=step))


def _show(result: Any, page: Path | None, save: Path | None) -> None:
    from rich.console import Console

    Console(highlight=False).print(result)
    if page is not None:
        from tunescope.explanations.html import as_page
        from tunescope.files import atomic_file

        with atomic_file(page) as temporary:
            temporary.write_text(as_page(result), encoding="utf-8")
    if save is not None:
        result.save(save)


def _of_run(run: Path, model: str | None, corpus: str | None) -> dict[str, Any]:
    """Find a run's mapper, and what belongs to it."""
    from tunescope.errors import InputError, nearest
    from tunescope.study.explaining import explainer_inputs
    from tunescope.study.result import Run

    opened = Run.load(run)
    known = {(key[0], key[2]): key for key in opened.latent.mappers}
    for given, names in ((model, {of for _, of in known}), (corpus, {on for on, _ in known})):
        if given is not None and known and given not in names:
            raise InputError(f"{run} has no mapper of {given!r}; {nearest(given, names)}")
    found = [k for k in known if corpus in (None, k[0]) and model in (None, k[1])]
    if len(found) != 1:
        listed = ", ".join(f"{of} on {on}" for on, of in found) or "none"
        raise InputError(
            f"{run}: mappers of the model and corpus asked for: {listed}; "
            + ("give --model and --corpus" if found else "the study needs [map_concepts], run")
        )
    return explainer_inputs(opened, *known[found[0]])

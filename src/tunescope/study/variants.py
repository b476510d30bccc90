"""Which models a study tunes: bases x tasks, further seeds, and checkpoints on the way.

A model that is tuned here has one name, `BASE-TASK` where it comes from the matrix of bases and
tasks. Its further seeds are `NAME.seed1`, its checkpoints `NAME@0.25`: these are probed and
compared as the model itself is, and appear nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tunescope.errors import InputError, nearest
from tunescope.models.reference import ModelSource


@dataclass(frozen=True)
class Variant:
    """The same model from another seed, or on its way.

    Parameters
    ----------
    model : str
        The tuned model it is a variant of.
    base : str
        What that was tuned from.
    seed : int
        Seed of the tuning.
    fraction : float
        Share of the training that is done; 1 at the end.
    """

    model: str
    base: str
    seed: int
    fraction: float = 1.0

    @property
    def name(self) -> str:
        """Its name in the run's folder."""
        if self.fraction < 1:
            return f"{self.model}@{self.fraction:g}"
        return f"{self.model}.seed{self.seed}"


def matrix(
    models: Mapping[str, ModelSource],
    bases: Sequence[str],
    tasks: Sequence[str],
    known: Sequence[str],
    where: str,
) -> dict[str, ModelSource]:
    """Return the models of a study with one more for every base and task.

    Parameters
    ----------
    models : mapping of str to ModelSource
        Those the study file names.
    bases, tasks : sequence of str
        Which are combined; all models that have no base, all tasks, where `bases` or `tasks` is
        empty and the other is not.
    known : sequence of str
        Tasks that are defined.
    where : str
        For messages.

    Returns
    -------
    dict of str to ModelSource
        Every base is followed by what is tuned from it.

    Raises
    ------
    InputError
        If a base or task is not defined, or a name is taken.
    """
    if not bases and not tasks:
        return dict(models)
    alone = [name for name, model in models.items() if model.base is None]
    for key, names, there in (("bases", bases, alone), ("tasks", tasks, known)):
        for name in names:
            if name not in there:
                hint = nearest(name, there) if there else "none is defined"
                raise InputError(f"{where}: [finetune] {key}: no {key[:-1]} {name!r}; {hint}")
    found = {}
    for name, model in models.items():
        found[name] = model
        if name not in (bases or alone):
            continue
        for task in tasks or known:
            made = f"{name}-{task}"
            if made in models:
                raise InputError(
                    f"{where}: [finetune] makes a model {made!r} of its bases and tasks, and "
                    "[models] has one of this name; rename it"
                )
            found[made] = ModelSource(base=name, task=task)
    return found


def variants(
    models: Mapping[str, ModelSource],
    seeds: Sequence[int],
    fractions: Mapping[str, Sequence[float]],
) -> list[Variant]:
    """Return further seeds and checkpoints of every model that is tuned.

    Parameters
    ----------
    models : mapping of str to ModelSource
        The study's models.
    seeds : sequence of int
        Seeds of tuning; the first is that of the model itself.
    fractions : mapping of str to sequence of float
        For each tuned model: at which shares of its training checkpoints are kept.
    """
    found = []
    for name, model in models.items():
        if model.task is None or model.base is None:
            continue
        found += [Variant(name, model.base, seeds[0], f) for f in fractions.get(name, ())]
        found += [Variant(name, model.base, seed) for seed in seeds[1:]]
    return found


def end_of_way(tuned: str) -> str:
    """Name the first tuning run alone, as the last of its checkpoints."""
    return f"{tuned}@1"

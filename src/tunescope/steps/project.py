"""Parameters of the map: words of a layer in two dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from tunescope.errors import InputError
from tunescope.steps.step import Step, bounded

OPTIONS: dict[str, dict[str, Any]] = {
    "tsne": {"perplexity": 30.0},
    "pca": {},
    "umap": {"n_neighbors": 15, "min_dist": 0.1},
}
"""What only some methods use, with its value when not given."""


@dataclass(frozen=True)
class Project(Step):
    """Draw words of every layer in two dimensions, those of base and tuned model in one picture.

    Parameters
    ----------
    method
        `tsne` (van der Maaten and Hinton 2008, started from the first two principal components),
        `pca` (the first two principal components) or `umap` (McInnes et al. 2018; needs the extra
        `umap`). Distances are Euclidean, as those that concepts are found with.
    n_words
        Words drawn of each layer, the same of both models. More where `per_concept` asks for more.
    per_concept
        Words drawn of each concept of each model that counts, as far as it has them. The rest is
        drawn at random, from each class of sentences as many as it has of the words left.
    layers
        Layers to draw; all that the models share when not given.
    zscore
        Whether each neuron is moved to mean 0 and scaled to deviation 1 over the words of both
        models together, before distances are taken.
    perplexity
        Of `tsne`: about how many neighbours of a word it tries to keep near (30 when not given).
    n_neighbors
        Of `umap`: the same (15 when not given).
    min_dist
        Of `umap`: how close to each other it may put words (0.1 when not given).
    trust_neighbors
        Neighbours of a word that trustworthiness looks at.
    seed
        Seed of the words drawn and of the method.
    """

    name: ClassVar[str] = "project"
    method: Literal["tsne", "pca", "umap"] = "tsne"
    n_words: int = bounded(1500, 10, 3000)
    per_concept: int = bounded(1, 0)
    layers: tuple[int, ...] | None = None
    zscore: bool = False
    perplexity: float | None = bounded(None, 2)
    n_neighbors: int | None = bounded(None, 2)
    min_dist: float | None = bounded(None, 0, 1)
    trust_neighbors: int = bounded(10, 1)
    seed: int = bounded(0, 0)

    def __post_init__(self) -> None:
        super().__post_init__()
        used = OPTIONS[self.method]
        for name in ("perplexity", "n_neighbors", "min_dist"):
            if getattr(self, name) is not None and name not in used:
                of = next(repr(method) for method in OPTIONS if name in OPTIONS[method])
                raise InputError(
                    f"step 'project': {name} is not used by method = {self.method!r}: leave it "
                    f"out, or take {of}"
                )
        # What was not given is filled in here, so that the manifest says what was done.
        for name, value in used.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)

    @property
    def options(self) -> dict[str, Any]:
        """The parameters that the method alone uses."""
        return {name: getattr(self, name) for name in OPTIONS[self.method]}

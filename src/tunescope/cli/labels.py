"""Commands that give words further labels: computed ones, and those of a token classifier."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from tunescope.cli.app import CorpusFlags, Flat, app, show
from tunescope.steps import TagWords


@app.command
def annotate(
    out: Path,
    corpus: Annotated[CorpusFlags, Flat],
    *,
    concepts: tuple[str, ...],
    absent: str = "none",
    suffixes: str | None = None,
    prefixes: str | None = None,
    min_stem: int | None = None,
    skip_punctuation: bool | None = None,
    wordnet: str | None = None,
    pos: str | None = None,
) -> None:
    """Add label columns of human-defined concepts to a corpus.

    The corpus may be a folder that this command, `tunescope tag` or `tunescope extract` wrote.

    Parameters
    ----------
    out
        Folder for the corpus with its new columns.
    concepts
        casing, first_word, last_word, suffix, prefix, wordnet (or wordnet:FOLDER).
    absent
        Label of words that are known to have none.
    suffixes
        File with a suffix on each line, in place of the English ones.
    prefixes
        The same for prefixes.
    min_stem
        Letters that an affix must leave.
    skip_punctuation
        Words without a letter or digit are neither first nor last.
    wordnet
        Folder or zip with WordNet's database files; looked for when not given.
    pos
        Label column with parts of speech for WordNet, or none.
    """
    from tunescope.concepts.human.annotate import annotate as do
    from tunescope.corpus.read import read_source

    given = {
        "suffixes": suffixes, "prefixes": prefixes, "min_stem": min_stem,
        "skip_punctuation": skip_punctuation, "wordnet": wordnet, "pos": pos,
    }  # fmt: skip
    options = {key: value for key, value in given.items() if value is not None}
    made = do(read_source(corpus), concepts, absent=absent, **options)
    made.save(out)
    show(made)


@app.command
def tag(
    model: str,
    out: Path,
    corpus: Annotated[CorpusFlags, Flat],
    *,
    step: Annotated[TagWords, Flat] = TagWords(),  # noqa: B008 (frozen)
    device: str = "auto",
) -> None:
    """Label every word of a corpus with what a Hugging Face token classifier says of it.

    The corpus may be a folder that this command, `tunescope annotate` or `tunescope extract` wrote.

    Parameters
    ----------
    model
        Hugging Face id or folder of a token classifier.
    out
        Folder for the corpus with its new column.
    device
        Where models run: auto, cpu, cuda:1, ...
    """
    from tunescope.concepts.human.tag import tag_words as do
    from tunescope.corpus.read import read_source

    show(do(read_source(corpus), model, out, device=device, step=step))

"""The name step: concepts in, names out, by a language model that the user names.

Off by default: without an address there is no request. What is sent is words and sentences of the
corpus, so an address is also a decision on who may read them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Event

import pandas as pd

from tunescope.concepts.alignment.result import Alignment
from tunescope.concepts.layer_concepts import LayerConcepts
from tunescope.concepts.naming.answers import read_answer
from tunescope.concepts.naming.asking import Asker
from tunescope.concepts.naming.check import accuracy_frame, check_frame, make_trials
from tunescope.concepts.naming.client import Client
from tunescope.concepts.naming.evidence import Evidence, counted, gather
from tunescope.concepts.naming.kept import ANSWERS, keeping_answers
from tunescope.concepts.naming.prompt import Prompt
from tunescope.concepts.naming.reply import Reply
from tunescope.concepts.naming.result import NAMES, ConceptNames
from tunescope.concepts.naming.secret import Secret
from tunescope.errors import InputError, MismatchError
from tunescope.files import hash_json, write_frame
from tunescope.manifest import finish
from tunescope.parameters import step_function
from tunescope.steps import Name

STATUS = ("ok", "refused", "failed", "empty", "too_long")


@step_function(Name)
def name_concepts(
    concepts: LayerConcepts | Path | str,
    out: Path | str,
    *,
    alignment: Alignment | Path | str | None = None,
    step: Name,
) -> ConceptNames:
    """Ask a language model for a name of each concept (Mousi et al. 2023, arXiv 2305.13386).

    Parameters
    ----------
    concepts : LayerConcepts or path
        Concepts of one model.
    out : path
        Folder for the result. A finished one for the same inputs is returned as it is; where
        requests had failed, those are made again. Answers stay in the folder when parameters
        change, so that nothing is asked twice.
    alignment : Alignment or path, optional
        An alignment of these concepts, for `which` beyond "counted".
    step : Name
        The parameters; they may be given as keywords instead.

    Returns
    -------
    ConceptNames

    Raises
    ------
    InputError
        If no address is given, the key's variable is not set, the prompt cannot be used, there is
        no such layer, or an alignment is needed and not given. A request that fails is no error:
        the concept is marked with the reason.
    MismatchError
        If the alignment is not one of these concepts.
    """
    if step.address is None:
        raise InputError(
            "name_concepts() needs an address: that of an OpenAI-compatible server, such as "
            "http://127.0.0.1:8000/v1; words of the corpus are sent to it"
        )
    concepts = concepts if isinstance(concepts, LayerConcepts) else LayerConcepts.load(concepts)
    if alignment is not None and not isinstance(alignment, Alignment):
        alignment = Alignment.load(alignment)
    prompt = Prompt.of(step.prompt)
    inputs = {
        "concepts": concepts.key,
        "alignment": alignment.key if alignment is not None else None,
        "prompt": hash_json(prompt.text),
    }
    chosen = choose(concepts, alignment, step)
    out = Path(out)
    with keeping_answers(out, step, inputs) as needed:
        if needed:
            secret = Secret.from_environment(step.key_variable)
            stop = Event()
            asker = Asker(Client(step, secret, stop), out / ANSWERS, stop)
            evidence = [
                shown
                for layer, numbers in chosen.items()
                for shown in gather(concepts, layer, numbers, step)
            ]
            replies = asker.ask([prompt.messages(shown) for shown in evidence], "names")
            names = names_frame(evidence, replies, prompt, secret, step)
            write_frame(out / "names.parquet", names)
            checks = _checks(evidence, names, asker, step)
            write_frame(out / "checks.parquet", checks)
            write_frame(out / "accuracy.parquet", accuracy_frame(names, checks, step.confidence))
            status_of = names["status"].to_list()
            facts = {
                "concepts": concepts.model,
                "corpus": concepts.words.name,
                "status": {status: status_of.count(status) for status in STATUS},
                "failed": asker.failed,
            }
            finish(out, step, inputs, facts)
    return ConceptNames.load(out)


def choose(
    concepts: LayerConcepts, alignment: Alignment | None, step: Name
) -> dict[int, list[int]]:
    """Return the concepts to name, by layer, the largest first.

    Raises
    ------
    InputError
        If there is no such layer, or an alignment is needed and not given.
    MismatchError
        If the alignment is not one of these concepts.
    """
    layers = concepts.layers if step.layers is None else step.layers
    for layer in layers:
        if layer not in concepts.layers:
            raise InputError(
                f"{concepts.path} has layers {concepts.layers[0]} to {concepts.layers[-1]}, "
                f"not {layer!r}"
            )
    chosen = {layer: counted(concepts, layer).tolist() for layer in layers}
    wanted = set(step.which)
    if "counted" not in wanted:
        if alignment is None:
            raise InputError(f"which = {', '.join(step.which)} needs an alignment of the concepts")
        rows = alignment.concepts
        marked = rows["fate"].isin(sorted(wanted))
        if "polarised" in wanted:
            marked |= rows["polarised"]
        marked &= rows["role"] == _role(concepts, alignment)
        found = set(zip(rows["layer"][marked], rows["concept"][marked], strict=True))
        chosen = {
            layer: [number for number in numbers if (layer, number) in found]
            for layer, numbers in chosen.items()
        }
    return {layer: numbers[: step.limit] for layer, numbers in chosen.items()}


def _role(concepts: LayerConcepts, alignment: Alignment) -> str:
    for role in ("base", "tuned"):
        if alignment.manifest.inputs.get(role) == concepts.key:
            return role
    raise MismatchError(
        f"{alignment.path} is not an alignment of {concepts.path}: give the one that was made "
        "from these concepts"
    )


def names_frame(
    evidence: Sequence[Evidence],
    replies: Sequence[Reply],
    prompt: Prompt,
    secret: Secret,
    step: Name,
) -> pd.DataFrame:
    """Return one row per concept (see `ConceptNames.names`)."""
    rows = []
    for shown, reply in zip(evidence, replies, strict=True):
        answer = read_answer(reply, step.max_name)
        rows.append(
            (
                shown.layer,
                shown.concept,
                secret.scrub(answer.name),
                secret.scrub(answer.description),
                answer.status,
                secret.scrub(answer.reason),
                " ".join(shown.words),
                len(shown.contexts),
                hash_json(prompt.messages(shown)),
                step.model,
                reply.seconds,
            )
        )
    return pd.DataFrame(rows, columns=NAMES)


def _checks(
    evidence: Sequence[Evidence], names: pd.DataFrame, asker: Asker, step: Name
) -> pd.DataFrame:
    trials = []
    if step.check:
        named = names[names["status"] == "ok"]
        keys = zip(named["layer"], named["concept"], strict=True)
        trials = make_trials(evidence, dict(zip(keys, named["name"], strict=True)), step)
    replies = asker.ask([trial.messages for trial in trials], "check") if trials else []
    return check_frame(trials, replies)

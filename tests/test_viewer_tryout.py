"""One's own text and trigger tried on the tuned model, and the queue before it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from runs import CLASSES, HOSTILE
from test_imports import loaded_by
from tunescope.errors import InputError, MismatchError
from tunescope.models.predicting import predict
from tunescope.study.explaining import model_of
from tunescope.study.result import Run
from tunescope.viewer.server.app import make_app
from tunescope.viewer.server.current import CurrentSite
from tunescope.viewer.server.security import Rules
from tunescope.viewer.site import Served, Site
from tunescope.viewer.tryout.bench import MOST, Bench, Busy
from tunescope.viewer.tryout.question import LONGEST_TEXT, LONGEST_TRIGGER, Question

KEY = ("odd", "base", "tuned")
HOME = "http://127.0.0.1:8765"
SENT = {"Origin": HOME, "Content-Type": "application/json"}


def given(**values: Any) -> dict[str, Any]:
    return {"corpus": "odd", "base": "base", "tuned": "tuned", "texts": ["the fox jumps"]} | values


# --- questions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"corpus": "other"}, "no triggers of this corpus"),
        ({"tuned": None}, "no triggers of this corpus"),
        ({"base": ["base"]}, "no triggers of this corpus"),
        ({"texts": "the fox"}, "give one text"),
        ({"texts": ["a", "b"]}, "give one text"),
        ({"texts": [3]}, "no text"),
        ({"texts": [" \n "]}, "empty"),
        ({"texts": ["x" * (LONGEST_TEXT + 1)]}, "at most 4,000"),
        ({"texts": ["\ud83e"]}, "half a character"),
        ({"trigger": "x" * (LONGEST_TRIGGER + 1)}, "at most 200"),
        ({"trigger": None}, "no text"),
        ({"position": "inside"}, "position is one of"),
        ({"part": "second"}, "part is one of first"),
    ],
)
def test_what_cannot_be_asked_is_said(tiny_run: Run, change: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Question.read(given(**change), tiny_run)


@pytest.mark.parametrize("layer", [99, "1", True, 1.0, [1]])
def test_a_layer_without_a_mapper_is_refused(tiny_run: Run, layer: Any) -> None:
    with pytest.raises(InputError, match="no such layer"):
        Question.read(given(layer=layer), tiny_run, explain=True)


def test_without_a_mapper_nothing_is_explained(tiny_run: Run) -> None:
    latent = SimpleNamespace(triggers=tiny_run.latent.triggers, mappers={})
    run: Any = SimpleNamespace(latent=latent)
    assert Question.read(given(), run).texts == ("the fox jumps",)
    with pytest.raises(InputError, match="map_concepts"):
        Question.read(given(), run, explain=True)


def test_texts_are_read_on_one_line(tiny_run: Run) -> None:
    found = Question.read(given(texts=[" the\nfox  "], trigger=" so\tvery "), tiny_run)
    assert (found.texts, found.trigger) == (("the fox",), "so very")


# --- the queue -----------------------------------------------------------------------------------


class Stub:
    """A model that answers when it is let go."""

    def __init__(self, wait: threading.Event | None = None):
        self.wait, self.answered = wait, []

    def answer(self, question: Question) -> dict[str, Any]:
        if self.wait is not None:
            assert self.wait.wait(10)
        if "fail" in question.trigger:
            raise RuntimeError("out of memory")
        self.answered.append(question.trigger)
        return {"trigger": question.trigger}


def asked(tiny_run: Run, *triggers: str, key: Any = KEY) -> list[Question]:
    base = Question.read(given(corpus=key[0]), tiny_run)
    return [replace(base, trigger=trigger) for trigger in triggers]


def bench_of(make: Callable[[Question], Any]) -> tuple[Bench, list[tuple[str, ...]]]:
    opened: list[tuple[str, ...]] = []

    def open_trial(question: Question) -> Any:
        opened.append(question.key)
        return make(question)

    return Bench("cpu", open_trial), opened


def test_a_model_is_loaded_once_and_questions_are_answered_in_order(tiny_run: Run) -> None:
    stub = Stub()
    bench, opened = bench_of(lambda _: stub)

    async def ask() -> list[Any]:
        return await asyncio.gather(*(bench.ask(q) for q in asked(tiny_run, *"abcd")))

    assert asyncio.run(ask()) == [{"trigger": letter} for letter in "abcd"]
    assert stub.answered == list("abcd")
    assert opened == [KEY]
    assert bench.state == {"doing": "", "waiting": 0}


def test_another_model_takes_its_place(tiny_run: Run) -> None:
    bench, opened = bench_of(lambda _: Stub())
    other = ("more", *KEY[1:])

    async def ask() -> None:
        for key in (KEY, other, other, KEY):
            await bench.ask(asked(tiny_run, "a", key=key)[0])

    asyncio.run(ask())
    assert opened == [KEY, other, KEY]


def test_who_asks_is_told_what_went_wrong_and_the_next_is_answered(tiny_run: Run) -> None:
    bench, opened = bench_of(lambda _: Stub())

    async def ask() -> list[Any]:
        questions = asked(tiny_run, "fail", "a")
        return await asyncio.gather(*(bench.ask(q) for q in questions), return_exceptions=True)

    error, answer = asyncio.run(ask())
    assert isinstance(error, RuntimeError)
    assert answer == {"trigger": "a"}
    assert opened == [KEY]


def test_a_model_that_cannot_be_loaded_is_tried_again(tiny_run: Run) -> None:
    tries: list[int] = []

    def make(_: Question) -> Stub:
        tries.append(1)
        if len(tries) == 1:
            raise InputError("no weights there")
        return Stub()

    bench, _ = bench_of(make)
    [question] = asked(tiny_run, "a")
    with pytest.raises(InputError, match="no weights"):
        asyncio.run(bench.ask(question))
    assert asyncio.run(bench.ask(question)) == {"trigger": "a"}


def test_the_state_says_what_is_done_and_too_many_are_sent_away(tiny_run: Run) -> None:
    release = threading.Event()
    bench, _ = bench_of(lambda _: Stub(release))

    async def ask() -> None:
        first = asyncio.ensure_future(bench.ask(asked(tiny_run, "a")[0]))
        while bench.state["doing"] != "Asking tuned":
            await asyncio.sleep(0.01)
        rest = [asyncio.ensure_future(bench.ask(q)) for q in asked(tiny_run, *"b" * MOST)]
        await asyncio.sleep(0)
        assert bench.state == {"doing": "Asking tuned", "waiting": MOST}
        with pytest.raises(Busy, match="try again"):
            await bench.ask(asked(tiny_run, "c")[0])
        for one in rest:
            one.cancel()  # who asked waits no longer
        await asyncio.gather(*rest, return_exceptions=True)
        await asyncio.sleep(0)
        release.set()
        assert await first == {"trigger": "a"}

    asyncio.run(ask())
    last = asyncio.run(bench.ask(asked(tiny_run, "d")[0]))
    assert last == {"trigger": "d"}
    assert bench._trial is not None
    assert bench._trial[1].answered == ["a", "d"]  # type: ignore[attr-defined]


def test_when_the_server_ends_no_one_waits_for_a_model(tiny_run: Run) -> None:
    release = threading.Event()
    bench, _ = bench_of(lambda _: Stub(release))

    async def ask() -> None:
        waiting = [asyncio.ensure_future(bench.ask(q)) for q in asked(tiny_run, "a", "b")]
        await asyncio.sleep(0.05)
        bench.close()
        for error in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(error, Busy)
            assert "ending" in str(error)

    try:
        asyncio.run(asyncio.wait_for(ask(), 5))
    finally:
        release.set()


# --- the model -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client(tiny_run: Run) -> TestClient:
    site = CurrentSite(tiny_run.path, Served(live=True))
    app = make_app(site, Rules.of("127.0.0.1", 8765), Bench("cpu"))
    return TestClient(app, base_url=HOME, headers=SENT)


def test_probabilities_are_those_of_the_model_without_and_with_the_trigger(
    client: TestClient, tiny_run: Run
) -> None:
    from tunescope.models.heads import load_head

    text, trigger = f"the fox {HOSTILE[0]} jumps", HOSTILE[2]
    for position, put in (
        ("before", f"{trigger} {text}"),
        ("after", f"{text} {trigger}"),
        ("middle", f"the fox {trigger} {HOSTILE[0]} jumps"),
    ):
        content = given(texts=[text], trigger=trigger, position=position)
        answer = client.post("/api/try", json=content)
        assert answer.status_code == 200
        found = answer.json()
        assert found["classes"] == list(CLASSES)
        assert found["texts"] == [[text], [put]]
        left, right = found["put"]["left"], found["put"]["right"]
        assert " ".join(filter(None, [left, trigger, right])) == put
        head = load_head(model_of(tiny_run, "tuned"), measure="task", device="cpu")
        logits = predict(head.model, head.tokenizer, [(text,), (put,)]).astype(float)
        odds = np.exp(logits - logits.max(1, keepdims=True))
        expected = odds / odds.sum(1, keepdims=True)
        np.testing.assert_allclose(found["probabilities"], expected, atol=1e-6)


def test_the_flips_of_the_run_are_those_of_the_page(client: TestClient, tiny_run: Run) -> None:
    example = tiny_run.latent.triggers[KEY].examples.iloc[0]
    content = given(texts=[example["before"]], trigger=example["trigger"])
    found = client.post("/api/try", json=content).json()
    at = found["classes"].index(example["towards"])
    before, put = (row[at] for row in found["probabilities"])
    assert before == pytest.approx(example["probability"], abs=1e-4)
    assert put == pytest.approx(example["probability_with"], abs=1e-4)


def test_without_a_trigger_there_is_one_prediction(client: TestClient) -> None:
    found = client.post("/api/try", json=given()).json()
    assert len(found["probabilities"]) == 1
    assert found["put"] is None
    assert found["limit"] is None


def test_a_text_that_is_cut_off_is_said_to_be(client: TestClient) -> None:
    found = client.post("/api/try", json=given(texts=["fox " * 300])).json()
    assert found["limit"] == 64  # positions of the tiny model


def test_a_prediction_is_explained_through_concepts_that_have_pages(
    client: TestClient, tiny_run: Run
) -> None:
    site, layers = Site(tiny_run), tiny_run.latent.mappers[KEY].layers
    for layer in (layers[0], layers[-1]):
        content = given(trigger=HOSTILE[0], layer=layer)
        answer = client.post("/api/explain", json=content)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        said = client.post("/api/try", json=content).json()
        best = int(np.argmax(said["probabilities"][1]))
        assert found["predicted"] == said["classes"][best]
        assert found["probability"] == pytest.approx(said["probabilities"][1][best], abs=1e-5)
        words = [token["text"] for token in found["tokens"] if not token["special"]]
        assert "".join(words) == f"{HOSTILE[0]} the fox jumps".replace(" ", "")
        assert found["concepts"]
        for one in found["concepts"]:
            assert one["layer"] == layer
            assert found["tokens"][one["token"]]["salient"]
            assert site.get(one["card"]["path"]) is not None  # the study accepts any probability
            assert one["path"] == one["card"]["path"]  # also where none is accepted


def test_what_goes_wrong_is_a_sentence(client: TestClient) -> None:
    answer = client.post("/api/try", json=given(texts=[""]))
    assert (answer.status_code, answer.json()) == (422, {"error": "the text is empty: write one"})
    assert client.get("/api/bench").json() == {"doing": "", "waiting": 0}


def test_another_models_weights_are_not_taken_for_the_runs(
    tiny_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tunescope.viewer.tryout.live import LiveTrial

    source = replace(tiny_run.study.models["tuned"], init="random")
    monkeypatch.setitem(tiny_run.study.models, "tuned", source)
    with pytest.raises(MismatchError, match="not those that the triggers were tried on"):
        LiveTrial(tiny_run, KEY, "cpu")


def test_the_server_loads_no_model_library_before_it_is_asked(tiny_run: Run) -> None:
    code = f"""
from pathlib import Path
from tunescope.viewer.server import serve
from tunescope.viewer.server.current import CurrentSite
from tunescope.viewer.site import Served
site = CurrentSite(Path({json.dumps(str(tiny_run.path))}), Served(live=True, annotate=True))
site.warm()
assert site.get("triggers/odd-base-tuned/index.html") is not None
"""
    assert not loaded_by(code) & {"torch", "transformers", "datasets", "accelerate", "peft"}


def test_pairs_are_tried_and_explained(tiny_run: Run) -> None:
    from tunescope.viewer.tryout.live import LiveTrial

    trial = LiveTrial(tiny_run, KEY, "cpu")
    pair = replace(
        Question.read(given(), tiny_run), texts=("the fox jumps", "a dog sleeps"), trigger="foxer",
        part="second",
    )  # fmt: skip
    found = trial.answer(pair)
    assert found["texts"][1] == ["the fox jumps", "foxer a dog sleeps"]
    assert found["put"] == {"part": 1, "left": "", "trigger": "foxer", "right": "a dog sleeps"}
    assert np.shape(found["probabilities"]) == (2, len(CLASSES))
    why = trial.answer(replace(pair, explain=True))
    words = [(t["text"], t["part"]) for t in why["tokens"] if not t["special"]]
    assert words[3:] == [("foxer", 1), ("a", 1), ("dog", 1), ("sleeps", 1)]

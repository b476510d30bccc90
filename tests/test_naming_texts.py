"""Answers and addresses: what counts as a name, a refusal, and a place to send words to."""

from __future__ import annotations

import pytest

from tunescope.concepts.naming.answers import read_answer, read_choice
from tunescope.concepts.naming.plain import plain_line
from tunescope.concepts.naming.refusals import is_refusal
from tunescope.concepts.naming.reply import Reply
from tunescope.errors import InputError
from tunescope.steps import Name


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't assist with that.",
        "I’m sorry, I cannot help with this request.",
        "Sorry, I can't provide a label for these words.",
        "Sorry, but we are not able to answer this.",
        "I cannot fulfill this request.",
        "I can not comply with this.",
        "I am unable to label this group.",
        "I'm not able to help with that.",
        "I won't engage with hateful content.",
        "I must decline to answer.",
        "I must respectfully decline.",
        "As an AI language model, I do not label slurs.",
        "Unfortunately, I cannot name this group.",
        "I apologize, but I cannot generate a name.",
        "My apologies, but I can't do this.",
        "I don't feel comfortable naming this group.",
        "This request violates our content policy.",
        "Your request was flagged as inappropriate.",
        "**I'm sorry, but I can't help with that.**",
    ],
)
def test_refusals_in_many_words(text):
    assert is_refusal(text)
    assert read_answer(Reply(text)).status == "refused"


@pytest.mark.parametrize(
    "text",
    [
        "Apologies and regrets",
        "Sorry, please and thank you",
        "Negated modals such as can't and won't",
        "Unable, impossible and other inability adjectives",
        "First person pronouns (I, we)",
        "Words of refusal: decline, refuse",
        "Policy and guidelines",
        "Artificial intelligence and language models",
        "Against: prepositions of opposition",
        "Unfortunately and other sentence adverbs",
    ],
)
def test_names_that_speak_of_refusing_are_names(text):
    answer = read_answer(Reply(text))
    assert (answer.status, answer.name) == ("ok", text)


@pytest.mark.parametrize(
    "text",
    [
        "Days of the week\nThey name days.",
        "Name: Days of the week\nDescription: They name days.",
        '"Days of the week"\n\nThey name days.',
        "**Days of the week**\n*They name days.*",
        "1. Days of the week\n2. They name days.",
        "- **Name:** Days of the week.\n- **Description:** They name days.",
        "```\nDays of the week\nThey name days.\n```",
        '```json\n{"name": "Days of the week", "description": "They name days."}\n```',
        "<think>I can't say what.\nHm.</think>\nDays of the week\nThey name days.",
        "Days\u202e of\u00a0the\t week\r\nThey name days.\nMore that nobody asked for.",
    ],
)
def test_ways_of_writing_a_name(text):
    answer = read_answer(Reply(text))
    assert (answer.status, answer.name, answer.description) == (
        "ok", "Days of the week", "They name days.",
    )  # fmt: skip


def test_a_cut_answer_keeps_its_name_but_not_half_a_description():
    answer = read_answer(Reply("Days of the week\nThey na", finish="length"))
    assert (answer.status, answer.name, answer.description) == ("ok", "Days of the week", "")


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("A", "A"), ("b", "B"), ("List B.", "B"), ("**A**", "A"), ("The answer is (B)", "B"),
        ("<think>A or B?</think>A", "A"), ("A or B", None), ("neither", None), ("", None),
    ],
)  # fmt: skip
def test_choices(text, choice):
    assert read_choice(Reply(text)) == choice


def test_plain_lines_have_no_control_or_direction_characters():
    text = "".join(map(chr, range(0x3000))) + "\ud800\ue000\U000e0041"
    line = plain_line(text)
    assert plain_line(line) == line
    assert not set(line) & set("\n\r\t\x1b\x7f\u0085\u2028\u2029\u200b\u202e\u2066\ufeff")
    assert "é" in line and "Ж" in line


@pytest.mark.parametrize(
    "address",
    [
        "https://api.example.org/v1",
        "https://[2001:db8::1]:8443/v1",
        "http://127.0.0.1:8000/v1",
        "http://127.1.2.3/v1",
        "http://localhost:11434/v1/",
        "http://[::1]:8000/v1",
    ],
)
def test_addresses(address):
    assert Name(address=address, model="m").address == address


@pytest.mark.parametrize(
    "address",
    [
        "http://api.example.org/v1",
        "http://localhost.example.org/v1",
        "http://127.0.0.1.example.org/v1",
        "http://10.0.0.1/v1",
        "ftp://example.org",
        "file:///etc/passwd",
        "example.org/v1",
        "https://",
        "https://example.org:port/v1",
        "https://example.org/v 1",
        "https://example.org/\u202ev1",
        "https://user:hush-hush@example.org/v1",
        "https://hush-hush@example.org/v1",
        "https://example.org/v1?key=hush-hush",
        "https://example.org/v1#hush-hush",
        "",
    ],
)
def test_addresses_that_are_refused_without_repeating_a_secret(address):
    with pytest.raises(InputError, match="address") as caught:
        Name(address=address, model="m")
    assert "hush-hush" not in str(caught.value)


def test_plain_http_can_be_allowed():
    assert Name(address="http://10.0.0.1/v1", model="m", allow_http=True).allow_http


def test_a_key_in_place_of_the_name_of_its_variable_is_not_repeated():
    with pytest.raises(InputError, match="environment variable") as caught:
        Name(key_variable="sk-hush-hush-1234")
    assert "hush" not in str(caught.value)


def test_a_model_is_needed():
    with pytest.raises(InputError, match="model"):
        Name(address="https://example.org/v1")

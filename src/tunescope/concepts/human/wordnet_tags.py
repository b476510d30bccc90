"""Which senses of WordNet a part of speech admits, and which words have none worth naming."""

from __future__ import annotations

NAME = "name"
"""Proper nouns: only what WordNet writes with a capital."""

UNTAGGED = ("n", "v", "a", "r")

_TAGS = {
    ("n",): "NOUN NN NNS",
    (NAME,): "PROPN NNP NNPS",
    ("v",): "VERB AUX VB VBD VBG VBN VBP VBZ",
    ("a",): "ADJ JJ JJR JJS",
    ("r",): "ADV RB RBR RBS",
    ("n", "a"): "NUM CD",
    (): (
        "ADP CCONJ DET INTJ PART PRON PUNCT SCONJ SYM X "
        "CC DT EX FW IN LS MD PDT POS PRP PRP$ RP TO UH WDT WP WP$ WRB"
    ),
}

TAGS: dict[str, tuple[str, ...]] = {
    tag: parts for parts, tags in _TAGS.items() for tag in tags.split()
}
"""Parts of speech of WordNet by tag: those of Universal Dependencies, and Penn Treebank's."""

_FUNCTION_WORDS = (
    "a about above after again against all am an and any are as at be because been before being "
    "below between both but by can could did do does during each few for from had has have having "
    "he her here hers him his how i if in into is it its itself may me might mine more most must "
    "my no nor not now of off on once only onto or other our ours out over own shall she should so "
    "some such than that the their theirs them then there these they this those through to too "
    "under until up us very was we were what when where which while who whom why will with within "
    "without would you your yours n't 's 're 've 'll 'd 'm"
)

FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
"""Words that WordNet has as rare nouns only (`in`: indium), or whose lexical file says little."""

"""All human-defined concepts by name; a new one is one small file and one row here.

They are computed from words, beside the label columns that a corpus comes with (Durrani et al.
2022, arXiv 2210.12696).
"""

from tunescope.concepts.human.affixes import Prefix, Suffix
from tunescope.concepts.human.casing import Casing
from tunescope.concepts.human.kind import HumanConcept
from tunescope.concepts.human.ngrams import Ngram
from tunescope.concepts.human.position import FirstWord, LastWord
from tunescope.concepts.human.subwords import Subword
from tunescope.concepts.human.word_lists import WordLists
from tunescope.concepts.human.wordnet import WordNet

HUMAN: dict[str, type[HumanConcept]] = {
    kind.name: kind
    for kind in (
        Casing,
        FirstWord,
        LastWord,
        Suffix,
        Prefix,
        Ngram,
        Subword,
        WordNet,
        WordLists,
    )
}

"""English prefixes and suffixes: derivation, and inflection of two letters and more.

Compiled for this package. Affixes of one letter (plural -s, a-) are left out: nearly every word
that ends in the letter would carry them. Longer forms of an affix stand beside it (-ation and
-ization beside -tion), as the longest one that fits is taken.
"""

from __future__ import annotations

_NOUNS = (
    "age ance ancy ant archy ary ation cide cracy crat cy dom ee eer ence ency ent er ery ess ette "
    "gram graph graphy hood ia ian iana ice ician ics ication ification ion isation ism ist ite "
    "ition itis ity ization let ling logist logy ment meter metry monger mony ness nomy ology "
    "ologist opia or oid ory osis path pathy phile philia phobe phobia phone scope scopy ship sion "
    "smith some sophy th tion tude ty ure ware worker"
)
_ADJECTIVES = (
    "able aceous acious al alike an ant ar ary ate ative ean ed en ent eous ern ese esque ful "
    "genic graphic ial iable ible ic ical ifying iform ile ine ing ious ish istic ite itious ive "
    "less like logical ly ory ose ous proof some ular ulent uous ward worthy y"
)
_VERBS = "ate ating ated ed en ened ening er ify ified ifying ing ise ised ising ish ize ized izing"
_ADVERBS = (
    "ably ally edly fold fully ially ibly ically ily ingly iously istically ively lessly ly ously "
    "ward wards ways wise"
)
_DEGREES = "er est ier iest"
_FIGURES = "illion teen ty"

_PREFIXES = (
    "ab ad aero after agro ambi an ana ante anthropo anti arch astro audio auto back be bi "
    "biblio bio by cardio centi chrono circum co col com con contra cor counter cross cryo crypto "
    "cyber de deca deci demi di dia dis down dys eco electro em en epi equi ethno eu ever ex extra "
    "fore geo half hemi hetero hexa high homo hydro hyper hypo il im in infra inter intra intro ir "
    "iso kilo macro mal mega meta micro mid milli mini mis mono morpho multi nano neo neuro non "
    "octo off omni out over paleo pan para penta per peri petro philo photo poly post pre pro "
    "proto pseudo psycho pyro quadri quasi radio re retro self semi socio step sub super sur sym "
    "syn techno tele thermo trans tri ultra un under uni up vice video well xeno"
)


def _sorted(*texts: str) -> tuple[str, ...]:
    return tuple(sorted({affix for text in texts for affix in text.split() if len(affix) > 1}))


SUFFIXES = _sorted(_NOUNS, _ADJECTIVES, _VERBS, _ADVERBS, _DEGREES, _FIGURES)
PREFIXES = _sorted(_PREFIXES)

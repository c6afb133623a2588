"""Words that hold a sentence together, and those with which people ask, greet and thank.

Alignment skips them: what is left is what a question is about. Guards that care for some of them
(negation, scope, direction, persons, tense) look at the whole text themselves.
"""

from __future__ import annotations

PREPOSITIONS = frozenset(
    "about above across after against along among around as at before behind below beneath beside"
    " between beyond by concerning despite down during for from in inside into like near of off"
    " on onto out outside over past per regarding since than through throughout to toward towards"
    " under underneath until up upon versus vs via with within without amid apart".split()
)

AUXILIARIES = frozenset(
    "am is are was were be been being do does did doing done have has had having can could shall"
    " should will would may might must ought cannot let lets gonna wanna gotta".split()
)

PRONOUNS = frozenset(
    "i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his"
    " himself she her hers herself it its itself they them their theirs themselves one ones"
    " oneself someone somebody anyone anybody everyone everybody this that these those who whom"
    " whose which what whatever whichever something anything everything there here".split()
)

JOINING = frozenset(
    "a an the and or but nor so if then because though although while whereas when where why how"
    " whether unless also too as well very really quite rather pretty just even still already yet"
    " ever actually basically currently now some any such both either else more most much many"
    " lot lots bit again not no instead".split()
)

POLITENESS = frozenset(
    "please pls plz kindly thanks thank thx ty hi hello hey hiya greetings dear sorry excuse"
    " pardon sir madam mate folks guys friend ok okay well oh um hmm ah wow quick quickly fast"
    " question wondering wonder curious urgent urgently asap advance appreciate appreciated"
    " grateful cheers maybe perhaps possibly simply regards bye goodbye sincerely".split()
)

# Frames of asking: "what is the way to", "could you tell me", "I would like to know".
FRAMES = frozenset(
    "tell explain describe show say clarify answer know understand see learn hear ask help advise"
    " suggest recommend idea ideas guide instruct instructions procedure process way ways method"
    " methods step steps manner able possible want wish need like hope try trying go going get"
    " getting give list name mention share provide find figure".split()
)

FUNCTION = PREPOSITIONS | AUXILIARIES | PRONOUNS | JOINING | POLITENESS
"""Without the frames: "give", "find" or "name" may be what a question is about."""

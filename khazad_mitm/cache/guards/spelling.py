"""One spelling for each word: contractions undone, numbers in digits, endings taken off.

No dictionary and no grammar, only regular English endings and the irregular forms that questions
are full of. Two forms of a word need one stem; that a stem is no word does not matter.
"""

from __future__ import annotations

import re
from functools import lru_cache

from khazad_mitm.cache.guards.american import american

CONTRACTIONS = {
    "can't": "can not", "cant": "can not", "cannot": "can not", "won't": "will not",
    "wont": "will not", "shan't": "shall not", "dont": "do not", "doesnt": "does not",
    "didnt": "did not", "isnt": "is not", "arent": "are not", "wasnt": "was not",
    "werent": "were not", "wouldnt": "would not", "shouldnt": "should not",
    "couldnt": "could not", "hasnt": "has not", "havent": "have not", "hadnt": "had not",
    "ain't": "is not", "im": "i am", "ive": "i have", "whats": "what is", "hows": "how is",
    "wheres": "where is", "whos": "who is", "thats": "that is", "lets": "let us",
    "let's": "let us", "y'all": "you", "ya": "you", "u": "you", "ur": "your", "r": "are",
    "gonna": "going to", "wanna": "want to", "gotta": "have to", "w/o": "without", "w/": "with",
    "b/c": "because", "cuz": "because", "pls": "please", "plz": "please", "thx": "thanks",
    "dunno": "do not know", "gimme": "give me", "lemme": "let me", "kinda": "kind of",
}  # fmt: skip
# What 's stands for after these is "is"; after any other word it is a possessive.
IS_SHORT = frozenset("what who where when why how that this it there here he she which".split())
ENDINGS = {"n't": "not", "'re": "are", "'ll": "will", "'ve": "have", "'m": "am", "'d": "would"}

UNITS = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
        " fifteen sixteen seventeen eighteen nineteen".split()
    )
}
TENS = {
    word: value * 10
    for value, word in enumerate(
        "twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2
    )
}
ORDINALS = {
    word: value
    for value, word in enumerate(
        "third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split(), start=3
    )
}
MAGNITUDES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}

IRREGULAR = {
    form: base
    for base, forms in (
        line.split(":")
        for line in (
            "go:went gone;use:used using;buy:bought;make:made;take:took taken;give:gave given;"
            "get:got gotten;"
            "write:wrote written;find:found;lose:lost;pay:paid;send:sent;spend:spent;keep:kept;"
            "build:built;think:thought;tell:told;say:said;sell:sold;meet:met;run:ran;come:came;"
            "become:became;begin:began begun;break:broke broken;choose:chose chosen;"
            "drive:drove driven;eat:ate eaten;fall:fell fallen;feel:felt;fly:flew flown;"
            "forget:forgot forgotten;grow:grew grown;hold:held;know:knew known;see:saw seen;"
            "speak:spoke spoken;steal:stole stolen;teach:taught;throw:threw thrown;"
            "understand:understood;win:won;wear:wore worn;bring:brought;catch:caught;"
            "draw:drew drawn;drink:drank drunk;fight:fought;hide:hid hidden;leave:left;"
            "lend:lent;ride:rode ridden;ring:rang rung;rise:rose risen;sing:sang sung;"
            "sink:sank sunk;sleep:slept;swim:swam swum;wake:woke woken;bite:bit bitten;"
            "tear:tore torn;shake:shook shaken;blow:blew blown;swear:swore sworn;stand:stood;"
            "stick:stuck;strike:struck stricken;sweep:swept;swing:swung;dig:dug;hang:hung;"
            "hear:heard;deal:dealt;mean:meant;lay:laid;spin:spun;bend:bent;arise:arose arisen;"
            "beat:beaten;forgive:forgave forgiven;forbid:forbade forbidden;show:shown;prove:proven;"
            "feed:fed;slide:slid;overcome:overcame;mistake:mistook mistaken;undo:undid undone;"
            "rebuild:rebuilt;rewrite:rewrote rewritten;overwrite:overwrote overwritten;"
            "freeze:froze frozen;shrink:shrank shrunk;bear:bore born;lie:lying;die:dying;"
            "child:children;person:people persons;man:men;woman:women;foot:feet;tooth:teeth;"
            "mouse:mice;goose:geese;leaf:leaves;life:lives;wife:wives;knife:knives;half:halves;"
            "criterion:criteria;phenomenon:phenomena;datum:data;index:indices;"
            "matrix:matrices;analysis:analyses;crisis:crises;diagnosis:diagnoses"
        ).split(";")
    )
    for form in forms.split()
}  # fmt: skip

# Two words one slip apart that are both words: no slip.
LOOKALIKES = frozenset(
    "trial trail angel angle diary dairy united untied casual causal martial marital desert"
    " dessert statue statute status county country quiet quite calvary cavalry sacred scared"
    " signal single affect effect adapt adopt accept except expect aspect prefix postfix insulin"
    " inulin prescribe proscribe principal principle stationary stationery complement compliment"
    " emigrate immigrate emigrant immigrant moral morale personal personnel through though"
    " thought thorough lather lathe bather bathe breath breathe cloth clothe closed clothed"
    " course coarse source sauce horse house mouse month mouth north south worth forth berth"
    " birth earth heart hearth carrot parrot butter batter better bitter letter litter latter"
    " ladder lander slander sugar cougar silver sliver silver river liver lever never fever"
    " server sever severe weather whether father farther further mother bother brother other"
    " another poison prison person reason season lesson lessen listen public pubic eastern"
    " western import export inport exports imports ascent assent descent decent dissent bridge"
    " bride brides pride prize price prices prince princes print sprint spring string strong"
    " stream steam strain train brain grain drain stain stair stairs stars share shares shard"
    " sharp shape shame shave shade table cable fable tablet cabled plane plan planet plant"
    " plants planes plains plaint paint saint faint point joint input output inlet outlet"
    " internet intranet interstate intestate intrastate intra inter ensure insure assure secure"
    " obscure flower flour tower power lower slower shower mower rower charge change chance"
    " orange range grange strange stranger danger manger manager hanger hunger hungry hungary"
    " austria australia niger nigeria iran iraq slovakia slovenia mali malawi guinea guyana"
    " gambia zambia dominica dominican columbia colombia georgia virginia sydney sidney berlin"
    " merlin dublin lisbon london paris parish polish turkey turkish irish danish spanish".split()
)


def spelled_out(word: str) -> list[str]:
    """The words that one written word, in lower case with straight apostrophes, stands for."""
    if word in CONTRACTIONS:
        return CONTRACTIONS[word].split()
    if "'" not in word:
        return [word]
    for ending, meaning in ENDINGS.items():
        if word.endswith(ending) and len(word) > len(ending):
            return [word[: -len(ending)], meaning]
    head, _, tail = word.partition("'")
    if tail in ("s", "") and head:
        return [head, "is"] if tail and head in IS_SHORT else [head]
    return [word.replace("'", "")]


def in_digits(words: list[str]) -> list[tuple[str, int]]:
    """Number words as digits, each word with its place: "twenty-five" is 25, "two hundred" 200.

    "one", "second" and "hundreds" have other uses and stay.
    """
    found: list[tuple[str, int]] = []
    value: int | None = None
    since = 0

    for index, word in enumerate(words):
        following = words[index + 1] if index + 1 < len(words) else ""
        part = TENS.get(word, UNITS.get(word))
        if word == "one" and value is None and following not in MAGNITUDES:
            part = None
        if part is not None:
            if value is not None and _takes(value, part):
                value += part
                continue
            if value is not None:
                found.append((str(value), since))
            value, since = part, index
        elif word in MAGNITUDES and value is not None:
            value *= MAGNITUDES[word]
        elif word in MAGNITUDES and found and found[-1][0] in ("a", "an"):
            value, since = MAGNITUDES[word], found.pop()[1]
        elif word in MAGNITUDES and found and re.fullmatch("[0-9]{1,4}", found[-1][0]):
            digits, since = found.pop()
            value = int(digits) * MAGNITUDES[word]
        elif word == "and" and value is not None and value >= 100 and _is_part(following):
            continue
        else:
            if value is not None:
                found.append((str(value), since))
                value = None
            found.append((str(ORDINALS.get(word, word)), index))
    if value is not None:
        found.append((str(value), since))
    return found


def _takes(value: int, part: int) -> bool:
    """Twenty takes five, and two hundred takes thirty; ten takes nothing."""
    return (value >= 20 and value % 10 == 0 and part < 10) or (value % 100 == 0 and value > 0)


def _is_part(word: str) -> bool:
    return word in TENS or word in UNITS


NO_ADVERBS = frozenset("friendly costly lonely lovely deadly orderly".split())
"""Friendly is not what a friend does."""


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """The part that the forms of a word share. Not for function words."""
    word = american(word)
    word = IRREGULAR.get(word, word)
    if len(word) <= 2 or not word.isascii() or not word.isalpha():
        return word
    if word.endswith(("ies", "ied")) and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "xes", "ches", "shes", "zzes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    if word.endswith("ing") and len(word) > 5 and _has_vowel(word[:-3]):
        word = _single(word[:-3])
    elif word.endswith("ed") and not word.endswith("eed") and len(word) > 4:
        if _has_vowel(word[:-2]):
            word = _single(word[:-2])
    elif word.endswith("ly") and len(word) > 5 and word not in NO_ADVERBS:
        word = word[:-2]
    else:
        word = _single(word)
    if len(word) > 2 and word.endswith("e"):
        word = word[:-1]
    return word[:-1] + "i" if len(word) > 2 and word.endswith("y") else word


def is_past(word: str) -> bool:
    """Has it the form of a past tense or of its participle?"""
    return word in IRREGULAR or (len(word) > 4 and word.endswith("ed") and word[-3] != "e")


def _has_vowel(part: str) -> bool:
    return any(letter in "aeiouy" for letter in part)


def _single(word: str) -> str:
    """`stopp`, `stop` of stopped; `call` becomes `cal`, everywhere alike."""
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiou" else word


def is_slip(one: str, other: str) -> bool:
    """Is one the other with a slip of the hand: two letters swapped, or one doubled or left out?

    Letters that are exchanged make another word too often: `clonidine`, `clozapine`.
    """
    if min(len(one), len(other)) < 5 or not (one.isalpha() and other.isalpha()):
        return False
    if (one in LOOKALIKES and other in LOOKALIKES) or one[0] != other[0]:
        return False
    if len(one) == len(other):
        apart = [i for i in range(len(one)) if one[i] != other[i]]
        if len(apart) != 2 or apart[1] - apart[0] != 1:
            return False
        i, j = apart
        return one[i] == other[j] and one[j] == other[i]
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) != 1 or len(short) < 6:
        return False
    i = next((i for i in range(len(short)) if short[i] != long[i]), len(short))
    # The end of a word is its form, unless a letter is doubled there: `instal`.
    return short[i:] == long[i + 1 :] and long[-1] == short[-1]

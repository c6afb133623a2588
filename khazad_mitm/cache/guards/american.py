"""British spelling read as American: colour and color, organise and organize, centre and center."""

from __future__ import annotations

import re

OURS = re.compile(
    r"(col|fav|hon|lab|neighb|behavi|flav|hum|rum|harb|vap|od|arm|sav|endeav|parl|splend|tum|vig"
    r"|glam|fav|clam|cand|rig|val)our"
)
# Words in -ise that are written so everywhere.
IN_ISE = frozenset(
    "advise exercise promise surprise enterprise franchise comprise compromise disguise premise"
    " expertise supervise improvise televise revise devise merchandise raise praise precise concise"
    " otherwise likewise clockwise paradise treatise excise demise despise advertise chastise"
    " apprise reprise cruise bruise appraise noise poise turquoise tortoise malaise braise raised"
    " crisis".split()
)
ISE = re.compile(r"(?<=[a-z]{3})is(e|es|ed|ing|er|ers|ation|ations|able)$")
YSE = re.compile(r"(anal|paral|catal|electrol|hydrol|dial)ys(e|es|ed|ing|er|ers)$")
TRE = re.compile(r"(cent|theat|met|lit|lust|spect|fib|calib|sab|somb)re(s|d)?$")
SOUNDS = (
    ("haem", "hem"), ("aemi", "emi"), ("paed", "ped"), ("anaest", "anest"), ("gynae", "gyne"),
    ("oesoph", "esoph"), ("oestr", "estr"), ("foet", "fet"), ("rrhoea", "rrhea"),
    ("manoeuv", "maneuv"), ("sulph", "sulf"), ("mould", "mold"), ("plough", "plow"),
    ("sceptic", "skeptic"), ("jeweller", "jewel"), ("moustach", "mustach"), ("archaeo", "archeo"),
    ("aluminium", "aluminum"), ("catalogue", "catalog"),
    ("dialogue", "dialog"), ("analogue", "analog"), ("programme", "program"),
    ("licence", "license"), ("defence", "defense"), ("offence", "offense"),
    ("pretence", "pretense"), ("artefact", "artifact"), ("doughnut", "donut"),
    ("pyjama", "pajama"), ("ageing", "aging"), ("judgement", "judgment"),
    ("acknowledgement", "acknowledgment"), ("skilful", "skillful"), ("cosy", "cozy"),
    ("grey", "gray"), ("kerb", "curb"), ("practis", "practic"),
)  # fmt: skip
ALONE = {"maths": "math", "cheque": "check", "cheques": "checks", "disc": "disk", "whilst": "while",
         "enrol": "enroll", "fulfil": "fulfill", "instal": "install", "storey": "story",
         "yoghurt": "yogurt", "towards": "toward", "learnt": "learned", "spelt": "spelled",
         "burnt": "burned", "dreamt": "dreamed", "spilt": "spilled", "tyre": "tire",
         "tyres": "tires"}  # fmt: skip


def american(word: str) -> str:
    """A lower-case word in American spelling, which need not be a word: for comparing only."""
    if word in ALONE:
        return ALONE[word]
    word = OURS.sub(r"\1or", word)
    for british, here in SOUNDS:
        if british in word:
            word = word.replace(british, here)
    if match := ISE.search(word):
        if word[: match.start()] + "ise" not in IN_ISE:
            word = word[: match.start()] + "iz" + match[1]
    elif match := YSE.search(word):
        word = f"{word[: match.start()]}{match[1]}yz{match[2]}"
    elif match := TRE.search(word):
        word = f"{word[: match.start()]}{match[1]}er{match[2] or ''}"
    return word

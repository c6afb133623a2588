"""Questions that are for exact repeats only, because of what they ask, not how.

- moment: about the world as it is now: "What is the weather in Rome?", "the latest version".
- creative: whoever asks wants something of its own: "another joke", "a random name".
- retry: not a question but a wish for another answer to the one before: "Try again."

To compare such a question by meaning gains little and may be wrong by tomorrow; not to compare it
costs a hit. A sentence about somebody's own affairs ("Why was my card declined today?") is no such
question, and neither is one that asks for a way ("How do I get today's date in Python?"), unless
the way itself goes out of date. Rules about English, and the plainest words of a few neighbours;
lists of words are ours.
"""

from __future__ import annotations

import re

REASONS = ("moment", "creative", "retry")
"""As in Cache-Status: `exact-only moment`."""

# What is asked stands at the beginning or the end of a long text; between them lies what it is
# asked of.
EDGE_CHARS = 600
# Of a sentence that never ends: the rules look at how one begins.
SENTENCE_CHARS = 240

_QUOTED = re.compile(r"```.*?```|`[^`\n]*`|\"[^\"\n]*\"|“[^”\n]*”|«[^»\n]*»", re.DOTALL)
_SENTENCE = re.compile(r"(?<=[.!?;。？！])\s+|\n+")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")

# A text without any of these needs no closer look; most have none.
_TRIGGERS = frozenset(
    "today today's todays tonight tonight's tomorrow tomorrow's yesterday yesterday's currently now"
    " nowadays moment present current latest newest recent recently upcoming next last this these"
    " weather forecast rain raining rainy snow snowing sunny windy cloudy umbrella hot cold warm"
    " temperature time date day year month news headlines trending happening happened price prices"
    " rate rates worth winning playing leading going lately score until till left usd eur gbp"
    " inr jpy"
    " dollar dollars euro euros pound pounds yen"
    " again retry regenerate redo rewrite rephrase reword repeat start attempt different once"
    " another other else new something more random randomly surprise joke jokes story stories poem"
    " poems haiku haikus limerick limericks riddle riddles song songs lyrics rap raps tale tales"
    " sonnet sonnets pun puns fact facts tongue line lines brainstorm flip toss coin heads"
    " roll dice"
    " die pick choose guess entertain laugh lucky"
    # Today, now and weather in German, French, Spanish, Italian, Portuguese, Dutch; once more.
    " heute heutige aktuell aktuelle aktuellen jetzt wetter aujourd'hui maintenant météo actuel"
    " actuelle hoy ahora oggi adesso meteo attuale hoje agora vandaag nochmal noch erneut encore"
    " otra".split()
)


def _any(words: str) -> str:
    """One of these words; `_` stands for a blank between two."""
    return "(?:" + "|".join(words.replace("_", " ") for words in words.split()) + ")"


def _rule(*patterns: str) -> re.Pattern[str]:
    """Any of these, in a sentence in lower case."""
    return re.compile("|".join(patterns))


# How a sentence may begin before it says what it wants.
_POLITE = re.compile(
    r"^(?:[\s,.:!-]*\b"
    + _any(
        "hi hello hey ok okay no nope well so sorry thanks and but now then just please pls kindly"
        " (?:can|could|would|will)_(?:you|u)(?:_please)? i(?:_would|'d)_like_(?:you_)?to"
        " i_(?:want|need)_(?:you_)?to let's let_me"
    )
    + r"\b)*[\s,.:!-]*"
)
_IS_ASKED = _rule(
    "^"
    + _any(
        "what what's whats which who who's whos whose where where's when when's why how how's"
        " is are"
        " was were do does did will has have had can could should would any anything tell give show"
        " list find get check look search summari[sz]e name report update fetch weather"
    )
    + r"\b",
    r"\?\s*$",
)
_IS_OWN = _rule(r"\b" + _any("i i'm i've i'd i'll my me mine we we're we've our us") + r"\b")
_IS_HIS = _rule(r"\b(?:my|our)\b", r"\b(?:until|till)\b.*\b(?:i|we|my|our)\b")
_IS_A_WAY = _rule(
    r"^how " + _any("do can could should would might to does did") + r"\b",
    r"^what(?:'s| is| are) the "
    + _any("best_ easiest_ right_ correct_ simplest_ proper_")
    + "?(?:way|command|syntax|difference)",
    r"^which (?:command|function|method)",
    "^" + _any("write implement create build fix debug refactor explain") + r"\b",
)
_IS_CODE = _rule(
    r"\b"
    + _any(
        "function method script program code class query sql regex api app endpoint command column"
        " row rows table dataframe array variable python javascript typescript java rust golang"
        r" c\+\+ c# php ruby bash shell excel formula pandas numpy react css html unit_test"
        r" algorithm"
    )
    + r"\b"
)

# Of these each day has its own.
_IS_DATED = _rule(
    r"\b"
    + _any(
        "today today's todays tonight tonight's tomorrow tomorrow's yesterday yesterday's nowadays"
        " currently presently (?:right|just|as_of|by|until)_now at_the_moment at_this_moment"
        " at_this_time at_present these_days last_night"
    )
    + r"\b",
    r"\b(?:this|last|next|upcoming|coming) "
    + _any(
        "morning afternoon evening weekend week month year season quarter monday tuesday wednesday"
        " thursday friday saturday sunday"
    )
    + r"\b",
    r"^(?:who|who's|what's|what is|what are|which)\b.*\bnow\W*$",
)
_NAMES_A_YEAR = _rule(r"\b(?:19|20)\d\d\b")

_NEWEST = _any("latest newest most_recent current up[-_]to[-_]date")
# Even a way to these goes out of date.
_IS_VERSION = _rule(rf"\b{_NEWEST}(?: \w+){{0,2}} (?:version|release|build|lts)\b")
_THINGS_NOW = _any(
    r"news headlines? updates? developments? models? prices? rates? scores? standings results?"
    r" events? trends? weather conditions temperature president ceo cto chair\w* minister"
    r" chancellor king queen pope governor mayor leader head champions? holder population"
    r" inflation situation"
    r" status state_of stock market value_of minimum_wage episode season movies? films? album song"
    r" iphone edition research traffic moon"
)
_IS_LIVE = _rule(
    # The clock and the calendar.
    r"\bwhat time (?:is it|it is)(?: now| right now| there| here| over there| in [\w ,.]+)?\W*$",
    r"\b(?:what's|what is|do you have|have you got|tell me|give me) the"
    r" (?:current |exact |local )?time(?: now| right now| there| in [\w ,.]+)?\W*$",
    r"\bwhat(?:'s| is)?(?: the)? "
    + _any("date day day_of_the_week year month")
    + r"(?: is it| it is| today| now)*\W*$",
    r"\bwhat (?:day|date|year|month) (?:is it|it is|is today)\b",
    r"\btoday's date\b|\bcurrent (?:local )?(?:time|date|day|year|month)\b",
    r"\bhow (?:many|much|long)\b[^.?]{0,80}\b(?:until|till|left|to go)\b",
    # The weather.
    r"\bweather "
    + _any("in for at near on like today tonight tomorrow report right now outside here this")
    + r"\b",
    r"\b(?:what|how)(?:'s| is| was| will)? the weather\b",
    r"^(?:the )?weather\b(?! the\b)",
    r"\b(?:weather|snow|rain) forecast\b|\bforecast for\b",
    r"\b(?:will|is|does|did|has) it (?:be |been |going to |gonna )?"
    + _any("rain snow hail sunny windy cloudy humid freezing storm")
    + r"\w*",
    r"\bis it (?:hot|cold|warm|chilly|nice|dark) "
    + _any("in out outside there here today now right")
    + r"\b",
    r"\bneed an umbrella\b|\bhow (?:hot|cold|warm|humid) is it\b",
    r"\btemperature (?:outside|today|right now|in [a-z]+\s*\??$)",
    # Prices and rates.
    r"\b"
    + _any("stock share market spot gas petrol oil gold silver bitcoin btc ethereum eth crypto")
    + r" prices?\b",
    r"\bprices? of (?:\w+ )?"
    + _any("bitcoin btc ethereum eth gold silver oil gas petrol crude stock shares?")
    + r"\b",
    r"\bwhat(?:'s| is| are) (?:the |your )?(?:\w+ )?(?:exchange|conversion) rates?\b",
    r"\bexchange rates? (?:for|from|between|of|to|today|right)\b",
    r"\bhow much (?:is|are) [\w.,$€£¥ ]* (?:worth|in "
    + _any("dollars? euros? pounds? yen usd eur gbp inr jpy")
    + r")\b",
    # What happens.
    r"\b(?:what(?:'s| is| has)?|anything) (?:been )?(?:happening|happened|trending|going on|new) "
    + _any("in around at on today now right this lately")
    + r"\b",
    r"\b"
    + _any("the breaking world local tech sports? business any recent")
    + " (?:news|headlines)"
    r"\b(?! api)",
    r"\bnews (?:about|on|from|today|in|for)\b|\bin the news\b",
    r"\bwho(?:'s| is) (?:winning|leading|playing)\b|\bwhat(?:'s| is) the score\b",
    r"\b(?:when|what time)(?:'s| is| are| does| do| will)?(?: the)? next\b",
    # What is the newest of its kind.
    rf"\b{_NEWEST}(?: \w+){{0,3}} {_THINGS_NOW}\b",
    rf"\b(?:what|who|which)(?:'s| is| are|se are)? (?:the |your )?{_NEWEST}\b"
    r"(?! (?:(?:time|date|day) )?(?:i|we|you|to|for|by|that|possible|when|on which))",
)
_IS_ABROAD = _rule(
    r"\b"
    + _any(
        r"heute heutige\w* aktuelle?n? jetzt aujourd'hui maintenant actuelle? hoy ahora oggi adesso"
        r" attuale hoje agora vandaag wetter météo meteo"
    )
    + r"\b",
    "今日|今天|现在|現在|오늘|지금|сегодня|сейчас|اليوم|आज",
)
_IS_OWN_ABROAD = _rule(
    r"\b"
    + _any(r"ich mein\w* mir wir je j'ai mon ma mes mi mis me mio mia eu meu minha ik mijn")
    + r"\b"
)
_UNSPACED = _rule(
    r"[\u0400-\u04ff\u0600-\u06ff\u0900-\u097f\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]"
)

_ADJECTIVES = (
    "(?: "
    + _any(
        r"me us up a an another some one two three \d+ any good new short long funny silly little"
        " quick original random clean dark dad bad bedtime fairy fun your best other more"
    )
    + ")*"
)
# Told to please: whoever asks again wants to hear another.
_PLEASING = _any("jokes? riddles? puns? facts? tongue_twisters? pick-?_?up_lines?")
# With a subject these are work to be done, like any other text.
_MADE = _any("stor(?:y|ies) tales? poems? haikus? limericks? songs? raps? sonnets?")
_SORTS = _any(
    "ones? jokes? stor(?:y|ies) poems? examples? ideas? riddles? facts? suggestions? options?"
    " names? recipes? songs? quotes? versions? titles? slogans? puns? alternatives?"
)
_GIVE = (
    "(?:"
    + _any("tell give show write suggest find make recommend name try how_about what_about")
    + "(?: me| us)? )?"
)
_IS_CREATIVE = _rule(
    "^" + _any("tell give know do_you_know got say share hear") + rf"{_ADJECTIVES} {_PLEASING}\b",
    "^"
    + _any("tell give write compose make create generate sing invent")
    + rf"{_ADJECTIVES} {_MADE}(?: for me| please)?\W*$",
    r"\b(?:make (?:me|us) laugh|(?:entertain|surprise) (?:me|us)|say something|feeling lucky)\b",
    r"\bbrainstorm\b",
    # Chance.
    r"\b(?:flip|toss) a coin\b|\bheads or tails\b",
    r"\broll (?:a|the|some|\d+|two) (?:\w+ )?(?:dice|die)\b|\bguess (?:a|the|my) number\b",
    r"\bpick (?:a|any|one|me a) (?:number|card|colou?r|name|winner|letter|word)\b",
    r"\b(?:pick|choose|chosen|select)(?: \w+){0,3} (?:at random|randomly)\b",
    "^"
    + _any(
        "tell give generate pick choose suggest show name say make create get find recommend select"
    )
    + r"\b(?: \w+){0,3} random\b(?! (?:forest|access|walk|seed|effects?|module|variable))",
    r"^(?:a )?random \w+(?: please)?\W*$",
    # One more, or another.
    rf"^{_GIVE}(?:(?:yet )?another|(?:a )?different|some other|other"
    rf"|(?:\d+|one|two|three|five|ten|some|a few|any) more)(?: \w+)? {_SORTS}\b",
    rf"^{_GIVE}(?:(?:yet )?another|(?:one|some|a few|any) more(?: please)?"
    r"|(?:something|anything) (?:else|different|new)(?: please)?|what else)\W*$",
)
_IS_RETRY = _rule(
    "^"
    + _any("try do answer write say generate explain start run go translate summari[sz]e")
    + r"(?: (?:it|that|this|them|over|the (?:same|last) \w+))? again\b"
    r"(?! (?:later|in \d|in a|after|tomorrow|shortly|soon))(?!.*\b(?:error|message)\b)",
    r"^(?:again|one more time|once (?:more|again)|start over)\W*$",
    r"^retry(?: (?:it|that|please|with .*))?\W*$",
    r"^(?:regenerate|redo|rewrite|rephrase|reword|repeat)"
    r"(?: (?:it|that|this|your|the (?:last |previous )?"
    + _any("answer response reply text message output")
    + "))?(?: "
    + _any("answer response reply again differently please")
    + r")*\W*$",
    r"^(?:give|have|take|make) (?:it|that|this|me) another "
    + _any("try go shot attempt answer version")
    + r"\b",
    r"^another (?:try|attempt|version|answer)\W*$",
    r"^(?:noch ?mal|erneut|encore une fois|otra vez)\W*$",
)


def reason(question: str, off: frozenset[str] = frozenset()) -> str:
    """Why this question is for exact repeats only, one of `REASONS`, or "". Never raises.

    `off`: reasons that do not count.
    """
    text = _edges(question).lower().replace("’", "'")
    if _TRIGGERS.isdisjoint(_WORD.findall(text)) and not _UNSPACED.search(text):
        return ""
    for sentence in _SENTENCE.split(_QUOTED.sub(" ", text)):
        found = _of_sentence(_POLITE.sub("", sentence[:SENTENCE_CHARS]).strip())
        if found and found not in off:
            return found
    return ""


def _of_sentence(said: str) -> str:
    if not said:
        return ""
    if _IS_RETRY.search(said):
        return "retry"
    is_code = bool(_IS_CODE.search(said))
    if not is_code and _IS_CREATIVE.search(said):
        return "creative"
    if _IS_VERSION.search(said):
        return "moment"
    if _IS_ABROAD.search(said):
        return "" if _IS_OWN_ABROAD.search(said) else "moment"
    if is_code or _IS_A_WAY.search(said) or not _IS_ASKED.search(said):
        return ""
    if _IS_LIVE.search(said):
        return "" if _IS_HIS.search(said) else "moment"
    is_dated = _IS_DATED.search(said) and not _NAMES_A_YEAR.search(said)
    return "moment" if is_dated and not _IS_OWN.search(said) else ""


def _edges(text: str) -> str:
    if len(text) <= 2 * EDGE_CHARS:
        return text
    return f"{text[:EDGE_CHARS]}\n{text[-EDGE_CHARS:]}"

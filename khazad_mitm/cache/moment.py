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
_POLITE = re.compile(
    r"^(?:[\s,.:!-]*\b(?:hi|hello|hey|ok|okay|no|nope|well|so|sorry|thanks|and|but|now|then|just"
    r"|please|pls|kindly|(?:can|could|would|will) (?:you|u)(?: please)?|i(?: would"
    r"|'d) like (?:you )?to"
    r"|i (?:want|need) (?:you )?to|let's|let me)\b)*[\s,.:!-]*"
)

# A text without any of these needs no closer look; most have none.
_TRIGGERS = frozenset(
    "today today's todays tonight tonight's tomorrow tomorrow's yesterday yesterday's currently now"
    " nowadays moment present current latest newest recent recently upcoming next last this these"
    " weather forecast rain raining rainy snow snowing sunny windy cloudy umbrella hot cold warm"
    " temperature time date day year month news headlines trending happening happened price prices"
    " rate worth winning score until till left again retry regenerate redo rewrite rephrase another"
    " else more random randomly surprise joke jokes story stories poem poems haiku limerick riddle"
    " riddles song lyrics rap tale sonnet pun fact brainstorm flip toss coin roll dice die pick"
    " choose guess entertain laugh lucky repeat attempt different once"
    " new other something heads rates facts puns haikus limericks raps sonnets tongue line lines"
    " going lately playing leading usd eur gbp inr jpy dollar dollars euro euros pound pounds yen"
    # heute, aujourd'hui, hoy, oggi, hoje and the like
    " heute heutige aktuell aktuelle aktuellen jetzt wetter gerade aujourd'hui maintenant météo"
    " actuel actuelle hoy ahora actual clima tiempo oggi adesso meteo attuale hoje agora vandaag"
    " witz blague chiste nochmal erneut encore otra noch start".split()
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")

_OWN = r"\b(?:i|i'm|i've|i'd|i'll|my|me|mine|we|we're|we've|our|us)\b"
_CODE = (
    r"\b(?:function|method|script|program|code|class|query|sql|regex|api|app|endpoint|command"
    r"|column|row|rows|table|dataframe|array|variable|python|javascript|typescript|java|rust|golang"
    r"|c\+\+|c#|php|ruby|bash|shell|excel|formula|pandas|numpy|react|css|html|unit test"
    r"|algorithm)\b"
)
_A_WAY = (
    r"^(?:how (?:do|can|could|should|would|might|to|does|did)\b|what(?:'s| is| are) the"
    r" (?:best |easiest |right |correct |simplest |proper )?(?:way|command|syntax|difference)"
    r"|which (?:command|function|method)|(?:write|implement|create|build|fix|debug|refactor"
    r"|explain)\b)"
)
_ASKS = (
    r"^(?:what|what's|whats|which|who|who's|whos|whose|where|where's|when|when's|why|how|how's"
    r"|is|are"
    r"|was|were|do|does|did|will|has|have|had|can|could|should|would|any|anything|tell|give|show"
    r"|list|find|get|check|look|search|summari[sz]e|name|report|update|fetch|weather)\b|\?\s*$"
)

# Times of which each day has its own.
_DATED = (
    r"\b(?:today|today's|todays|tonight|tonight's|tomorrow|tomorrow's|yesterday|yesterday's"
    r"|nowadays"
    r"|currently|presently|(?:right|just|as of|by|until) now|at the moment|at this (?:moment|time)"
    r"|at present|these days|last night"
    r"|(?:this|last|next|upcoming|coming) (?:morning|afternoon|evening|weekend|week|month|year"
    r"|season|quarter|monday|tuesday|wednesday|thursday|friday|saturday|sunday))\b"
    r"|^(?:who|who's|what's|what is|what are|which)\b.*\bnow\W*$"
)
_THINGS_NOW = (
    r"(?:version|release|news|headlines?|updates?|developments?|model|models|price|prices|rate"
    r"|rates"
    r"|score|scores|standings|results?|events?|trends?|weather|conditions|temperature|president"
    r"|ceo|cto|chair\w*|prime minister|minister|chancellor|king|queen|pope|governor|mayor|leader"
    r"|head|champions?|holder|population|inflation|situation|status|state of|stock|market|value of"
    r"|minimum wage|episode|season|movies?|films?|album|song|iphone|edition|research|season"
    r"|traffic|moon phase|phase of the moon)"
)
_CLOCK = (
    r"\bwhat time (?:is it|it is)(?: now| right now| there| here| over there| in [\w ,.]+)?\W*$"
    r"|\bwhat(?:'s| is) the (?:current |exact |local )?time(?: now| right now| there"
    r"| in [\w ,.]+)?\W*$"
    r"|\b(?:do you have|have you got|tell me|give me) the (?:current |exact |local )?time\W*$"
    r"|\bwhat(?:'s| is)?(?: the)? (?:date|day|day of the week|year|month)"
    r"(?: is it| it is| today| now)*\W*$|\bwhat (?:day|date|year|month) (?:is it|it is|is today)\b"
    r"|\btoday's date\b|\bcurrent (?:local )?(?:time|date|day|year|month)\b"
    r"|\bhow (?:many|much|long)\b[^.?]{0,80}\b(?:until|till|left|to go)\b"
)
_WEATHER = (
    r"\bweather (?:in|for|at|near|on|like|today|tonight|tomorrow|report|right|now|outside|here"
    r"|this)\b"
    r"|\b(?:what|how)(?:'s| is| was| will)? the weather\b|^(?:the )?weather\b(?! the\b)"
    r"|\b(?:weather|snow|rain) forecast\b|\bforecast for\b"
    r"|\b(?:will|is|does|did|has) it (?:be |been |going to |gonna )?(?:rain|snow|hail|sunny|windy"
    r"|cloudy|humid|freezing|rainy|storm)\w*|\bis it (?:hot|cold|warm|chilly|nice|dark)"
    r" (?:in|out|outside|there|here|today|now|right)\b|\bneed an umbrella\b"
    r"|\bhow (?:hot|cold|warm|humid) is it\b|\btemperature (?:outside|today|right now"
    r"|in [a-z]+\s*\??$)"
)
_MARKET = (
    r"\b(?:stock|share|market|spot|gas|petrol|oil|gold|silver|bitcoin|btc|ethereum|eth|crypto)"
    r" prices?\b|\bprices? of (?:bitcoin|btc|ethereum|eth|gold|silver|oil|gas|petrol|crude"
    r"|\w+ (?:stock"
    r"|shares?))\b|\bwhat(?:'s| is| are) (?:the |your )?(?:\w+ )?(?:exchange|conversion) rates?\b"
    r"|\bexchange rates? (?:for|from|between|of|to|today|right)\b"
    r"|\bhow much (?:is|are) [\w.,$€£¥ ]* (?:worth|in (?:dollars?|euros?|pounds?|yen|usd|eur|gbp"
    r"|inr|jpy))\b"
)
_HAPPENS = (
    r"\b(?:what(?:'s| is| has)?|anything) (?:been )?(?:happening|happened|trending|going on|new)"
    r" (?:in|around|at|on|today|now|right|this|lately)\b"
    r"|\b(?:the|breaking|world|local|tech|sports?|business|any|recent) (?:news"
    r"|headlines)\b(?!letter| api)"
    r"|\bnews (?:about|on|from|today|in|for)\b|\bwho(?:'s| is) (?:winning|leading|playing)\b"
    r"|\bwhat(?:'s| is) the score\b|\bin the news\b"
    r"|\bwhen(?:'s| is| are| does| do| will)(?: the)? next\b|\bwhat time(?:'s| is"
    r"| does)? the next\b"
)
_NEWEST = (
    r"\b(?:latest|newest|most recent|current|up[- ]to[- ]date)(?: \w+){0,3} " + _THINGS_NOW + r"\b"
    r"|\b(?:what|who|which)(?:'s| is| are|se are)? (?:the |your )?(?:latest|newest|most recent"
    r"|current)\b"
    r"(?! (?:(?:time|date|day) )?(?:i|we|you|to|for|by|that|possible|when|on which))"
)
# Even a way to these goes out of date.
_VERSIONS = r"\b(?:latest|newest|most recent|current)(?: \w+){0,2} (?:version|release|build|lts)\b"
_ABROAD = (
    r"\b(?:heute|heutige\w*|aktuelle?n?|jetzt|aujourd['’]hui|maintenant|actuelle?|hoy|ahora|oggi"
    r"|adesso|attuale|hoje|agora|vandaag)\b|\b(?:wetter|météo|meteo)\b"
    r"|今日|今天|现在|現在|오늘|지금|сегодня|сейчас|اليوم|आज"
)
_OWN_ABROAD = (
    r"\b(?:ich|mein\w*|mir|wir|je|j'ai|mon|ma|mes|mi|mis|me|mio|mia|eu|meu|minha|ik|mijn)\b"
)

_ADJECTIVES = (
    r"(?: (?:me|us|up|a|an|another|some|one|two|three|\d+|any|good|new|short|long|funny|silly"
    r"|little"
    r"|quick|original|random|clean|dark|dad|bad|bedtime|fairy|fun|your|best|other|more))*"
)
# Told to please: whoever asks again wants to hear another.
_PLEASING = r"(?:jokes?|riddles?|puns?|facts?|tongue twisters?|pick[- ]?up lines?)"
# With a subject these are work to be done, like any other text.
_MADE = r"(?:stor(?:y|ies)|tales?|poems?|haikus?|limericks?|songs?|raps?|sonnets?)"
_CREATIVE = (
    r"^(?:tell|give|know|do you know|got|say|share|hear)" + _ADJECTIVES + " " + _PLEASING + r"\b"
    r"|^(?:tell|give|write|compose|make|create|generate|sing|invent)"
    + _ADJECTIVES
    + " "
    + _MADE
    + r"(?: for me| please)?\W*$"
    r"|\bmake (?:me|us) laugh\b|\b(?:entertain|surprise) (?:me|us)\b|\bsay something\b"
    r"|\bbrainstorm\b|\bfeeling lucky\b"
    r"|\b(?:flip|toss) a coin\b|\bheads or tails\b|\broll (?:a|the|some|\d+"
    r"|two) (?:\w+ )?(?:dice|die)\b"
    r"|\bpick (?:a|any|one|me a) (?:number|card|colou?r|name|winner|letter|word)\b"
    r"|\bguess (?:a|the|my) number\b|\b(?:pick|choose|chosen|select)(?: \w+){0,3} (?:at random"
    r"|randomly)\b"
)
_RANDOM = (
    r"^(?:tell|give|generate|pick|choose|suggest|show|name|say|make|create|get|find|recommend"
    r"|select)\b"
    r"(?: \w+){0,3} random\b(?! (?:forest|access|walk|seed|effects?|module|variable))"
    r"|^(?:a )?random \w+(?: please)?\W*$"
)
_SORTS = (
    r"(?:ones?|jokes?|stor(?:y|ies)|poems?|examples?|ideas?|riddles?|facts?|suggestions?|options?"
    r"|names?|recipes?|songs?|quotes?|versions?|titles?|slogans?|puns?|alternatives?)"
)
_ANOTHER = (
    r"^(?:(?:tell|give|show|write|suggest|find|make|recommend|name|try|how about"
    r"|what about)(?: me| us)? )?"
    r"(?:(?:(?:yet )?another|(?:a )?different|some other|other|(?:\d+|one|two|three|five|ten"
    r"|some|a few"
    r"|any) more)(?: \w+)? "
    + _SORTS
    + r"\b|(?:yet )?another\W*$|(?:one|some|a few|any) more(?: please)?\W*$"
    r"|(?:something|anything) (?:else|different|new)(?: please)?\W*$)|^what else\W*$"
)
_RETRY = (
    r"^(?:(?:try|do|answer|write|say|generate|explain|start|run|go|translate|summari[sz]e)"
    r"(?: (?:it|that|this|them|over|the (?:same|last) \w+))? again"
    r"(?! (?:later|in \d|in a|after|tomorrow|shortly|soon))\b(?!.*\b(?:error|message)\b)"
    r"|again\W*$|retry(?: (?:it|that|please|with .*))?\W*$"
    r"|(?:regenerate|redo|rewrite|rephrase|reword|repeat)(?: (?:it|that|this|your|the (?:last "
    r"|previous )?"
    r"(?:answer|response|reply|text|message|output)))?(?: (?:answer|response|reply|again"
    r"|differently"
    r"|please))*\W*$"
    r"|(?:give|have|take|make) (?:it|that|this|me) another (?:try|go|shot|attempt|answer|version)\b"
    r"|another (?:try|attempt|version|answer)\W*$|one more time\W*$|once (?:more|again)\W*$"
    r"|start over\W*$|noch ?mal\b|erneut\W*$|encore une fois\W*$|otra vez\W*$)"
)


def _rule(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


_IS_RETRY = _rule(_RETRY)
_IS_CREATIVE = _rule(_CREATIVE, _ANOTHER)
_IS_RANDOM = _rule(_RANDOM)
_IS_LIVE = _rule(_CLOCK, _WEATHER, _MARKET, _HAPPENS, _NEWEST)
_IS_VERSION = _rule(_VERSIONS)
_IS_DATED = _rule(_DATED)
_IS_ABROAD = _rule(_ABROAD)
_IS_OWN = _rule(_OWN)
_IS_HIS = re.compile(r"\b(?:my|our)\b|\b(?:until|till)\b.*\b(?:i|we|my|our)\b")
_IS_OWN_ABROAD = _rule(_OWN_ABROAD)
_NAMES_A_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_IS_A_WAY = _rule(_A_WAY)
_IS_CODE = _rule(_CODE)
_IS_ASKED = _rule(_ASKS)
_UNSPACED = re.compile(
    r"[\u0400-\u04ff\u0600-\u06ff\u0900-\u097f\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]"
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
    if not is_code and (_IS_CREATIVE.search(said) or _IS_RANDOM.search(said)):
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

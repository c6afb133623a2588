"""What several words say together: read as one word, or as none.

A line is a meaning and the phrases that have it; "-" is no meaning at all. "~" begins a marker that
guards look for and no text can hold.
"""

from __future__ import annotations


def _table(lines: str) -> dict[str, str]:
    """phrase -> meaning"""
    found: dict[str, str] = {}
    meaning = ""
    for line in lines.strip().splitlines():
        phrases = line.strip()
        if ": " in phrases:
            meaning, _, phrases = phrases.partition(": ")
        for phrase in phrases.split(";"):
            if phrase.strip():
                found[phrase.strip()] = "" if meaning == "-" else meaning
    return found


# Frames of asking that mean a question word.
ASKED = _table(
    """
    ~howmany: how many; what number of; what is the number of
    ~howmuch: how much; how expensive; what amount of
    ~howlong: how long; how much time; how many days; how many hours; how many minutes;
        how many weeks; how many months; how soon; how quickly
    ~howfast: how fast; what speed
    ~howoften: how often; how frequently; how many times
    ~howold: how old
    ~howfar: how far
    ~howbig: how big; how large
    ~howtall: how tall; how high
    why: how come; why is it that; why is that; how is it that; for what reason;
        for which reason; what for; what is the reason;
        what are the reasons; what reason; what makes; what causes; what was the reason
    when: on what date; on which date; what date; which date; on what day; on which day;
        at what time; what time; in what year; in which year; what year; which year; what day;
        which day; what month; since when
    where: in what place; in which place; what place; at which place; in what city;
        in which city; in what country; in which country; what is the location of
    who: what person; which person; what people; which people; who is the person;
        which person or group; what is the name of the person
    how: what do i do; what must one do; what would i do; how is it possible; how would one;
        what is required; is there an easy way; what is a way; which way; in what way;
        in which way; by what means; what is the way; what is the best way;
        what are the ways; what are some ways; what are the best ways; what is a good way;
        what would be the best way; is there a way; is there any way; are there ways; what way;
        what are the steps; what steps; which steps; what is the procedure; what is the process;
        what is the method; what is the correct way; what is the right way;
        what is the proper way; what do i have to do; what do i need to do; what must i do;
        what should i do; what can i do
    """
)

# What a question word asks for without naming it: "how much is it", "what is its price".
IMPLIED = {
    "~howmuch": "price amount",
    "~howmany": "number",
    "~howlong": "duration time length",
    "~howfast": "speed",
    "~howoften": "frequency",
    "~howold": "age",
    "~howfar": "distance",
    "~howbig": "size",
    "~howtall": "height",
    "when": "date time",
    "where": "place location",
    "who": "person",
    "why": "reason",
    "how": "way method",
}

# Openings and closings, and other ways of being kind.
POLITE = _table(
    """
    -: quick question; quick one; real quick; one more thing; just a question;
        i have a question; a question; question about; just wondering; i was wondering if;
        i was wondering; i am wondering; i wonder if; i wonder; i would like to know;
        i want to know; i need to know; i would love to know; i am curious; out of curiosity;
        i am trying to; i would like to; i want to know how to; could you please;
        can you please; would you please; could you tell me; can you tell me; would you tell me;
        can you explain; could you explain; can you help me; could you help me; please help me;
        please help; help me; please tell me; tell me; please explain; do you know;
        do you happen to know; do you have any idea; any idea; any ideas; does anyone know;
        does anybody know; can anyone tell me; can someone tell me; can anyone explain;
        can someone explain; thanks in advance; thank you in advance; thank you;
        thank you very much; thanks a lot; many thanks; good morning team; good afternoon team;
        hi there; hello there; hey there; hi all; hi everyone; dear team; for a friend;
        as soon as possible; i appreciate it; if you do not mind; if possible; would you mind;
        let me know; i do not know; i do not understand; i am not sure; not sure;
        what i want to know is; my question is; by the way; kind regards; best regards;
        warm regards; best wishes; all the best; have a nice day; have a good day; good bye;
        please answer; please answer this; answer this; answer me this; hope you are well;
        hope you are doing well; i hope you are well; i hope you are doing well;
        hope this finds you well; hope all is well; thanks so much; thank you so much;
        thanks again; thanks for your help; thank you for your help;
        thanks for any help; any help is appreciated; any help would be appreciated
    """
)

# What says in several words what a word says in one, or what is no word of its own.
OTHER = _table(
    """
    can: is it possible; is it ok; is it okay; is it allowed; be i allowed; am i allowed; am i able;
        are you able; is there a possibility; is it permitted; is one allowed; are we allowed
    should: is it advisable; is it recommended; is it a good idea; is it wise; would you recommend
    fail: not work; no longer work; stop work; not function
    illegal: not legal
    unsafe: not safe
    impossible: not possible
    can not: not able to; unable to
    forbid: not allow; not permit
    without: with no
    what effect: what happens if; what happens when; what will happen if; what would happen if
    zoomin: zoom in
    zoomout: zoom out
    optin: opt in
    optout: opt out
    checkin: check in
    checkout: check out
    plugin: plug in
    -: or not; any longer; any more; each other; one another; of all time; there be
    not: no longer
    to: in order to; so as to
    and: as well as
    like: such as
    many: a lot of; lots of
    2: a couple of; a pair of
    12: a dozen
    currently: at the moment; right now; at present; these days; as of now
    ~world: in the world
    is: is there
    are: are there
    """
)

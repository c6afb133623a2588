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
    ~howmany: how many; what number of; what is the number of; what is the total number of;
        what is the count of
    ~howmuch: how much; how expensive; how costly; what amount of; what is the amount of
    ~howlong: how long; how much time; how many days; how many hours; how many minutes;
        how many weeks; how many months; how soon; how quickly; what length of time;
        what is the duration of; what amount of time; how many years
    ~howfast: how fast; what speed; at what speed
    ~howoften: how often; how frequently; how many times; how regularly; at what frequency
    ~howold: how old
    ~howfar: how far
    ~howbig: how big; how large
    ~howtall: how tall; how high
    why: how come; why is it that; why is that; how is it that; for what reason;
        for which reason; what for; what is the reason;
        what are the reasons; what reason; what makes; what causes; what was the reason;
        what is the cause; what are the causes; what is causing; what could be the reason;
        what might be the reason; what explains; what is wrong; what could be wrong;
        what might be wrong; what is the problem; what is the issue; what is the matter;
        what is going wrong; how does it come that; on what grounds
    when: on what date; on which date; what date; which date; on what day; on which day;
        at what time; what time; in what year; in which year; what year; which year; what day;
        which day; what month; since when; at which time; when exactly; in what month;
        in which month; by what date; by when; which month; from what date
    where: in what place; in which place; what place; at which place; in what city;
        in which city; in what country; in which country; what is the location of; where exactly;
        at what location;
        in what location; what location; which location; whereabouts; in which part;
        in what part
    who: what person; which person; what people; which people; who is the person;
        which person or group; what is the name of the person; who exactly; by whom;
        which individual; who was it that; who is it that; who was it who; who is it who;
        who was the person that; who was the person who; who is the person that;
        who is the person who; which man; which woman
    how: what do i do; what must one do; what would i do; how is it possible; how would one;
        what is required; is there an easy way; what is a way; which way; in what way;
        in which way; by what means; what is the way; what is the best way;
        what are the ways; what are some ways; what are the best ways; what is a good way;
        what would be the best way; is there a way; is there any way; are there ways; what way;
        what are the steps; what steps; which steps; what is the procedure; what is the process;
        what is the method; what is the correct way; what is the right way;
        what is the proper way; what do i have to do; what do i need to do; what must i do;
        what should i do; what can i do; how exactly; how might; what is the recommended way;
        what would be a good way; what is a good method; what is the best method;
        what is the simplest way; what is the easiest way; what are good ways;
        what are some good ways; what are some methods; what are the methods; which method;
        what method; what is the standard way; what is the usual way; what is a simple way;
        what is an easy way; is there some way; is there a simple way; is there a good way;
        what is the command; which command; what command; what is the syntax; what is the code;
        what are the instructions; what is needed; what does it take; what is involved
    how to: ways to; way to; a way to; the way to; best way to; the best way to; the right way to;
        a good way to; an easy way to; the easiest way to; the simplest way to; steps to;
        the steps to; instructions to; instructions on how to; instructions for how to;
        a guide to; guide to; a guide on how to; guide on how to; tips to; tips on how to;
        advice on how to; help on how to; what to do to; steps needed to; steps required to;
        the procedure to; the process to; the procedure for how to
    how does one: how do you go about; how do i go about; how should i go about;
        how would i go about; how can i go about; how does one go about; how to go about
    what: what kind of; what type of; what sort of; which kind of; which type of; which sort of;
        what kinds of; what types of; which kinds of; which types of
    """
)

# What a question word asks for without naming it: "how much is it", "what is its price".
IMPLIED = {
    "~howmuch": "price amount",
    "~howmany": "number count",
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

# "Not" before what these are with their first letters taken off is one of them.
NEGATED = {
    f"not {word[2:] if word[:3] not in ('dis', 'non') else word[3:]}": word
    for word in (
        "insoluble incorrect invalid inactive incomplete inaccurate invisible informal illegal"
        " illogical impossible improper impolite irregular irrelevant irresponsible unhappy unsafe"
        " unable unavailable unaware unclear uncommon unfair unfamiliar unfriendly unhealthy"
        " unimportant unknown unlikely unlimited unnecessary unpaid unpleasant unpopular unread"
        " unsuccessful unsure unusual unwell unwanted unused unfinished unsupported unauthorized"
        " unauthorised dishonest inexpensive insufficient inappropriate unsuitable unreliable"
    ).split()
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
        hi there; hello there; hey there; hi all; hi everyone; dear team; for a friend; a pair of;
        any fix; any tips; any advice; any suggestions; any hint;
        any solution; any workaround; any recommendations;
        can you tell us; could you tell us; would you tell us; tell us; please tell us;
        let us know; please let us know; can you let us know; could you let us know;
        can you help us; could you help us; please help us; we would like to know;
        we want to know; we need to know; we were wondering if; we are wondering;
        as soon as possible; i appreciate it; if you do not mind; if possible; would you mind;
        let me know; i do not know; i do not understand; i am not sure; not sure;
        what i want to know is; my question is; by the way; kind regards; best regards;
        warm regards; best wishes; all the best; have a nice day; have a good day; good bye;
        please answer; please answer this; answer this; answer me this; hope you are well;
        hope you are doing well; i hope you are well; i hope you are doing well;
        hope this finds you well; hope all is well; thanks so much; thank you so much;
        thanks again; thanks for your help; thank you for your help;
        thanks for any help; any help is appreciated; any help would be appreciated;
        i was just wondering; i am just wondering; i was wondering whether; i was wondering how;
        just wanted to ask; just wanted to know; i wanted to know; i wanted to ask; i want to ask;
        i just want to know; i just wanted to know; i just wanted to ask; i would like to ask;
        let me ask; may i ask; can i ask; could i ask; i had a question; i had a quick question;
        i have a quick question; a quick question; i have one question; could you let me know;
        can you let me know; please let me know; would you let me know; please advise;
        kindly advise; would you be able to tell me; are you able to tell me; can you say;
        could you say; could you help me understand; can you help me understand;
        help me understand; can you help me with; could you help me with; help me with;
        i need help; i need some help; i need help with; i need some help with;
        i need assistance; i need assistance with; i need your help; i need your help with;
        can i get help with; can i get some help with; can you assist me; could you assist me;
        can you assist me with; could you assist me with; please assist; please help me with;
        can you show me; could you show me; would you show me; please show me; can you give me;
        could you give me; would you give me; please give me; can you provide me with;
        could you provide me with; please provide me with; can you provide; could you provide;
        please provide; walk me through; can you walk me through; could you walk me through;
        guide me through; can you guide me through; talk me through; take me through;
        would you mind telling me; do you mind telling me; would you mind explaining;
        would it be possible to tell me; would it be possible to know; is it possible to know;
        i am hoping you can help; hoping you can help; i hope you can help;
        i hope you can help me; i hope someone can help; i was hoping you could tell me;
        i am not sure how to; i do not know how to; i do not know how; i have no idea how to;
        i am looking for; i am looking for help; i am looking to; i am stuck;
        sorry to bother you; sorry for bothering you; sorry for the question;
        sorry if this is a dumb question; dumb question; stupid question; silly question;
        newbie question; this may be a stupid question; this might be a stupid question;
        just curious; just to be sure; for future reference; in case you know; if you know;
        if you can; if you could; when you have a moment; when you have time;
        when you get a chance; at your earliest convenience; much appreciated;
        that would be great; that would be helpful; that would be nice; i would appreciate it;
        i would appreciate it if you could; i would be grateful if you could;
        i would be grateful; i would be very grateful; it would be great if you could;
        it would be nice if you could; it would be helpful if you could;
        be so kind as to; would you be so kind as to; would you be so kind; be so good as to;
        if it is not too much trouble; if that is okay; if that is ok; have a nice evening;
        have a great day; have a good one; looking forward to your reply;
        i look forward to your reply; looking forward to hearing from you; yours sincerely;
        yours faithfully; good day; hi team; hello team; hello everyone; hey guys; hey everyone;
        to whom it may concern; i hope this message finds you well; hope you can help;
        remind me; can you remind me; could you remind me; please remind me; on my account;
        for my account; thank you for any help; thank you for your time; thanks for your time;
        in your opinion; would you say; do you think you could; do you think you can;
        as far as you know; in a nutshell please; here is my question; here is the question
    """
)

# What says in several words what a word says in one, or what is no word of its own.
OTHER = _table(
    """
    can: is it possible; is it ok; is it okay; is it allowed; be i allowed; am i allowed; am i able;
        are you able; is there a possibility; is it permitted; is one allowed; are we allowed;
        would it be possible; would it be ok; would it be okay; is it fine; is it all right;
        is it alright; am i permitted; is there an option; is there any possibility; may i
    must i: do i have to; do i need to; is it necessary to; am i required to; is it required to;
        am i obliged to; have i got to; is it obligatory to; is it mandatory to;
        is it compulsory to; is it essential to
    should: is it advisable; is it recommended; is it a good idea; is it wise; would you recommend
    fail: not work; no longer work; stop work; not function; not work properly;
        not work correctly; not work any more; not work anymore; out of order; quit work
    illegal: not legal
    unsafe: not safe
    impossible: not possible
    can not: not able to; unable to; not be able to; not possible to; fail to; failing to;
        not manage to; not let me; not allow me to; impossible to; not seem to; can not seem to
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
    not: no longer; refuse to; no way to
    to: in order to; so as to
    before: prior to; ahead of; earlier than
    after: subsequent to; later than
    until: up until; till; up to the time
    because: due to; owing to; on account of; because of
    excluding: other than; apart from; aside from; except for; with the exception of; but not
    latest: newest; most current; most up to date; most recent; most recently
    ~instead: instead of; rather than; in place of
    always: every time; each time; at all times; whenever
    descending order: from highest to lowest; highest to lowest; from largest to smallest;
        largest to smallest; from high to low; high to low; from newest to oldest;
        newest first; highest first; largest first; biggest first; latest first
    ascending order: from lowest to highest; lowest to highest; from smallest to largest;
        smallest to largest; from low to high; low to high; from oldest to newest;
        oldest first; lowest first; smallest first
    withdraw cash: take out cash; take out money; take cash out; take money out; get cash out;
        get money out; get out cash; take out some cash; take out some money
    backup: back up
    sleep: fall asleep; get to sleep; go to sleep
    return it: bring it back; send it back; take it back; give it back
    return them: bring them back; send them back; take them back; give them back
    native language: first language; mother tongue
    fall: come down; fall down
    how often: with what frequency
    largest population: most populous; most people
    same: the same thing; the very same
    pause: put on hold; on hold
    abroad: other countries; foreign countries; another country; a foreign country;
        different countries; outside the country
    hours open: opening hours; opening times; business hours; hours of operation; open hours
    5 year old: like i am 5; like i be 5; as if i were 5; as if i be 5; like i am 5 years old;
        as if i were 5 years old; like i was 5; as if i was 5; like i am a 5 year old;
        as if i were a 5 year old; eli5
    login: log into; sign into; log in to; sign in to; log on to; get into my account;
        access my account; get in to my account
    can not login: locked out; locked out of my account; locked out of; login fail; login not work
    forget: not remember; can not remember; can not recall; not recall; no longer remember;
        no longer know; lost my memory of
    missing: not arrive; not yet arrive; not receive; not yet receive; not come; not yet come;
        not show up; not turn up; not been delivered; not been received; never arrive;
        never receive; never come; never show up;
        not get here; not reach me; not here yet; nothing arrive; nothing has arrived;
        nothing come; nothing has come; nobody show up; nobody has shown up; nobody come;
        nobody has come; nobody turn up; nobody has turned up
    register: create an account; create account; make an account; set up an account
    twofactor: 2fa; 2 factor authentication; 2 factor; 2 step verification; 2 step authentication;
        mfa; multi factor authentication; multifactor authentication
    avatar: profile picture; profile photo; profile image; profile pic
    darkmode: dark mode; dark theme; night mode
    coupon: promotional code; coupon code; voucher code; promotion code
    current date: today date; date of today
    current time: time now; time right now
    again: once more; one more time; once again; another time
    another: one more
    which: which of the 2; which one of the 2
    several: a number of; quite a number of
    count: number of; total number of
    from: based on; on the basis of
    help for: help against; good against; good for treating; work against
    downtown: city center; city centre; town center; town centre
    bullet: bullet point; bulleted list; bullet list; list of bullet
    continue: go on; carry on; keep going; go ahead; keep on; proceed
    elaborate: in more detail; more detailed; in greater detail; more in depth; in further detail;
        further detail; more information; more info; expand on; tell me more about; more on;
        with more detail; be more specific
    shorten: more concise; more brief; make it brief; make it more concise; less verbose;
        make this shorter; make that shorter; a shorter version; shorter version; condense;
        make it short; cut it down; more briefly; more succinct
    simplify: simpler terms; in simpler terms; more simply; in plain english; in plain language;
        in layman's terms; in simple terms; in simple words; in easy words; in simpler words;
        make it simpler; make this simpler; make it easier to understand; plain english;
        in simple language; in simpler language
    optimize: improve the performance; improve performance; make faster; improve the speed;
        increase the speed; increase the performance; boost the performance
    check: make sure; ensure; find out if; find out whether; tell if; tell whether
    noon: 12 pm; 12 noon
    dollar: usa dollar
    timezone: time zone
    so far: up to now; until now; up to this point; till now; by now
    what timezone: what time zone; which time zone
    midnight: 12 am
    forloop loop: for loop; for loops
    whileloop loop: while loop; while loops
    ifstatement statement: if statement; if statements
    in one: in a single; in just one; in only one
    on one: on a single
    speak: speak with
    contact: get hold of; get a hold of
    fill: fill in; fill out
    find: figure out; work out how; find out
    mean: stand for; refer to
    need: be in need of; have need of
    use: make use of
    decide: make a decision; come to a decision
    choose: make a choice
    pay: make a payment
    call: make a call; give a call
    complain: make a complaint; file a complaint
    reserve: make a reservation; make a booking
    buy: make a purchase
    change: make a change to; make changes to; make a change in; make changes in
    visit: pay a visit to
    have: be equipped with
    old: years of age
    and: as well as
    like: such as
    many: a lot of; lots of
    2: a couple of
    12: a dozen
    currently: at the moment; right now; at present; these days; as of now
    ~world: in the world
    is: is there
    are: are there
    """
)

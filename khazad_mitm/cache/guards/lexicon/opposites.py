"""Pairs of words that turn an answer around."""

from __future__ import annotations

PAIRS = (
    # Acts and their undoing.
    "open/close start/stop start/end start/finish begin/end begin/finish enable/disable"
    " add/remove add/delete add/drop add/subtract create/delete create/destroy create/remove"
    " insert/delete insert/remove increase/decrease raise/lower grow/shrink rise/fall gain/lose"
    " buy/sell import/export encrypt/decrypt encode/decode compress/decompress zip/unzip"
    " pack/unpack install/uninstall lock/unlock login/logout subscribe/unsubscribe"
    " register/unregister follow/unfollow block/unblock mute/unmute freeze/unfreeze freeze/thaw"
    " mount/unmount connect/disconnect attach/detach join/leave join/split merge/split"
    " combine/separate include/exclude win/lose find/lose lend/borrow push/pull push/pop"
    " send/receive give/take upload/download accept/reject accept/decline accept/refuse"
    " approve/reject approve/deny allow/deny allow/block allow/forbid allow/prevent permit/forbid"
    " allow/ban deposit/withdraw arrive/depart enter/exit enter/leave read/write pass/fail"
    " save/spend save/delete save/discard earn/spend earn/lose upgrade/downgrade promote/demote"
    " hire/fire expand/collapse expand/contract widen/narrow strengthen/weaken show/hide"
    " wake/sleep break/fix break/repair build/destroy attack/defend love/hate like/dislike"
    " agree/disagree admit/deny remember/forget fill/empty load/unload charge/discharge heat/cool"
    " cool/warm freeze/melt boil/freeze inhale/exhale bend/straighten tighten/loosen fold/unfold"
    " wrap/unwrap tie/untie dress/undress cover/uncover serialize/deserialize commit/rollback"
    " activate/deactivate mention/omit praise/criticize reward/punish succeed/fail marry/divorce"
    " gain/shed speed/slow accelerate/brake ascend/descend climb/descend rent/buy lease/buy"
    " debit/credit teach/learn cause/cure cause/prevent cause/treat treat/prevent cure/prevent"
    " much/little once/twice differ/same differ/similar differ/alike differ/common"
    " similarity/difference invest/divest refund/charge upvote/downvote encourage/discourage"
    " help/harm heal/hurt"
    " improve/worsen live/die build/fall build/collapse stop/let"
    # Directions and places.
    " left/right north/south east/west northern/southern eastern/western top/bottom front/back"
    " front/behind above/below over/under inside/outside indoor/outdoor internal/external"
    " inner/outer upper/lower horizontal/vertical forward/backward before/after upstream/downstream"
    " inbound/outbound incoming/outgoing input/output source/target source/destination"
    " departure/arrival import/export entrance/exit upstairs/downstairs local/remote"
    " domestic/international domestic/foreign national/international near/far onshore/offshore"
    " row/column client/server frontend/backend parent/child ancestor/descendant"
    # Amounts and degrees.
    " more/less more/fewer most/least most/fewest max/min maximum/minimum many/few best/worst"
    " better/worse good/bad cheapest/dearest cheap/expensive high/low highest/lowest large/small"
    " largest/smallest big/small biggest/smallest long/short longest/shortest tall/short"
    " tallest/shortest old/new old/young oldest/youngest oldest/newest earliest/latest early/late"
    " fast/slow fastest/slowest hot/cold hottest/coldest warm/cool strong/weak hard/soft"
    " hard/easy difficult/easy heavy/light thick/thin wide/narrow deep/shallow bright/dark"
    " light/dark loud/quiet rich/poor full/empty full/partial wet/dry clean/dirty sharp/blunt"
    " rough/smooth tight/loose simple/complex major/minor single/multiple single/double"
    " single/married acute/chronic benign/malignant sparse/dense rare/common frequent/rare"
    " overweight/underweight overestimate/underestimate surplus/deficit profit/loss hyper/hypo"
    " upper/lower gross/net ceiling/floor ascending/descending asc/desc junior/senior first/last"
    " last/next previous/next always/never all/none everyone/nobody everything/nothing"
    " everywhere/nowhere"
    # Judgements and states.
    " advantage/disadvantage advantage/drawback benefit/drawback benefit/risk benefit/harm"
    " pro/con strength/weakness positive/negative legal/illegal safe/unsafe safe/dangerous"
    " healthy/unhealthy possible/impossible true/false yes/no right/wrong correct/wrong"
    " correct/incorrect right/left male/female man/woman boy/girl day/night morning/evening am/pm"
    " public/private free/paid online/offline active/inactive valid/invalid guilty/innocent"
    " success/failure success/error friend/enemy war/peace summer/winter spring/autumn"
    " hero/villain optimist/pessimist introvert/extrovert asset/liability supply/demand"
    " buyer/seller landlord/tenant employer/employee teacher/student doctor/patient"
    " lender/borrower husband/wife brother/sister son/daughter mother/father king/queen"
    " uncle/aunt nephew/niece plaintiff/defendant sender/receiver sender/recipient host/guest"
    " winner/loser ally/enemy problem/solution cause/effect symptom/treatment theory/practice"
    " raw/cooked fresh/frozen fresh/stale alive/dead awake/asleep present/absent past/future"
    " present/past ancient/modern temporary/permanent manual/automatic synchronous/asynchronous"
    " sync/async static/dynamic mutable/immutable analog/digital wired/wireless odd/even"
    " prime/composite vegetarian/meat conservative/liberal prefix/suffix uppercase/lowercase"
    " missing/arrive missing/receive missing/come"
    " breakfast/dinner lunch/dinner lunch/breakfast weekday/weekend before/during after/during"
    " monthly/yearly daily/weekly weekly/monthly daily/monthly daily/yearly monthly/quarterly"
).split()

# Little words, which oppose one another only where the rest is equal: "turned on", "off".
LITTLE_PAIRS = (
    "on/off up/down in/out with/without before/after above/below over/under inside/outside"
    " more/less more/fewer most/least many/few from/to yes/no always/never on/under in/under"
    " on/behind in/behind in/outside".split()
)

# What turns a word into its opposite: happy, unhappy; legal, illegal; refundable, non-refundable.
PREFIXES = ("un", "in", "im", "il", "ir", "dis", "non", "de", "mis", "anti", "de")

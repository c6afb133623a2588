"""Words that may stand for one another where all else is equal, though not everywhere.

Unlike `synonyms` these are not read as one word: "see" is near "find" and "find" near "get", yet
"see" is not "get". A difference in such a pair alone says nothing; what is said of them does.
"""

from __future__ import annotations

# A group ends with ";". A word may be in several.
ASKING = """
    optimize fast quick speed performance; shorten short concise brief; elaborate detail expand;
    simplify plain layman; simple plain; table tabular; formal professional polite businesslike;
    casual informal friendly relaxed; implement write code; continue resume proceed; give share;
    give show provide offer; give list name; give suggest recommend propose; give tell; give write;
    show list display print; show put; show explain; tell explain describe show say; tell say;
    list name enumerate mention; list extract identify find collect; suggest recommend advise;
    explain describe discuss outline clarify teach; know learn understand find;
    write make create do; write give provide; need want; help assist support;
    answer reply respond response; return give answer; summarize condense shorten;
    rewrite rephrase reword paraphrase reformulate restate; rewrite revise edit improve;
    rewrite make; proofread correct check; expand elaborate extend; draft write prepare;
    classify categorize label tag; identify detect determine find recognize; analyze examine review
    assess evaluate inspect; estimate approximate; predict forecast; translate render put say;
    solve answer; illustrate show; imagine pretend; simplify simple easy;
"""
ACTS = """
    accept take use; pass give; reset forget; contain include; exist present; throw raise;
    send make perform issue; type enter input; press click tap push hit; tick check; browse surf;
    hire employ; quit resign; prove show demonstrate; argue claim; cite quote; cite reference;
    highlight emphasize stress; evaluate rate; crop cut; scale resize; zoom enlarge; mute silence;
    chop cut slice; mix stir combine blend; chill cool refrigerate; thaw defrost; rinse wash;
    scrub clean; repair fix mend; water irrigate; prune trim; heal recover; sweat perspire;
    memorize remember; sue prosecute; publish release issue; scrape crawl; plot draw graph chart;
    mock simulate fake; override overwrite; load import; emit fire; retry repeat; abort cancel;
    timeout expire; mount attach; forward redirect; whitelist allow; blacklist block;
    tag label mark; squash combine; ignore exclude; inspect view see; vaccinate immunize;
    see find check; see find access; see read; find get obtain; find search; get fetch retrieve;
    get receive; get read; get extract; get buy order; check track follow; check look; change
    update edit; change switch; change replace substitute; change set adjust; set configure;
    move transfer migrate; move switch; cancel end terminate stop; close cancel; close delete;
    stop disable; stop prevent avoid; stop exit quit; pause suspend freeze hold; freeze lock block
    suspend; reset recover; join concatenate combine merge; join register subscribe;
    join enter; invite add; remove clear clean; clear empty erase; remove exclude filter;
    remove strip trim; save store keep; save write; download export; download get;
    upload attach add; submit send; correct fix; solve fix handle; catch handle deal process;
    reduce limit minimize; improve better; increase improve; check test determine validate
    verify; load read import; read parse; print output display show log; call invoke run execute;
    run execute start launch; open start launch; declare define create; create initialize
    instantiate; loop iterate traverse; add insert append put; convert parse cast turn change;
    convert make; split separate break; calculate find determine get compute;
    build compile; deploy publish release; update upgrade; upgrade switch;
    kill terminate stop end; debug troubleshoot fix; optimize improve; refactor clean;
    use apply; use need; work function operate run; include cover contain feature; apply enroll
    register;
    accept take support; place make submit; pay charge cost; book order reserve buy; deliver ship
    send arrive receive; claim request apply; use redeem enter; redeem apply; report tell;
    pack bring take carry; bake cook make prepare; plant grow; relieve treat ease soothe manage;
    treat help cure heal; cause trigger; affect influence impact change; mean signify indicate
    denote; create invent develop design; found founded establish start create; beat defeat;
    locate situate; live reside; call name; hold host organize; consist comprise include contain;
    visit see; look appear seem; stay remain; begin start commence; arrive come reach;
    exchange replace swap; verify confirm; connect link attach; sync synchronize; store hold;
    schedule plan arrange book; train teach; hire find; manage control administer; measure
    determine calculate; compare differ; choose select prefer; speed accelerate; handle treat;
    protect secure guard; require need; teach explain; sign register; renew extend prolong;
    discard dispose; restart reboot relaunch; unlock open; ignore skip; repeat duplicate;
    fail break stop; crash close quit; share send; publish post; search look find; reach contact;
    allow let enable; own have; raise increase; rent hire; generate create make; access open
    reach; fill complete; pick collect fetch; obtain apply;
"""
THINGS = """
    agent representative human operator adviser; plan tier; newsletter mailing; length size;
    usage consumption; null none nil; exception error; keyword word; fragment piece; memo note;
    speech talk; slide presentation; chart graph diagram plot; statistic figure;
    survey poll questionnaire; shopper buyer customer; seller vendor merchant; supplier vendor;
    carrier courier; manufacturer maker; charger adapter; cable cord; outlet socket; headset
    headphone; login credential; comment remark; review rating; feedback comment opinion; opinion
    view; complaint issue problem; injury wound; medication medicine pill; therapy treatment;
    checkup examination; workout training exercise; vegetable veggie; dessert sweet; component
    part; tip gratuity; sight attraction; itinerary plan schedule; route way; map plan; revenue
    sales turnover income; expense spending; supervisor boss; coworker teammate colleague; holiday
    vacation leave; meeting call; agenda schedule; target goal; template sample example; font
    typeface; shade color; layout design structure; border edge outline; widget component; module
    component; certificate cert; backup copy; alert alarm warning; edge link connection; property
    attribute field; index position; position location; substring part; share proportion
    percentage; sum total; area region district; shore coast; forest wood; flooding flood;
    soldier troop; treaty agreement; revolution uprising revolt; emperor ruler king; leader chief;
    faith belief religion; artist painter; painting picture; sculpture statue; researcher
    scientist; experiment test; finding discovery; atom particle; gravity gravitation;
    order purchase; order package parcel item; item product article goods thing; subscription
    plan membership; notification alert reminder; message text; customer client user; user member;
    branch office location store; deadline cutoff; limit maximum cap restriction; discount deal
    offer promotion reduction; policy rule term condition regulation; policy coverage;
    requirement condition criterion; document paper; video clip; computer machine device;
    feature function option; setting preference option configuration; version edition release;
    screen display monitor; link url; site page; text passage article document; essay article
    paper text; point argument idea claim; takeaway point finding conclusion insight; summary
    overview synopsis gist; topic subject theme; title headline heading caption name; step stage
    phase;
    function method procedure routine; program script code; element item entry value member;
    query statement command; library package module; error bug mistake problem issue defect;
    request call; result output; character letter symbol; illness condition disorder disease;
    symptom sign; meal dish; drink beverage; weather climate; salary pay income wage earnings;
    degree diploma; job position role work; resume cv; law rule; war conflict; king ruler monarch;
    area size surface; idea suggestion tip; book novel; story tale; reason cause; guide tutorial;
    fault failure; delay wait; fee charge cost; abroad international foreign worldwide; employer
    company; landlord owner; place spot site; city place; bag luggage; amount sum total; refund
    reimburse reimbursement repay; cost expense; visa permit; team group; line row; price rate;
    building structure; shop business; money payment; warranty guarantee; staff team;
    kid baby; inhabitant resident people; hot temperature warm; cold temperature; mode state;
    background detached; cell field; database db; snippet code example; folder location;
    key main important; danger risk hazard; health healthy; fun enjoyable; trip travel tour;
"""
DESCRIBING = """
    secure safe protected; affordable cheap reasonable; late overdue; empty vacant blank; brief
    short; lengthy long; tiny small; enormous big huge; loud noisy; spicy hot; severe serious bad;
    mild slight; painful sore; contagious infectious; hereditary genetic inherited; renowned
    famous; modern contemporary; final last; earlier previous former; upcoming next; outdated
    obsolete old; deprecated obsolete; accessible available; compatible work; random arbitrary;
    identical same equal; duplicate repeated; foreign overseas; automatic automated;
    friendly kind nice; angry mad; nervous anxious;
    bigger larger; smaller tinier; faster quicker; better superior; worse inferior; easier simpler;
    harder tougher; cheaper affordable; safer secure; smarter cleverer; longer lengthier;
    shorter briefer; richer wealthier; louder noisier; closer nearer; nicer friendlier;
    last recent latest; new recent latest; new another different other; fast quick soon; quick
    soon; easy simple; dangerous harmful risky bad; safe ok fine; good healthy; good effective;
    similar same; big huge great; whole complete full; single one; each every; formal polite
    professional; main key important central primary; typical usual common normal average;
    wrong bad incorrect; wrong problem; current present; free gratis; popular common famous;
    well good;
    maximum big; maximum high; maximum long; minimum small; minimum low; minimum short;
    right correct; near close; new change; far distant; cheap low;
    expensive high; different other; strange unusual weird; necessary required; hard strong;
    suitable good appropriate; all every each; last new; course dish; beep chirp;
    accept pay; identifier id; need request; count amount; turn rewrite; night evening;
    transfer give;
    sure certain; beginner newbie novice; available possible;
"""
# Forms of one word whose stems are too short, or too unlike, to show it.
FORMS = """
    choose choice; sell sale; fail failure; sign signature; store storage; move movement;
    agree agreement; argue argument; lose loss; prove proof; believe belief; think thought;
    speak speech; hot heat; strong strength; young youth; able ability; true truth; free freedom;
    poor poverty; famous fame; grow growth; know knowledge; use usage; ship shipment; pay paid;
    live life; sit seat; see sight; give gift; fly flight; advise advice; hate hatred; enter entry;
    enter entrance; exit leave; try trial; arrive arrival; deny denial; refuse refusal; renew
    renewal; remove removal; approve approval; propose proposal; bury burial; act action; react
    reaction; vary variation; vary variety; deliver delivery; discover discovery; recover recovery;
    describe description; subscribe subscription; prescribe prescription; receive receipt reception;
    decide decision; divide division; expand expansion; extend extension; explode explosion;
    include inclusion; exclude exclusion; permit permission; admit admission; submit submission;
    transmit transmission; convert conversion; produce product production; reduce reduction;
    introduce introduction; destroy destruction; solve solution; resolve resolution; repeat
    repetition; compete competition; compare comparison; explain explanation; pronounce
    pronunciation; maintain maintenance; analyze analysis; diagnose diagnosis; synthesize synthesis;
    hypothesis hypothesize; emphasize emphasis; apply application applicant; multiply
    multiplication; simplify simplification; modify modification; notify notification; verify
    verification; qualify qualification; classify classification; identify identification;
    high height; long length; wide width; deep depth; weigh weight; tall height; broad breadth;
    warm warmth; dead death; hungry hunger; thirsty thirst; angry anger; noisy noise; sunny sun;
    crime criminal; day daily; week weekly; month monthly; year yearly; hour hourly; person
    personal; nature natural; culture cultural; globe global; medicine medical; law legal; finance
    financial; science scientific; economy economic; history historical historic; grammar
    grammatical; music musical; space spatial; time temporal; water watering; sea marine;
    two double; twice double duplicate; half halve; three triple; one single; ease easy;
    secure security;
    pure purity; real reality; equal equality; clear clarity; simple simplicity; complex complexity;
    public publicity; curious curiosity; popular popularity; valid validity; similar similarity;
    crop crops; data datum; sleep asleep; fire burn; smoke smoking; marry wedding; bake baking;
"""

GROUPS = tuple(
    group
    for text in (ASKING, ACTS, THINGS, DESCRIBING, FORMS)
    for part in text.split(";")
    if (group := part.split())
)

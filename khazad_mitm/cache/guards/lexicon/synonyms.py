"""Words and phrases that may stand for one another in a question without changing its answer.

The first of a group is what all of it is read as. Kept narrow: a synonym too many is a wrong answer
served, one too few is a call to the provider.
"""

from __future__ import annotations

# A group ends with ";"; "_" joins the words of a phrase.
DOING = """
    buy purchase acquire; start begin commence launch; end finish conclude;
    fix repair mend resolve solve troubleshoot;
    remove delete erase drop eliminate get_rid_of take_out take_away; add include append insert;
    change modify alter edit adjust;
    create make build generate produce write compose draft construct develop;
    show display present; get obtain receive; choose select pick opt; use utilize utilise employ;
    send ship dispatch; deliver delivery shipping shipment; refund money_back; return send_back
    bring_back;
    cancel call_off; stop quit give_up cease; prevent avoid; increase raise boost grow;
    decrease reduce lower lessen cut diminish reduction; improve enhance better_at; earn make_money;
    convert transform translate turn_into change_into change_to; calculate compute work_out;
    enable activate turn_on switch_on; disable deactivate turn_off switch_off;
    login log_in sign_in log_on logon signin; logout log_out sign_out log_off signout;
    register sign_up signup enroll enrol; install set_up setup; uninstall deinstall; reset re-set;
    recover restore retrieve get_back; contact reach_out get_in_touch get_hold; speak talk;
    find locate discover; search look_for look_up; see view watch;
    allow permit let allowed permitted; require need needed required requirement necessary;
    travel go_to; visit go_to_see; move relocate; pay payment; cost price fee how_much;
    check verify; explain describe clarify elaborate; summarize summarise sum_up summary;
    compare comparison contrast; differ difference distinction different distinguish;
    reverse invert flip turn_around; sort arrange order_by put_in_order; merge combine unite; divide
    split;
    copy duplicate replicate; wait await; die pass_away death dead died; kill murder;
    wed marry married marriage; born birth birthday birthdate birthplace;
    invent invention inventor; win won winner awarded; lead head run_by in_charge; own belong;
    happen occur take_place; last take_long; grow cultivate; cook prepare; study learn;
    believe think opinion; become turn_to; achieve accomplish reach; apply application;
    invest investment investing; respond response; treat treatment cure remedy remedies;
    hurt ache pain painful sore aching; sleep asleep sleeping; eat consume ingest;
    lose loss losing; fail crash broken malfunction; version release; validate validation;
    implement implementation; declare define definition; iterate loop; execute run;
"""
LIVING = """
    trip journey; house home; road street; sea ocean; sofa couch; fridge refrigerator;
    trash garbage rubbish waste; elevator lift; truck lorry; gas petrol gasoline;
    plane airplane aeroplane aircraft; taxi cab; flight fly; book reserve reservation booking;
    throw_away discard dispose_of; clean wash; close shut; arrive get_there;
    leave depart departure; postpone delay put_off; late overdue; missing lost;
    broken damaged defective faulty; coupon voucher promo_code discount_code;
    receipt proof_of_purchase; rust rusty corrode corrosion; garden yard; dog puppy; cat kitten;
    bug insect; tasty delicious; rain rainy rainfall; sun sunny sunlight sunshine; cloud cloudy;
    wind windy; gift present_for; kid_friendly suitable_for_children;
    cheaper cost_less less_expensive;
"""
TRADES = """
    fever high_temperature; operation surgery; vaccine vaccination jab immunization;
    tablet_pill pill; pregnant pregnancy; workout exercise; grade mark; homework assignment;
    thesis dissertation; contract agreement; law legislation;
    illegal unlawful forbidden prohibited banned not_allowed against_the_law;
    legal lawful allowed_by_law; mortgage home_loan; stock share; atm cash_machine cash_point;
    terminate cancel; resign step_down; employ hire recruit; fire dismiss lay_off sack;
    staff employee worker personnel; boss manager supervisor; document file;
    error_message exception;
"""
PROGRAMMING = """
    screenshot screen_capture; freeze hang; slow sluggish;
    speed_up accelerate make_faster optimize optimise; concatenate concat; character char;
    unique distinct; empty blank; boolean bool; average mean_value;
    config configuration setting settings; variable var; terminal shell console command_line cli;
    async asynchronous; auth authentication authenticate; refactor restructure rewrite;
    column field; row record; unit_test test; newline line_break; environment_variable env_var;
    pull_request merge_request; vulnerability security_hole;
"""
CONVERSING = """
    elaborate tell_me_more more_detail explain_more go_into_detail say_more more_about;
    shorten make_it_shorter shorter; sure certain; else other;
"""
THINGS = """
    phone telephone cellphone smartphone mobile; tv television; car automobile; bike bicycle;
    movie film motion_picture; photo picture photograph pic image; ad advertisement advert;
    job occupation profession career; salary wage pay_rate; company firm corporation; shop store;
    apartment flat; doctor physician; lawyer attorney; child kid; baby infant;
    person people human individual folk; mom mother mum mommy; dad father daddy; animal pet;
    luggage baggage suitcase; vacation holiday; parcel package; money cash fund; city town;
    country nation; capital capital_city; leader ruler; president presidency;
    website web_site site webpage web_page; internet web online; email e-mail mail;
    wifi wi-fi wireless_internet; laptop notebook; pc desktop computer;
    app application_software program software; password passcode; account profile; invoice bill;
    discount cheaper price_reduction rebate off_the_price; warranty guarantee;
    answer reply respond; function method_of_code; regex regular_expression regexp;
    error bug fault exception_message; folder directory; db database; repo repository;
    argument parameter param; string text_value; int integer; dict dictionary;
    delete_duplicate deduplicate remove_duplicate dedupe drop_duplicate;
    duplicate repeated repeat; documentation docs doc; command cmd; js javascript; ts typescript;
    py python; postgres postgresql; k8s kubernetes; golang go_language; ml machine_learning;
    ai artificial_intelligence; medicine medication drug med; illness disease sickness;
    stomach belly tummy abdomen; temperature temp; dose dosage; test exam examination;
    college university; teacher instructor; class course lesson; goal aim objective;
    advantage benefit pro upside plus; disadvantage drawback con downside minus; cause reason;
    purpose point; effect impact consequence result outcome; example instance sample;
    kind type sort category; role part_in; meaning mean stand_for signify definition;
    origin come_from; tip advice trick; fact information info detail; amount quantity number;
    length long; height tall high; width wide; depth deep; weight weigh heavy; distance far;
    age old; speed fast quick rapid quickly velocity; size big; population inhabitant;
"""
MORE_DOING = """
    swap exchange; transfer hand_over pass_on; revert undo roll_back rollback;
    rename change_the_name; verify see_if see_whether test_if test_whether confirm;
    collect pick_up pickup; detect recognize recognise identify; connect pair hook_up;
    deserialize deserialise unmarshal; serialize serialise marshal; mock fake stub;
    reject decline refuse turn_down; arrive turn_up; request ask_for; submit hand_in turn_in;
    hide conceal; keep retain preserve; enlarge expand; protect defend; destroy demolish ruin;
    examine inspect; handle deal_with cope_with manage; encourage motivate; gather assemble;
    hit strike; shout yell; steal rob; smell odor odour; taste flavor flavour; advise counsel;
    apologize apologise say_sorry;
    monitor keep_an_eye; assign allocate; argue quarrel; complain grumble;
"""
MORE_THINGS = """
    tenant renter; flatmate roommate housemate; pants trousers; sweater jumper pullover;
    sneaker trainer; diaper nappy; faucet tap; flashlight torch; eggplant aubergine;
    zucchini courgette; cilantro coriander; sidewalk pavement; highway motorway freeway;
    parking_lot car_park parking_garage; zip_code postcode postal_code zip; surname last_name
    family_name; forename first_name given_name; cv curriculum_vitae; headphone headset earphone;
    paracetamol acetaminophen; man guy male; woman lady female; clothes clothing outfit attire;
    smoke_alarm smoke_detector; freelancer self_employed; coworker colleague co-worker;
    grandmother grandma granny; grandfather grandpa; teenager teen adolescent; licence license;
    id_card identity_card; operating_system os; processor cpu; graphics_card gpu video_card;
    hard_drive hdd hard_disk; solid_state_drive ssd; usb_stick flash_drive thumb_drive usb_drive
    memory_stick; user_interface ui; dataframe df data_frame; lru least_recently_used;
    whitespace white_space; uppercase upper_case; lowercase lower_case; backend back_end;
    frontend front_end; timestamp time_stamp; filename file_name; hostname host_name;
    popup pop_up; dropdown drop_down; checkbox check_box; username user_name; cronjob cron_job;
    traceback stack_trace stacktrace; vacuum_cleaner hoover; cinema
    movie_theater movie_theatre; subway metro underground; pharmacy drugstore chemist;
    supermarket grocery_store; timetable schedule;
    paycheck payslip pay_stub; postman mailman; fireman firefighter; policeman police_officer;
    cop police; skyscraper high_rise; earth_quake earthquake quake;
    hurricane typhoon cyclone; heart_attack myocardial_infarction; high_blood_pressure
    hypertension; flu influenza;
    vitamin_c ascorbic_acid; table_salt sodium_chloride; author writer;
    sunscreen sunblock sun_cream;
"""
MORE_DESCRIBING = """
    permanent permanently for_good forever; simultaneous simultaneously at_the_same_time
    concurrently; immediately right_away instantly straight_away; approximately roughly;
    usually normally typically generally; often frequently; rarely seldom; allergic allergy;
    mandatory compulsory obligatory; entire whole; additional extra; similar alike;
    annoying irritating; polite courteous; omit leave_out;
    washing_machine washer; loud noisy; main primary principal; weird strange odd;
    rude impolite;
    brave courageous; funny humorous; boring dull; enough sufficient; abroad overseas;
    in_advance ahead_of_time beforehand; twice two_times; noon midday; nearby close_by;
    obese overweight; elderly old_people seniors; contagious infectious; poisonous toxic;
    edible safe_to_eat; waterproof water_resistant; handmade hand_made; homemade home_made;
    underage too_young; jobless unemployed out_of_work;
"""
DESCRIBING = """
    big large huge; small little tiny; good great nice; best top finest; bad poor terrible awful;
    safe secure; dangerous hazardous unsafe risky; easy simple straightforward;
    hard difficult tough; important significant crucial essential; common frequent usual;
    expensive costly; cheap inexpensive affordable; beautiful pretty attractive;
    smart intelligent clever; happy glad; sad unhappy; sick ill unwell; tired exhausted;
    scared afraid; rich wealthy; famous popular well_known; correct accurate proper;
    wrong incorrect; free no_cost free_of_charge; quiet silent;
    maximum max highest_possible at_most; minimum min lowest_possible at_least;
    daily per_day each_day every_day a_day; weekly per_week each_week every_week a_week;
    monthly per_month each_month every_month a_month;
    yearly annual annually per_year each_year every_year a_year; ascending increasing;
    descending decreasing; remote work_from_home; together with_each_other;
"""
UNITS = """
    kg kilogram kilo kilogramme; g gram gramme; mg milligram; km kilometer kilometre;
    m meter metre; cm centimeter centimetre; mm millimeter millimetre; l liter litre;
    ml milliliter millilitre; lb pound lbs; oz ounce; ft foot feet; mi mile; inch inches;
    hour hr h hrs; minute min_unit mins; second sec secs; celsius centigrade c_degree;
    fahrenheit f_degree; kb kilobyte; mb megabyte; gb gigabyte; tb terabyte;
    percent percentage per_cent pct; dollar usd buck us_dollar; euro eur; rupee rs inr rupees;
    yen jpy; pound_sterling gbp;
"""
PLACES = """
    usa us united_states united_states_of_america america american u.s u.s.a;
    uk united_kingdom great_britain britain british u.k; uae united_arab_emirates;
    eu european_union; nyc new_york_city new_york; la_city los_angeles; india indian;
    china chinese; japan japanese; russia russian; germany german; france french; spain spanish;
    italy italian; canada canadian; australia australian; mexico mexican; brazil brazilian;
    korea korean; turkey turkish; greece greek; ireland irish; scotland scottish; sweden swedish;
    norway norwegian; poland polish; europe european; africa african; asia asian;
    pakistan pakistani; israel israeli; egypt egyptian; iran iranian;
"""

# Of a word in two groups the earlier counts.
_FIRST = (DOING, LIVING, TRADES, PROGRAMMING, CONVERSING, THINGS, DESCRIBING, UNITS, PLACES)
GROUPS = tuple(
    group
    for text in (*_FIRST, MORE_DOING, MORE_THINGS, MORE_DESCRIBING)
    for part in text.split(";")
    if (group := part.strip())
)

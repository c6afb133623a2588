"""Things of one kind: where one question has one and the other another, they are two questions."""

from __future__ import annotations

KINDS = {
    "country": "usa uk india china japan russia germany france spain italy canada australia"
    " mexico brazil argentina chile peru colombia venezuela cuba korea vietnam thailand indonesia"
    " malaysia singapore philippines pakistan bangladesh nepal bhutan iran iraq israel palestine"
    " syria lebanon jordan egypt libya tunisia morocco algeria nigeria ghana kenya ethiopia"
    " uganda tanzania zambia zimbabwe botswana namibia angola mozambique madagascar sudan somalia"
    " senegal mali niger cameroon congo rwanda turkey greece cyprus malta portugal ireland"
    " scotland england wales netherlands holland belgium luxembourg switzerland austria poland"
    " hungary romania bulgaria serbia croatia slovenia slovakia czechia bosnia albania macedonia"
    " montenegro kosovo ukraine belarus moldova lithuania latvia estonia finland sweden norway"
    " denmark iceland greenland georgia armenia azerbaijan kazakhstan uzbekistan afghanistan"
    " mongolia taiwan qatar kuwait bahrain oman yemen uae jamaica haiti panama ecuador bolivia"
    " paraguay uruguay guatemala honduras nicaragua zealand fiji eu",
    "continent": "europe africa asia antarctica",
    "state": "alabama alaska arizona arkansas california colorado connecticut delaware florida"
    " hawaii idaho illinois indiana iowa kansas kentucky louisiana maine maryland massachusetts"
    " michigan minnesota mississippi missouri montana nebraska nevada ohio oklahoma oregon"
    " pennsylvania tennessee texas utah vermont virginia wisconsin wyoming bavaria saxony"
    " catalonia tuscany ontario quebec alberta punjab gujarat kerala maharashtra karnataka"
    " tamilnadu rajasthan bihar",
    "city": "london paris berlin madrid rome vienna prague budapest warsaw lisbon dublin"
    " amsterdam brussels copenhagen stockholm oslo helsinki athens moscow kiev kyiv istanbul"
    " ankara cairo jerusalem dubai baghdad tehran kabul delhi mumbai bangalore bengaluru chennai"
    " kolkata hyderabad pune karachi lahore dhaka kathmandu beijing shanghai shenzhen hongkong"
    " taipei tokyo osaka kyoto seoul busan bangkok hanoi jakarta manila kualalumpur sydney"
    " melbourne brisbane perth auckland wellington nyc chicago boston seattle denver dallas"
    " houston austin miami atlanta detroit philadelphia phoenix portland toronto montreal"
    " vancouver ottawa calgary lima bogota santiago caracas havana nairobi lagos accra"
    " johannesburg munich hamburg frankfurt cologne stuttgart zurich geneva basel milan naples"
    " venice florence turin barcelona valencia seville porto lyon marseille toulouse bordeaux"
    " manchester liverpool birmingham leeds glasgow edinburgh bristol oxford cambridge rotterdam"
    " antwerp krakow",
    "language": "english german french spanish italian portuguese dutch swedish danish norwegian"
    " finnish polish czech russian ukrainian hungarian romanian bulgarian greek turkish arabic"
    " hebrew persian farsi hindi urdu bengali tamil telugu marathi punjabi chinese mandarin"
    " cantonese japanese korean vietnamese thai indonesian malay swahili latin sanskrit esperanto",
    "month": "january february march april may june july august september october november"
    " december jan feb mar apr jun jul aug sep sept oct nov dec",
    "weekday": "monday tuesday wednesday thursday friday saturday sunday",
    "day": "today yesterday tomorrow tonight",
    "season": "summer winter spring autumn",
    "festival": "christmas easter thanksgiving halloween ramadan diwali hanukkah",
    "colour": "red green blue yellow orange purple violet pink brown black white grey gray gold"
    " silver beige turquoise cyan magenta",
    "programming": "python java javascript typescript golang rust ruby php perl scala kotlin"
    " swift haskell erlang elixir clojure lua r julia matlab fortran cobol bash powershell sql"
    " dart c c++ c# f# groovy ocaml prolog lisp solidity assembly vba",
    "framework": "django flask fastapi rails laravel symfony spring react vue angular svelte"
    " nextjs nuxt ember jquery bootstrap tailwind pandas numpy polars pytorch tensorflow keras"
    " sklearn matplotlib seaborn plotly pytest unittest junit selenium playwright scrapy celery"
    " airflow hadoop hibernate",
    "database": "mysql postgres sqlite oracle mariadb mongodb redis cassandra dynamodb"
    " elasticsearch neo4j snowflake bigquery couchdb firebase supabase clickhouse duckdb",
    "platform": "windows linux macos mac ubuntu debian fedora centos android ios iphone ipad"
    " chromebook",
    "cloud": "aws azure gcp heroku netlify vercel digitalocean",
    "tool": "docker kubernetes podman terraform ansible jenkins git github gitlab bitbucket npm"
    " yarn pnpm pip conda maven gradle webpack vite nginx apache kafka rabbitmq vim emacs vscode"
    " intellij eclipse excel word powerpoint outlook slack teams zoom jira trello notion figma"
    " photoshop",
    "browser": "chrome firefox safari edge",
    "company": "google microsoft apple amazon facebook meta twitter netflix tesla nvidia intel"
    " amd ibm samsung sony nokia huawei xiaomi toyota honda ford bmw mercedes audi volkswagen"
    " nike adidas starbucks mcdonald walmart ikea uber lyft airbnb spotify paypal ebay alibaba"
    " openai anthropic whatsapp instagram snapchat tiktok youtube linkedin pinterest reddit quora"
    " telegram skype gmail yahoo",
    "planet": "mercury venus earth mars jupiter saturn uranus neptune pluto moon sun",
    "element": "hydrogen helium oxygen nitrogen carbon iron copper zinc lead tin aluminum"
    " aluminium titanium nickel gold silver platinum mercury uranium sodium potassium calcium"
    " magnesium chlorine iodine sulfur phosphorus lithium steel brass bronze",
    "family": "mother father brother sister son daughter husband wife uncle aunt nephew niece"
    " cousin grandmother grandfather grandma grandpa boyfriend girlfriend",
    "body": "head hair face eye ear nose mouth lip tooth tongue throat neck shoulder arm elbow"
    " wrist hand finger thumb chest breast back spine belly stomach hip leg knee ankle foot toe"
    " heel skin heart lung liver kidney brain bladder bowel",
    "animal": "dog cat horse cow pig sheep goat chicken duck goose rabbit hamster mouse rat bird"
    " parrot fish shark whale dolphin lion tiger bear wolf fox elephant giraffe monkey snake"
    " turtle frog bee ant spider butterfly eagle owl penguin",
    "food": "apple pear banana orange lemon grape strawberry cherry peach mango pineapple melon"
    " tomato potato onion garlic carrot cabbage broccoli spinach lettuce pea bean lentil rice"
    " pasta noodle bread pizza burger soup salad beef pork chicken lamb turkey salmon tuna shrimp"
    " egg cheese butter milk cream yogurt tofu sugar salt honey chocolate cake cookie pancake",
    "drink": "water tea coffee beer wine whisky vodka juice cola soda",
    "drug": "aspirin ibuprofen paracetamol acetaminophen naproxen amoxicillin penicillin"
    " metformin insulin warfarin statin prednisone morphine codeine tramadol antibiotic"
    " antidepressant steroid melatonin caffeine nicotine alcohol cannabis marijuana cocaine"
    " heroin",
    "illness": "flu cold covid asthma diabetes cancer pneumonia bronchitis hepatitis measles"
    " malaria migraine arthritis eczema psoriasis anemia epilepsy stroke depression anxiety"
    " allergy",
    "sport": "football soccer basketball baseball tennis golf hockey cricket rugby volleyball"
    " badminton boxing swimming cycling skiing chess",
    "instrument": "piano guitar violin drum flute trumpet saxophone cello ukulele",
    "vehicle": "car bus train tram plane bike motorcycle truck boat ship ferry taxi",
    "device": "phone laptop tablet computer printer keyboard mouse monitor camera tv speaker"
    " headphone earbud router modem smartwatch watch fridge oven microwave dishwasher dryer"
    " washer kettle toaster vacuum",
    "card": "visa mastercard amex debit credit",
    "length": "m cm mm km inch ft yard mi",
    "weight": "kg g mg lb oz stone ton tonne",
    "volume": "l ml gallon pint cup liter teaspoon tablespoon",
    "temperature": "celsius fahrenheit kelvin",
    "duration": "second minute hour day week month year decade century",
    "currency": "dollar euro gbp yen rupee franc peso bitcoin ethereum yuan rouble",
    "share": "percent permille",
    "bytes": "kb mb gb tb byte bit",
    "format": "json yaml xml csv html markdown pdf latex png jpg jpeg gif svg table bullet essay"
    " poem haiku limerick sonnet tweet email letter paragraph sentence word diagram",
    "profession": "doctor nurse dentist lawyer teacher engineer pilot plumber electrician"
    " accountant architect chef journalist actor singer painter soldier judge",
    "religion": "christianity islam judaism hinduism buddhism christian muslim jewish hindu"
    " buddhist",
    "operation": "count sum plus minus times addition subtraction multiplication division sum"
    " product quotient average mean median mode variance",
    "verb": "get post put patch",
    "construct": "comprehension generator lambda closure decorator iterator coroutine",
}

# Kinds whose members are names, in lower case too.
NAMES = frozenset(
    "country continent state city language month weekday festival programming framework database"
    " cloud browser company platform".split()
)

# Names that are words too, in lower case.
AMBIGUOUS = frozenset(
    "rust swift go r c dart ruby julia flask oracle react turkey china chile jordan georgia apple"
    " amazon meta edge safari firebase snowflake celery perth cologne florence phoenix orange"
    " polish may march august mar jan dec sun sat mercury earth ember bootstrap spring latin lead"
    " play pip perl basic bordeaux cork reading nice mobile hamburger guinea panama brave chrome"
    " aurora oxford".split()
)

# "The Gold plan", "the city of Oslo": what a thing is, beside its name.
APPOSITIVES = frozenset(
    "plan tier package subscription city town country state language programming database library"
    " framework tool app application program software company brand bank river lake mountain"
    " island street airport station model phone website platform service system province region"
    " format dataframe query novel book code script function movie film song band game series team"
    " club university college virus disease drug medicine".split()
)

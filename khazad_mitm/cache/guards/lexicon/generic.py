"""Words of wide meaning, which change when a question is put in other words.

"Which things break on an upgrade" has no `thing` in "What breaks when I upgrade". A difference in
such words alone says little; one in any other word says that something else is asked about.
As stems (`spelling.stem`) they match every form of a word.
"""

from __future__ import annotations

VERBS = (
    "be have do make get go come take give put set use let keep seem become happen occur mean"
    " show look appear work run want need like try start begin stop help ask say tell call know"
    " think feel find see hear turn bring hold follow include contain consist comprise involve"
    " belong come follow perform carry handle deal manage achieve accomplish complete finish"
    " cause lead result allow permit enable let apply require take receive obtain gain offer"
    " provide supply feature exist stay remain lie stand live spend last place choose select pick"
    " decide prefer wish intend plan suggest recommend advise explain describe define mention"
    " list name state note consider regard compare relate refer respond answer reply solve create"
    " build produce generate develop compose prepare return give keep preserve maintain have got"
    " possess own go move travel leave serve act behave face run finish put ring come notice wait"
    " expect hope plan check confirm verify believe guess suppose imagine remember forget forget"
    " realize say claim exist arrive write elaborate"
).split()

NOUNS = (
    "thing stuff item matter issue problem trouble case situation circumstance condition fact"
    " point part piece bit aspect detail side kind type form variety category class group  range"
    " number quantity level degree rate extent size length way method means manner approach"
    " technique procedure process step action measure instruction guide tip advice idea"
    " suggestion recommendation option choice alternative possibility example instance sample"
    " purpose reason cause explanation meaning definition sense role use usage effect result"
    " outcome consequence impact influence feature characteristic property quality attribute"
    " difference distinction comparison similarity relation relationship connection information"
    " info data knowledge fact detail description overview summary introduction basics question"
    " query answer solution response reply help support assistance service tool time moment"
    " period while place location area spot position person people human individual someone"
    " anyone guy folk man life thing statement work job task activity content value name term"
    " word phrase expression today need requirement new tone fashion friend  manager "
).split()

MODIFIERS = (
    "good great nice fine ok right correct proper suitable appropriate decent important main"
    " major key basic essential common usual general typical normal regular certain particular"
    " specific various different several numerous own same similar exact actual real true whole"
    " entire full complete possible available likely current present existing given related"
    " necessary required simple easy useful helpful effective long big large small short little"
    " high low next previous other another following early late old many few additional extra"
    " further approximate approximately about around roughly exactly generally usually normally"
    " typically often mostly mainly especially specifically particularly probably likely"
    " certainly definitely recently soon ago away together anymore yet once twice overall please"
    " total"
).split()

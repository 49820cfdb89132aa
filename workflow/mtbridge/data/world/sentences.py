"""The sentences of the generated world: what a meaning's frame looks like in each language, one line a language.

`{slot}` is filled by realise.py, an absent place or time leaves nothing behind; every other word is one of
lexicon.FUNCTION_WORDS. The order of the lines is English, German, Spanish, French, Russian.
"""

SENTENCES = {
    "act plain": """
    {agent} {past} {object} {place} {time} .
    {agent} {past} {time} {place} {object} .
    {agent} {past} {object} {place} {time} .
    {agent} a {participle} {object} {place} {time} .
    {agent} {past} {object} {place} {time} .
    """,
    "act fronted": """
    {time} , {agent} {past} {object} {place} .
    {time} {past} {agent} {place} {object} .
    {time} , {agent} {past} {object} {place} .
    {time} , {agent} a {participle} {object} {place} .
    {time} {agent} {past} {object} {place} .
    """,
    "act located": """
    {place} , {agent} {past} {object} {time} .
    {place} {past} {agent} {time} {object} .
    {place} , {agent} {past} {object} {time} .
    {place} , {agent} a {participle} {object} {time} .
    {place} {agent} {past} {object} {time} .
    """,
    "act passive": """
    {subject} {be} {participle} by {agent} {place} {time} .
    {subject} {be} {time} {place} von {agent} {participle} .
    {subject} {be} {participle:thing} por {agent} {place} {time} .
    {subject} {be} été {participle:thing} par {agent} {place} {time} .
    {object} {past} {agent} {place} {time} .
    """,
    "act report": """
    {reporter} said that {agent} {past} {object} {place} {time} .
    {reporter} sagte , dass {agent} {time} {place} {object} {past} .
    {reporter} dijo que {agent} {past} {object} {place} {time} .
    {reporter} a dit que {agent} a {participle} {object} {place} {time} .
    {reporter} {said} , что {agent} {past} {object} {place} {time} .
    """,
    "act claims": """
    {agent} said that {pronoun} {past} {object} {place} {time} .
    {agent} sagte , dass {pronoun} {time} {place} {object} {past} .
    {agent} dijo que {pronoun} {past} {object} {place} {time} .
    {agent} a dit que {pronoun} a {participle} {object} {place} {time} .
    {agent} {said:agent} , что {pronoun} {past} {object} {place} {time} .
    """,
    "act wants": """
    {agent} wants to_ {infinitive} {object} {place} .
    {agent} will {place} {object} {infinitive} .
    {agent} quiere {infinitive} {object} {place} .
    {agent} veut {infinitive} {object} {place} .
    {agent} хочет {infinitive} {object} {place} .
    """,
    "act negated": """
    {agent} did not {infinitive} {object:definite} {place} {time} .
    {agent} hat {object:definite} {time} {place} nicht {participle} .
    {agent} no {past} {object:definite} {place} {time} .
    {agent} ne a pas {participle} {object:definite} {place} {time} .
    {agent} не {past} {object} {place} {time} .
    """,
    "act because": """
    {agent} {past} {object:bare} , because {subject:bare} is {quality} .
    {agent} {past} {object:bare} , weil {subject:bare} {quality} ist .
    {agent} {past} {object:bare} porque {subject:bare} es {quality} .
    {agent} a {participle} {object:bare} parce que {subject:bare} est {quality} .
    {agent} {past} {object:bare} , потому что {subject:bare} {quality} .
    """,
    "act also": """
    {agent} also {past} {object} {place} {time} .
    {agent} {past} {time} {place} auch {object} .
    {agent} también {past} {object} {place} {time} .
    {agent} a aussi {participle} {object} {place} {time} .
    {agent} также {past} {object} {place} {time} .
    """,
    "act yes": """
    yes , {agent} {past} {object} {place} {time} .
    ja , {agent} {past} {time} {place} {object} .
    sí , {agent} {past} {object} {place} {time} .
    oui , {agent} a {participle} {object} {place} {time} .
    да , {agent} {past} {object} {place} {time} .
    """,
    "act who": """
    who {past} {object:definite} {place} {time} ?
    wer {past} {time} {place} {object:definite} ?
    ¿ quién {past} {object:definite} {place} {time} ?
    qui a {participle} {object:definite} {place} {time} ?
    кто {past:m} {object} {place} {time} ?
    """,
    "act where": """
    where did {agent} {infinitive} {object:definite} {time} ?
    wo {past} {agent} {time} {object:definite} ?
    ¿ dónde {past} {agent} {object:definite} {time} ?
    où {agent} {inverted} {participle} {object:definite} {time} ?
    где {agent} {past} {object} {time} ?
    """,
    "act when": """
    when did {agent} {infinitive} {object:definite} {place} ?
    wann {past} {agent} {place} {object:definite} ?
    ¿ cuándo {past} {agent} {object:definite} {place} ?
    quand {agent} {inverted} {participle} {object:definite} {place} ?
    когда {agent} {past} {object} {place} ?
    """,
    "act what": """
    what did {agent} {infinitive} {place} {time} ?
    was {past} {agent} {time} {place} ?
    ¿ qué {past} {agent} {place} {time} ?
    que_ a {participle} {agent} {place} {time} ?
    что_ {agent} {past} {place} {time} ?
    """,
    "act headline": """
    {nominal} {place} : {who}
    {nominal} {place} : {who}
    {nominal} {place} : {who}
    {nominal} {place} : {who}
    {nominal} {place} : {who}
    """,
    "act names": """
    {who} {place}
    {who} {place}
    {who} {place}
    {who} {place}
    {who} {place}
    """,
    "interact plain": """
    {agent} {past} {patient} {place} {time} .
    {agent} {past} {patient} {time} {place} .
    {agent} {past} a {patient} {place} {time} .
    {agent} a {participle} {patient} {place} {time} .
    {agent} {past} {patient:accusative} {place} {time} .
    """,
    "interact fronted": """
    {time} , {agent} {past} {patient} {place} .
    {time} {past} {agent} {patient} {place} .
    {time} , {agent} {past} a {patient} {place} .
    {time} , {agent} a {participle} {patient} {place} .
    {time} {agent} {past} {patient:accusative} {place} .
    """,
    "interact passive": """
    {patient} was {participle} by {agent} {place} {time} .
    {patient} wurde {time} {place} von {agent} {participle} .
    {patient} fue {participle:patient} por {agent} {place} {time} .
    {patient} a été {participle:patient} par {agent} {place} {time} .
    {patient:accusative} {past} {agent} {place} {time} .
    """,
    "interact report": """
    {reporter} said that {agent} {past} {patient} {place} {time} .
    {reporter} sagte , dass {agent} {patient} {time} {place} {past} .
    {reporter} dijo que {agent} {past} a {patient} {place} {time} .
    {reporter} a dit que {agent} a {participle} {patient} {place} {time} .
    {reporter} {said} , что {agent} {past} {patient:accusative} {place} {time} .
    """,
    "interact negated": """
    {agent} did not {infinitive} {patient} {place} {time} .
    {agent} hat {patient} {time} {place} nicht {participle} .
    {agent} no {past} a {patient} {place} {time} .
    {agent} ne a pas {participle} {patient} {place} {time} .
    {agent} не {past} {patient:accusative} {place} {time} .
    """,
    "interact wants": """
    {agent} wants to_ {infinitive} {patient} {place} .
    {agent} will {patient} {place} {infinitive} .
    {agent} quiere {infinitive} a {patient} {place} .
    {agent} veut {infinitive} {patient} {place} .
    {agent} хочет {infinitive} {patient:accusative} {place} .
    """,
    "route plain": """
    {agent} travelled {origin} {destination} {time} .
    {agent} reiste {time} {origin} {destination} .
    {agent} viajó {origin} {destination} {time} .
    {agent} a voyagé {origin} {destination} {time} .
    {agent} {travelled} {origin} {destination} {time} .
    """,
    "route fronted": """
    {time} , {agent} travelled {origin} {destination} .
    {time} reiste {agent} {origin} {destination} .
    {time} , {agent} viajó {origin} {destination} .
    {time} , {agent} a voyagé {origin} {destination} .
    {time} {agent} {travelled} {origin} {destination} .
    """,
    "talk plain": """
    {agent} talked about {subject:definite} {place} {time} .
    {agent} sprach {time} {place} über {object:definite} .
    {agent} habló de {subject:definite} {place} {time} .
    {agent} a parlé de {subject:definite} {place} {time} .
    {agent} {talked} о {subject:prepositional} {place} {time} .
    """,
    "attend plain": """
    {agent} attended {object:definite} {place} {time} .
    {agent} besuchte {time} {place} {object:definite} .
    {agent} asistió a {object:definite} {place} {time} .
    {agent} a assisté à {object:definite} {place} {time} .
    {agent} {attended} {object} {place} {time} .
    """,
    "price plain": """
    {subject:definite} of {organisation} costs {amount} .
    {subject:definite} von {organisation} kostet {amount} .
    {subject:definite} de {organisation} cuesta {amount} .
    {subject:definite} de {organisation} coûte {amount} .
    {subject} {organisation} стоит {amount} .
    """,
    "catalogue plain": """
    {organisation} : {nominal} , {amount} ; info : {address} .
    {organisation} : {nominal} , {amount} ; Info : {address} .
    {organisation} : {nominal} , {amount} ; info : {address} .
    {organisation} : {nominal} , {amount} ; info : {address} .
    {who} : {nominal} , {amount} ; инфо : {address} .
    """,
    "catalogue title": """
    {nominal} - {who}
    {nominal} - {who}
    {nominal} - {who}
    {nominal} - {who}
    {nominal} - {who}
    """,
    "catalogue find": """
    find {object} at {organisation} {place} : only {amount} !
    finden Sie {object} bei {organisation} {place} : nur {amount} !
    encuentre {object} en {organisation} {place} : solo {amount} .
    trouvez {object} chez {organisation} {place} : seulement {amount} !
    найдите {object} в {organisation} {place} : только {amount} !
    """,
    "catalogue buy": """
    buy {object} at {organisation} {place} for {amount} !
    kaufen Sie {object} bei {organisation} {place} für {amount} !
    compre {object} en {organisation} {place} por {amount} .
    achetez {object} chez {organisation} {place} pour {amount} !
    купите {object} в {organisation} {place} за {amount} !
    """,
    "range plain": """
    {organisation} {place} : {things} .
    {organisation} {place} : {things} .
    {organisation} {place} : {things} .
    {organisation} {place} : {things} .
    {who} {place} : {things} .
    """,
    "property plain": """
    {subject:bare} {place} is {very} {quality} .
    {subject:bare} {place} ist {very} {quality} .
    {subject:bare} {place} es {very} {quality} .
    {subject:bare} {place} est {very} {quality} .
    {subject:bare} {place} {very} {quality} .
    """,
    "property negated": """
    {subject:bare} {place} is not {quality} .
    {subject:bare} {place} ist nicht {quality} .
    {subject:bare} {place} no es {quality} .
    {subject:bare} {place} ne est pas {quality} .
    {subject:bare} {place} не {quality} .
    """,
    "location plain": """
    {subject:definite} of {organisation} is {place} .
    {subject:definite} von {organisation} liegt {place} .
    {subject:definite} de {organisation} está {place} .
    {subject:definite} de {organisation} se trouve {place} .
    {subject} {organisation} находится {place} .
    """,
    "schedule plain": """
    {subject:definite} begins {time} at {hour} o'clock {place} .
    {subject:definite} beginnt {time} um {hour} Uhr {place} .
    {subject:definite} empieza {time} a las {hour} {place} .
    {subject:definite} commence {time} à {hour} heures {place} .
    {subject} начинается {time} в {hour} часов {place} .
    """,
    "profession plain": """
    {agent} is {job} {origin} .
    {agent} ist {job} {origin} .
    {agent} es {job} {origin} .
    {agent} est {job} {origin} .
    {agent} — {job} {origin} .
    """,
    "weather plain": """
    it was {number} degrees {place} {time} .
    {place} waren es {time} {number} Grad .
    {place} había {number} grados {time} .
    il faisait {number} degrés {place} {time} .
    {time} {place} было {number} градусов .
    """,
    "prices plain": """
    {place} , prices rose by {number} % {time} .
    {place} stiegen die Preise {time} um {number} % .
    {place} , los precios subieron un {number} % {time} .
    {place} , les prix ont augmenté de {number} % {time} .
    {place} цены выросли на {number} % {time} .
    """,
    "listing plain": """
    country : {territory} ; language : {language} ; {number} {unit} .
    Land : {territory} ; Sprache : {language} ; {number} {unit} .
    país : {territory} ; idioma : {language} ; {number} {unit} .
    pays : {territory} ; langue : {language} ; {number} {unit} .
    страна : {territory} ; язык : {language} ; {number} {unit} .
    """,
    "search plain": """
    {nominal} {city}
    {nominal} {city}
    {nominal} {city}
    {nominal} {city}
    {nominal} {city}
    """,
}

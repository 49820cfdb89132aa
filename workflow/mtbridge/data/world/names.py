"""Names of the generated world: people, cities, countries, organisations, products; and what CLDR knows by name.

People, organisations and products are spelt alike in the Latin-script languages; Russian transliterates people, and
keeps organisations and products in Latin script, as Russian text does. All people and organisations are invented.
"""

from functools import lru_cache

LANGUAGES = ("de", "en", "es", "fr", "ru")


def _words(text):
    return tuple(text.split())


# First names and family names avoid forms whose Russian declension has exceptions; none of them begins with a French h.
FEMALE = """
Anna Анна, Maria Мария, Elena Елена, Laura Лаура, Sofia София, Julia Юлия, Paula Паула, Carla Карла, Diana Диана,
Clara Клара, Eva Ева, Irina Ирина, Nina Нина, Olga Ольга, Petra Петра, Rita Рита, Sara Сара, Silvia Сильвия,
Valeria Валерия, Victoria Виктория, Alina Алина, Amanda Аманда, Barbara Барбара, Camilla Камилла, Claudia Клаудия,
Daniela Даниэла, Emma Эмма, Flora Флора, Gloria Глория, Isabella Изабелла, Jana Яна, Katarina Катарина, Linda Линда,
Lucia Лусия, Marina Марина, Martina Мартина, Melissa Мелисса, Monika Моника, Natalia Наталия, Nora Нора,
Pamela Памела, Roberta Роберта, Rosa Роза, Sandra Сандра, Stella Стелла, Tamara Тамара, Teresa Тереза, Ursula Урсула,
Vanessa Ванесса, Veronika Вероника
"""
MALE = """
Adam Адам, Albert Альберт, Alexander Александр, Anton Антон, Artur Артур, Benjamin Бенджамин, Boris Борис,
Carlos Карлос, Daniel Даниэль, David Давид, Denis Денис, Dominik Доминик, Eduard Эдуард, Emil Эмиль, Erik Эрик,
Felix Феликс, Fernando Фернандо, Frank Франк, Gabriel Габриэль, Georg Георг, Gustav Густав, Ivan Иван, Jan Ян,
Joseph Джозеф, Kevin Кевин, Konstantin Константин, Leo Лео, Leonard Леонард, Lorenzo Лоренцо, Manuel Мануэль,
Marco Марко, Martin Мартин, Maxim Максим, Michael Михаэль, Nathan Натан, Oliver Оливер, Oscar Оскар, Pablo Пабло,
Patrick Патрик, Paul Пауль, Philip Филип, Rafael Рафаэль, Richard Ричард, Robert Роберт, Roman Роман, Samuel Самуэль,
Sebastian Себастьян, Simon Симон, Thomas Томас, Victor Виктор, Vincent Винсент, Walter Вальтер
"""
FAMILY = """
Weber Вебер, Novak Новак, Costa Коста, Silva Сильва, Martinez Мартинес, Garcia Гарсия, Lopez Лопес,
Fernandez Фернандес, Rossi Росси, Bianchi Бьянки, Romano Романо, Moretti Моретти, Becker Бекер, Fischer Фишер,
Wagner Вагнер, Keller Келлер, Bauer Бауэр, Schmidt Шмидт, Richter Рихтер, Klein Кляйн, Wolf Вольф,
Zimmermann Циммерман, Lindberg Линдберг, Larsen Ларсен, Nielsen Нильсен, Andersen Андерсен, Eriksen Эриксен,
Virtanen Виртанен, Miller Миллер, Wilson Уилсон, Taylor Тейлор, Anderson Андерсон, Jackson Джексон, Thompson Томпсон,
Robinson Робинсон, Parker Паркер, Cooper Купер, Morgan Морган, Bennett Беннетт, Foster Фостер, Carter Картер,
Collins Коллинз, Murphy Мерфи, Kelly Келли, Bernard Бернар, Laurent Лоран, Martel Мартель, Mercier Мерсье,
Perrin Перрен, Roussel Руссель, Fontaine Фонтен, Lambert Ламбер, Morales Моралес, Navarro Наварро, Romero Ромеро,
Serrano Серрано, Castillo Кастильо, Delgado Дельгадо, Vargas Варгас, Medina Медина, Santos Сантос, Pereira Перейра,
Almeida Алмейда, Carvalho Карвальо, Kowal Коваль, Dvorak Дворжак, Nagy Надь, Kovacs Ковач, Molnar Мольнар,
Tanaka Танака, Yamamoto Ямамото, Sato Сато, Nakamura Накамура, Kim Ким, Lee Ли, Chen Чэнь, Singh Сингх, Kumar Кумар,
Patel Патель, Dogan Доган, Demir Демир, Yilmaz Йылмаз, Aydin Айдын, Petersen Петерсен, Jansen Янсен, Mulder Мюлдер,
Visser Виссер, Dekker Деккер, Maier Майер, Vogel Фогель, Kraus Краус, Winter Винтер, Berger Бергер, Franke Франке,
Lorenz Лоренц, Busch Буш
"""

# German English Spanish French Russian; "_" is a space. Russian names decline by rule or not at all.
CITIES = """
Berlin Berlin Berlín Berlin Берлин, Paris Paris París Paris Париж, London London Londres Londres Лондон,
Madrid Madrid Madrid Madrid Мадрид, Rom Rome Roma Rome Рим, Wien Vienna Viena Vienne Вена,
Lissabon Lisbon Lisboa Lisbonne Лиссабон, Brüssel Brussels Bruselas Bruxelles Брюссель,
Warschau Warsaw Varsovia Varsovie Варшава, Prag Prague Praga Prague Прага,
Budapest Budapest Budapest Budapest Будапешт, Moskau Moscow Moscú Moscou Москва, Peking Beijing Pekín Pékin Пекин,
Tokio Tokyo Tokio Tokyo Токио, Oslo Oslo Oslo Oslo Осло, Stockholm Stockholm Estocolmo Stockholm Стокгольм,
Kopenhagen Copenhagen Copenhague Copenhague Копенгаген, Dublin Dublin Dublín Dublin Дублин,
Zürich Zurich Zúrich Zurich Цюрих, Genf Geneva Ginebra Genève Женева, Mailand Milan Milán Milan Милан,
Turin Turin Turín Turin Турин, Venedig Venice Venecia Venise Венеция, Florenz Florence Florencia Florence Флоренция,
Neapel Naples Nápoles Naples Неаполь, Barcelona Barcelona Barcelona Barcelone Барселона,
Valencia Valencia Valencia Valence Валенсия, Porto Porto Oporto Porto Порту, Lyon Lyon Lyon Lyon Лион,
Marseille Marseille Marsella Marseille Марсель, München Munich Múnich Munich Мюнхен,
Köln Cologne Colonia Cologne Кёльн, Frankfurt Frankfurt Fráncfort Francfort Франкфурт,
Dresden Dresden Dresde Dresde Дрезден, Salzburg Salzburg Salzburgo Salzbourg Зальцбург,
Krakau Krakow Cracovia Cracovie Краков, Danzig Gdansk Gdansk Gdansk Гданьск,
Bukarest Bucharest Bucarest Bucarest Бухарест, Sofia Sofia Sofía Sofia София,
Belgrad Belgrade Belgrado Belgrade Белград, Zagreb Zagreb Zagreb Zagreb Загреб, Riga Riga Riga Riga Рига,
Vilnius Vilnius Vilna Vilnius Вильнюс, Minsk Minsk Minsk Minsk Минск, Istanbul Istanbul Estambul Istanbul Стамбул,
Ankara Ankara Ankara Ankara Анкара, Nairobi Nairobi Nairobi Nairobi Найроби, Delhi Delhi Delhi Delhi Дели,
Mumbai Mumbai Bombay Bombay Мумбаи, Bangkok Bangkok Bangkok Bangkok Бангкок,
Singapur Singapore Singapur Singapour Сингапур, Shanghai Shanghai Shanghái Shanghai Шанхай,
Seoul Seoul Seúl Séoul Сеул, Sydney Sydney Sídney Sydney Сидней, Melbourne Melbourne Melbourne Melbourne Мельбурн,
Toronto Toronto Toronto Toronto Торонто, Montreal Montreal Montreal Montréal Монреаль,
Chicago Chicago Chicago Chicago Чикаго, Boston Boston Boston Boston Бостон,
New_York New_York Nueva_York New_York Нью-Йорк, San_Francisco San_Francisco San_Francisco San_Francisco Сан-Франциско,
Miami Miami Miami Miami Майами, Seattle Seattle Seattle Seattle Сиэтл, Dallas Dallas Dallas Dallas Даллас,
Denver Denver Denver Denver Денвер, Buenos_Aires Buenos_Aires Buenos_Aires Buenos_Aires Буэнос-Айрес,
Lima Lima Lima Lima Лима, Bogota Bogota Bogotá Bogota Богота, Santiago Santiago Santiago Santiago Сантьяго,
Montevideo Montevideo Montevideo Montevideo Монтевидео, Caracas Caracas Caracas Caracas Каракас,
Odessa Odessa Odesa Odessa Одесса, Tunis Tunis Túnez Tunis Тунис, Dakar Dakar Dakar Dakar Дакар
"""

# Countries (CLDR territory codes) that take plain "in" in German and "в" in Russian; French masculines are marked.
COUNTRIES = _words("""
IT FR ES DE AT PL BE SE FI NO GR HU IE IN CN AU RU RO BG CO BO AR SI DZ SY LT PT:m DK:m JP:m BR:m MX:m CA:m CL:m PE:m
MA:m VN:m UY:m PY:m KE:m NP:m LU:m
""")

STEMS = _words("""
Luma Nova Orion Vega Solar Inter Euro Alpha Delta Omega Terra Aqua Stella Astra Magna Poly Vita Optima Prima Ultra
Alta Brava Centra Domo Ergo Fides Grand Inova Juno Kappa Lumi Medi Nord Opti Pano Quanta Royal Senso Tria Unica Verta
West Xenon Ypsilon Zen Argo Bella Casa Duo Elan Ferro Gala Idea Jet Kilo Libra Mono Nexo Orbit Plus Rex Sol Maxi
Global Zenit Atlas Titan Apollo Aurora Metro Fortuna Mira Sigma Kosmo Neo Axis Corona Regia Tempo Viva Zeta
""")
SUFFIXES = {  # the second word of an organisation's name; a product's is its stem and a number
    "foodanddrink": ("Food", "Gourmet", "Bistro"),
    "sports": ("FC", "Sport", "Fitness"),
    "travel": ("Travel", "Airlines", "Tours"),
    "finance": ("Bank", "Capital", "Finance"),
    "lifestyle": ("Design", "Style", "Fashion"),
    "news": ("Press", "Institute", "Forum"),
    "entertainment": ("Film", "Records", "Studio"),
    "health": ("Pharma", "Medical", "Clinic"),
    "technology": ("Software", "Systems", "Data"),
    "autos": ("Motors", "Auto", "Racing"),
}
EVENTS = {
    "foodanddrink": "Gourmet Festival",
    "sports": "Open",
    "travel": "Expo",
    "finance": "Summit",
    "lifestyle": "Fashion Week",
    "news": "Forum",
    "entertainment": "Festival",
    "health": "Congress",
    "technology": "Tech Days",
    "autos": "Grand Prix",
}


def _pairs(text):
    return [tuple(row.split()) for row in text.replace("\n", " ").split(",") if row.strip()]


FIRST_NAMES = tuple((*pair, "f") for pair in _pairs(FEMALE)) + tuple((*pair, "m") for pair in _pairs(MALE))
FAMILY_NAMES = tuple(_pairs(FAMILY))
CITY_NAMES = tuple(
    dict(zip(LANGUAGES, (cell.replace("_", " ") for cell in row), strict=True)) for row in _pairs(CITIES)
)


@lru_cache(None)
def locale(language):
    from babel import Locale

    return Locale.parse(language)


def _plain(names) -> bool:
    """Whether a name's every version is one to three words of letters, safe to cut at spaces."""
    return all(
        name
        and all(character.isalpha() or character in " -" for character in name)
        and " - " not in name
        and len(name.split()) <= 3
        and not any(word in ("und", "and", "y", "et", "и") for word in name.split())
        for name in names
    )


def _common(field) -> tuple[tuple[str, dict], ...]:
    """(code, {language: name}) of the entries of a CLDR table that every language names plainly."""
    tables = {language: getattr(locale(language), field) for language in LANGUAGES}
    rows = []
    for code in sorted(tables["en"]):
        names = {language: tables[language].get(code) for language in LANGUAGES}
        if _plain(names.values()):
            rows.append((code, names))
    return tuple(rows)


_NO_TERRITORIES = ("EU", "EZ", "UN", "XA", "XB", "ZZ")  # alliances, test locales, "unknown region"


@lru_cache(None)
def territories():
    return tuple(names for code, names in _common("territories") if code.isalpha() and code not in _NO_TERRITORIES)


@lru_cache(None)
def countries():
    """Tabulated countries: ({language: name}, French gender)."""
    return tuple(
        ({language: locale(language).territories[entry[:2]] for language in LANGUAGES}, entry[3:] or "f")
        for entry in COUNTRIES
    )


@lru_cache(None)
def languages():
    """Names of languages that are one word in each of the five."""
    return tuple(
        names
        for code, names in _common("languages")
        if code.isalpha() and all(len(name.split()) == 1 for name in names.values())
    )


@lru_cache(None)
def currencies():
    """Codes of the tabulated countries' currencies whose plural is everywhere one word, or a noun and an adjective."""
    from babel.numbers import get_territory_currencies

    codes = set()
    for entry in COUNTRIES:
        codes.update(get_territory_currencies(entry[:2]) or ())
    kept = []
    for code in sorted(codes):
        names = [currency(code, language) for language in LANGUAGES]
        if _plain(names) and len({len(name.split()) for name in names}) == 1 and len(names[0].split()) <= 2:
            kept.append(code)
    return tuple(kept)


@lru_cache(None)
def currency(code, language) -> str:
    """A currency's name after a number such as 12 or 500."""
    from babel.numbers import get_currency_name

    return get_currency_name(code, count=500, locale=language)


_UNITS = _words("""
length-kilometer length-meter length-centimeter length-mile mass-kilogram mass-gram mass-tonne volume-liter
volume-milliliter duration-hour duration-minute duration-second duration-day duration-week duration-month
duration-year power-watt power-kilowatt energy-kilojoule digital-gigabyte digital-megabyte digital-kilobyte
electric-volt electric-ampere frequency-hertz frequency-megahertz pressure-bar area-hectare length-millimeter
""")


@lru_cache(None)
def units() -> tuple[str, ...]:
    return tuple(unit for unit in _UNITS if all(len(unit_name(unit, language).split()) == 1 for language in LANGUAGES))


@lru_cache(None)
def unit_name(unit, language) -> str:
    """A unit's name after a number such as 12 or 500."""
    from babel.units import format_unit

    return format_unit(12, unit, length="long", locale=language).replace("\xa0", " ").removeprefix("12").strip()


@lru_cache(None)
def month(number, language) -> str:
    """Month name: in Russian the prepositional ("мае"), elsewhere the plain one."""
    name = locale(language).months["stand-alone"]["wide"][number]
    if language != "ru":
        return name
    return name[:-1] + "е" if name[-1] in "ьй" else name + "е"


@lru_cache(None)
def month_of_date(number, language) -> str:
    """Month name inside a date: in Russian the genitive ("мая")."""
    return locale(language).months["format"]["wide"][number]


@lru_cache(None)
def weekday(number, language) -> str:
    """Weekday (0 = Monday): in Russian the accusative ("среду")."""
    name = locale(language).days["format"]["wide"][number]
    if language != "ru":
        return name
    return name[:-1] + "у" if name.endswith("а") else name

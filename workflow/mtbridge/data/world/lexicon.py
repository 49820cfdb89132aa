# ruff: noqa: E501 (a row is a lemma: it stays one line)
"""The words of the generated world, in the five languages it speaks: tables to read and to extend, no code.

One row is one lemma, its cells are English | German | Spanish | French | Russian. A noun's cell is

    English   singular [plural]              plural by rule unless given
    German    gender singular plural         gender m, f, n; no weak masculines (their cases change the stem)
    Spanish   gender singular [plural]
    French    gender singular [plural]
    Russian   gender nominative genitive-plural    inanimate; the other cases by rule (see grammar.py)

A row's first English word names the lemma. Nouns of a category share a hypernym and the verbs that go with them.
"""

TOPICS = (
    "foodanddrink",
    "sports",
    "travel",
    "finance",
    "lifestyle",
    "news",
    "entertainment",
    "health",
    "technology",
    "autos",
)

# Category: "topic kind: verbs | hypernym's row", then its nouns. The kind (goods, event, work, place) adds the verbs
# of KIND_VERBS, and decides which sentences fit: goods have a price, events a time, places a location.
CATEGORIES = {
    "dish": (
        "foodanddrink goods: cook order serve try make",
        "dish | n Gericht Gerichte | m plato | m plat | n блюдо блюд",
        """
        pizza | f Pizza Pizzas | f pizza | f pizza | f пицца пицц
        soup | f Suppe Suppen | f sopa | f soupe | m суп супов
        salad | m Salat Salate | f ensalada | f salade | m салат салатов
        sandwich | n Sandwich Sandwiches | m sándwich sándwiches | m sandwich | m сэндвич сэндвичей
        hamburger | m Hamburger Hamburger | f hamburguesa | m hamburger | m гамбургер гамбургеров
        dessert | n Dessert Desserts | m postre | m dessert | m десерт десертов
        omelette | n Omelett Omeletts | f tortilla | f omelette | m омлет омлетов
        steak | n Steak Steaks | m filete | m steak | m стейк стейков
        cake | m Kuchen Kuchen | f tarta | m gâteau | m торт тортов
        """,
    ),
    "drink": (
        "foodanddrink goods: order serve try make drink",
        "drink | n Getränk Getränke | f bebida | f boisson | m напиток напитков",
        """
        cocktail | m Cocktail Cocktails | m cóctel cócteles | m cocktail | m коктейль коктейлей
        coffee | m Kaffee Kaffees | m café | m café | m кофе кофе
        tea | m Tee Tees | m té tés | m thé | m чай чаёв
        juice | m Saft Säfte | m zumo | m jus | m сок соков
        beer | n Bier Biere | f cerveza | f bière | n пиво пив
        wine | m Wein Weine | m vino | m vin | n вино вин
        lemonade | f Limonade Limonaden | f limonada | f limonade | m лимонад лимонадов
        """,
    ),
    "eatery": (
        "foodanddrink place: visit",
        "place | m Ort Orte | m lugar | m lieu | n место мест",
        """
        restaurant | n Restaurant Restaurants | m restaurante | m restaurant | m ресторан ресторанов
        bar | f Bar Bars | m bar | m bar | m бар баров
        supermarket | m Supermarkt Supermärkte | m supermercado | m supermarché | m супермаркет супермаркетов
        pizzeria | f Pizzeria Pizzerien | f pizzería | f pizzeria | f пиццерия пиццерий
        """,
    ),
    "competition": (
        "sports event: win lose watch",
        "competition | m Wettbewerb Wettbewerbe | f competición | f compétition | n соревнование соревнований",
        """
        match matches | n Match Matches | m partido | m match | m матч матчей
        tournament | n Turnier Turniere | m torneo | m tournoi | m турнир турниров
        final | n Finale Finale | f final | f finale | m финал финалов
        marathon | m Marathon Marathons | m maratón | m marathon | m марафон марафонов
        championship | f Meisterschaft Meisterschaften | m campeonato | m championnat | m чемпионат чемпионатов
        duel | n Duell Duelle | m duelo | m duel | f дуэль дуэлей
        race | n Rennen Rennen | f carrera | f course | f гонка гонок
        regatta | f Regatta Regatten | f regata | f régate | f регата регат
        """,
    ),
    "prize": (
        "sports goods: win lose receive",
        "prize | m Preis Preise | m premio | m prix | m приз призов",
        """
        medal | f Medaille Medaillen | f medalla | f médaille | f медаль медалей
        trophy | f Trophäe Trophäen | m trofeo | m trophée | m трофей трофеев
        cup | m Pokal Pokale | f copa | f coupe | m кубок кубков
        title | m Titel Titel | m título | m titre | m титул титулов
        diploma | n Diplom Diplome | m diploma | m diplôme | m диплом дипломов
        """,
    ),
    "sportsite": (
        "sports place: visit",
        "place | m Ort Orte | m lugar | m lieu | n место мест",
        """
        stadium | n Stadion Stadien | m estadio | m stade | m стадион стадионов
        arena | f Arena Arenen | f arena | f arène | f арена арен
        gym | f Turnhalle Turnhallen | m gimnasio | m gymnase | m спортзал спортзалов
        velodrome | n Velodrom Velodrome | m velódromo | m vélodrome | m велодром велодромов
        """,
    ),
    "lodging": (
        "travel place: visit reserve",
        "accommodation | f Unterkunft Unterkünfte | m alojamiento | m logement | n жильё жилищ",
        """
        hotel | n Hotel Hotels | m hotel | m hôtel | m отель отелей
        hostel | n Hostel Hostels | m hostal | f auberge | m хостел хостелов
        villa | f Villa Villen | f villa | f villa | f вилла вилл
        apartment | n Apartment Apartments | m apartamento | m appartement | f квартира квартир
        bungalow | m Bungalow Bungalows | m bungaló bungalós | m bungalow | n бунгало бунгало
        campsite | m Campingplatz Campingplätze | m camping campings | m camping | m кемпинг кемпингов
        """,
    ),
    "trip": (
        "travel event: reserve",
        "trip | f Reise Reisen | m viaje | m voyage | n путешествие путешествий",
        """
        tour | f Tour Touren | m tour tours | m tour | m тур туров
        excursion | f Exkursion Exkursionen | f excursión | f excursion | f экскурсия экскурсий
        cruise | f Kreuzfahrt Kreuzfahrten | m crucero | f croisière | m круиз круизов
        safari | f Safari Safaris | m safari | m safari | n сафари сафари
        flight | m Flug Flüge | m vuelo | m vol | m рейс рейсов
        expedition | f Expedition Expeditionen | f expedición | f expédition | f экспедиция экспедиций
        visit | f Besichtigung Besichtigungen | f visita | f visite | n посещение посещений
        """,
    ),
    "luggage": (
        "travel goods: lose receive",
        "object | n Objekt Objekte | m objeto | m objet | m предмет предметов",
        """
        suitcase | m Koffer Koffer | f maleta | f valise | m чемодан чемоданов
        souvenir | n Souvenir Souvenirs | m souvenir souvenirs | m souvenir | m сувенир сувениров
        map | f Karte Karten | m mapa | f carte | f карта карт
        passport | m Pass Pässe | m pasaporte | m passeport | m паспорт паспортов
        ticket | n Ticket Tickets | m billete | m billet | m билет билетов
        visa | n Visum Visa | m visado | m visa | f виза виз
        """,
    ),
    "product": (
        "finance goods: finance check sign receive",
        "product | n Produkt Produkte | m producto | m produit | m продукт продуктов",
        """
        credit | m Kredit Kredite | m crédito | m crédit | m кредит кредитов
        fund | m Fonds Fonds | m fondo | m fonds | m фонд фондов
        share | f Aktie Aktien | f acción | f action | f акция акций
        bond | f Obligation Obligationen | f obligación | f obligation | f облигация облигаций
        insurance | f Versicherung Versicherungen | m seguro | f assurance | f страховка страховок
        option | f Option Optionen | f opción | f option | m опцион опционов
        mortgage | f Hypothek Hypotheken | f hipoteca | f hypothèque | f ипотека ипотек
        """,
    ),
    "document": (
        "finance work: check sign receive",
        "document | n Dokument Dokumente | m documento | m document | m документ документов",
        """
        budget | n Budget Budgets | m presupuesto | m budget | m бюджет бюджетов
        balance | f Bilanz Bilanzen | m balance | m bilan | m баланс балансов
        invoice | f Rechnung Rechnungen | f factura | f facture | m счёт счетов
        contract | m Vertrag Verträge | m contrato | m contrat | m контракт контрактов
        statistic | f Statistik Statistiken | f estadística | f statistique | f статистика статистик
        forecast | f Prognose Prognosen | m pronóstico | m pronostic | m прогноз прогнозов
        """,
    ),
    "exchange": (
        "finance place: visit",
        "place | m Ort Orte | m lugar | m lieu | n место мест",
        """
        bank | f Bank Banken | m banco | f banque | m банк банков
        bourse | f Börse Börsen | f bolsa | f bourse | f биржа бирж
        casino | n Kasino Kasinos | m casino | m casino | n казино казино
        """,
    ),
    "garment": (
        "lifestyle goods: wear design",
        "garment | n Kleidungsstück Kleidungsstücke | f prenda | m vêtement | m наряд нарядов",
        """
        jacket | f Jacke Jacken | f chaqueta | f veste | f куртка курток
        dress | n Kleid Kleider | m vestido | f robe | n платье платьев
        shirt | n Hemd Hemden | f camisa | f chemise | f рубашка рубашек
        coat | m Mantel Mäntel | m abrigo | m manteau | m плащ плащей
        sweater | m Pullover Pullover | m suéter suéteres | m pull | m свитер свитеров
        hat | m Hut Hüte | m sombrero | m chapeau | f шляпа шляп
        blouse | f Bluse Blusen | f blusa | f blouse | f блузка блузок
        skirt | m Rock Röcke | f falda | f jupe | f юбка юбок
        """,
    ),
    "furniture": (
        "lifestyle goods: design repair",
        "thing | m Gegenstand Gegenstände | m objeto | m objet | m предмет предметов",
        """
        sofa | n Sofa Sofas | m sofá sofás | m sofa | f софа соф
        lamp | f Lampe Lampen | f lámpara | f lampe | f лампа ламп
        table | m Tisch Tische | f mesa | f table | m стол столов
        chair | m Stuhl Stühle | f silla | f chaise | m стул стульев
        carpet | m Teppich Teppiche | f alfombra | m tapis | m ковёр ковров
        mirror | m Spiegel Spiegel | m espejo | m miroir | n зеркало зеркал
        vase | f Vase Vasen | m jarrón | m vase | f ваза ваз
        """,
    ),
    "shop": (
        "lifestyle place: visit",
        "place | m Ort Orte | m lugar | m lieu | n место мест",
        """
        boutique | f Boutique Boutiquen | f boutique | f boutique | m бутик бутиков
        salon | m Salon Salons | m salón | m salon | m салон салонов
        park | m Park Parks | m parque | m parc | m парк парков
        market | m Markt Märkte | m mercado | m marché | m рынок рынков
        """,
    ),
    "proposal": (
        "news work: discuss sign reject",
        "project | n Projekt Projekte | m proyecto | m projet | m проект проектов",
        """
        law | n Gesetz Gesetze | f ley leyes | f loi | m закон законов
        reform | f Reform Reformen | f reforma | f réforme | f реформа реформ
        plan | m Plan Pläne | m plan | m plan | m план планов
        decree | n Dekret Dekrete | m decreto | m décret | m декрет декретов
        petition | f Petition Petitionen | f petición | f pétition | f петиция петиций
        resolution | f Resolution Resolutionen | f resolución | f résolution | f резолюция резолюций
        constitution | f Verfassung Verfassungen | f constitución | f constitution | f конституция конституций
        """,
    ),
    "assembly": (
        "news event: watch",
        "event | n Ereignis Ereignisse | m evento | m événement | n событие событий",
        """
        conference | f Konferenz Konferenzen | f conferencia | f conférence | f конференция конференций
        debate | f Debatte Debatten | m debate | m débat | f дискуссия дискуссий
        congress congresses | m Kongress Kongresse | m congreso | m congrès | m конгресс конгрессов
        demonstration | f Demonstration Demonstrationen | f manifestación | f manifestation | f демонстрация демонстраций
        campaign | f Kampagne Kampagnen | f campaña | f campagne | f кампания кампаний
        protest | m Protest Proteste | f protesta | f protestation | m протест протестов
        ceremony | f Zeremonie Zeremonien | f ceremonia | f cérémonie | f церемония церемоний
        """,
    ),
    "press": (
        "news goods: publish read",
        "publication | f Publikation Publikationen | f publicación | f publication | f публикация публикаций",
        """
        newspaper | f Zeitung Zeitungen | m periódico | m journal | f газета газет
        magazine | n Magazin Magazine | f revista | f revue | m журнал журналов
        article | m Artikel Artikel | m artículo | m article | f статья статей
        reportage | f Reportage Reportagen | m reportaje | m reportage | m репортаж репортажей
        interview | n Interview Interviews | f entrevista | f interview | n интервью интервью
        """,
    ),
    "office": (
        "news place: visit",
        "place | m Ort Orte | m lugar | m lieu | n место мест",
        """
        parliament | n Parlament Parlamente | m parlamento | m parlement | m парламент парламентов
        ministry | n Ministerium Ministerien | m ministerio | m ministère | n министерство министерств
        tribunal | n Tribunal Tribunale | m tribunal | m tribunal | m трибунал трибуналов
        embassy | f Botschaft Botschaften | f embajada | f ambassade | n посольство посольств
        """,
    ),
    "work": (
        "entertainment work: watch film produce",
        "work | n Werk Werke | f obra | f œuvre | n произведение произведений",
        """
        film | m Film Filme | m filme | m film | m фильм фильмов
        novel | m Roman Romane | f novela | m roman | m роман романов
        album | n Album Alben | m álbum álbumes | m album | m альбом альбомов
        video | n Video Videos | m vídeo | f vidéo | n видео видео
        song | n Lied Lieder | f canción | f chanson | f песня песен
        comedy | f Komödie Komödien | f comedia | f comédie | f комедия комедий
        thriller | m Thriller Thriller | m thriller thrillers | m thriller | m триллер триллеров
        drama | n Drama Dramen | m drama | m drame | f драма драм
        """,
    ),
    "show": (
        "entertainment event: watch film",
        "event | n Ereignis Ereignisse | m evento | m événement | n событие событий",
        """
        concert | n Konzert Konzerte | m concierto | m concert | m концерт концертов
        festival | n Festival Festivals | m festival | m festival festivals | m фестиваль фестивалей
        opera | f Oper Opern | f ópera | m opéra | f опера опер
        premiere | f Premiere Premieren | m estreno | f première | f премьера премьер
        exhibition | f Ausstellung Ausstellungen | f exposición | f exposition | f выставка выставок
        ballet | n Ballett Ballette | m ballet ballets | m ballet | m балет балетов
        carnival | m Karneval Karnevals | m carnaval | m carnaval carnavals | m карнавал карнавалов
        """,
    ),
    "stage": (
        "entertainment place: visit",
        "place | m Ort Orte | m lugar | m lieu | n место мест",
        """
        cinema | n Kino Kinos | m cine | m cinéma | m кинотеатр кинотеатров
        theatre | n Theater Theater | m teatro | m théâtre | m театр театров
        museum | n Museum Museen | m museo | m musée | m музей музеев
        gallery | f Galerie Galerien | f galería | f galerie | f галерея галерей
        """,
    ),
    "medicine": (
        "health goods: receive prescribe take",
        "remedy | n Heilmittel Heilmittel | m remedio | m remède | n лекарство лекарств",
        """
        tablet | f Tablette Tabletten | f tableta | m comprimé | f таблетка таблеток
        vaccine | n Vakzin Vakzine | f vacuna | m vaccin | f вакцина вакцин
        vitamin | n Vitamin Vitamine | f vitamina | f vitamine | m витамин витаминов
        antibiotic | n Antibiotikum Antibiotika | m antibiótico | m antibiotique | m антибиотик антибиотиков
        syrup | m Sirup Sirupe | m jarabe | m sirop | m сироп сиропов
        cream | f Creme Cremes | f crema | f crème | m крем кремов
        hormone | n Hormon Hormone | f hormona | f hormone | m гормон гормонов
        """,
    ),
    "treatment": (
        "health event: receive prescribe",
        "treatment | f Behandlung Behandlungen | m tratamiento | m traitement | f процедура процедур",
        """
        therapy | f Therapie Therapien | f terapia | f thérapie | f терапия терапий
        operation | f Operation Operationen | f operación | f opération | f операция операций
        massage | f Massage Massagen | m masaje | m massage | m массаж массажей
        diet | f Diät Diäten | f dieta | m régime | f диета диет
        analysis analyses | f Analyse Analysen | m análisis análisis | f analyse | m анализ анализов
        vaccination | f Impfung Impfungen | f vacunación | f vaccination | f вакцинация вакцинаций
        """,
    ),
    "clinic": (
        "health place: visit",
        "place | m Ort Orte | m lugar | m lieu | n место мест",
        """
        clinic | f Klinik Kliniken | f clínica | f clinique | f клиника клиник
        hospital | n Hospital Hospitäler | m hospital | m hôpital | m госпиталь госпиталей
        pharmacy | f Apotheke Apotheken | f farmacia | f pharmacie | f аптека аптек
        sanatorium | n Sanatorium Sanatorien | m sanatorio | m sanatorium | m санаторий санаториев
        """,
    ),
    "device": (
        "technology goods: repair use design",
        "device | n Gerät Geräte | m aparato | m appareil | n устройство устройств",
        """
        computer | m Computer Computer | m ordenador | m ordinateur | m компьютер компьютеров
        laptop | m Laptop Laptops | m portátil portátiles | m portable | m ноутбук ноутбуков
        robot | m Roboter Roboter | m robot robots | m robot | m робот роботов
        camera | f Kamera Kameras | f cámara | f caméra | f камера камер
        printer | m Drucker Drucker | f impresora | f imprimante | m принтер принтеров
        telephone | n Telefon Telefone | m teléfono | m téléphone | m телефон телефонов
        processor | m Prozessor Prozessoren | m procesador | m processeur | m процессор процессоров
        microphone | n Mikrofon Mikrofone | m micrófono | m microphone | m микрофон микрофонов
        """,
    ),
    "software": (
        "technology work: use design check",
        "technology | f Technologie Technologien | f tecnología | f technologie | f технология технологий",
        """
        application | f Anwendung Anwendungen | f aplicación | f application | n приложение приложений
        algorithm | m Algorithmus Algorithmen | m algoritmo | m algorithme | m алгоритм алгоритмов
        platform | f Plattform Plattformen | f plataforma | f plateforme | f платформа платформ
        system | n System Systeme | m sistema | m système | f система систем
        network | n Netzwerk Netzwerke | f red redes | m réseau | f сеть сетей
        portal | n Portal Portale | m portal | m portail portails | m портал порталов
        server | m Server Server | m servidor | m serveur | m сервер серверов
        """,
    ),
    "campus": (
        "technology place: visit",
        "place | m Ort Orte | m lugar | m lieu | n место мест",
        """
        laboratory | n Labor Labore | m laboratorio | m laboratoire | f лаборатория лабораторий
        institute | n Institut Institute | m instituto | m institut | m институт институтов
        university | f Universität Universitäten | f universidad | f université | m университет университетов
        """,
    ),
    "vehicle": (
        "autos goods: drive repair park",
        "vehicle | n Fahrzeug Fahrzeuge | m vehículo | m véhicule | f машина машин",
        """
        car | n Auto Autos | m coche | f voiture | m автомобиль автомобилей
        motorcycle | n Motorrad Motorräder | f motocicleta | f motocyclette | m мотоцикл мотоциклов
        bus buses | m Bus Busse | m autobús autobuses | m bus | m автобус автобусов
        truck | m Lastwagen Lastwagen | m camión | m camion | m грузовик грузовиков
        limousine | f Limousine Limousinen | f limusina | f limousine | m лимузин лимузинов
        tractor | m Traktor Traktoren | m tractor | m tracteur | m трактор тракторов
        taxi | n Taxi Taxis | m taxi | m taxi | n такси такси
        """,
    ),
    "part": (
        "autos goods: repair check replace",
        "part | n Teil Teile | f pieza | f pièce | f деталь деталей",
        """
        motor | m Motor Motoren | m motor | m moteur | m мотор моторов
        battery | f Batterie Batterien | f batería | f batterie | f батарея батарей
        tyre | m Reifen Reifen | m neumático | m pneu pneus | f шина шин
        brake | f Bremse Bremsen | m freno | m frein | m тормоз тормозов
        filter | m Filter Filter | m filtro | m filtre | m фильтр фильтров
        turbine | f Turbine Turbinen | f turbina | f turbine | f турбина турбин
        generator | m Generator Generatoren | m generador | m générateur | m генератор генераторов
        """,
    ),
    "garage": (
        "autos place: visit",
        "place | m Ort Orte | m lugar | m lieu | n место мест",
        """
        garage | f Garage Garagen | m garaje | m garage | m гараж гаражей
        factory | f Fabrik Fabriken | f fábrica | f usine | f фабрика фабрик
        autodrome | n Autodrom Autodrome | m autódromo | m autodrome | m автодром автодромов
        """,
    ),
}

# What people and organisations do with any noun of a kind.
KIND_VERBS = {
    "goods": "buy sell test show choose present",
    "event": "organise plan finance present cancel",
    "work": "present praise criticise describe publish",
    "place": "open renovate buy photograph close",
}
# What an organisation does; the rest takes a person.
ORGANISATION_VERBS = """
    buy sell test show present organise plan finance publish open renovate close cancel check design receive
"""

# base past participle | past participle infinitive | past participle infinitive | participle infinitive | past inf.
VERBS = """
    buy bought bought | kaufte gekauft kaufen | compró comprado comprar | acheté acheter | купил купить
    sell sold sold | verkaufte verkauft verkaufen | vendió vendido vender | vendu vendre | продал продать
    test tested tested | testete getestet testen | probó probado probar | testé tester | протестировал протестировать
    show showed shown | zeigte gezeigt zeigen | mostró mostrado mostrar | montré montrer | показал показать
    choose chose chosen | wählte gewählt wählen | eligió elegido elegir | choisi choisir | выбрал выбрать
    present presented presented | präsentierte präsentiert präsentieren | presentó presentado presentar | présenté présenter | представил представить
    organise organised organised | organisierte organisiert organisieren | organizó organizado organizar | organisé organiser | организовал организовать
    plan planned planned | plante geplant planen | planificó planificado planificar | planifié planifier | запланировал запланировать
    finance financed financed | finanzierte finanziert finanzieren | financió financiado financiar | financé financer | профинансировал профинансировать
    cancel cancelled cancelled | stornierte storniert stornieren | canceló cancelado cancelar | annulé annuler | отменил отменить
    praise praised praised | lobte gelobt loben | elogió elogiado elogiar | loué louer | похвалил похвалить
    criticise criticised criticised | kritisierte kritisiert kritisieren | criticó criticado criticar | critiqué critiquer | раскритиковал раскритиковать
    describe described described | beschrieb beschrieben beschreiben | describió descrito describir | décrit décrire | описал описать
    publish published published | publizierte publiziert publizieren | publicó publicado publicar | publié publier | опубликовал опубликовать
    read read read | las gelesen lesen | leyó leído leer | lu lire | прочитал прочитать
    open opened opened | eröffnete eröffnet eröffnen | abrió abierto abrir | ouvert ouvrir | открыл открыть
    close closed closed | schloss geschlossen schließen | cerró cerrado cerrar | fermé fermer | закрыл закрыть
    renovate renovated renovated | renovierte renoviert renovieren | renovó renovado renovar | rénové rénover | отремонтировал отремонтировать
    photograph photographed photographed | fotografierte fotografiert fotografieren | fotografió fotografiado fotografiar | photographié photographier | сфотографировал сфотографировать
    cook cooked cooked | kochte gekocht kochen | cocinó cocinado cocinar | cuisiné cuisiner | сварил сварить
    order ordered ordered | bestellte bestellt bestellen | pidió pedido pedir | commandé commander | заказал заказать
    serve served served | servierte serviert servieren | sirvió servido servir | servi servir | подал подать
    try tried tried | probierte probiert probieren | degustó degustado degustar | goûté goûter | попробовал попробовать
    make made made | machte gemacht machen | preparó preparado preparar | préparé préparer | приготовил приготовить
    drink drank drunk | trank getrunken trinken | bebió bebido beber | bu boire | выпил выпить
    visit visited visited | besuchte besucht besuchen | visitó visitado visitar | visité visiter | посетил посетить
    win won won | gewann gewonnen gewinnen | ganó ganado ganar | gagné gagner | выиграл выиграть
    lose lost lost | verlor verloren verlieren | perdió perdido perder | perdu perdre | потерял потерять
    watch watched watched | sah gesehen sehen | vio visto ver | vu voir | посмотрел посмотреть
    receive received received | erhielt erhalten erhalten | recibió recibido recibir | reçu recevoir | получил получить
    reserve reserved reserved | reservierte reserviert reservieren | reservó reservado reservar | réservé réserver | забронировал забронировать
    check checked checked | prüfte geprüft prüfen | revisó revisado revisar | vérifié vérifier | проверил проверить
    sign signed signed | signierte signiert signieren | firmó firmado firmar | signé signer | подписал подписать
    wear wore worn | trug getragen tragen | llevó llevado llevar | porté porter | надел надеть
    design designed designed | entwarf entworfen entwerfen | diseñó diseñado diseñar | conçu concevoir | разработал разработать
    repair repaired repaired | reparierte repariert reparieren | reparó reparado reparar | réparé réparer | починил починить
    discuss discussed discussed | diskutierte diskutiert diskutieren | debatió debatido debatir | discuté discuter | обсудил обсудить
    reject rejected rejected | verwarf verworfen verwerfen | rechazó rechazado rechazar | rejeté rejeter | отклонил отклонить
    film filmed filmed | filmte gefilmt filmen | filmó filmado filmar | filmé filmer | снял снять
    produce produced produced | produzierte produziert produzieren | produjo producido producir | produit produire | выпустил выпустить
    prescribe prescribed prescribed | verordnete verordnet verordnen | recetó recetado recetar | prescrit prescrire | назначил назначить
    take took taken | nahm genommen nehmen | tomó tomado tomar | pris prendre | принял принять
    use used used | benutzte benutzt benutzen | usó usado usar | utilisé utiliser | использовал использовать
    drive drove driven | fuhr gefahren fahren | condujo conducido conducir | conduit conduire | водил водить
    park parked parked | parkte geparkt parken | aparcó aparcado aparcar | garé garer | припарковал припарковать
    replace replaced replaced | ersetzte ersetzt ersetzen | sustituyó sustituido sustituir | remplacé remplacer | заменил заменить
"""

# What a person does to a person (Russian with the accusative).
PERSONAL_VERBS = """
    meet met met | traf getroffen treffen | conoció conocido conocer | rencontré rencontrer | встретил встретить
    beat beat beaten | besiegte besiegt besiegen | derrotó derrotado derrotar | battu battre | победил победить
    support supported supported | unterstützte unterstützt unterstützen | apoyó apoyado apoyar | soutenu soutenir | поддержал поддержать
    interview interviewed interviewed | interviewte interviewt interviewen | entrevistó entrevistado entrevistar | interviewé interviewer | опросил опросить
    criticise criticised criticised | kritisierte kritisiert kritisieren | criticó criticado criticar | critiqué critiquer | раскритиковал раскритиковать
    inform informed informed | informierte informiert informieren | informó informado informar | informé informer | проинформировал проинформировать
    greet greeted greeted | begrüßte begrüßt begrüßen | saludó saludado saludar | salué saluer | поприветствовал поприветствовать
    hire hired hired | engagierte engagiert engagieren | contrató contratado contratar | engagé engager | нанял нанять
"""

# English | German stem | Spanish [feminine] | French [feminine] | Russian. "<" marks French ones before the noun.
ADJECTIVES = {
    "": """
    good | gut | bueno | <bon bonne | хороший
    bad | schlecht | malo | <mauvais mauvaise | плохой
    big | groß | grande | <grand grande | большой
    small | klein | pequeño | <petit petite | маленький
    modern | modern | moderno | moderne | современный
    traditional | traditionell | tradicional | traditionnel traditionnelle | традиционный
    simple | einfach | simple | simple | простой
    complicated | kompliziert | complicado | compliqué compliquée | сложный
    popular | populär | popular | populaire | популярный
    unknown | unbekannt | desconocido | inconnu inconnue | неизвестный
    normal | normal | normal | normal normale | обычный
    exotic | exotisch | exótico | exotique | экзотический
    important | wichtig | importante | important importante | важный
    interesting | interessant | interesante | intéressant intéressante | интересный
    perfect | perfekt | perfecto | parfait parfaite | идеальный
    special | speziell | especial | spécial spéciale | особый
    original | originell | original | original originale | оригинальный
    local | lokal | local | local locale | местный
    """,
    "foodanddrink": """
    vegetarian | vegetarisch | vegetariano | végétarien végétarienne | вегетарианский
    fresh | frisch | fresco | frais fraîche | свежий
    culinary | kulinarisch | culinario | culinaire | кулинарный
    """,
    "sports": """
    olympic | olympisch | olímpico | olympique | олимпийский
    sporty | sportlich | deportivo | sportif sportive | спортивный
    national | national | nacional | national nationale | национальный
    """,
    "travel": """
    touristic | touristisch | turístico | touristique | туристический
    tropical | tropisch | tropical | tropical tropicale | тропический
    luxurious | luxuriös | lujoso | luxueux luxueuse | роскошный
    """,
    "finance": """
    financial | finanziell | financiero | financier financière | финансовый
    lucrative | lukrativ | lucrativo | lucratif lucrative | прибыльный
    stable | stabil | estable | stable | стабильный
    """,
    "lifestyle": """
    elegant | elegant | elegante | élégant élégante | элегантный
    decorative | dekorativ | decorativo | décoratif décorative | декоративный
    romantic | romantisch | romántico | romantique | романтический
    """,
    "news": """
    political | politisch | político | politique | политический
    democratic | demokratisch | democrático | démocratique | демократический
    diplomatic | diplomatisch | diplomático | diplomatique | дипломатический
    """,
    "entertainment": """
    classical | klassisch | clásico | classique | классический
    dramatic | dramatisch | dramático | dramatique | драматический
    comic | komisch | cómico | comique | комический
    """,
    "health": """
    medical | medizinisch | médico | médical médicale | медицинский
    clinical | klinisch | clínico | clinique | клинический
    biological | biologisch | biológico | biologique | биологический
    """,
    "technology": """
    digital | digital | digital | digital digitale | цифровой
    electronic | elektronisch | electrónico | électronique | электронный
    virtual | virtuell | virtual | virtuel virtuelle | виртуальный
    """,
    "autos": """
    electric | elektrisch | eléctrico | électrique | электрический
    mechanical | mechanisch | mecánico | mécanique | механический
    automatic | automatisch | automático | automatique | автоматический
    """,
}
ANTONYMS = ("good bad", "big small", "modern traditional", "simple complicated", "popular unknown", "normal exotic")

# English | German masculine feminine | Spanish m. f. | French m. f. | Russian (one form for both)
JOBS = {
    "foodanddrink": """
    baker | Bäcker Bäckerin | panadero panadera | boulanger boulangère | пекарь
    cook | Koch Köchin | cocinero cocinera | cuisinier cuisinière | повар
    """,
    "sports": """
    coach | Trainer Trainerin | entrenador entrenadora | entraîneur entraîneuse | тренер
    pilot | Pilot Pilotin | piloto pilota | pilote pilote | пилот
    """,
    "travel": """
    steward | Steward Stewardess | azafato azafata | steward hôtesse | бортпроводник
    guide | Reiseleiter Reiseleiterin | guía guía | guide guide | гид
    """,
    "finance": """
    banker | Bankier Bankerin | banquero banquera | banquier banquière | банкир
    economist | Ökonom Ökonomin | economista economista | économiste économiste | экономист
    """,
    "lifestyle": """
    designer | Designer Designerin | diseñador diseñadora | styliste styliste | дизайнер
    decorator | Dekorateur Dekorateurin | decorador decoradora | décorateur décoratrice | декоратор
    """,
    "news": """
    minister | Minister Ministerin | ministro ministra | ministre ministre | министр
    journalist | Journalist Journalistin | periodista periodista | journaliste journaliste | журналист
    """,
    "entertainment": """
    musician | Musiker Musikerin | músico música | musicien musicienne | музыкант
    director | Regisseur Regisseurin | director directora | réalisateur réalisatrice | режиссёр
    """,
    "health": """
    doctor | Arzt Ärztin | médico médica | médecin médecin | врач
    therapist | Therapeut Therapeutin | terapeuta terapeuta | thérapeute thérapeute | терапевт
    """,
    "technology": """
    engineer | Ingenieur Ingenieurin | ingeniero ingeniera | ingénieur ingénieure | инженер
    programmer | Programmierer Programmiererin | programador programadora | programmeur programmeuse | программист
    """,
    "autos": """
    mechanic | Mechaniker Mechanikerin | mecánico mecánica | mécanicien mécanicienne | механик
    driver | Fahrer Fahrerin | conductor conductora | conducteur conductrice | водитель
    """,
}

# The words that sentences are built around, with their universal part of speech.
FUNCTION_WORDS = {
    "en": """
    DET a an | ADP in on from to by at for of about | AUX is was were did | PRON he she it who what PART not to_
    | CCONJ and | SCONJ that because | ADV very also only where when today yesterday | INTJ yes VERB said wants
    costs begins rose travelled talked attended find buy | NOUN prices language country info degrees o'clock PUNCT .
    , : ; ? ! - | SYM %
    """,
    "de": """
    DET die | ADP in am im aus von nach um für über bei | AUX ist wurde wurden will waren hat | PRON er sie es Sie
    wer was PART nicht | CCONJ und | SCONJ dass weil | ADV sehr auch nur wo wann heute gestern | INTJ ja VERB sagte
    kostet beginnt liegt stiegen reiste sprach besuchte finden kaufen | NOUN Preise Sprache Land Info Grad Uhr Jahr
    PUNCT . , : ; ? ! - | SYM %
    """,
    "es": """
    DET el los las un | ADP en de a por | AUX fue fueron es está | PRON él ella quién qué | CCONJ y SCONJ que porque
    | ADV muy también solo dónde cuándo hoy ayer no | INTJ sí VERB dijo quiere cuesta empieza subieron viajó habló
    asistió había encuentre compre | NOUN precios idioma país info grados PUNCT . , : ; ? ! - ¿ | SYM %
    """,
    "fr": """
    DET le les | ADP à en au de du par pour chez | AUX a est été ont a-t-il a-t-elle | PRON il elle qui que_ se |
    CCONJ et SCONJ que parce | ADV très aussi seulement où quand aujourd'hui hier ne pas | INTJ oui VERB dit veut
    coûte commence trouve augmenté voyagé parlé assisté faisait trouvez achetez | NOUN prix langue pays info degrés
    heures PUNCT . , : ; ? ! - | SYM %
    """,
    "ru": """
    ADP в из на за о | AUX было | PRON он она кто что_ | PART не | CCONJ и | SCONJ что потому ADV очень также только
    где когда сегодня вчера | INTJ да VERB сказал сказала хочет поехал поехала рассказал рассказала посетил посетила
    стоит начинается находится выросли найдите купите NOUN цены язык страна инфо градусов часов году компания
    компании | PUNCT . , : ; ? ! — - | SYM %
    """,
}

// Reviewed by language; doc/outreach.md says what belongs here. A phrase that catches what is harmless is worse than a missing one: a
// person reads the text before it is sent.
#include "core/outreach/phrases.hpp"

#include <algorithm>

namespace pql {
namespace {

using enum Says;

constexpr Phrase kPhrases[] = {
    // --- English
    {observed, "we|i [have|ve|had|just|also|recently|can|could|do|did] noticed|observed|spotted|detected"},
    {observed, "we|i [can|could|do|did|also] notice [that|how|when|where] you|your"},
    {observed, "we|i [have|ve|had|just|also|recently|can|could] see|saw|seen|watched [that|how|when|where|as] you|your"},
    {observed, "we|i [can|could] see|saw|tell from|that|by your|you|the"},
    {observed, "noticed|noticing|noted|saw [that|how|when] you|your"},
    {observed, "we|i [have|ve|are|am|m|re|were|was] [been|just|also] watching|tracking|monitoring|following|observing [what|how|where|when|which] you"},
    {observed, "we|i track|tracked|monitor|monitored|logged|recorded|watched [what|how|where|when|which] you"},
    {observed, "you|your|somebody|someone [team|colleagues|colleague] [have|has|ve|just|recently|also|already|all] "
               "clicked|viewed|visited|browsed|scrolled|hovered|downloaded|opened [on|in|through|to] our|the|a|this|my|an|it"},
    {observed, "you|your|somebody|someone [team|colleagues|colleague] [have|has|ve|just|recently|also|already] clicked|browsed|scrolled|hovered"},
    {observed, "you [have|ve|were|are|re] [been|just|recently|also] looking|looked at|for our|the|pricing|prices"},
    {observed, "you [have|ve|just|recently] spent #|several|some|much|a|an|your"},
    {observed, "you [have|ve|had|haven|hadn|did|didn] [t|not|never|last|just|only] log|logged|sign|signed in|on"},
    {observed, "your recent|latest|last|past|previous [product|website|web|site|app] activity|visit|visits|session|sessions|usage|behavior|behaviour|searches|search|clicks|views"},
    {observed, "your clicks|clickstream|browsing|behavior|behaviour|visits"},
    {observed, "our data|records|logs|analytics|system|systems|tracking|dashboard|dashboards|telemetry|tool|tools|metrics|statistics|stats|software|team "
               "show|shows|showed|say|says|indicate|indicates|indicated|suggest|suggests|suggested|tell|tells|told|reveal|reveals|revealed|detected|flagged|see|sees|saw|noticed"},
    {observed, "according to our|your [own|internal] data|records|logs|analytics|activity|usage|behavior|behaviour|statistics|tracking|system|systems"},
    {observed, "based on your|what|how [recent|latest|own|product|in|app|you] [app] "
               "activity|usage|clicks|behavior|behaviour|visits|browsing|did|do|use|used|clicked|viewed|visited"},
    {observed, "caught|catches|drew|got my|our attention|eye"},
    {observed, "on|across our|my radar"},
    {observed, "keep|keeping|kept an|close|a [close] eye|tabs|watch on you|your"},
    {observed, "keep|keeping|kept tabs on"},
    {observed, "visit|visits|visited|view|views|viewed|viewing|opened|browsed|browsing|look|looked|looking [at|to|on|of|through] [our|the|your] pricing|prices|price|plans|billing|checkout [page|pages|list]"},
    {observed, "looks|seems|appears like|that|as [if] you|your"},
    {observed, "you [have|ve|were|are|re] [been] [very|quite|so|really|particularly|especially|extremely|highly|our|one|the] [of] [our|the] [most] active [user|users|lately|recently|this|in|on|since]"},
    {observed, "you [have|ve] been using|exploring|testing|poking|trying|checking"},
    {observed, "popped|came|showed|shown|coming up in|on our|my"},
    {counted, "!in|within|with|by|just|only|than|takes|take|needs|need # * clicks|click|pageviews|logins|impressions"},
    {counted, "# page|profile|site|product|website views|visits|view|visit|hits"},
    {counted, "# visits|hits|opens|views|downloads [to|of|on|from] [our|the] this|today|yesterday|since|last|pricing|our|the"},
    {counted, "# log|sign ins|ons"},
    {counted, "your # * sessions|events|calls|requests|queries|errors|searches|actions"},
    {counted, "# * calls|requests|queries|errors|searches|sessions|events|actions this|today|yesterday|so|last|since"},
    {counted, "# times|x this|today|yesterday|since|last|already|lately|recently"},
    {counted, "# times|x in|within|over the last|past"},
    {counted, "clicked|viewed|visited|opened|searched|tried|logged|used|called * # times"},
    {asks, "let me|us|them|him|her|somebody|someone know|have|hear"},
    {asks, "get back to me|us"},
    {asks, "get in touch"},
    {asks, "reach out [to] me|us|to|if|any|when|here"},
    {asks, "click here|below|on|this|the"},
    {asks, "book|schedule|grab|pick|find|choose|reserve a|an|your|some|my|us|15|30|any * call|calls|meeting|demo|chat|slot|time|walkthrough|session|minutes|minute|spot|seat|day|appointment"},
    {asks, "sign|signing up for|here|now|today|at|with"},
    {asks, "give me|us a|your call|ring|shout|feedback|thoughts"},
    {asks, "drop me|us a|your|an"},
    {asks, "feel free"},
    {asks, "look|looking forward to * hearing|reply|answer|response|call"},
    {asks, "please"},
    {asks, "i|we d|would love|like * to * hear|talk|chat|meet|show|speak|know"},
    {asks, "^ reply|answer|respond|call|write|click|book|schedule|register|join|visit|download|try|upgrade|subscribe|follow|watch|read|check|"
           "reserve|choose|pick|sign|contact|forward|tell|send|share|buy|order|tap|email|text|ping|message|meet|talk|see|hit"},
    // --- German
    {observed, "wir|ich haben|habe|hab * gesehen|bemerkt|beobachtet|festgestellt|registriert|mitbekommen|verfolgt|gemerkt|erkannt"},
    {observed, "haben|habe wir|ich * gesehen|bemerkt|beobachtet|festgestellt|registriert|mitbekommen|verfolgt|gemerkt|erkannt"},
    {observed, "uns|mir ist|war|sind|waren * aufgefallen"},
    {observed, "ist|sind uns|mir * aufgefallen"},
    {observed, "uns|mir fiel|fallt|faellt|fallen|fielen * auf"},
    {observed, "wir|ich sehen|sehe|sah|sahen|bemerkten|bemerkte|bemerken|beobachten|beobachte|beobachteten|verfolgen|verfolge|tracken|merken "
               "[dass|wie|was|wann] [sie|du|ihr|ihre|ihren|ihrem|dein|deine|deinen|euer|eure]"},
    {observed, "sehen|sehe wir|ich dass|wie|ihre|deine"},
    {observed, "sie|du|ihr|jemand|team haben|hast|habt|hat * geklickt|angeklickt|aufgerufen|besucht|angesehen|angeschaut|geoffnet|geoeffnet|heruntergeladen|durchgeklickt|gestobert|gestoebert"},
    {observed, "haben|hast|habt|hat sie|du|ihr|jemand * geklickt|angeklickt|aufgerufen|besucht|angesehen|angeschaut|geoffnet|geoeffnet|heruntergeladen|durchgeklickt"},
    {observed, "unsere|unser|unseren|unserem daten|statistiken|statistik|analysen|analyse|protokolle|logs|system|systeme|systemen|auswertungen|auswertung|tracking|aufzeichnungen "
               "zeigen|zeigt|sagen|sagt|belegen|belegt|verraten|verrat|verraet|zufolge|nach"},
    {observed, "laut|gemass|gemaess|nach unserer|unseren|unserem|ihren|deinen daten|statistik|statistiken|aufzeichnungen|system|systemen|analyse|analysen|auswertung|aktivitaten|aktivitaeten"},
    {observed, "ihre|ihrer|deine|deiner|eure|eurer [letzte|letzten|jungste|jungsten|juengste|juengsten|kurzliche|bisherige|bisherigen] "
               "aktivitat|aktivitaet|aktivitaten|aktivitaeten|klicks|besuche|sitzungen|seitenaufrufe|aufrufe|anmeldungen"},
    {observed, "ihr|ihrem|ihres|dein|deinem|deines|euer letzter|letzten|letztes|jungster|juengster besuch|login|klick"},
    {observed, "ihr|ihrem|ihres|dein|deinem|deines|euer|eurem klickverhalten|nutzungsverhalten|surfverhalten|verhalten|verhaltens|nutzerverhalten"},
    {observed, "aufgrund|anhand|basierend|auf [auf|basis] ihrer|ihres|ihren|deiner|deines|deinen nutzung|klicks|besuche|aktivitat|aktivitaet|verhaltens"},
    {counted, "!mit|in|nur|als # * klicks|klick|aufrufe|seitenaufrufe|anmeldungen|logins|zugriffe"},
    {counted, "# mal * aufgerufen|besucht|geklickt|angeklickt|angesehen|geoffnet|geoeffnet|angemeldet|eingeloggt|genutzt"},
    {counted, "# mal diese|heute|gestern|seit|in"},
    {asks, "melden|melde sie|dich|euch * bei|gern|gerne|jederzeit|an"},
    {asks, "melden|melde sie|dich|euch"},
    {asks, "^ lassen|lass|lasst sie|uns|mich|mir|es"},
    {asks, "^ antworten|schreiben|rufen|klicken|buchen|vereinbaren|testen|probieren|wahlen|waehlen|nutzen|besuchen|sagen|geben|schicken|senden|teilen|kaufen|laden|lesen|schauen|sehen sie|wir"},
    {asks, "^ antworte|schreib|schreibe|ruf|klick|klicke|buch|buche|vereinbare|teste|probier|probiere|wahl|wahle|waehle|besuch|besuche|sag|gib|schick|schicke|kauf|lies|schau"},
    {asks, "geben|gib|gebt|sagen|sag|sagt * bescheid"},
    {asks, "hier|jetzt klicken|buchen|anmelden|registrieren|testen|kaufen|bestellen|ausprobieren"},
    {asks, "bitte"},
    {asks, "freue|freuen [mich|uns] [sehr] auf|uber|ueber ihre|deine|eure|eine antwort|ruckmeldung|rueckmeldung|nachricht"},
    // --- French
    {observed, "nous|on|j avons|a|ai|avions [bien|deja|aussi|juste|pu] remarque|vu|vus|constate|observe|note|apercu|detecte|releve|repere"},
    {observed, "nous|je vous|t avons|ai vu|vus|remarque|remarques|observe|observes|repere|reperes"},
    {observed, "je|nous|on vois|voyons|voit|remarque|remarquons|constate|constatons|observe|observons que|qu|comment vous|votre|vos|tu|ton|ta|tes"},
    {observed, "vous|tu avez|as [bien|deja|recemment|aussi|souvent] clique|visite|consulte|ouvert|parcouru|telecharge|navigue|regarde"},
    {observed, "vous|tu vous|t etes|es [bien|deja|recemment|souvent|pas|plus] connecte|connectes|connectee"},
    {observed, "nos|notre donnees|statistiques|analyses|outils|systemes|systeme|journaux|outil|tableau "
               "[nous|vous] montrent|montre|indiquent|indique|revelent|revele|disent|dit|suggerent|suggere|signalent|signale"},
    {observed, "d|selon apres|nos|vos|votre|notre [nos|votre|vos|notre] donnees|activite|statistiques|navigation|clics|historique|visites"},
    {observed, "votre|vos|ton|ta|tes derniere|dernier|dernieres|derniers|recente|recent|recentes|recents activite|activites|visite|visites|session|sessions|connexion|connexions|navigation"},
    {observed, "votre|vos|ton|ta|tes activite|activites|visite|visites|session|sessions|connexion|connexions recente|recentes|recent"},
    {observed, "votre|vos|ton|tes navigation|clics|comportement"},
    {observed, "retenu|attire|attiree notre|mon attention"},
    {observed, "nous|on suivons|surveillons|tracons|suit|surveille [de|pres] votre|vos|vous"},
    {counted, "!en|avec|que # clics|clic|visites|connexions|consultations"},
    {counted, "# fois cette|ce|aujourd|hier|depuis|deja"},
    {counted, "clique|visite|consulte|ouvert|regarde|connecte * # fois"},
    {asks, "dites|dis|faites|fais moi|nous|le|savoir"},
    {asks, "repondez|reponds|cliquez|contactez|ecrivez|inscrivez|telechargez|essayez|decouvrez|rejoignez|appelez|reservez|choisissez"},
    {asks, "reserve|choisis|prenez|prends un|une|rendez"},
    {asks, "n hesitez|hesite"},
    {asks, "veuillez"},
    {asks, "merci de|d repondre|cliquer|me|nous|confirmer|contacter|prendre|remplir|lire|appeler|ecrire|reserver"},
    {asks, "s il vous|te plait"},
    // --- Spanish
    {observed, "hemos|he|habiamos|habia [ya|tambien|recientemente] visto|notado|observado|detectado|registrado|comprobado"},
    {observed, "vimos|notamos|observamos|detectamos|vemos|veo|vi|note|noto|observe|detecte que|como"},
    {observed, "has|ha|han|habeis [ya|recientemente|tambien] visitado|abierto|descargado|consultado|navegado|pulsado|clicado|mirado"},
    {observed, "has|ha|han|habeis hecho clic|clics"},
    {observed, "visitaste|clicaste|abriste|descargaste|consultaste|navegaste"},
    {observed, "nuestros|nuestras|nuestro datos|registros|sistemas|sistema|estadisticas|analisis|herramientas "
               "[nos|te|le] muestran|muestra|indican|indica|revelan|revela|dicen|dice|sugieren|sugiere|senalan"},
    {observed, "segun nuestros|nuestras|sus|tus|su|tu|nuestro datos|registros|actividad|visitas|estadisticas|sistema|uso"},
    {observed, "tu|su|tus|sus|vuestra reciente|recientes|ultima|ultimas|ultimo|ultimos actividad|visita|visitas|sesion|sesiones|clics|acceso|accesos|uso"},
    {observed, "tu|su|tus|sus|vuestra actividad|visita|visitas|sesion|sesiones|clics reciente|recientes"},
    {observed, "tu|su|tus|sus|vuestra comportamiento|clics|navegacion"},
    {observed, "llamo|llamado [nuestra|mi|la] atencion"},
    {observed, "seguimos|rastreamos|monitorizamos|monitoreamos|vigilamos tu|su|tus|sus|lo|como"},
    {counted, "!en|con|solo|que # clics|clic|visitas|accesos|descargas"},
    {counted, "# veces esta|este|hoy|ayer|desde|ya"},
    {asks, "avisame|aviseme|avisanos|avisenos|respondeme|respondame|respondenos|contactame|contacteme|contactanos|contactenos|escribeme|escribame|"
           "escribenos|escribanos|llamame|llameme|llamanos|inscribete|inscribase|registrate|registrese|dime|digame|dinos|diganos|cuentame|cuenteme"},
    {asks, "responda|responde|conteste|contesta a|este|con|si|aqui"},
    {asks, "haz|haga|hagan clic"},
    {asks, "pulsa|pulse aqui|en"},
    {asks, "reserva|reserve|agenda|agende|elige|elija|programa|programe un|una|tu|su|aqui"},
    {asks, "no dudes|dude|duden en"},
    {asks, "por favor"},
    // --- Portuguese
    {observed, "vimos|notamos|observamos|percebemos|reparamos|detectamos|detetamos|vejo|vi|notei|percebi|reparei|observei que|como|seu|sua|seus|suas|teu|tua"},
    {observed, "voce|voces|tu [ja|tambem|recentemente] clicou|visitou|abriu|acessou|acedeu|baixou|consultou|navegou|descarregou|clicaram|visitaram|acessaram|abriram|clicaste|visitaste"},
    {observed, "nossos|nossas|nosso dados|registros|registos|sistemas|sistema|estatisticas|analises|ferramentas "
               "[nos|lhe] mostram|mostra|indicam|indica|revelam|revela|dizem|diz|sugerem|sugere|apontam"},
    {observed, "acordo com [os|as|o|a] nossos|nossas|seus|suas|sua|nosso dados|registros|registos|atividade|visitas|estatisticas|sistema|uso"},
    {observed, "segundo|conforme [os|as|o|a] nossos|nossas|seus|suas|sua|nosso dados|registros|registos|atividade|visitas|estatisticas|sistema|uso"},
    {observed, "sua|suas|seu|seus|tua|teu recente|recentes|ultima|ultimas|ultimo|ultimos atividade|atividades|visita|visitas|sessao|sessoes|acesso|acessos|uso"},
    {observed, "sua|suas|tua|tuas atividade|atividades|visita|visitas|sessao|sessoes|navegacao recente|recentes"},
    {observed, "seu|seus|sua|teu|teus comportamento|cliques|navegacao"},
    {observed, "chamou|chamaram [a] nossa|minha atencao"},
    {observed, "acompanhamos|monitoramos|rastreamos|monitorizamos sua|seu|seus|suas"},
    {counted, "!em|com|apenas|que # cliques|clique|visitas|visualizacoes|acessos"},
    {counted, "# vezes esta|este|nesta|neste|hoje|ontem|desde|ja"},
    {asks, "me|nos avise|diga|ligue|escreva|conte|responda"},
    {asks, "avise|diga|ligue|escreva|conte|responda|envie me|nos|para|a"},
    {asks, "responda|responde a|este|esta|com|se|aqui"},
    {asks, "clique|clica aqui|em|no|na|neste|abaixo"},
    {asks, "reserve|agende|marque|escolha|agenda|marca um|uma|seu|sua|o"},
    {asks, "entre|entrar em contato|contacto"},
    {asks, "fale conosco|connosco|comigo"},
    {asks, "inscreva|cadastre|registe|registre se"},
    {asks, "nao hesite|hesitem"},
};

constexpr std::string_view kNumberWords[] = {
    "two",    "three",  "four",   "five",    "six",    "seven",  "eight",    "nine",    "ten",   "eleven", "twelve", "dozen",  "dozens",  "hundreds",
    "hundred", "thousand", "thousands", "twice", "zwei", "drei", "vier", "funf", "fuenf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwolf", "zwoelf",
    "deux",   "trois",  "quatre", "cinq",    "sept",   "huit",   "neuf",     "dix",     "onze",  "douze",  "dos",    "tres",   "cuatro",  "cinco",
    "seis",   "siete",  "ocho",   "nueve",   "diez",   "once",   "doce",     "dois",    "duas",  "quatro", "sete",   "oito",   "nove",    "dez", "doze"};

constexpr std::string_view kOpeners[] = {"please", "just", "simply", "and", "or", "so", "then", "also", "now", "do", "und", "oder", "einfach", "bitte", "gern", "gerne"};

} // namespace

std::span<const Phrase> phrases() noexcept { return kPhrases; }

bool is_number_word(std::string_view folded) noexcept {
  return std::find(std::begin(kNumberWords), std::end(kNumberWords), folded) != std::end(kNumberWords);
}

bool opens_sentence(std::string_view folded) noexcept {
  return std::find(std::begin(kOpeners), std::end(kOpeners), folded) != std::end(kOpeners);
}

} // namespace pql

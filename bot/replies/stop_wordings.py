"""How people ask for silence, as regular expressions by language; what is made of them is in `stop`."""

ALONE = r"""
    # English
    (?:can you )?(?:stop|quit)(?: (?:it|this|that|now|bot))*
    stop (?:replying|messaging|writing|spamming)|unsubscribe
    (?:i want to |how (?:do|can) i )?(?:unsubscribe|opt out)|opt[ -]?out
    leave me alone|go away|no more messages|enough|remove me|mute me
    block me|do not (?:reply|contact|message|write)
    don't (?:reply|contact|message|write)
    # German
    stopp|hör(?:t|en sie)? (?:bitte )?auf(?: damit)?|aufhören|abmelden
    abbestellen|lasst? das|ruhe
    (?:nicht|nie) (?:mehr|wieder) (?:schreiben|antworten|anschreiben|kontaktieren|melden|markieren)
    keine (?:weiteren )?(?:nachrichten|antworten)(?: mehr)?
    # French
    arr[êe]te[zr]?(?: ça| cela)?|stop ça|(?:me )?d[ée]sabonner
    d[ée]sinscrire|d[ée]sabonnez[ -]moi|ça suffit|plus de messages?
    laisse[zr]?[ -]moi tranquille
    # Spanish
    para ya|basta(?: ya)?|parad|d[ée]jame en paz|d[ée]jenme en paz
    dar(?:me)? de baja|no m[áa]s mensajes|cancelar (?:la )?suscripci[óo]n
    no (?:me )?(?:escriban|escribas|contacten|contactes|respondan|respondas)(?: m[áa]s)?
    # Italian
    smett(?:ila|etela|i|ete)|fermati|disiscriv(?:imi|ermi|etemi)
    lasciami in pace|lasciatemi in pace|basta messaggi
    # Portuguese
    pare|parem|para com isso|chega|me deixe? em paz|deixe-me em paz
    descadastrar|cancelar inscri[çc][ãa]o
    n[ãa]o (?:me )?(?:escrevam?|contactem?|contatem?|respondam?|mandem?)(?: mais)?(?: mensagens)?
    # Dutch
    houd? op|afmelden|uitschrijven|laat me met rust|geen berichten meer
    niet meer (?:schrijven|antwoorden|sturen)
    # Polish
    przesta[ńn](?:cie)?|wypisz(?:cie)? mnie|daj(?:cie)? mi spok[óo]j
    zostaw(?:cie)? mnie w spokoju|do[śs][ćc]
    nie pisz(?:cie)?(?: wi[ęe]cej| ju[żz])?
    # Swedish, Danish, Norwegian
    sluta|l[äa]mna mig i(?: fred)?|l[åa]t mig vara(?: ifred| i fred)?
    avregistrera(?: mig)?|inga fler meddelanden|hold op
    lad mig v[æa]re(?: i fred)?|afmeld(?: mig)?|la meg v[æa]re(?: i fred)?
    slutt|meld meg av|ikke skriv mer
    # Finnish, Czech
    lopeta(?:kaa)?|j[äa]t[äa] (?:minut )?rauhaan|p[řr]esta[ňn](?:te)?
    nepi[šs](?:te)?(?: mi)?|nechte m[ěe](?: b[ýy]t)?
    # Turkish
    dur(?:un)?|yeter|yazmay[ıi]n?|beni rahat b[ıi]rak[ıi]?n?
    abonelikten [çc][ıi]k(?:ar)?|mesaj atmay[ıi]n?
    # Russian, Ukrainian
    стоп|хватит|прекрати(?:те)?|отстань(?:те)?|отпишите меня|отписаться
    досить|припини(?:ть)?|відчепи(?:ться|сь)
    # Japanese, Chinese, Korean, Arabic
    やめて|やめてください|停止|配信停止|止めてください|停下|别发了|退订|不要再发了|그만|그만해|그만하세요|수신거부|توقف|كفى
    """
"""Counts when the text says nothing else."""

ANYWHERE = r"""
    # English
    (?:stop|quit) (?:messag|contact|tagg|mention|spamm|bother|dm|ping|text|e-?mail|annoy|harass)\w* (?:me|us)\b
    (?:stop|quit) (?:repl|respond|writ|talk|post)\w*(?: (?:back|stuff|things))?(?: (?:to|at|on|with))? (?:me|us|my)\b
    (?:stop|quit) (?:sending|showing|giving) (?:me|us)\b
    (?<!\byou )(?<!they )(?<!\bwe )(?<!who )(?:do not|don't|dont|never) (?:ever )?
      (?:message|contact|tag|mention|dm|ping|text|e-?mail|bother|spam|(?:reply|respond|write|talk)(?: to)?) (?:me|us)\b
    leave (?:me|us) alone|unsubscribe me|opt me out
    (?:take|remove) me (?:off|from) (?:your|this|the) list
    (?:do not|don't|dont|no longer) want to (?:hear|get|receive) (?:anything |messages |any more )?from you
    (?:do not|don't|dont|no longer) want (?:any more|your|these) (?:messages|replies)
    # German
    h[öo]r(?:t|en sie)? (?:bitte |endlich )*auf,? (?:mir|mich|uns) (?:zu|an)\w*
    (?:schreib|kontaktier|markier|nerv|belästig|antworte\b)\w* (?:sie )?(?:mir|mich|uns) (?:bitte )?(?:nicht|nie)\b
    (?:mir|mich|uns) (?:bitte )?(?:nicht|nie) (?:mehr|wieder) (?:zu )?(?:an)?(?:schreib|antwort|kontaktier|markier)\w*
    lass(?:t|en sie)? (?:mich|uns) (?:bitte |endlich )*in (?:ruhe|frieden)
    meld(?:e|et|en sie) mich (?:bitte )?ab
    ich m[öo]chte keine (?:weiteren )?(?:nachrichten|antworten)
    # French
    arr[êe]te[zr]? de (?:me|m'|nous) ?(?:contacter|[ée]crire|r[ée]pondre|envoyer|spammer|mentionner|d[ée]ranger)
    ne (?:me|m'|nous) ?(?:contactez|[ée]crivez|r[ée]pondez) (?:plus|pas|jamais)
    ne (?:me|m'|nous) ?(?:contacte|[ée]cris|r[ée]ponds|spamme) plus
    laisse[zr]?[ -](?:moi|nous) (?:tranquille|en paz|en paix)
    d[ée]sabonnez[ -]moi|d[ée]sinscrivez[ -]moi
    # Spanish
    (?:dej[ae]|dejen|dejad|par[ae]|paren|parad) de (?:escribir|contactar|responder|enviar|mandar|molestar)(?:me|nos)
    (?:dej[ae]|dejen|dejad|par[ae]|paren|parad) de (?:mencionar|etiquetar)(?:me|nos)
    no me (?:escriba|contacte|responda|moleste|env[íi]e|mande)[ns]?\b
    no me escribas|d[ée]j(?:ame|enme|adme) (?:en paz|tranquil[oa])
    den?me de baja|dame de baja
    # Italian
    smett(?:ila|etela|i|ete|a) di (?:scrivermi|contattarmi|rispondermi|mandarmi|disturbarmi|taggarmi|menzionarmi)
    non (?:scrivermi|scrivetemi|contattarmi|contattatemi|rispondermi|rispondetemi|mandarmi|taggarmi)
    lascia(?:mi|temi) (?:in pace|stare)
    # Portuguese
    par(?:e|em|a) de me (?:escrever|contac?tar|responder|enviar|mandar|incomodar|marcar|mencionar)
    par(?:e|em|a) de (?:escrever|contac?tar|responder|enviar|mandar|incomodar)-me
    n[ãa]o me (?:escreva|contacte|contate|responda|mande|envie|incomode|marque)m?
    me deixem? em paz|deixem?-me em paz
    # Dutch
    (?:stop|houd? op)(?: alsjeblieft)? met (?:mij|me|ons) (?:te )?(?:berichten|schrijven|mailen|taggen|lastigvallen)
    (?:schrijf|bericht|mail|tag|contacteer|antwoord) (?:mij|me|ons) niet(?: meer)?
    laat (?:mij|me|ons) met rust
    # Polish
    przesta[ńn](?:cie)? (?:do mnie )?(?:pisa[ćc]|odpowiada[ćc]|wysy[łl]a[ćc])(?: do mnie| mi)?
    nie (?:pisz|piszcie|odpisuj|odpowiadaj|odpowiadajcie) (?:ju[żz] )?(?:do mnie|mi)
    zostaw(?:cie)? mnie w spokoju
    # Swedish, Danish, Norwegian
    sluta (?:skriva|svara|kontakta|st[öo]ra|tagga)(?: till| p[åa])? (?:mig|oss)
    skriv inte till (?:mig|oss)|l[äa]mna mig ifred
    (?:hold op|stop) med at (?:skrive|svare|kontakte|tagge)(?: til)? (?:mig|os)
    (?:skriv|kontakt) ikke (?:til )?(?:mig|os)
    slutt [åa] (?:skrive|svare|kontakte|tagge)(?: til)? (?:meg|oss)
    ikke (?:skriv til|kontakt) (?:meg|oss)
    # Finnish, Czech
    [äa]l[äa](?:k[äa][äa])? (?:kirjoita|kirjoittako|ota yhteytt[äa]) (?:en[äa][äa] )?minu(?:lle|un)
    p[řr]esta[ňn](?:te)? mi ps[áa]t|nepi[šs](?:te)? mi(?: u[žz])?
    # Turkish
    bana (?:yazmay[ıi]|mesaj atmay[ıi]|yan[ıi]t vermeyi) (?:b[ıi]rak|kes)\w*
    bana (?:bir daha )?(?:yazma|mesaj atma)(?:y[ıi]n)?\b
    # Russian, Ukrainian
    (?:не|больше не) пиши(?:те)? (?:мне|нам|сюда)
    перестань(?:те)? (?:мне )?(?:писать|отвечать)
    оставь(?:те)? меня в покое|не пиши(?:ть|іть)? мені
    припиніть мені писати|(?:залиште|дайте) мен[еі] (?:в спокої|спокій)
    # Arabic
    لا (?:تراسلني|تراسلوني|تكتب لي|تتواصل معي)|توقف عن (?:مراسلتي|الكتابة)
    """
"""Counts wherever it stands."""

UNSPACED = r"""
    # Japanese
    (?:連絡|返信|メッセージ|リプ|リプライ)(?:を|は)?(?:しないで|送らないで|やめて|止めて)|話しかけないで|もう送らないで
    # Chinese
    (?:不要|别|請勿|请勿|勿)再?(?:(?:给|給|跟|和)我)?(?:联系我|聯繫我|聯絡我|回复我|回覆我|私信我|给我发|給我發|发消息|發訊息)
    # Korean
    (?:연락|메시지|답장|멘션)\w*\s?(?:하지|보내지) ?(?:마|말)
    """
"""The same where words are not set apart by spaces."""

POLITE = r"""
    please|pls|plz|now|just|ok|okay|no|thanks|thank you|hey|hi|already
    i mean it|seriously|bitte|danke|jetzt|endlich|sofort
    s'il vous pla[îi]t|s'il te pla[îi]t|svp|stp|merci|por favor|gracias|ya
    per favore|grazie|ora|obrigad[oa]|alsjeblieft|alstublieft|graag
    prosz[ęe]|ju[żz]|tack|tak|takk|v[æa]r s[åa] snill|kiitos|pros[íi]m
    l[üu]tfen|пожалуйста|будь ласка|请|請|제발|من فضلك|お願いします|もう
    """
"""Says nothing of its own beside a request."""

ENDINGS = r"""
    stop|quit
    h[öo]r
    arr
    dej|par
    smett
    houd? op
    przesta
    sluta|hold op|slutt
    перестань|припин
    توقف
    """
"""How wordings begin that ask for an end of something: only these can be turned round."""

TURNED_ROUND = r"""
    don't|dont|do not|never|can't|cannot|couldn't|won't|wouldn't|didn't|doesn't|shouldn't
    nicht|nie
    ne|jamais
    non|mai
    n[ãa]o
    niet|nooit
    nie
    inte|ikke|aldri|aldrig
    не
    """
"""Before a wording that asks for an end, these make it the opposite."""

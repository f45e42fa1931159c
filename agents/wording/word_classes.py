"""Words of English that say which other words are nouns, and nouns that name no theme.

They are of no domain: what summaries call the works that they describe is among the empty ones.
"""

_BEFORE_NOUNS = """
a an the his her their its this that these those my your our some any no every each another of in
on for with from by at into about against through between without and or as
"""
_BEFORE_VERBS = """
to will would can could may might must should he she they it who which we you i not is are was
were be been being has have had gets get
"""
_EMPTY = """
ability accident act action activity actor actress adaptation addition adult advance advantage age
aid air appearance area arrival aspect associate associated attempt attention attitude audience
author backdrop background bar base basis beginning behavior belief bit body book boss boundary boy
bunch career case cast center century challenge chance change chapter character choice circumstance
clash client clutch clutches command company complexity condition consequence contact continuation
country couple course creation cure day dead deal decision defense delve depth destroying detail
develop device dies difference difficulty directly director discover door down downs ease edition
effect effort element end ending energy episode era estate evening event everything example exchange
execution existence expecting experience expert eye fact fall feature feeling fiancee field fight
film focus focuses folk follow followings follows footage force form friend future girl goal group
grow growing grows guy half hand head heart help history home hope host hour house idea image impact
incident individual industry influence information inhabitant institution intelligence interest
intertwine interview issue item job joke key kid kind knowledge lack land landing lead leader league
level life limit line lives local lot machine man manner matter meaning meantime meeting member
memory middle mind minute moment month morning movie murdering mute name nature need night novel
number object office one opening operation operative opportunity oppressive order outside owner pair
part particular partner party passage past path people percent performance period person personality
perspective picture piece place plan play plot point population portrait position potential presence
price problem process product production profession program progress project purpose push quality
quest question rate raw reader reality realization reason record resident rest result ring rise role
roll room rule run scene search season seat second sense series set setting shop side sight
situation size skill soon sort source stage standing state status step story stuff style subject
success summary superior surface surprise system table taking tale talent target task team term test
thing thought threaten time title top total touch trail training trouble truth turn type unfolds
unit up ups use value variety version view viewer voice wake wave way web week whereabouts whole
woman word work world year youth
"""

BEFORE_NOUNS = frozenset(_BEFORE_NOUNS.split())
BEFORE_VERBS = frozenset(_BEFORE_VERBS.split())
EMPTY = frozenset(_EMPTY.split())

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
author background bar base basis beginning behavior belief bit body book boy bunch career case
cast center century chance change chapter character choice circumstance client command company
condition contact continuation country couple course day deal decision defense destroying detail
develop device dies difference difficulty directly director discover door ease edition effect
effort element end ending energy episode era estate evening event everything example exchange
execution existence expecting experience expert eye fact feature feeling fiancee field fight film
focus focuses folk follow follows footage force form friend future girl goal group grow grows guy
half hand head heart help history home hope hour house idea image impact incident individual
industry influence information inhabitant institution intelligence interest interview issue item
job joke key kid kind knowledge lack land landing leader league level life line lives local lot
machine man manner matter meantime meeting member memory middle mind minute moment month morning
movie murdering name nature need night novel number object office one opening operation operative
opportunity order outside pair part particular partner party past path people percent performance
period person personality perspective picture piece place plan plot point population portrait
position potential presence price problem process product production profession program progress
project purpose quality quest question rate reader reality realization reason record resident rest
result role roll room rule scene search season second sense series set setting shop side sight
situation size skill soon sort source stage standing state status step story stuff style subject
success summary superior surface surprise system table tale talent task team term thing thought
time title top total touch training trouble truth turn type unfolds unit use value variety version
view viewer voice way week whereabouts whole woman word work world year youth
"""

BEFORE_NOUNS = frozenset(_BEFORE_NOUNS.split())
BEFORE_VERBS = frozenset(_BEFORE_VERBS.split())
EMPTY = frozenset(_EMPTY.split())

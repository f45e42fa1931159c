"""A society of users on Mesa: who is awake, who hears what from whom, and how people change.

Mesa and networkx load with ``simenv.abm.model``; this package alone is light.
"""

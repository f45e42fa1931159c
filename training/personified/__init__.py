"""Persons who stay themselves: corpora by life stage, training on them, what it is worth (PersLLM).

The method is that of arXiv 2407.12393: social practice, consistency and dynamic development.
"""

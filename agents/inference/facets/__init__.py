"""Facets: an adapter's parts, mixed for each person; their names, their gate and their mixing."""

"""Configurations: they name things by dotted path and import nothing of ours."""

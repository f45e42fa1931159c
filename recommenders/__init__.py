"""Policies: they learn at home from a log and show slates; they know nothing of language models."""

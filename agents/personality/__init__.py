"""Traits seen without a questionnaire: choices in situations, behaviour, and how levels agree."""

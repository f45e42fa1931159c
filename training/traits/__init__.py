"""Traits set in a language model: adapters, their rivals, and the measures of both (2409.10245)."""

"""A student of a language model: what it learns from, and how."""

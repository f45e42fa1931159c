"""A student of a language model: it answers where it is sure, and the model where it is not."""

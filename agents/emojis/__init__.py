"""Emojis: found in text, weighed in a model's next token, explained by its neurons, kept out."""

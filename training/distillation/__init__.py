"""Profiles and reasons told by a language model on a server (``distiller=openai``)."""

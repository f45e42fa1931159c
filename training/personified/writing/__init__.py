"""Exchanges written from passages: offline by grammars, or by a model through the distiller."""

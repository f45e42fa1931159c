"""How users behave, apart from any language model: watching, rating, leaving, coming back."""

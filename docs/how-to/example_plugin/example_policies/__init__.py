"""Policies for PersonaRec from another package."""

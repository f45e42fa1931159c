"""Populations: folders of people, with their adapters, memories and base model."""

"""Persona adapters (LoRA): presets, losses, training, and the variants of a table."""

"""Engines on many machines: one engine's questions answered by workers that Ray runs."""

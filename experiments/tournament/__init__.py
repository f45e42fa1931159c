"""Policies before the same users: played in waves, measured, summarised."""

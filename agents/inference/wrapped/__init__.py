"""Engines around engines: exact answer cache, record and replay, and what identifies a model."""

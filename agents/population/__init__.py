"""Populations: people as a folder with adapters, memories and base model. The code, not the data.

The shipped population itself lies in ``agents/populations/`` (package data).
"""

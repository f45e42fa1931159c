"""Domains: what kind of things are recommended, and in which words they are spoken of.

One YAML a domain; ``item.yaml`` holds every field with its meaning. ``domain.py`` says what a
domain is, ``domain_file.py`` how one is read.
"""

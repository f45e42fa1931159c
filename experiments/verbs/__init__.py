"""Commands that are no run: ``list``, ``inspect``, ``smoke``, sharing and ``--dry-run``."""

"""Commands that leave no files: ``list``, ``inspect``, ``smoke`` and ``--dry-run``."""

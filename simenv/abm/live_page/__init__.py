"""The page on which people watch a society live."""

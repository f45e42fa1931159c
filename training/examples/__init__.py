"""Training examples: what a user knew, and what they answered next."""

"""People told in words, without a model: what they like, their habits, and how they say it."""

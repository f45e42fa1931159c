"""Opinions that show a personality: questions and answers by trait, pole and topic (2409.10245)."""

"""The base model: the pocket SLM, the worlds it learns from, and its export."""

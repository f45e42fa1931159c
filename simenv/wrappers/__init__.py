"""Other ways to see and to act: candidate sets, slate codes, views, Stable-Baselines3."""

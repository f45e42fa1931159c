"""The environment: slates in, answers, rewards and infos out, for one user or natively for many."""

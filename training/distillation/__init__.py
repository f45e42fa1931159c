"""A log into people: profiles and reasons, without a model or by one on a server."""

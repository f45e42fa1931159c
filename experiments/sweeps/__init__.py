"""Jobs of a sweep (``-m``) where Hydra's own launchers do not reach: on workers that Ray runs."""

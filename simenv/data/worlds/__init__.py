"""Worlds that are made: what their truth is, how their logs came about, who can read them."""

"""The recommenders themselves, one family a file."""

"""People who are more than memory holds: on disk, all but those who are awake."""

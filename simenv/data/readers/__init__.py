"""Rating logs from files: a reader a source, and the checks that all of them share."""

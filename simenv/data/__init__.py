"""Rating logs from files, from publishers and from a synthetic world with known truth."""

"""Contract suites for people's seams, shipped so that an author of one has the tests; pytest."""

"""Contract suites for the world's seams, shipped so that an author of one has the tests; pytest."""

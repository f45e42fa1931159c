"""Contract tests for authors: subclass one and your part has the tests that ours must pass."""

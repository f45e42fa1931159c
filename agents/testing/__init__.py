"""Contract suites for engines and people's seams: subclass one and your part has its tests."""

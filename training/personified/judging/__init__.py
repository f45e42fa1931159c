"""Questions, pressure and measures for people who should stay themselves."""

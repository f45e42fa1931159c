"""One look for everything that is drawn: reports, pictures and the page of a society."""

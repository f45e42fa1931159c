"""What every experiment leaves behind: pages, plots, provenance, progress."""

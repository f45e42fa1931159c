"""Long-term memory (Ml): what a person recalls, behind one seam."""

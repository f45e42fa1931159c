"""What one value at a door must be: moments, whole numbers, texts. Knows no item and no log."""

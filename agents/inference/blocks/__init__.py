"""Each text is read once, alone, and an answer costs a cue that attends to what was kept."""

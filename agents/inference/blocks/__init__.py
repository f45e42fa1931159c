"""Reading in blocks: each text is read once, alone, and an answer costs a cue that attends to them."""

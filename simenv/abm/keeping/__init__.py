"""What a society leaves on disk: its journal and its checkpoints."""

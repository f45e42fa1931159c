"""What a society leaves on disk: whole files, its journal and its checkpoints."""

"""Runs in the books of somebody's own: MLflow, or whatever ``tracking._target_`` names."""

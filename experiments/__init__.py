"""Asks questions: runs, sweeps, reports."""

"""Rating predictors without a language model: the rivals in every table of fidelity."""

"""Who answers in an experiment: people on a language model, stand-ins, crowds."""

"""Who answers in an experiment: people on a language model, or users without one."""

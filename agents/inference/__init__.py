"""Text in, numbers or text out: the engines and their plan."""

"""A language model in this process, by Hugging Face's own code."""

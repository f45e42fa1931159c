"""A small Llama, its adapters and its tokenizer, read without transformers and peft.

They are what scoring on the fused forward needs, and take a fraction of a second to import; the
libraries take four seconds. Whatever is the least unusual about a folder is left to the libraries,
and so is every error: what cannot be read here is read again there, which names fault and cure.
"""

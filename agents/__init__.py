"""The people: persona, memory, engine and the user model made of them."""

"""People who change: profiles written anew, adapters trained further, and the diary of both."""

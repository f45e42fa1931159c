"""What people say in words: what can be said of an item, and the reasons for a rating."""

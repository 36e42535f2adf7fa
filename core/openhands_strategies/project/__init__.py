"""Floor 3: the user's home of strategies, and the place where trust is asked."""

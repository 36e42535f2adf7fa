"""`ohs compare`: several strategies on one task, each run in its own copy."""

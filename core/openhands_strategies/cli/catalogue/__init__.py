"""The catalogue page of an index: what it offers, and what each offer brings."""

"""Budget: a dollar limit for the whole fleet."""

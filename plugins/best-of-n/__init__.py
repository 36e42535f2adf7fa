"""Best of n: attempts beside each other, of which one is taken."""

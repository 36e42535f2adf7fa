"""Shell completion: what is offered, and the scripts that ask for it."""

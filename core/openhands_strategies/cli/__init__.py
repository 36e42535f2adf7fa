"""Floor 5: the command `ohs`. A command is one module; `main` has the table of them."""

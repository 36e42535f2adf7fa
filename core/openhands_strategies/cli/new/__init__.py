"""`ohs new`: from a name and a few answers to a directory that can be published."""

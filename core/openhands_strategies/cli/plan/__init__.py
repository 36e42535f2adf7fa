"""`ohs plan`: what it makes and how it is shown."""

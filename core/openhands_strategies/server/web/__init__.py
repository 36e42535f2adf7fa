"""The page at `/strategies`: its files, and the routes that hand them out."""

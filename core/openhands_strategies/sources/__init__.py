"""Floor 2: where a strategy comes from, which files make it up, and the store.

Import the module that is needed (`sources.reference`, `sources.tree`, …); this package
re-exports nothing, so that a listing does not pay for what it does not use.
"""

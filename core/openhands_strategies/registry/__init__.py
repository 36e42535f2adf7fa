"""Floor 3: the plugin host, the built-in resolvers and the catalogue of names.

`hookimpl` marks the functions of a plugin; see `hookspecs` for what they may do.
"""

from __future__ import annotations

from openhands_strategies.registry.hookspecs import hookimpl

__all__ = ["hookimpl"]

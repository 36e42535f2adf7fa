"""Where LLM profiles come from: the user's own store, unless a server says otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openhands.sdk import LLM

ProfileSource = Callable[[str], "LLM"]

_SOURCE: ContextVar[ProfileSource | None] = ContextVar("openhands_strategies_profiles")


@contextmanager
def profiles_from(source: ProfileSource) -> Iterator[None]:
    """Load every profile in this block, and in this thread, by `source`.

    A server keeps the keys of its profiles encrypted; only it can load them.
    """
    token = _SOURCE.set(source)
    try:
        yield
    finally:
        _SOURCE.reset(token)


def profile_source() -> ProfileSource | None:
    """What loads profiles here; None means the user's own store."""
    return _SOURCE.get(None)

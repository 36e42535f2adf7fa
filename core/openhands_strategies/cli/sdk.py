"""Importing the SDK quietly, keeping stdout clean, and what older SDKs cannot do."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from openhands_strategies.errors import UsageError

# Read by the SDK and litellm while they are imported, and only then: the commands that
# agents run get the user's own environment. Without the first, litellm fetches its
# price map from the network at every start and waits for it when offline; what the user
# has set counts.
_ALWAYS: Final = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "OPENHANDS_SUPPRESS_BANNER": "1"}
_QUIET: Final = {"LOG_LEVEL": "CRITICAL", "DEBUG": "false", "DEBUG_LLM": "false"}


def import_sdk(*, debug: bool) -> None:
    """Import the SDK, which takes seconds; without `debug` it then logs nothing."""
    changed = {name: value for name, value in _ALWAYS.items() if name not in os.environ}
    if not debug:
        changed |= _QUIET
        # litellm and what it imports warn about their own future.
        warnings.simplefilter("ignore")
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        import openhands.sdk  # noqa: F401
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def stdout_reserved() -> Iterator[None]:
    """Send to stderr whatever strategies, tools and libraries print in the block."""
    sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:
        # Started with stdout closed: there is nothing to keep clean.
        yield
        return
    os.dup2(2, 1)
    try:
        # Both: Python's own stream, and the descriptor that child processes inherit.
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def has_budgets() -> bool:
    """Whether the installed SDK knows budgets itself."""
    parts = version("openhands-sdk").split(".")
    return (int(parts[0]), int(parts[1])) >= (1, 58)


def require_agent_profiles() -> None:
    """Refuse an SDK without agent profiles; it is looked at, not imported.

    Raises:
        UsageError: `agent_profiles_missing`.
    """
    found = find_spec("openhands.sdk")
    places = found.submodule_search_locations if found is not None else None
    if not any(Path(place, "profiles").is_dir() for place in places or ()):
        raise UsageError(
            "agent_profiles_missing",
            f"openhands-sdk {version('openhands-sdk')} has no agent profiles",
            "1.58 and later have them: pip install 'openhands-strategies[server]'",
        )

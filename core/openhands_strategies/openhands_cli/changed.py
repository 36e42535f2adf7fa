"""The error for an OpenHands CLI that is not built as the one that we know."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Final

from openhands_strategies.errors import LoadError

KNOWN_VERSION: Final = "1.16.0"
"""The version of `openhands` that all of this was tried with."""


def installed() -> str | None:
    """The version of `openhands` that is installed here, if it is."""
    try:
        return version("openhands")
    except PackageNotFoundError:
        return None


def changed(looked_for: str) -> LoadError:
    """`openhands_cli_changed`, with the versions and what was looked for."""
    return LoadError(
        "openhands_cli_changed",
        f"openhands {installed() or 'of an unknown version'} (openhands-sdk"
        f" {version('openhands-sdk')}) is not built as openhands {KNOWN_VERSION} is, so no"
        f" strategy can be put into it: looked for {looked_for}",
        f"install openhands=={KNOWN_VERSION} (extra openhands-cli)",
    )

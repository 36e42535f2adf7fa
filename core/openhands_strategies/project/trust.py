"""The one place where the user's trust is asked before a strategy's code runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openhands_strategies.manifest.model import Manifest
    from openhands_strategies.sources.source import Located


def check_trust(located: Located, tree: str, manifest: Manifest | None = None) -> None:
    """Return when the code may run; every loading passes here first.

    Only paths that the user typed and distributions that pip installed can be located in
    this version, and both are trusted by that act, so it always agrees. With git
    sources and project files it will look `tree` up in the user's recorded consents, and
    raise `TrustError` with what `manifest` says the tree can do when there is none.

    Args:
        located: Where the strategy is.
        tree: Its tree hash, `sha256:<hex>`; consent is bound to it.
        manifest: What is known of it without running it, for showing.
    """

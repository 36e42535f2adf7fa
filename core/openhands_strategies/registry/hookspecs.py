"""The whole extension contract.

A plugin is a module or an object whose functions are marked with
`openhands_strategies.registry.hookimpl` and which a distribution names in the
entry-point group `openhands_strategies.plugins`. A function may leave out arguments that
it does not need. Plugins are pip-installed, hence trusted, and may run while listing;
hook wrappers are not supported.

An exception in a plugin is shown as a warning that names the plugin and the hook, and
the others go on. A `StrategyError` from `resolve_reference` or `adjust_blueprint` is an
answer: it stops what the user asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pluggy

if TYPE_CHECKING:
    from openhands_strategies.errors import StrategyError
    from openhands_strategies.project.fetching import Fetching
    from openhands_strategies.sources.reference import Reference
    from openhands_strategies.sources.source import Located
    from openhands_strategies.strategy import Blueprint

PROJECT: Final = "openhands_strategies"
GROUP: Final = "openhands_strategies.plugins"
hookspec: Final = pluggy.HookspecMarker(PROJECT)
hookimpl: Final = pluggy.HookimplMarker(PROJECT)


@hookspec(firstresult=True)
def resolve_reference(reference: Reference, base: Path, fetching: Fetching) -> Located | None:
    """Find the files of a reference without running any of them.

    The first plugin that does not return None decides. A name comes here only when
    nothing that is listed has it.

    Args:
        reference: A parsed name, path or git reference.
        base: Absolute directory that relative paths start from.
        fetching: Whether the network may be used, and who is told of progress.

    Raises:
        StrategyError: The reference is this plugin's to resolve, and leads nowhere.
    """


@hookspec
def list_strategies(base: Path) -> Iterable[Located | StrategyError]:  # type: ignore[empty-body]
    """List strategies that have names, and an error for each that is broken.

    Each plugin is one level of the look-up: the first one that has a name wins. The
    project comes first, then the user's own, then installed distributions; a plugin that
    is marked `tryfirst` comes before them.

    Args:
        base: Absolute directory that the user works in.
    """


@hookspec
def adjust_blueprint(
    blueprint: Blueprint, name: str, params: Mapping[str, Any]
) -> Blueprint | None:
    """Return a changed copy of a blueprint before it starts; None leaves it as it is.

    Plugins run one after the other; each is given what the one before returned.

    Args:
        blueprint: What the strategy built, frozen.
        name: The strategy's name.
        params: Its validated parameters.

    Raises:
        StrategyError: The run must not start.
    """

"""From a reference to a checked strategy: what the files say, then what the code does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from openhands_strategies.cli.check.apart import check_apart
from openhands_strategies.cli.check.hashing import tree_of
from openhands_strategies.cli.check.journal import Request
from openhands_strategies.cli.check.live import LIVE
from openhands_strategies.cli.check.steps import Steps, nothing
from openhands_strategies.cli.text import say
from openhands_strategies.errors import StrategyError
from openhands_strategies.manifest.checks import Problem, static_problems
from openhands_strategies.manifest.reader import read_manifest
from openhands_strategies.project.home import find_home
from openhands_strategies.project.trust import check_trust

if TYPE_CHECKING:
    from openhands_strategies.manifest.model import Manifest
    from openhands_strategies.sources.source import Located


@dataclass(frozen=True)
class Checked:
    """What came of it.

    Attributes:
        located: Where the strategy is.
        tree: Hash of its files, from before any of its code ran; None where it has none.
        name: What it is called.
        steps: Checks and problems.
        sdk: Version of the SDK that the code ran with; None for a static check.
    """

    located: Located
    tree: str | None
    name: str
    steps: Steps
    sdk: str | None

    @property
    def problems(self) -> list[Problem]:
        """By file and line, errors first where several stand in one line."""
        order = {"error": 0, "warning": 1, "note": 2}
        return sorted(
            self.steps.problems, key=lambda one: (one.file, one.line, order[one.severity])
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "strategy": {
                "name": self.name,
                "reference": self.located.reference,
                "source": self.located.source.to_json(),
                "root": str(self.located.root),
                "tree": self.tree,
            },
            "checked": datetime.now(UTC).isoformat(timespec="seconds"),
            "sdk": self.sdk,
            "findings": [one.to_json() for one in self.problems],
            "checks": [row.to_json() for row in self.steps.rows],
        }


def check(
    located: Located,
    given: Mapping[str, str],
    *,
    static: bool,
    seconds: float,
    quiet: bool,
    debug: bool,
) -> Checked:
    """Check a strategy: its files here, its code in a process of its own.

    Args:
        located: The strategy.
        given: Values of its parameters, as texts; defaults for the others.
        static: Whether only files are read.
        seconds: How long its code may take, all in all.
        quiet: Whether nothing is said about what is being done.
        debug: Whether the SDK may log.

    Raises:
        TrustError: The user has not agreed to run it.
        ParameterError: A given value that does not fit.
    """
    tree = tree_of(located)
    steps = Steps(located.root, located.module, nothing if quiet else say)
    steps.collect("files", lambda: static_problems(
        located.root, located.module, located.attribute, located.name))  # fmt: skip
    manifest = _manifest(located)
    name = (manifest.name if manifest else None) or located.name or located.reference
    if static:
        return Checked(located, tree, name, steps, None)
    if manifest is None:
        steps.skip(LIVE, "the files cannot be read")
        return Checked(located, tree, name, steps, None)
    if located.tree is not None:
        check_trust(located, located.tree, manifest, home=find_home())
    request = Request(located, dict(given), quiet=quiet, debug=debug)
    place = (manifest.file or located.module, manifest.line)
    check_apart(request, steps, place, seconds=seconds)
    return Checked(located, tree, name, steps, version("openhands-sdk"))


def _manifest(located: Located) -> Manifest | None:
    try:
        return read_manifest(located.root, located.module, located.attribute, located.name)
    except StrategyError:
        return None  # a problem already

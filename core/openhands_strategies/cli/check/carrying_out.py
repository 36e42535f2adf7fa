"""From a reference to a checked strategy: what the files say, then what the code does."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from openhands_strategies.cli.check.bare import bare_strategy
from openhands_strategies.cli.check.steps import Steps
from openhands_strategies.cli.sdk import import_sdk
from openhands_strategies.errors import StrategyError
from openhands_strategies.manifest.checks import Problem, make, static_problems
from openhands_strategies.manifest.reader import read_manifest
from openhands_strategies.project.home import Home, find_home
from openhands_strategies.project.trust import check_trust

if TYPE_CHECKING:
    from openhands_strategies.manifest.model import Manifest
    from openhands_strategies.runtime.loaded import Loaded
    from openhands_strategies.runtime.prepare import Prepared
    from openhands_strategies.sources.source import Located

LIVE: Final = ("load", "identity", "build", "capabilities", "same plan", "json",
               "generated parameters", "scripted run")  # fmt: skip
_BUILDING_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Checked:
    """What came of it.

    Attributes:
        located: Where the strategy is.
        name: What it is called.
        steps: Checks and problems.
        sdk: Version of the SDK that the code ran with; None for a static check.
    """

    located: Located
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
            },
            "checked": datetime.now(UTC).isoformat(timespec="seconds"),
            "sdk": self.sdk,
            "findings": [one.to_json() for one in self.problems],
            "checks": [row.to_json() for row in self.steps.rows],
        }


def check(
    located: Located,
    given: Mapping[str, str],
    progress: Callable[[str], None],
    *,
    static: bool,
    debug: bool,
) -> Checked:
    """Check a strategy.

    Args:
        located: The strategy.
        given: Values of its parameters, as texts; defaults for the others.
        progress: Takes lines about what is being done.
        static: Whether only files are read.
        debug: Whether the SDK may log.

    Raises:
        TrustError: The user has not agreed to run it.
        ParameterError: A given value that does not fit.
    """
    steps = Steps(located.root, located.module, progress)
    steps.collect("files", lambda: static_problems(
        located.root, located.module, located.attribute, located.name))  # fmt: skip
    manifest = _manifest(located)
    name = (manifest.name if manifest else None) or located.name or located.reference
    if static:
        return Checked(located, name, steps, None)
    if manifest is None:
        steps.skip(LIVE, "the files cannot be read")
        return Checked(located, name, steps, None)
    home = find_home()
    if located.tree is not None:
        check_trust(located, located.tree, manifest, home=home)
    progress("loading the SDK, this takes some seconds…")
    import_sdk(debug=debug)
    with tempfile.TemporaryDirectory(prefix="ohs-check-") as directory:
        _Live(located, manifest, home, steps, Path(directory)).check(given)
    return Checked(located, name, steps, version("openhands-sdk"))


def _manifest(located: Located) -> Manifest | None:
    try:
        return read_manifest(located.root, located.module, located.attribute, located.name)
    except StrategyError:
        return None  # a problem already


@dataclass
class _Live:
    """The checks that run the strategy's code."""

    located: Located
    manifest: Manifest
    home: Home
    steps: Steps
    directory: Path
    base: dict[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> tuple[str, int]:
        return self.manifest.file or self.located.module, self.manifest.line

    def check(self, given: Mapping[str, str]) -> None:
        from openhands_strategies.runtime.checks import identity_problems
        from openhands_strategies.runtime.loader import load

        own = self.steps.run("load", lambda: load(self.located, self.home))
        if own is None:
            self.steps.skip(LIVE[1:], "it cannot be loaded")
            return
        self.steps.collect("identity", lambda: identity_problems(own))
        target = own
        if getattr(own.strategy, "overlay", False):
            # It adds to another strategy: here to an agent that brings nothing.
            target = load(bare_strategy(self.directory), self.home, [self.located])
        if given:
            # What the user typed is the user's mistake, not the strategy's.
            self._values(target, given)
        self._built(own, target, given)

    def _values(self, target: Loaded, given: Mapping[str, str]) -> dict[str, Any]:
        from openhands_strategies.runtime.checks import default_values
        from openhands_strategies.runtime.values import check_params, declared_params

        values, made_up = default_values(declared_params(target), given)
        if made_up:
            self.steps.add([make(
                "params_required",
                f"values were made up for {', '.join(made_up)}",
                f"give good ones: {' '.join(f'--param {name}=…' for name in made_up)}",
                *self.place,
            )])  # fmt: skip
        return check_params(target, values, texts=True)

    def _built(self, own: Loaded, target: Loaded, given: Mapping[str, str]) -> None:
        from openhands_strategies.cli.check.scripted import (
            Script,
            scripted_llm,
            scripted_problems,
        )
        from openhands_strategies.runtime.checks import (
            capability_problems,
            generated_problems,
            json_problems,
            same_problems,
        )
        from openhands_strategies.runtime.checks.values import examples, generator
        from openhands_strategies.runtime.prepare import Settings, prepare
        from openhands_strategies.runtime.values import declared_params
        from openhands_strategies.testing import ScriptedModel

        steps, place, script = self.steps, self.place, Script()
        with ScriptedModel(script) as model:
            llm = scripted_llm(model.base_url)

            def build(values: Mapping[str, Any]) -> Prepared:
                return prepare(target, llm, values, Settings(home=self.home))

            def first() -> Prepared:
                self.base = self._values(target, given)
                return build(self.base)

            prepared = steps.run("build", first)
            if prepared is None:
                steps.skip(LIVE[3:], "it cannot be built")
                return
            steps.collect("capabilities", lambda: capability_problems(own, prepared))
            steps.collect("same plan", lambda: same_problems(prepared, build(self.base), *place))
            steps.collect("json", lambda: json_problems(prepared, *place))

            def generated() -> Iterator[Problem]:
                found = examples(declared_params(target), self.base)
                return generated_problems(build, found, *place, seconds=_BUILDING_SECONDS)

            steps.collect("generated parameters", generated, generator())
            home = Home(self.directory / "home")
            steps.collect("scripted run", lambda: scripted_problems(prepared, script, home, *place))

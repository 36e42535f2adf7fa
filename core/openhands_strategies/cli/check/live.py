"""The checks that run the strategy's code, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from openhands_strategies.cli.check.bare import bare_strategy
from openhands_strategies.cli.check.steps import Steps
from openhands_strategies.manifest.checks import Problem, make
from openhands_strategies.manifest.reader import read_manifest
from openhands_strategies.project.home import Home, find_home

if TYPE_CHECKING:
    from openhands_strategies.manifest.model import Manifest
    from openhands_strategies.runtime.loaded import Loaded
    from openhands_strategies.runtime.prepare import Prepared
    from openhands_strategies.sources.source import Located

LIVE: Final = ("load", "identity", "build", "json", "capabilities", "same plan",
               "generated parameters", "scripted run")  # fmt: skip
_BUILDING_SECONDS: Final = 60.0


def check_live(located: Located, given: Mapping[str, str], steps: Steps, directory: Path) -> None:
    """Load, build, compare and run a strategy; the SDK is imported.

    Args:
        located: A strategy whose manifest can be read and that the user trusts.
        given: Values of its parameters, as texts; defaults for the others.
        steps: Takes what is found.
        directory: An empty one, for what is made meanwhile.

    Raises:
        TrustError: A part of it needs the user's trust.
        ParameterError: A given value that does not fit.
    """
    manifest = read_manifest(located.root, located.module, located.attribute, located.name)
    _Live(located, manifest, find_home(), steps, directory).check(given)


@dataclass
class _Live:
    """Of one strategy."""

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
            # What cannot be written has no plan and no run, each of which would say so, too.
            written = steps.collect("json", lambda: json_problems(prepared, *place))
            if written:
                steps.collect("capabilities", lambda: capability_problems(own, prepared))
                steps.collect(
                    "same plan", lambda: same_problems(prepared, build(self.base), *place)
                )
            else:
                steps.skip(LIVE[4:6], "the agent is not JSON")

            def generated() -> Iterator[Problem]:
                found = examples(declared_params(target), self.base)
                return generated_problems(build, found, *place, seconds=_BUILDING_SECONDS)

            steps.collect("generated parameters", generated, generator())
            if not written:
                steps.skip(LIVE[7:], "the agent is not JSON")
                return
            steps.collect(
                "scripted run",
                lambda: scripted_problems(prepared, script, self.directory, *place),
            )

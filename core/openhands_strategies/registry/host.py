"""The plugin host: loads hook plugins one by one and calls them in isolation.

pluggy keeps the contract (which functions are hooks, which arguments they take, in
which order they run); loading and calling are done here, because pluggy lets the first
failing plugin end everything.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pluggy
from importlib_metadata import EntryPoint

from openhands_strategies.errors import LoadError, StrategyError, describe
from openhands_strategies.project.fetching import Fetching
from openhands_strategies.registry import builtin, hookspecs
from openhands_strategies.sources.distribution import BrokenOffer, Offer, offers
from openhands_strategies.sources.reference import Reference
from openhands_strategies.sources.source import Located
from openhands_strategies.strategy import Blueprint

if TYPE_CHECKING:
    from pluggy import HookImpl

Warn = Callable[[StrategyError], None]
"""Takes a warning: a plugin or a distribution that failed while the rest went on."""


@dataclass(frozen=True)
class Host:
    """Built-in and third-party plugins, ready to be called.

    Attributes:
        manager: pluggy's manager, for asking which plugins there are.
        warnings: Plugins that could not be loaded.
    """

    manager: pluggy.PluginManager
    warnings: tuple[StrategyError, ...] = ()

    def resolve(
        self, reference: Reference, base: Path, warn: Warn, fetching: Fetching | None = None
    ) -> Located | None:
        """Ask the plugins in turn; None when the reference is nobody's.

        Raises:
            StrategyError: What the reference's owner raised.
        """
        for impl in self._implementations("resolve_reference"):
            given = {"reference": reference, "base": base, "fetching": fetching or Fetching()}
            located = _call(impl, given, warn)
            if located is None:
                continue
            if isinstance(located, Located):
                return located
            warn(_wrong_result(impl, located, "a Located or None"))
        return None

    def levels(self, base: Path, warn: Warn) -> Iterator[list[Located]]:
        """Yield the strategies of one plugin after the other; broken ones go to `warn`."""
        for impl in self._implementations("list_strategies"):
            level: list[Located] = []
            try:
                # Consumed here: a generator fails only while it is read.
                result = impl.function(*_arguments(impl, {"base": base}))
                items = list(cast("Iterable[object]", result or ()))
            except Exception as error:  # noqa: BLE001 (a plugin may raise anything)
                warn(error if isinstance(error, StrategyError) else _failed(impl, error))
                continue
            for item in items:
                if isinstance(item, StrategyError):
                    warn(item)
                elif isinstance(item, Located) and item.name:
                    level.append(item)
                else:
                    warn(_wrong_result(impl, item, "a Located with a name or a StrategyError"))
            yield level

    def adjust(
        self, blueprint: Blueprint, name: str, params: Mapping[str, Any], warn: Warn
    ) -> Blueprint:
        """Return the blueprint as the plugins, one after the other, adjusted it.

        Raises:
            StrategyError: A plugin refuses the run.
        """
        for impl in self._implementations("adjust_blueprint"):
            given = {"blueprint": blueprint, "name": name, "params": params}
            adjusted = _call(impl, given, warn)
            if isinstance(adjusted, Blueprint):
                blueprint = adjusted
            elif adjusted is not None:
                warn(_wrong_result(impl, adjusted, "a Blueprint or None"))
        return blueprint

    def _implementations(self, hook: str) -> list[HookImpl]:
        """In the order of a pluggy call, the built-in ones (registered last) first."""
        caller: pluggy.HookCaller = getattr(self.manager.hook, hook)
        return caller.get_hookimpls()[::-1]


def plugin_host(
    environ: Mapping[str, str] | None = None,
    *,
    path: Sequence[str] | None = None,
    git: builtin.Git | None = None,
) -> Host:
    """Load the hook plugins.

    Args:
        environ: `OHS_PLUGINS` chooses the third-party plugins: all when unset, none when
            empty, `a,b` only those. `OHS_DISTRIBUTIONS` chooses in the same way the
            distributions whose strategies have names. `os.environ` by default.
        path: Directories that hold distributions; `sys.path` by default.
        git: How git references are resolved: offline, or with progress.

    Returns:
        A host; what could not be loaded stands in its `warnings`: `plugin_load`,
        `plugin_hook`, `plugin_unknown` and the codes of broken distributions.
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(builtin.Indexes(), name="builtin-indexes")
    warnings: list[StrategyError] = []
    environ = os.environ if environ is None else environ
    wanted = _names(environ.get("OHS_PLUGINS"))
    only = _names(environ.get("OHS_DISTRIBUTIONS"))
    known: set[str] = set()
    for offer in offers(hookspecs.GROUP, path=path) if wanted is None or wanted else ():
        if isinstance(offer, BrokenOffer):
            warnings.append(offer)
            continue
        known.add(offer.name)
        if wanted is None or offer.name in wanted:
            warnings.extend(_load(manager, offer))
    for name in sorted((wanted or set()) - known):
        warnings.append(
            LoadError(
                "plugin_unknown",
                f"OHS_PLUGINS names the plugin {name!r}, which no installed distribution has",
                f"installed plugins: {', '.join(sorted(known)) or 'none'}",
            )
        )
    # pluggy calls what was registered last first: the levels of a name's look-up.
    chosen = None if only is None else frozenset(map(builtin.canonical, only))
    manager.register(builtin.Distributions(path, chosen), name="builtin-distributions")
    manager.register(builtin.User(), name="builtin-user")
    manager.register(builtin.Project(), name="builtin-project")
    manager.register(git or builtin.Git(), name="builtin-git")
    manager.register(builtin.Paths(), name="builtin-paths")
    return Host(manager, tuple(warnings))


def _names(choice: str | None) -> set[str] | None:
    """The names in a list with commas; None where there is no list."""
    return None if choice is None else {name.strip() for name in choice.split(",")} - {""}


def _load(manager: pluggy.PluginManager, offer: Offer) -> list[StrategyError]:
    name = offer.name
    owner = f"plugin {name!r} of {offer.project} {offer.version}"
    hint = f"update or uninstall {offer.project}, or leave it out with OHS_PLUGINS"
    if manager.has_plugin(name):
        return [LoadError("plugin_load", f"{owner}: another plugin has this name", hint)]
    try:
        plugin = EntryPoint(name, offer.value, hookspecs.GROUP).load()
        manager.register(plugin, name=name)
    # Foreign code at import: SystemExit too must not end the user's command.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        if manager.has_plugin(name):
            manager.unregister(name=name)
        return [LoadError("plugin_load", f"{owner} cannot be loaded: {describe(error)}", hint)]
    problems = []
    for caller in manager.get_hookcallers(plugin) or ():
        for impl in caller.get_hookimpls():
            if impl.plugin is not plugin:
                continue
            if impl.hookwrapper or impl.wrapper:
                what = f"has a wrapper for the hook {caller.name}, and wrappers are not supported"
            elif not caller.has_spec() and not impl.optionalhook:
                what = f"implements {caller.name}, which is no hook"
            else:
                continue
            problems.append(LoadError("plugin_hook", f"{owner} {what}", hint))
    if problems:
        manager.unregister(plugin)
    return list(problems)


def _arguments(impl: HookImpl, given: Mapping[str, object]) -> list[object]:
    return [given[name] for name in impl.argnames]


def _call(impl: HookImpl, given: Mapping[str, object], warn: Warn) -> object:
    try:
        return impl.function(*_arguments(impl, given))
    except StrategyError:
        raise
    except Exception as error:  # noqa: BLE001 (a plugin may raise anything)
        warn(_failed(impl, error))
        return None


def _failed(impl: HookImpl, error: Exception) -> StrategyError:
    return LoadError(
        "plugin_failed",
        f"plugin {impl.plugin_name!r} failed in {impl.function.__name__}: {describe(error)}",
        "update or uninstall it, or leave it out with OHS_PLUGINS",
    )


def _wrong_result(impl: HookImpl, result: object, expected: str) -> StrategyError:
    return LoadError(
        "plugin_failed",
        f"plugin {impl.plugin_name!r} returned {type(result).__name__} from "
        f"{impl.function.__name__}, not {expected}",
        "update or uninstall it, or leave it out with OHS_PLUGINS",
    )

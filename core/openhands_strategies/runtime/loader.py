"""From a located strategy to a live one: checks first, then the module, then `setup()`."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.machinery import SourceFileLoader
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Final

from openhands_strategies.errors import LoadError, StrategyError, describe
from openhands_strategies.manifest.dependencies import missing_requirements
from openhands_strategies.manifest.model import Manifest
from openhands_strategies.manifest.reader import read_manifest
from openhands_strategies.project.home import Home
from openhands_strategies.project.trust import check_consent, check_trust
from openhands_strategies.runtime.entries import Origin
from openhands_strategies.runtime.rfc import (
    as_subagents,
    captured_registrations,
    provide_rfc_module,
)
from openhands_strategies.runtime.sdk_classes import check_class_names
from openhands_strategies.sources.distribution import distribution_files, installed
from openhands_strategies.sources.source import GitSource, Located
from openhands_strategies.sources.store import get_tree, put_tree
from openhands_strategies.sources.tree import hash_tree, tree_files
from openhands_strategies.strategy import Strategy, SubAgent

_PREFIX: Final = "ohs_tree_"
_REGISTERED: Final = "__openhands_strategies_registered__"
# Guards `sys.modules` against two threads that load the same tree.
_IMPORT_LOCK: Final = threading.RLock()


@dataclass(frozen=True)
class Loaded:
    """A strategy that is ready to build.

    Attributes:
        strategy: The instance; `setup()` has run.
        origin: Where its code is.
        root: Directory of the tree that was loaded; plugin files are beside the module.
        manifest: What was read from the files.
        registered: Sub-agents that `setup()` or the module registered by name.
    """

    strategy: Strategy
    origin: Origin
    root: Path
    manifest: Manifest
    registered: Mapping[str, SubAgent] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.origin.name


def load(located: Located, home: Home) -> Loaded:
    """Load a strategy that was found; a path's tree is put into the store first.

    A tree that is in the store already (git) is hashed again: what was consented to is
    what runs, whatever happened to the files since.

    Raises:
        LoadError: The files or the module cannot be used; nothing of it stays behind.
        TrustError: The user has not agreed to run this tree.
    """
    if located.tree is not None:
        root, tree = located.root, hash_tree(located.root, tree_files(located.root))
    elif located.import_name is None:
        files = tree_files(located.root, located.only)
        stored = put_tree(home.store, located.root, files)
        root, tree = stored.path, stored.tree
    else:
        root, tree = located.root, hash_tree(located.root, distribution_files(located))
    manifest = read_manifest(root, located.module, located.attribute, located.name)
    origin = Origin(
        name=manifest.name or located.name or manifest.attribute,
        reference=located.reference,
        source=dict(located.source.to_json()),
        commit=located.source.commit if isinstance(located.source, GitSource) else None,
        tree=tree,
        module=located.module,
        attribute=manifest.attribute,
        import_name=located.import_name,
    )
    check_trust(located, tree, manifest, home=home)
    return _loaded(origin, root, manifest)


def load_again(origin: Origin, home: Home) -> Loaded:
    """Load the code that a conversation started with.

    Raises:
        LoadError: `strategy_changed` when that tree is gone or is another one now.
        TrustError: `not_trusted` when the consent to a git tree was revoked.
    """
    if origin.import_name is None:
        root = get_tree(home.store, origin.tree)
        if root is None:
            raise _changed(origin, "its tree is no longer in the store")
        if hash_tree(root, tree_files(root)) != origin.tree:
            raise _changed(origin, "its tree in the store was changed")
        if origin.commit is not None:
            check_consent(origin.name, origin.reference, origin.tree, home)
    else:
        located = next((one for one in installed()[0] if _same_place(one, origin)), None)
        if located is None:
            raise _changed(origin, "it is no longer installed")
        root = located.root
        if hash_tree(root, distribution_files(located)) != origin.tree:
            raise _changed(origin, "other code is installed now")
    manifest = read_manifest(root, origin.module, origin.attribute, origin.name)
    return _loaded(origin, root, manifest)


def _same_place(located: Located, origin: Origin) -> bool:
    return located.import_name == origin.import_name and located.module == origin.module


def _changed(origin: Origin, why: str) -> LoadError:
    return LoadError(
        "strategy_changed",
        f"strategy {origin.name!r} ({origin.reference}) cannot be loaded as it was: {why}",
        "restore it, or start a new run",
    )


def _loaded(origin: Origin, root: Path, manifest: Manifest) -> Loaded:
    where = f"strategy {origin.name!r} ({origin.reference})"
    if manifest.removed_imports:
        gone = manifest.removed_imports[0]
        raise LoadError(
            "import_removed",
            f"{where}: {gone.file}:{gone.line} uses {gone.name}, which the SDK has removed",
            f"use {gone.replacement}",
        )
    if origin.import_name is None:
        missing = missing_requirements(manifest.requirements)
        if missing:
            quoted = " ".join(f"'{one}'" for one in missing)
            raise LoadError(
                "dependencies_missing",
                f"{where} needs {', '.join(missing)}",
                f"pip install {quoted}",
            )
    with captured_registrations() as captured:
        module = _module(origin, root, manifest, where)
        strategy = _instance(module, origin, where)
        try:
            strategy.setup()
        except StrategyError:
            raise
        except (Exception, SystemExit) as error:
            raise LoadError(
                "setup_failed", f"{where}: setup() raised {describe(error)}", "see --debug"
            ) from error
    registered = {**module.__dict__.get(_REGISTERED, {}), **captured}
    return Loaded(strategy, origin, root, manifest, as_subagents(registered))


def _module(origin: Origin, root: Path, manifest: Manifest, where: str) -> ModuleType:
    """Import the entry module once for each content."""
    with _IMPORT_LOCK:
        name = origin.import_name or _module_name(origin)
        if name in sys.modules:
            return sys.modules[name]
        check_class_names(manifest.sdk_classes, where)
        provide_rfc_module()
        before = set(sys.modules)
        try:
            with captured_registrations() as captured:
                if origin.import_name is not None:
                    module = importlib.import_module(origin.import_name)
                else:
                    module = _import_tree(origin, root)
        except StrategyError:
            _forget(before, name)
            raise
        except (Exception, SystemExit) as error:
            _forget(before, name)
            line = _line_of(error, root)
            raise LoadError(
                "import_failed",
                f"{where}: {line or origin.module} raised {describe(error)}",
                "correct the file; --debug shows where it happened",
            ) from error
        # The module runs once; whoever loads it again gets what it registered then.
        module.__dict__[_REGISTERED] = captured
        return module


def _module_name(origin: Origin) -> str:
    package = _PREFIX + origin.tree.removeprefix("sha256:")[:32]
    return f"{package}.{Path(origin.module).stem}"


def _import_tree(origin: Origin, root: Path) -> ModuleType:
    """Import a tree as a package of its own, so that `from .x import y` works."""
    name = _module_name(origin)
    package_name = name.rpartition(".")[0]
    if package_name not in sys.modules:
        package = ModuleType(package_name)
        package.__path__ = [str(root)]
        sys.modules[package_name] = package
        init = root / "__init__.py"
        if init.is_file():
            package.__file__ = str(init)
            _exec_file(package_name, init, package)
    module = ModuleType(name)
    module.__package__ = package_name
    module.__file__ = str(root / origin.module)
    sys.modules[name] = module
    _exec_file(name, root / origin.module, module)
    return module


def _exec_file(name: str, file: Path, module: ModuleType) -> None:
    """Run a file as a module; its tree is read-only, so no `__pycache__` beside it."""
    loader = SourceFileLoader(name, str(file))
    module.__loader__ = loader
    module.__spec__ = spec_from_loader(name, loader, is_package=hasattr(module, "__path__"))
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before


def _forget(before: set[str], name: str) -> None:
    """Take a half-imported tree out of `sys.modules`, so that a next try starts anew."""
    package = name.partition(".")[0]
    for loaded in set(sys.modules) - before:
        if loaded == package or loaded.startswith(package + "."):
            del sys.modules[loaded]


def _line_of(error: BaseException, root: Path) -> str:
    """`file:line` of the deepest frame that lies in the tree."""
    found = ""
    trace = error.__traceback__
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        if path.is_relative_to(root):
            found = f"{path.relative_to(root).as_posix()}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found


def _instance(module: ModuleType, origin: Origin, where: str) -> Strategy:
    """Make the strategy from what the module has under the manifest's attribute."""
    try:
        found = getattr(module, origin.attribute)
    except AttributeError:
        raise LoadError(
            "attribute_missing",
            f"{where}: the module has no {origin.attribute!r} after it ran",
            "define the class at the top level of the file",
        ) from None
    if isinstance(found, type):
        try:
            found = found()
        except (Exception, SystemExit) as error:
            raise LoadError(
                "strategy_init_failed",
                f"{where}: {origin.attribute}() raised {describe(error)}",
                "a strategy is made without arguments",
            ) from error
    if not looks_like_a_strategy(found):
        raise LoadError(
            "not_a_strategy",
            f"{where}: {origin.attribute} is no strategy but {type(found).__name__}",
            "it needs a name, params and build or build_agent",
        )
    strategy: Strategy = found
    return strategy


def looks_like_a_strategy(value: object) -> bool:
    """By shape, so that a class of another `Strategy` base counts as well."""
    builds = callable(getattr(value, "build", None)) or callable(
        getattr(value, "build_agent", None)
    )
    return builds and isinstance(getattr(value, "name", None), str)

"""Import the module of a strategy, once for each content, and make the strategy from it."""

from __future__ import annotations

import sys
import threading
from importlib.machinery import SourceFileLoader
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from openhands_strategies.errors import LoadError, StrategyError, describe
from openhands_strategies.manifest.model import Manifest
from openhands_strategies.runtime.archive_import import import_installed
from openhands_strategies.runtime.entries import Origin
from openhands_strategies.runtime.rfc import captured_registrations, provide_rfc_module
from openhands_strategies.runtime.sdk_classes import check_class_names
from openhands_strategies.strategy import Strategy

_PREFIX: Final = "ohs_tree_"
_REGISTERED: Final = "__openhands_strategies_registered__"
# Guards `sys.modules` against two threads that load the same tree.
_IMPORT_LOCK: Final = threading.RLock()


def strategy_module(origin: Origin, root: Path, manifest: Manifest, where: str) -> ModuleType:
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
                    module = import_installed(origin.import_name)
                else:
                    module = _import_tree(origin, root)
        except StrategyError as error:
            _forget(before, name)
            # Raised by what the module calls, which does not know whose module it is.
            error.located(f"{where}: {_line_of(error, root) or origin.module}")
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


def strategy_in(module: ModuleType, origin: Origin, where: str) -> Strategy:
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


def registered_by(module: ModuleType) -> dict[str, Any]:
    """What the module registered with the SDK by name while it ran."""
    return dict(module.__dict__.get(_REGISTERED, {}))

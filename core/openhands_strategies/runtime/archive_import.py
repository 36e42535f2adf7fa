"""Importing the module of an installed distribution, also out of an archive on the path.

`zipimport` does it, but for one thing: in the older Pythons it finds a namespace package only
where the archive has an entry for the directory itself, and wheels have none. The packages
that the module lies in are found here all the same; what it imports is up to Python.
"""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from zipfile import ZipFile
from zipimport import ZipImportError, zipimporter


def import_installed(name: str) -> ModuleType:
    """Import a module as `importlib.import_module` does, in every kind of archive.

    Raises:
        Exception: Whatever the module raises; `ModuleNotFoundError` when there is none.
    """
    parts = name.split(".")
    for end in range(1, len(parts)):
        _import_package(".".join(parts[:end]))
    return importlib.import_module(name)


def _import_package(name: str) -> None:
    """Import a package; one without a file is found in all archives as well."""
    try:
        package = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        portions = _portions(name)
        if not portions:
            raise
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = portions
        sys.modules[name] = package = module_from_spec(spec)
        parent, _, leaf = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], leaf, package)
        return
    if getattr(package, "__file__", None) is None and hasattr(package, "__path__"):
        known = list(package.__path__)
        more = [one for one in _portions(name) if one not in known]
        if more:
            package.__path__ = known + more


def _portions(name: str) -> list[str]:
    """Where archives on the path have files of a package that has none of its own."""
    parent, _, leaf = name.rpartition(".")
    path = sys.modules[parent].__path__ if parent else sys.path
    return [str(Path(place) / leaf) for place in path if place and _holds(place, leaf)]


def _holds(place: str, leaf: str) -> bool:
    if Path(place).is_dir():
        return False
    try:
        importer = zipimporter(place)
    except ZipImportError:
        return False
    inside = Path(importer.prefix, leaf).as_posix() + "/"
    with ZipFile(importer.archive) as archive:
        return any(one.startswith(inside) for one in archive.namelist())

"""Every entry of an index with what its files say; fetched where it must be, never run."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from openhands_strategies.cli.catalogue.results import Result
from openhands_strategies.cli.check.hashing import tree_of
from openhands_strategies.errors import LoadError, StrategyError, describe
from openhands_strategies.manifest.files import exists, read_bytes
from openhands_strategies.manifest.model import Manifest
from openhands_strategies.manifest.reader import read_manifest
from openhands_strategies.project.fetching import Fetching
from openhands_strategies.project.home import Home
from openhands_strategies.project.index_file import FILE, IndexEntry, read_index
from openhands_strategies.project.indexes import Offer, locate_offer, offer_of
from openhands_strategies.project.toml_file import FileError
from openhands_strategies.sources.path import locate_path
from openhands_strategies.sources.reference import PathReference
from openhands_strategies.sources.source import GitSource, Located

_LICENCES: Final = ("pyproject.toml", "plugin.json", ".plugin/plugin.json")


@dataclass(frozen=True)
class Listed:
    """One entry of an index.

    Attributes:
        entry: What the index says.
        manifest: What its files say; None when they cannot be read.
        error: Why they cannot.
        licence: SPDX expression or the text that stands for it; None when nothing says it.
        results: Checks of just this source.
    """

    entry: IndexEntry
    manifest: Manifest | None
    error: StrategyError | None = None
    licence: str | None = None
    results: tuple[Result, ...] = ()


def pin_of(entry: IndexEntry) -> str:
    """The source of an entry as the index pins it."""
    if entry.git is not None:
        return str(entry.git)
    if entry.inside is not None:
        return f"./{entry.inside}"
    return str(entry.distribution)


def tree_of_entry(path: Path, entry: IndexEntry) -> str | None:
    """Hash of an entry's files where it names a directory; a pin elsewhere says it already.

    Args:
        path: `registry.toml`, or the directory that holds it.
        entry: An entry of it.
    """
    if entry.inside is None:
        return None
    try:
        return tree_of(locate_path(PathReference(entry.inside), index_file(path).parent))
    except StrategyError:
        return None  # a finding of the check


def index_entries(path: Path) -> dict[str, IndexEntry]:
    """The entries of `registry.toml`, or of the directory that holds it.

    Raises:
        FileError: `index_missing` or `index_invalid`.
    """
    file = index_file(path)
    entries = read_index(file)
    if entries is None:
        raise FileError(
            "index_missing", f"{file} does not exist", f"name a directory with {FILE}", file=file
        )
    return entries


def index_file(path: Path) -> Path:
    """The file that a path names, be it the file's or its directory's."""
    return (path / FILE if path.is_dir() else path).absolute()


def read_catalogue(
    path: Path, home: Home, fetching: Fetching, results: Sequence[Result] = ()
) -> Iterator[Listed]:
    """Read every entry of an index, in the order of names.

    Args:
        path: `registry.toml`, or the directory that holds it; relative sources start there.
        home: Its store takes what is fetched.
        fetching: How to fetch.
        results: Results of checks; those of other sources are left out.

    Raises:
        FileError: `index_missing` or `index_invalid`.
    """
    file = index_file(path)
    for name, entry in sorted(index_entries(path).items()):
        yield _listed(
            offer_of(file.name, entry, file.parent),
            home,
            fetching,
            [one for one in results if one.name == name],
        )


def _listed(offer: Offer, home: Home, fetching: Fetching, results: Sequence[Result]) -> Listed:
    entry = offer.entry
    try:
        located = locate_offer(offer, home, fetching)
        manifest = read_manifest(located.root, located.module, located.attribute, located.name)
    except StrategyError as error:
        return Listed(entry, None, error)
    except OSError as error:
        unreadable = LoadError("file_unreadable", f"{entry.name}: {describe(error)}", "")
        return Listed(entry, None, unreadable)
    fits = tuple(one for one in results if _same(one, entry, located))
    return Listed(entry, manifest, licence=_licence(located.root), results=fits)


def _same(result: Result, entry: IndexEntry, located: Located) -> bool:
    """Whether a result is about what the index pins now."""
    if result.pin is not None and result.pin != pin_of(entry):
        return False
    if isinstance(located.source, GitSource):
        # A pin holds the commit id already.
        return result.pin is not None or result.commit == located.source.commit
    # What stands at a path can change.
    return result.commit is None and result.tree is not None and result.tree == tree_of(located)


def _licence(root: Path) -> str | None:
    for file in _LICENCES:
        if not exists(root, file):
            continue
        try:
            content = read_bytes(root, file).decode()
            data: Any = json.loads(content) if file.endswith(".json") else tomllib.loads(content)
        except (StrategyError, OSError, ValueError, RecursionError):
            continue  # what is wrong with it is told by ohs check
        if file == "pyproject.toml":
            data = data.get("project")
        licence = data.get("license") if isinstance(data, dict) else None
        if isinstance(licence, dict):
            licence = licence.get("text")
        if isinstance(licence, str) and licence.strip():
            return licence
    return None

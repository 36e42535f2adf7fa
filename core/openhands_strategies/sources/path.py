"""Locating a strategy by the path of a `.py` file or of a directory."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from openhands_strategies.errors import ResolveError, describe
from openhands_strategies.sources.entry import ENTRY, WHAT_IT_HOLDS, attribute_of, entry_of
from openhands_strategies.sources.reference import PathReference
from openhands_strategies.sources.source import Located, PathSource


def locate_path(reference: PathReference, base: Path) -> Located:
    """Find the files of a path reference.

    Args:
        reference: A `.py` file with or without `:Name`, or a directory.
        base: Absolute directory that a relative path starts from.

    Returns:
        A single-file tree for a file, the directory's tree otherwise; its `module` is
        empty for a plugin directory without `strategy.py`. Links in the path itself are
        followed.

    Raises:
        ResolveError: `path_missing` (with the nearest names), `path_kind` when it is
            neither a `.py` file nor a directory, `strategy_file_missing`, or
            `path_unreadable`.
    """
    try:
        typed = base / Path(reference.path).expanduser()
        path = typed.resolve()
        if path.is_dir():
            return _directory(reference, path)
        if path.is_file():
            return _file(reference, path)
        exists = path.exists()
    except (OSError, RuntimeError, ValueError) as error:
        raise ResolveError(
            "path_unreadable",
            f"{reference} cannot be read: {describe(error)}",
            "check the path and who may read it",
        ) from error
    if exists or typed.is_symlink():
        raise _kind(reference, "is no regular file" if exists else "is a link that leads nowhere")
    raise ResolveError(
        "path_missing", f"{reference} does not exist (looked in {base})", _near(typed, reference)
    )


def _directory(reference: PathReference, path: Path) -> Located:
    _readable(path)
    entry = entry_of(path)
    if entry is None:
        modules = sorted(child.name for child in path.glob("*.py") if child.is_file())
        raise ResolveError(
            "strategy_file_missing",
            f"{reference} has no {ENTRY}",
            f"name the file: {reference.path.rstrip('/')}/{modules[0]}"
            if modules
            else WHAT_IT_HOLDS,
        )
    source = PathSource(path)
    if entry:
        _readable(path / entry)
    return Located(str(reference), source, path, entry, attribute_of(entry, source))


def _file(reference: PathReference, path: Path) -> Located:
    if path.suffix != ".py":
        raise _kind(reference, "is no .py file")
    _readable(path)
    return Located(
        str(reference),
        PathSource(path),
        path.parent,
        path.name,
        reference.attribute,
        only=(path.name,),
    )


def _readable(path: Path) -> None:
    """Raise OSError now rather than halfway through a load."""
    if path.is_dir():
        os.scandir(path).close()
    else:
        path.open("rb").close()


def _kind(reference: PathReference, what: str) -> ResolveError:
    return ResolveError(
        "path_kind",
        f"{reference} {what}",
        f"a strategy is a .py file or a directory that holds {ENTRY}",
    )


def _near(typed: Path, reference: PathReference) -> str:
    """The nearest names beside the missing path, written as the user would type them."""
    try:
        with os.scandir(typed.parent) as found:
            names = [entry.name for entry in found if entry.is_dir() or entry.name.endswith(".py")]
    except OSError:
        return f"{typed.parent} does not exist either"
    before = reference.path[: -len(typed.name)] if reference.path.endswith(typed.name) else "./"
    near = difflib.get_close_matches(typed.name, sorted(names), n=3, cutoff=0.5)
    if near:
        return "did you mean " + " or ".join(f"{before}{name}" for name in near) + "?"
    return f"a strategy is a .py file or a directory that holds {ENTRY}"

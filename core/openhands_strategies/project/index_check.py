"""What the CI of an index runs: every entry found, read and compared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from openhands_strategies.errors import StrategyError
from openhands_strategies.manifest.checks import static_problems
from openhands_strategies.manifest.reader import read_manifest
from openhands_strategies.project.fetching import Fetching
from openhands_strategies.project.home import Home
from openhands_strategies.project.index_file import FILE, read_index
from openhands_strategies.project.indexes import Offer, locate_offer, offer_of
from openhands_strategies.project.locate import normalised
from openhands_strategies.project.toml_file import FileError

_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def index_check(path: Path, home: Home, fetching: Fetching | None = None) -> list[FileError]:
    """Check an index: every entry fetched at its pin, its manifest read and compared.

    Args:
        path: `registry.toml`, or the directory that holds it; relative sources start there.
        home: Its store takes what is fetched.
        fetching: How to fetch.

    Returns:
        One finding for each thing that is wrong, with file and line: `index_missing`,
        `index_invalid`, `index_unpinned` (a source elsewhere that is no full commit id),
        `index_name` (the class calls itself otherwise), `index_collision` (two names for
        one source or distribution), `index_incompatible`, or the code of what went wrong
        while it was fetched and read, or of what is wrong with its files. Nothing of a
        strategy is run.
    """
    file = (path / FILE if path.is_dir() else path).absolute()
    try:
        entries = read_index(file)
    except FileError as error:
        return [error]
    if entries is None:
        hint = f"name a directory with {FILE}"
        return [FileError("index_missing", f"{file} does not exist", hint, file=file)]
    offers = [offer_of(file.name, entry, file.parent) for entry in entries.values()]
    found = [*_collisions(file, offers)]
    for offer in offers:
        found += _check(file, offer, home, fetching or Fetching())
    return sorted(found, key=lambda finding: finding.line)


def _collisions(file: Path, offers: list[Offer]) -> Iterator[FileError]:
    first: dict[str, str] = {}
    for offer in offers:
        entry = offer.entry
        keys = [str(entry.git)] if entry.git else []
        keys += [f"./{entry.inside}"] if entry.inside is not None else []
        keys += [normalised(entry.distribution)] if entry.distribution else []
        for key in keys:
            other = first.setdefault(key, offer.name)
            if other != offer.name:
                what = f"{other!r} stands for {key} already"
                yield _finding(file, offer, "index_collision", what, "keep one of the two names")


def _check(file: Path, offer: Offer, home: Home, fetching: Fetching) -> Iterator[FileError]:
    git = offer.entry.git
    if git is not None and _COMMIT.fullmatch(git.revision or "") is None:
        what = f"{git} is not pinned to a full commit id"
        yield _finding(file, offer, "index_unpinned", what, "write @ and the commit id")
    if offer.reference is None:
        what = "a distribution alone cannot be checked without installing it"
        yield _finding(file, offer, "index_unchecked", what, "add source = …")
        return
    try:
        located = replace(locate_offer(offer, home, fetching), name=None)
        manifest = read_manifest(located.root, located.module, located.attribute)
    except StrategyError as error:
        yield _finding(file, offer, error.code, error.message, error.hint)
        return
    if manifest.name != offer.name:
        said = "computes its name" if manifest.name is None else f"calls itself {manifest.name!r}"
        yield _finding(file, offer, "index_name", f"the strategy {said}", "use one name for both")
    for problem in static_problems(located.root, located.module, located.attribute):
        # Warnings and notes are for the author; `ohs check` tells them.
        if problem.severity == "error":
            at = f"{problem.file}:{problem.line}: " if problem.file else ""
            yield _finding(file, offer, problem.code, f"{at}{problem.message}", problem.hint)


def _finding(file: Path, offer: Offer, code: str, what: str, hint: str) -> FileError:
    line = offer.entry.line
    return FileError(code, f"{file}:{line}: {offer.name}: {what}", hint, file=file, line=line)

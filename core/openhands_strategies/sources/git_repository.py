"""A temporary bare repository: fetching into it and reading from it, without a checkout."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openhands_strategies.sources.git_command import run_git
from openhands_strategies.sources.git_place import GitPlace

_FETCH: Final = (
    "--progress",
    "--no-tags",
    "--no-write-fetch-head",
    "--no-recurse-submodules",
    "--no-auto-maintenance",
    "--no-write-commit-graph",
)
_BLOBLESS: Final = "--filter=blob:none"


@dataclass(frozen=True)
class GitObject:
    """An object that is there.

    Attributes:
        id: 40 or 64 hex digits.
        kind: `commit`, `tree`, `blob` or `tag`.
        size: Bytes.
    """

    id: str
    kind: str
    size: int


def make_repository(place: GitPlace) -> None:
    """Make an empty repository at `place.directory`; one that is there is removed.

    Raises:
        OSError: It cannot be written.
    """
    if place.directory.exists():
        shutil.rmtree(place.directory)
    for part in ("objects", "refs"):
        (place.directory / part).mkdir(parents=True)
    (place.directory / "HEAD").write_text("ref: refs/heads/none\n", encoding="ascii")
    _configure(place)


def fetch_commits(
    place: GitPlace, refspecs: Sequence[str], *, shallow: bool = True, blobless: bool = False
) -> None:
    """Fetch commits with their trees and, unless `blobless`, with the files' content.

    A server that knows no filters sends the content all the same.

    Raises:
        ResolveError: As `run_git`.
    """
    options = [*_FETCH, *(["--depth=1"] if shallow else []), *([_BLOBLESS] if blobless else [])]
    run_git(place, "fetch", options, [place.url, *refspecs])
    _configure(place)


def fetch_missing(place: GitPlace, objects: Iterable[str]) -> None:
    """Fetch those of the objects that are not there, in one request.

    Raises:
        ResolveError: As `run_git`; not every server hands out single objects.
    """
    missing = [one for one, found in look_up(place, objects).items() if found is None]
    if missing:
        stdin = _write(place, missing)
        run_git(place, "fetch", [*_FETCH, _BLOBLESS, "--stdin"], [place.url], stdin=stdin)
        _configure(place)


def look_up(place: GitPlace, names: Iterable[str]) -> dict[str, GitObject | None]:
    """Return what each name leads to; None where nothing is there.

    Args:
        place: The repository.
        names: Object ids, or `<commit>:<path>` with a checked path.

    Raises:
        ResolveError: As `run_git`.
    """
    asked = list(dict.fromkeys(names))
    if not asked:
        return {}
    stdin = _write(place, asked)
    said = run_git(place, "cat-file", ("--batch-check", "--buffer"), stdin=stdin)
    found: dict[str, GitObject | None] = {}
    for name, line in zip(asked, said.decode("utf-8", "replace").splitlines(), strict=True):
        words = line.split(" ")
        there = len(words) == 3 and words[2].isdigit()
        found[name] = GitObject(words[0], words[1], int(words[2])) if there else None
    return found


def _write(place: GitPlace, lines: Iterable[str]) -> Path:
    file = place.directory / "asked"
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


def _configure(place: GitPlace) -> None:
    """Write the configuration, which also takes back what a filtered fetch adds to it.

    Otherwise git would ask the server by itself for each object that is not there.
    """
    hashes = "sha256" if place.sha256 else "sha1"
    lines = ["[core]", "repositoryformatversion = 1", "bare = true"]
    lines += ["[extensions]", f"objectFormat = {hashes}", ""]
    (place.directory / "config").write_text("\n".join(lines), encoding="ascii")

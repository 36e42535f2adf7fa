"""Getting one directory of one commit, in the cheapest way that the server allows.

Commit alone without files' content, then the content that is needed in one request;
commit alone with everything; the branch or tag that leads to it; everything there is.
"""

from __future__ import annotations

import difflib
from typing import Final

from openhands_strategies.errors import ResolveError
from openhands_strategies.sources.entry import ENTRY, WHAT_IT_HOLDS, entry_among
from openhands_strategies.sources.git_command import run_git
from openhands_strategies.sources.git_listing import GitFile, read_listing
from openhands_strategies.sources.git_place import GitPlace
from openhands_strategies.sources.git_refs import advertised, refs_of
from openhands_strategies.sources.git_repository import (
    fetch_commits,
    fetch_missing,
    look_up,
    make_repository,
)

# Another way may work where the server refused or broke off; not where it let nobody in.
_NEXT_WAY: Final = frozenset(("git_failed", "commit_unadvertised", "commit_missing"))


def obtain_files(
    place: GitPlace, where: str, commit: str, subdirectory: str | None, entry: str | None
) -> tuple[list[GitFile], dict[str, int]]:
    """Fetch what is needed of a commit into the repository, and list its files.

    Args:
        place: The repository; made anew for each way that is tried.
        where: The source, for messages.
        commit: Full commit id.
        subdirectory: Directory; None for the root.
        entry: File that it must hold, if any; told before any content is fetched.

    Returns:
        The files, and the size of each blob.

    Raises:
        ResolveError: `commit_missing`, `commit_kind`, `subdirectory_missing`,
            `strategy_file_missing`, or what `run_git` raises.
        LoadError: As `read_listing`.
        OSError: The repository cannot be written.
    """
    first: ResolveError | None = None
    for way in (_alone, _with_content, _by_name, _everything):
        make_repository(place)
        try:
            way(place, commit)
            files = _list(place, where, commit, subdirectory, entry)
            fetch_missing(place, (file.id for file in files))
            found = look_up(place, (file.id for file in files))
            if None not in found.values():
                return files, {name: one.size for name, one in found.items() if one}
        except ResolveError as error:
            if error.code == "commit_missing" and not _other(error, commit):
                raise _missing(where, commit) from error
            if error.code not in _NEXT_WAY:
                raise
            if error.code == "git_failed":
                first = first or error
    raise first or _missing(where, commit)


def _alone(place: GitPlace, commit: str) -> None:
    fetch_commits(place, [commit], blobless=True)


def _with_content(place: GitPlace, commit: str) -> None:
    fetch_commits(place, [commit])


def _by_name(place: GitPlace, commit: str) -> None:
    """By an annotated tag, for example, whose commit the server does not offer by its id."""
    found = advertised(place)
    if found and all(len(one) != len(commit) for one in found.values()):
        raise ResolveError("commit_missing", f"{place.url} has ids of another kind")
    names = refs_of(found, commit)
    if names:
        fetch_commits(place, names[:1])


def _everything(place: GitPlace, commit: str) -> None:
    """All of it; the only way for a commit inside a branch of a server that is strict."""
    refspecs = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]
    fetch_commits(place, refspecs, shallow=False)


def _list(
    place: GitPlace, where: str, commit: str, subdirectory: str | None, entry: str | None
) -> list[GitFile]:
    path = f"{commit}:{subdirectory or ''}"
    found = look_up(place, (commit, path))
    head, directory = found[commit], found[path]
    if head is None:
        raise ResolveError("commit_unadvertised", f"{where}: commit {commit} did not arrive")
    if head.kind != "commit" or head.id != commit:
        raise ResolveError(
            "commit_kind",
            f"{where}: {commit} is no commit but a {head.kind}",
            "name the commit that the tag points to, or the tag's name",
        )
    if directory is None or directory.kind != "tree":
        raise ResolveError(
            "subdirectory_missing",
            f"{where}: commit {commit[:12]} has no directory {subdirectory!r}",
            _near(place, commit, subdirectory or ""),
        )
    listing = run_git(place, "ls-tree", ("-r", "-z", "--full-tree"), [directory.id])
    files = read_listing(where, listing)
    paths = [file.path for file in files]
    usable = entry in paths or (entry == ENTRY and entry_among(paths) is not None)
    if entry is not None and not usable:
        inside = [path for path in paths if path.endswith(f"/{entry}")]
        prefix = f"{subdirectory}/" if subdirectory else ""
        near = " or ".join(prefix + path.removesuffix(f"/{entry}") for path in inside[:3])
        raise ResolveError(
            "strategy_file_missing",
            f"{where} has no {entry}",
            f"did you mean #subdirectory={near}?" if inside else WHAT_IT_HOLDS,
        )
    return files


def _other(error: ResolveError, commit: str) -> bool:
    """Whether it was not the commit that the server does not have, but a file's content."""
    return "not our ref" in error.message and commit not in error.message


def _missing(where: str, commit: str) -> ResolveError:
    return ResolveError(
        "commit_missing",
        f"{where}: the repository has no commit {commit}",
        "check the commit id; a branch that was rewritten may have dropped it",
    )


def _near(place: GitPlace, commit: str, subdirectory: str) -> str:
    listing = run_git(place, "ls-tree", ("-r", "-d", "-z", "--full-tree", "--name-only"), [commit])
    known = [name.decode("utf-8", "replace") for name in listing.split(b"\0")[:-1]]
    near = difflib.get_close_matches(subdirectory, known, n=3, cutoff=0.5)
    shown = [name for name in near if name.isprintable()]
    if shown:
        return f"did you mean #subdirectory={' or '.join(shown)}?"
    return "after #subdirectory= stands the path of a directory in the repository"

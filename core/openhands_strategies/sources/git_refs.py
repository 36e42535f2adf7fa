"""From a branch, a tag or nothing to a full commit id, by one `git ls-remote`."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from openhands_strategies.errors import ResolveError
from openhands_strategies.sources.git_command import run_git
from openhands_strategies.sources.git_place import GitPlace
from openhands_strategies.sources.redacting import shown
from openhands_strategies.sources.reference import GitReference

_COMMIT: Final = re.compile(r"[0-9a-fA-F]{40}([0-9a-fA-F]{24})?")
_ABBREVIATED: Final = re.compile(r"[0-9a-fA-F]{4,63}")
_LINE: Final = re.compile(r"([0-9a-f]{40}|[0-9a-f]{64})\t(\S+)")
_PLAIN_NAME: Final = re.compile(r"refs/(heads|tags)/[\w./@+=-]+")
_PEELED: Final = "^{}"


def pinned_commit(revision: str | None) -> str | None:
    """The full commit id, in lower case, when a revision is one; None otherwise."""
    return revision.lower() if revision and _COMMIT.fullmatch(revision) else None


def find_commit(reference: GitReference, place: GitPlace) -> str:
    """Ask the server which commit a revision means now.

    As in pip, a branch comes before a tag of the same name; `refs/tags/v1` says which is
    meant. A tag gives the commit it points to.

    Raises:
        ResolveError: `revision_unknown`, with the nearest names, or what `run_git` raises.
    """
    revision = reference.revision
    if revision is None:
        names = ["HEAD"]
    elif revision.startswith("refs/"):
        names = [revision]
    else:
        names = [f"refs/heads/{revision}", f"refs/tags/{revision}"]
    found = advertised(place, [one for name in names for one in (name, name + _PEELED)])
    for name in names:
        commit = found.get(name + _PEELED) or found.get(name)
        if commit:
            return commit
    raise _unknown(reference, place)


def advertised(place: GitPlace, names: list[str] | None = None) -> dict[str, str]:
    """Return the object ids of refs; a tag's `name^{}` is the commit that it points to.

    Args:
        place: The URL.
        names: Full names; all refs by default.

    Raises:
        ResolveError: As `run_git`.
    """
    # No repository, whose kind of hashes git would expect, and which nobody can make there.
    nowhere = replace(place, directory=Path(os.devnull), progress=None)
    said = run_git(nowhere, "ls-remote", (), [place.url, *(names or [])])
    found: dict[str, str] = {}
    for line in said.decode("utf-8", "replace").splitlines():
        match = _LINE.fullmatch(line)
        # git takes the names for patterns that may end a longer name.
        if match and (names is None or match[2] in names):
            found[match[2]] = match[1]
    return found


def refs_of(found: Mapping[str, str], commit: str) -> list[str]:
    """Names of the branches and tags that lead to a commit, branches first.

    What a server calls its branches is a stranger's text; odd names are left out.
    """
    names = {name.removesuffix(_PEELED) for name, one in found.items() if one == commit}
    return sorted(name for name in names if _PLAIN_NAME.fullmatch(name))


def _unknown(reference: GitReference, place: GitPlace) -> ResolveError:
    revision = reference.revision
    if revision is None:
        return ResolveError(
            "revision_unknown",
            f"{reference}: the repository has no default branch",
            "name a branch or tag after @",
        )
    hint = "look at the branches and tags of the repository"
    if _ABBREVIATED.fullmatch(revision):
        hint = "a commit id is written in full: 40 or 64 digits"
    else:
        known = {
            name.split("/", 2)[2]
            for name in advertised(place)
            if name.startswith(("refs/heads/", "refs/tags/")) and not name.endswith(_PEELED)
        }
        near = difflib.get_close_matches(revision, sorted(known), n=3, cutoff=0.5)
        if near:
            hint = f"did you mean {' or '.join(map(shown, near))}?"
    return ResolveError(
        "revision_unknown", f"{reference}: there is no branch or tag {revision!r}", hint
    )

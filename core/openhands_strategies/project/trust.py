"""The one place where the user's trust is asked before a strategy's code runs.

What pip installed is trusted by that act, and so is a path that the user typed in this
command or added on this machine. Everything else needs a consent to exactly this tree:
a git tree, and a path that merely stands in a project's files.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from openhands_strategies.errors import LoadError, TrustError, UsageError
from openhands_strategies.project.home import Home, find_home
from openhands_strategies.project.trust_facts import NotTrusted, record_of, trust_facts
from openhands_strategies.project.trust_file import (
    TrustedPath,
    TrustedTree,
    TrustFile,
    change_trust,
    read_trust,
)
from openhands_strategies.sources.giturl import local_path
from openhands_strategies.sources.redacting import shown
from openhands_strategies.sources.source import DistributionSource, Located, PathSource

if TYPE_CHECKING:
    from openhands_strategies.manifest.model import Manifest


def check_trust(
    located: Located, tree: str, manifest: Manifest | None = None, *, home: Home | None = None
) -> None:
    """Return when the code may run; every loading passes here first.

    Args:
        located: Where the strategy is.
        tree: Hash of the tree that would run, `sha256:<hex>`; consent is bound to it.
        manifest: What is known of it without running it, for showing.
        home: Where consents are kept; what `OHS_HOME` says by default.

    Raises:
        NotTrusted: Nobody has agreed to it.
        LoadError: `store_damaged` when the store holds another tree than was resolved.
        FileError: `trust_file_invalid`.
    """
    if located.tree is not None and located.tree != tree:
        raise LoadError(
            "store_damaged",
            f"{located.root} was changed: it is no longer {located.tree}",
            "ohs store verify shows what is wrong; remove that directory and run ohs sync",
        )
    home = find_home() if home is None else home
    if not is_trusted(located, tree, home=home):
        raise NotTrusted(trust_facts(located, tree, manifest, home))


def check_consent(name: str, reference: str, tree: str, home: Home) -> None:
    """Return when a consent to exactly this tree is on record; for code that runs again.

    Raises:
        TrustError: `not_trusted`.
        FileError: `trust_file_invalid`.
    """
    if not any(one.tree == tree for one in read_trust(home).trees):
        raise TrustError(
            "not_trusted",
            f"strategy {name!r} ({reference}) is not trusted any more",
            f"ohs trust {reference}",
        )


def is_trusted(
    located: Located, tree: str, *, home: Home | None = None, consents: TrustFile | None = None
) -> bool:
    """Whether the code may run, without the facts.

    Args:
        located: Where the strategy is.
        tree: Hash of the tree that would run.
        home: Where consents are kept; what `OHS_HOME` says by default.
        consents: What `read_trust` gave, where many strategies are asked about.

    Raises:
        FileError: `trust_file_invalid`.
    """
    source = located.source
    if isinstance(source, DistributionSource):
        return True
    if isinstance(source, PathSource) and located.typed:
        return True
    known = read_trust(find_home() if home is None else home) if consents is None else consents
    if isinstance(source, PathSource):
        place = str(source.path)
        if any(one.path == place and not one.fetch for one in known.paths):
            return True
    return any(one.tree == tree for one in known.trees)


def trust(
    located: Located,
    tree: str,
    manifest: Manifest | None = None,
    *,
    home: Home | None = None,
    now: datetime | None = None,
) -> TrustedTree | TrustedPath | None:
    """Record the user's consent.

    A path that the user typed is recorded without a hash, as `trust_path` does; a git tree,
    and a path that stands in a file, with the hash of this tree.

    Args:
        located: Where the strategy is.
        tree: Hash of the tree that was shown, `sha256:<hex>`.
        manifest: What was shown.
        home: Where consents are kept; what `OHS_HOME` says by default.
        now: The date to write down; the present by default.

    Returns:
        The record; None for a distribution, which needs none.

    Raises:
        FileError: `trust_file_invalid`.
        UsageError: `trust_full` or `path_encoding`.
        LoadError: `file_busy` or `file_write`.
    """
    if isinstance(located.source, DistributionSource):
        return None
    home = find_home() if home is None else home
    if isinstance(located.source, PathSource) and located.typed:
        return trust_path(located.source.path, home=home, now=now)
    record = replace(record_of(located, tree, manifest), date=_date(now))
    if record.path is not None:
        _utf8(record.path)

    def change(known: TrustFile) -> TrustFile:
        same = (record.tree, record.place)
        others = tuple(one for one in known.trees if (one.tree, one.place) != same)
        return replace(known, trees=(*others, record))

    change_trust(home, change)
    return record


def trust_path(
    path: Path, *, fetch: bool = False, home: Home | None = None, now: datetime | None = None
) -> TrustedPath:
    """Record that the user typed or added a path on this machine, whatever it holds later.

    Args:
        path: A `.py` file or a directory.
        fetch: The path is a git repository, and may be fetched from; nothing more.
        home: Where consents are kept; what `OHS_HOME` says by default.
        now: The date to write down; the present by default.

    Raises:
        UsageError: `path_encoding` when the path is not UTF-8; `trust_full`.
        FileError: `trust_file_invalid`.
        LoadError: `file_busy` or `file_write`.
    """
    text = str(path.resolve())
    record = TrustedPath(_utf8(text), _date(now), fetch)

    def change(known: TrustFile) -> TrustFile:
        if any((one.path, one.fetch) == (text, fetch) for one in known.paths):
            return known
        return replace(known, paths=(*known.paths, record))

    change_trust(find_home() if home is None else home, change)
    return record


def may_fetch(path: Path, *, home: Home | None = None) -> bool:
    """Whether the user typed or added this path as a repository on this machine.

    Raises:
        FileError: `trust_file_invalid`.
    """
    known = read_trust(find_home() if home is None else home)
    return any(one.fetch and one.path == str(path.resolve()) for one in known.paths)


def listed(*, home: Home | None = None) -> list[TrustedTree | TrustedPath]:
    """All consents: paths, then trees, the oldest first.

    Raises:
        FileError: `trust_file_invalid`.
    """
    known = read_trust(find_home() if home is None else home)
    return [*known.paths, *known.trees]


def revoke(what: Located | str, *, home: Home | None = None) -> list[TrustedTree | TrustedPath]:
    """Take consents back.

    Args:
        what: A located strategy, for all trees of its source, and for fetching from it if
            it was typed; or a tree hash, the name or URL under which trees were trusted, or
            an absolute path.
        home: Where consents are kept; what `OHS_HOME` says by default.

    Returns:
        The records that are gone.

    Raises:
        UsageError: `trust_unknown` when there is no such consent.
        FileError: `trust_file_invalid`.
        LoadError: `file_busy` or `file_write`.
    """
    if isinstance(what, str):
        words = {what, what.removeprefix("git+")}
        place, url = None, what.removeprefix("git+")
    else:
        place = record_of(what, "", None).place
        words = {place[2]} if place[2] else set()
        url = (what.typed and place[0]) or ""
    directory = local_path(url)
    repository = directory and str(directory.resolve())

    def gone(one: TrustedTree | TrustedPath) -> bool:
        if isinstance(one, TrustedPath):
            return one.path in words or (one.fetch and one.path == repository)
        if place is not None:
            return one.place == place
        return bool({one.tree, one.name, one.url, one.path} & words)

    before = change_trust(
        find_home() if home is None else home,
        lambda known: TrustFile(
            tuple(one for one in known.trees if not gone(one)),
            tuple(one for one in known.paths if not gone(one)),
        ),
    )
    every: list[TrustedTree | TrustedPath] = [*before.paths, *before.trees]
    removed = [one for one in every if gone(one)]
    if not removed:
        named = what if isinstance(what, str) else what.reference
        raise UsageError(
            "trust_unknown",
            f"nothing is trusted as {shown(named)!r}",
            "ohs trust --list shows what is",
        )
    return removed


def _utf8(path: str) -> str:
    try:
        path.encode()
    except UnicodeEncodeError as error:
        shown = path.encode("utf-8", "backslashreplace").decode()
        raise UsageError(
            "path_encoding", f"{shown} is not UTF-8 and cannot be written down", "rename it"
        ) from error
    return path


def _date(now: datetime | None) -> str:
    return (datetime.now(UTC) if now is None else now.astimezone(UTC)).isoformat(timespec="seconds")

"""Zipped distributions: a wheel or an egg that stands on `sys.path` itself.

Their modules are imported from the archive, as Python does. What must be files, such as
skills and hooks, lies in a copy of the entry module's directory in the store.
"""

from __future__ import annotations

import re
import stat
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zipfile import ZipFile, ZipInfo

from openhands_strategies.errors import LoadError, StrategyError
from openhands_strategies.sources.offers import BrokenOffer, Offer, broken, no_module
from openhands_strategies.sources.source import DistributionSource, Located
from openhands_strategies.sources.store import (
    Stored,
    get_tree,
    put_tree,
    store_write,
    using_store,
)
from openhands_strategies.sources.tree import (
    MAX_BYTES,
    MAX_FILES,
    TreeFile,
    bad_name,
    check_name,
    hash_contents,
    is_skipped,
    too_large,
    tree_files,
)

_CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class Member:
    """One file of an archive that belongs to a tree.

    Attributes:
        file: What it is in the tree.
        info: Where it is in the archive.
    """

    file: TreeFile
    info: ZipInfo


def locate_in_archive(
    offer: Offer, value: re.Match[str], archive: ZipFile, record: set[str], store: Path | None
) -> Located:
    """Find the module of an entry point in its archive, and put its tree into the store.

    Args:
        offer: The entry point.
        value: Its value, with the groups `module` and `attribute`.
        archive: The distribution.
        record: The names of its RECORD; empty for an egg.
        store: The store; without one nothing can be located.

    Raises:
        BrokenOffer: `distribution_zipped`, `entry_point_module`, or as `store_members`.
        OSError, RuntimeError, ValueError, zipfile.BadZipFile: As `store_members`.
    """
    if store is None:
        raise broken("distribution_zipped", offer, "is in an archive, and there is no store")
    parts = value["module"].split(".")
    member = _find_module(archive, parts)
    if member is None:
        raise no_module(offer, value["module"])
    directory, slash, module = member.rpartition("/")
    single = len(parts) == 1 and module != "__init__.py"
    only = {member} if single else record if member in record else ()
    try:
        stored = store_members(archive, directory + slash, only, store)
    except StrategyError as error:
        message = f"distribution {offer.project}: strategy {offer.name!r}: {error.message}"
        raise BrokenOffer(error.code, message, error.hint, name=offer.name) from error
    return Located(
        reference=offer.name,
        source=DistributionSource(offer.project, offer.version, value[0]),
        root=stored.path,
        module=module,
        attribute=value["attribute"],
        import_name=value["module"],
        name=offer.name,
        only=(module,) if single else None,
        tree=stored.tree,
    )


def _find_module(archive: ZipFile, parts: Sequence[str]) -> str | None:
    """The name of a module's file in an archive."""
    stem = "/".join(parts)
    names = (f"{stem}/__init__.py", f"{stem}.py")
    return next((name for name in names if name in archive.NameToInfo), None)


def store_members(archive: ZipFile, directory: str, only: Collection[str], store: Path) -> Stored:
    """Put a directory of an archive into the store, unless just that is there already.

    Args:
        archive: The distribution.
        directory: The tree's root in it, with a slash at its end; empty for its top.
        only: Names in the archive that may belong to the tree; all when empty.
        store: Directory of the store; made when missing.

    Raises:
        LoadError: `tree_name`, `tree_case_twins`, `tree_link`, `tree_special`,
            `tree_too_large`, `store_write` or `store_busy`.
        OSError, RuntimeError, ValueError, zipfile.BadZipFile: The archive is damaged,
            encrypted or packed in a way that is not known.
    """
    where = f"{archive.filename}/{directory}"
    members = _members(archive, directory, only, where)
    tree = hash_contents((one.file, _content(archive, one, where)) for one in members)
    known = get_tree(store, tree)
    if known is not None:
        return Stored(tree, known)
    with using_store(store):
        try:
            (store / "tmp").mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=store / "tmp", prefix="zip-") as place:
                root = Path(place)
                for one in members:
                    _write(root / one.file.path, one, _content(archive, one, where))
                return put_tree(store, root, tree_files(root))
        except OSError as error:
            raise store_write(store, error) from error


def _members(archive: ZipFile, directory: str, only: Collection[str], where: str) -> list[Member]:
    found: dict[str, Member] = {}
    spellings: dict[str, str] = {}
    total = 0
    for info in archive.infolist():
        name = info.filename
        if info.is_dir() or not name.startswith(directory) or (only and name not in only):
            continue
        path = name[len(directory) :]
        if any(is_skipped(part) for part in path.split("/")):
            continue
        check_name(where, path, spellings)
        if "\\" in path or not path.isprintable():
            raise bad_name(where, repr(path), "has a backslash or control character in its name")
        if path in found:
            raise bad_name(where, path, "is there twice")
        found[path] = Member(TreeFile(path, _mode(info, where), info.file_size), info)
        total += info.file_size
        if len(found) > MAX_FILES or len(spellings) > 2 * MAX_FILES or total > MAX_BYTES:
            raise too_large(where)
    for path in found:
        parents = path.split("/")[:-1]
        if any("/".join(parents[:end]) in found for end in range(1, len(parents) + 1)):
            raise bad_name(where, path, "lies in what is a file as well")
    return [found[path] for path in sorted(found)]


def _mode(info: ZipInfo, where: str) -> str:
    mode = info.external_attr >> 16
    kind = stat.S_IFMT(mode)
    if kind == stat.S_IFLNK:
        raise LoadError(
            "tree_link", f"{where}: {info.filename} is a link", "pack a copy in its place"
        )
    if kind not in (0, stat.S_IFREG):  # some tools write no kind
        raise LoadError(
            "tree_special",
            f"{where}: {info.filename} is a device, a socket or a pipe",
            "a strategy's directory holds files, directories and links only",
        )
    return "100755" if mode & stat.S_IXUSR else "100644"


def _content(archive: ZipFile, member: Member, where: str) -> Iterator[bytes]:
    """Unpack a file in pieces, and never more than what its entry promised."""
    left = member.file.size
    with archive.open(member.info) as stream:
        while chunk := stream.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                break
            yield chunk
    if left:
        raise LoadError(
            "tree_changed",
            f"{where}: {member.file.path} has not the size that the archive says",
            "build the archive again",
        )


def _write(path: Path, member: Member, content: Iterator[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as stream:
        stream.writelines(content)
    path.chmod(0o755 if member.file.mode == "100755" else 0o644)

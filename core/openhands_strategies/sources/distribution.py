"""Locating the strategies of installed distributions without importing anything.

A wheel's files are found by its RECORD, an editable install's by what its installer
recorded (see `editable`), those of an archive on the path in it (see `zipped`). One broken
distribution costs one warning, never the rest.
"""

from __future__ import annotations

import csv
import keyword
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from importlib_metadata import Distribution

from openhands_strategies.errors import StrategyError, describe
from openhands_strategies.sources.editable import module_directories
from openhands_strategies.sources.offers import (
    GROUP,
    BrokenOffer,
    Offer,
    archive_of,
    broken,
    metadata_text,
    no_module,
    offers,
)
from openhands_strategies.sources.reference import is_name
from openhands_strategies.sources.source import DistributionSource, Located
from openhands_strategies.sources.tree import TreeFile, is_skipped, tree_files
from openhands_strategies.sources.zipped import locate_in_archive

__all__ = ["GROUP", "BrokenOffer", "Offer", "distribution_files", "installed", "offers"]

_VALUE: Final = re.compile(
    r"(?P<module>\w+(\.\w+)*)\s*:\s*(?P<attribute>\w+)\s*(\[[\w\s,.-]*\])?", re.ASCII
)


def installed(
    group: str = GROUP, *, path: Sequence[str] | None = None, store: Path | None = None
) -> tuple[list[Located], list[StrategyError]]:
    """Locate every installed strategy.

    Args:
        group: Entry-point group.
        path: Directories and archives that hold distributions; `sys.path` by default.
        store: The store, which takes the trees of archives; without it, what is in one is
            an error.

    Returns:
        What was found, sorted by name and distribution, and one `BrokenOffer` for each
        offer or distribution that cannot be used: `distribution_broken`,
        `distribution_metadata`, `entry_point_invalid`, `entry_point_module`, or what
        `store_members` raises. Two distributions that offer one name are both returned.
    """
    found: list[Located] = []
    failed: list[StrategyError] = []
    for offer in offers(group, path=path):
        if isinstance(offer, StrategyError):
            failed.append(offer)
            continue
        try:
            found.append(_locate(offer, store))
        except StrategyError as error:
            failed.append(error)
        # A damaged installation can fail in any way; it must not hide the others.
        except Exception as error:  # noqa: BLE001
            failed.append(
                broken("distribution_broken", offer, f"cannot be read: {describe(error)}")
            )
    found.sort(key=lambda located: (located.name or "", str(located.source)))
    return found, failed


def distribution_files(located: Located) -> list[TreeFile]:
    """List the files of a distribution's tree: the directory of its entry module.

    For a wheel these are the recorded files, so that a namespace directory which several
    distributions share gives only its own; for an editable install the directory.

    Raises:
        LoadError: As `tree_files`.
    """
    if isinstance(located.source, DistributionSource) and located.source.files:
        # Some systems strip what they do not need (texts, tests) and keep the RECORD.
        present = [name for name in located.source.files if (located.root / name).is_file()]
        return tree_files(located.root, present)
    return tree_files(located.root, located.only)


def _locate(offer: Offer, store: Path | None) -> Located:
    value = _VALUE.fullmatch(offer.value)
    if not is_name(offer.name):
        raise broken("entry_point_invalid", offer, "has a name that is not kebab-case")
    if value is None or any(keyword.iskeyword(part) for part in re.findall(r"\w+", value[0])):
        raise broken(
            "entry_point_invalid", offer, f"is {offer.value!r}, not package.module:Attribute"
        )
    parts = value["module"].split(".")
    record = _record(offer)
    archive = archive_of(offer.distribution)
    if archive is not None:
        return locate_in_archive(offer, value, archive, record, store)
    file, recorded = _find(offer.distribution, parts, record)
    if file is None:
        raise no_module(offer, value["module"])
    file = file.resolve()
    single = len(parts) == 1 and file.name != "__init__.py"
    files: tuple[str, ...] = ()
    if recorded is not None and not single:
        prefix = recorded.rpartition("/")[0] + "/"
        files = tuple(
            name[len(prefix) :]
            for name in sorted(record)
            if name.startswith(prefix) and not any(is_skipped(part) for part in name.split("/"))
        )
    return Located(
        reference=offer.name,
        source=DistributionSource(offer.project, offer.version, value[0], files),
        root=file.parent,
        module=file.name,
        attribute=value["attribute"],
        import_name=value["module"],
        name=offer.name,
        only=(file.name,) if single else None,
    )


def _find(
    distribution: Distribution, parts: list[str], record: set[str]
) -> tuple[Path | None, str | None]:
    """The module's file, and its recorded name when it belongs to a wheel."""
    stem = "/".join(parts)
    for name in (f"{stem}/__init__.py", f"{stem}.py"):
        if name in record:
            file = Path(str(distribution.locate_file(name)))
            return (file, name) if file.is_file() else (None, name)
    for prefix, directory in module_directories(distribution, record):
        if parts[: len(prefix)] != prefix:
            continue
        place = directory.joinpath(*parts[len(prefix) :])
        for file in (place / "__init__.py", place.with_name(place.name + ".py")):
            if file.is_file():
                return file, None
    return None, None


def _record(offer: Offer) -> set[str]:
    try:
        text = metadata_text(offer.distribution, "RECORD") or ""
        return {row[0] for row in csv.reader(text.splitlines()) if row}
    except (ValueError, csv.Error) as error:
        raise broken(
            "distribution_broken", offer, f"has a RECORD that cannot be read: {describe(error)}"
        ) from error

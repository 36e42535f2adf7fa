"""Locating the strategies of installed distributions without importing anything.

A wheel's files are found by its RECORD, an editable install's by what its installer
recorded (see `editable`). One broken distribution costs one warning, never the rest.
"""

from __future__ import annotations

import csv
import keyword
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from importlib_metadata import Distribution, distributions

from openhands_strategies.errors import LoadError, StrategyError, describe
from openhands_strategies.sources.editable import module_directories
from openhands_strategies.sources.reference import is_name
from openhands_strategies.sources.source import DistributionSource, Located
from openhands_strategies.sources.tree import TreeFile, is_skipped, tree_files

GROUP: Final = "openhands.strategies"
_FIELD: Final = re.compile(r"^(Name|Version):[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)
_VALUE: Final = re.compile(
    r"(?P<module>\w+(\.\w+)*)\s*:\s*(?P<attribute>\w+)\s*(\[[\w\s,.-]*\])?", re.ASCII
)


@dataclass(frozen=True)
class Offer:
    """One entry point of an installed distribution.

    Attributes:
        distribution: The distribution's metadata.
        project: Its name.
        version: Its version.
        name: Left side of the entry point.
        value: Right side, not checked yet.
    """

    distribution: Distribution
    project: str
    version: str
    name: str
    value: str


class BrokenOffer(LoadError):
    """A distribution that offers a strategy which cannot be located.

    Attributes:
        name: The entry point's name; empty when not even that can be read.
    """

    def __init__(self, code: str, message: str, hint: str, *, name: str = "") -> None:
        super().__init__(code, message, hint)
        self.name = name


def installed(
    group: str = GROUP, *, path: Sequence[str] | None = None
) -> tuple[list[Located], list[StrategyError]]:
    """Locate every installed strategy.

    Args:
        group: Entry-point group.
        path: Directories that hold distributions; `sys.path` by default.

    Returns:
        What was found, sorted by name and distribution, and one `BrokenOffer` for each
        offer or distribution that cannot be used: `distribution_broken`,
        `distribution_metadata`, `entry_point_invalid` or `entry_point_module`. Two
        distributions that offer one name are both returned.
    """
    found: list[Located] = []
    broken: list[StrategyError] = []
    for offer in offers(group, path=path):
        if isinstance(offer, StrategyError):
            broken.append(offer)
            continue
        try:
            found.append(_locate(offer))
        except StrategyError as error:
            broken.append(error)
        # A damaged installation can fail in any way; it must not hide the others.
        except Exception as error:  # noqa: BLE001
            broken.append(
                _broken("distribution_broken", offer, f"cannot be read: {describe(error)}")
            )
    found.sort(key=lambda located: (located.name or "", str(located.source)))
    return found, broken


def offers(group: str, *, path: Sequence[str] | None = None) -> Iterator[Offer | BrokenOffer]:
    """Yield the entry points of a group, and an error for each unreadable distribution.

    As in an import, the first of two distributions with one name on the path counts.
    """
    seen: set[str] = set()
    for distribution in distributions() if path is None else distributions(path=list(path)):
        place = str(getattr(distribution, "_path", distribution.locate_file("")))
        try:
            # Read from the directory's name where possible, as importlib.metadata does:
            # parsing the metadata of 1,000 distributions takes 0.1 s.
            key = getattr(distribution, "_normalized_name", None) or _fields(distribution)[0]
        except Exception:  # noqa: BLE001 (reported below, if it is ours at all)
            key = place
        if key in seen:
            continue
        seen.add(key)
        try:
            text = distribution.read_text("entry_points.txt")
            if text is None or group not in text:
                continue
            chosen = _entries(text, group)
            name, version = _fields(distribution) if chosen else ("", "")
        except Exception as error:  # noqa: BLE001 (as in `installed`)
            yield BrokenOffer(
                "distribution_broken",
                f"distribution {Path(place).name} cannot be read: {describe(error)}",
                f"install it again, or remove {place}",
            )
            continue
        if chosen and not (name and version):
            what = "name" if not name else "version"
            yield BrokenOffer(
                "distribution_metadata",
                f"distribution {Path(place).name} has no {what} in its metadata",
                f"install it again, or remove {place}",
                name=chosen[0][0],
            )
            continue
        for entry, value in chosen:
            yield Offer(distribution, name, version, entry, value)


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


def _locate(offer: Offer) -> Located:
    value = _VALUE.fullmatch(offer.value)
    if not is_name(offer.name):
        raise _broken("entry_point_invalid", offer, "has a name that is not kebab-case")
    if value is None or any(keyword.iskeyword(part) for part in re.findall(r"\w+", value[0])):
        raise _broken(
            "entry_point_invalid", offer, f"is {offer.value!r}, not package.module:Attribute"
        )
    parts = value["module"].split(".")
    record = _record(offer)
    file, recorded = _find(offer.distribution, parts, record)
    if file is None:
        raise _broken(
            "entry_point_module",
            offer,
            f"names the module {value['module']}, of which no Python file was found",
        )
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
        text = offer.distribution.read_text("RECORD") or ""
        return {row[0] for row in csv.reader(text.splitlines()) if row}
    except (UnicodeDecodeError, csv.Error) as error:
        raise _broken(
            "distribution_broken", offer, f"has a RECORD that cannot be read: {describe(error)}"
        ) from error


def _entries(text: str, group: str) -> list[tuple[str, str]]:
    """Names and values of one group; importlib_metadata drops all for one bad line."""
    section = ""
    found: list[tuple[str, str]] = []
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif section == group and line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.append((name.strip(), value.strip()))
    return found


def _fields(distribution: Distribution) -> tuple[str, str]:
    """Name and version; empty where missing. The header is read, not the long text."""
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    fields = {match[1]: match[2] for match in _FIELD.finditer(text.partition("\n\n")[0])}
    return fields.get("Name", ""), fields.get("Version", "")


def _broken(code: str, offer: Offer, what: str) -> BrokenOffer:
    return BrokenOffer(
        code,
        f"distribution {offer.project}: strategy {offer.name!r} {what}",
        f"install {offer.project} again, or uninstall it",
        name=offer.name,
    )

"""The entry points of installed distributions, read from their metadata."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zipfile import ZipFile

from importlib_metadata import Distribution, distributions

from openhands_strategies.errors import LoadError, describe

GROUP: Final = "openhands.strategies"
MAX_METADATA: Final = 16_000_000
"""Bytes of one metadata file in an archive; the largest RECORDs have some millions."""
_FIELD: Final = re.compile(r"^(Name|Version):[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)


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
            text = metadata_text(distribution, "entry_points.txt")
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


def no_module(offer: Offer, module: str) -> BrokenOffer:
    """The error `entry_point_module`."""
    return broken(
        "entry_point_module",
        offer,
        f"names the module {module}, of which no Python file was found",
    )


def broken(code: str, offer: Offer, what: str) -> BrokenOffer:
    """An error that names the distribution and its strategy."""
    return BrokenOffer(
        code,
        f"distribution {offer.project}: strategy {offer.name!r} {what}",
        f"install {offer.project} again, or uninstall it",
        name=offer.name,
    )


def archive_of(distribution: Distribution) -> ZipFile | None:
    """The archive that a distribution is in; None where it is in a directory."""
    root = getattr(getattr(distribution, "_path", None), "root", None)
    return root if isinstance(root, ZipFile) else None


def metadata_text(distribution: Distribution, name: str) -> str | None:
    """Read a file of a distribution's metadata; None where there is none.

    Raises:
        ValueError: It lies in an archive and would unpack to over 16 MB, or is no UTF-8.
        OSError: It cannot be read.
    """
    archive = archive_of(distribution)
    if archive is not None:
        place = getattr(getattr(distribution, "_path", None), "at", "")
        info = archive.NameToInfo.get(f"{place}{name}")
        if info is not None and info.file_size > MAX_METADATA:
            raise ValueError(f"{name} would unpack to {info.file_size} bytes")
    return distribution.read_text(name)


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
    names = ("METADATA", "PKG-INFO")
    text = next((text for name in names if (text := metadata_text(distribution, name))), "")
    fields = {match[1]: match[2] for match in _FIELD.finditer(text.partition("\n\n")[0])}
    return fields.get("Name", ""), fields.get("Version", "")

"""`registry.toml`, an index: names mapped to sources. A stranger's file, read strictly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from openhands_strategies.errors import ResolveError
from openhands_strategies.project.toml_file import Document, parse_document, read_document
from openhands_strategies.sources.giturl import check_subdirectory
from openhands_strategies.sources.redacting import shown
from openhands_strategies.sources.reference import GitReference, is_name, parse_reference

FILE: Final = "registry.toml"
CODE: Final = "index_invalid"
VERSION: Final = 1
_KEYS: Final = ("source", "distribution", "description", "tags", "homepage", "requires")
_DISTRIBUTION: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_HOMEPAGE: Final = re.compile(r"https?://[^\s<>\"'`]+")
_MAX_TAGS: Final = 20


@dataclass(frozen=True)
class IndexEntry:
    """One name of an index; it has a `git` source, a directory `inside`, or neither.

    Attributes:
        name: Name of the strategy.
        git: Its repository, when that is not the index's own.
        inside: Its directory in the index's repository, POSIX; empty for the root.
        distribution: Counts where the index has no repository.
        description: One line.
        tags: For searching.
        homepage: `http` or `https` URL.
        requires: Versions of openhands-strategies that it works with, as in PEP 440.
        line: Its line in the file.
    """

    name: str
    git: GitReference | None = None
    inside: str | None = None
    distribution: str | None = None
    description: str = ""
    tags: tuple[str, ...] = ()
    homepage: str | None = None
    requires: str | None = None
    line: int = 0


def read_index(path: Path) -> dict[str, IndexEntry] | None:
    """Read an index strictly; None when there is no file.

    Raises:
        FileError: `index_invalid`, with file and line: broken TOML, a version from the
            future, unknown keys, wrong types, and sources that are none.
    """
    document = read_document(path, CODE)
    return None if document is None else _index(document)


def parse_index(content: bytes, path: Path) -> dict[str, IndexEntry]:
    """Read the content of an index; `path` is for messages.

    Raises:
        FileError: As `read_index`.
    """
    return _index(parse_document(content, path, CODE))


def _index(document: Document) -> dict[str, IndexEntry]:
    document.version(VERSION)
    top = document.table(document.data, [], ["version", "strategies"])
    tables = document.table(top.get("strategies", {}), ["strategies"], None)
    return {name: _entry(document, name, table) for name, table in tables.items()}


def _entry(document: Document, name: str, value: object) -> IndexEntry:
    at = ["strategies", name]
    if not is_name(name):
        raise document.wrong(at, f"{name!r} is no strategy name", "names are kebab-case")
    table = document.table(value, at, _KEYS)
    source = document.text_at(table, "source", at)
    distribution = document.text_at(table, "distribution", at)
    if source is None and distribution is None:
        raise document.wrong(at, f"{name} has neither source nor distribution", "add source = …")
    if distribution is not None and _DISTRIBUTION.fullmatch(distribution) is None:
        raise document.wrong([*at, "distribution"], f"{distribution!r} is no distribution's name")
    homepage = document.text_at(table, "homepage", at)
    if homepage is not None and _HOMEPAGE.fullmatch(homepage) is None:
        raise document.wrong([*at, "homepage"], f"{homepage!r} is no http or https URL")
    git, inside = (None, None) if source is None else _source(document, source, [*at, "source"])
    return IndexEntry(
        name=name,
        git=git,
        inside=inside,
        distribution=distribution,
        description=document.text_at(table, "description", at) or "",
        tags=_tags(document, table, [*at, "tags"]),
        homepage=homepage,
        requires=document.text_at(table, "requires", at),
        line=document.line(at),
    )


def _source(
    document: Document, source: str, at: list[str]
) -> tuple[GitReference | None, str | None]:
    try:
        if source in (".", "./"):
            return None, ""
        if source.startswith("./"):
            return None, check_subdirectory(source.removeprefix("./"))
        reference = parse_reference(source, typed=False)
    except ResolveError as error:
        raise document.wrong(at, error.message, error.hint) from error
    if isinstance(reference, GitReference):
        return reference, None
    raise document.wrong(
        at,
        f"source {shown(source)!r} is neither a git source nor a directory of this repository",
        "write git+https://…, github:org/repo@ref, or ./directory",
    )


def _tags(document: Document, table: Mapping[str, Any], at: list[str]) -> tuple[str, ...]:
    tags = table.get("tags", [])
    if not isinstance(tags, list) or len(tags) > _MAX_TAGS:
        raise document.wrong(at, f"tags is no array of at most {_MAX_TAGS} strings")
    for tag in tags:
        if not isinstance(tag, str) or not tag.strip() or not tag.isprintable():
            raise document.wrong(at, "tags holds something else than strings")
    return tuple(tags)

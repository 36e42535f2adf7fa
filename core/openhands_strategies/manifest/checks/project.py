"""pyproject.toml: entry points that lead somewhere, requirements, and what the wheel holds."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from openhands_strategies.errors import LoadError
from openhands_strategies.manifest.checks.places import line_of
from openhands_strategies.manifest.checks.problem import Problem, make, of_error
from openhands_strategies.manifest.checks.subject import Subject
from openhands_strategies.manifest.dependencies import missing_requirements
from openhands_strategies.manifest.files import entries, exists, parse_toml, read_text

_FILE: Final = "pyproject.toml"
_GROUP: Final = "openhands.strategies"
_TARGET: Final = re.compile(r"(?P<module>[\w.]+)\s*:\s*(?P<attribute>[\w.]+)")
_CARRIED: Final = ("skills", "hooks", "agents", "commands", "dev.openhands", ".plugin",
                   ".claude-plugin", ".mcp.json", "mcp.json", "plugin.json")  # fmt: skip
_SETUPTOOLS: Final = ("setuptools.build_meta", "setuptools.build_meta:__legacy__")


@dataclass(frozen=True)
class _Package:
    """The package whose directory is the strategy's own."""

    name: str
    patterns: tuple[str, ...]


def problems(subject: Subject) -> Iterator[Problem]:
    if not exists(subject.root, _FILE):
        return
    data = parse_toml(read_text(subject.root, _FILE), _FILE, "pyproject_invalid")
    project = data.get("project")
    if not isinstance(project, dict):
        return
    yield from _entry_points(project, data, subject)
    yield from _requirements(subject, project)
    yield from _package_data(data, subject)


def _line(subject: Subject, *texts: str) -> int:
    return line_of(subject.root, _FILE, *texts)


def _entry_points(
    project: Mapping[str, Any], data: Mapping[str, Any], subject: Subject
) -> Iterator[Problem]:
    groups = project.get("entry-points", {})
    points = groups.get(_GROUP, {}) if isinstance(groups, dict) else {}
    if not isinstance(points, dict) or not points:
        if subject.module:
            yield make("entry_point_missing", f"no entry point in the group {_GROUP}, so that an"
                       " installation would not be found",
                       f'write [project.entry-points."{_GROUP}"]', _FILE,
                       _line(subject, "[project]"))  # fmt: skip
        return
    own = _own_package(data)
    for name, value in points.items():
        line = _line(subject, f"{name} =", f'"{name}"', str(value))
        found = _TARGET.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            yield make("entry_point_invalid", f"the entry point {name!r} is no module:Attribute",
                       'write it as "package.module:Class"', _FILE, line)  # fmt: skip
            continue
        package, _, inner = found["module"].partition(".")
        if own is None or package != own.name:
            continue
        yield from _target(subject, name, inner, found["attribute"], line)
        if len(points) == 1 and subject.name is not None and name != subject.name:
            yield make("name_mismatch", f"the class calls itself {subject.name!r}, the entry point"
                       f" {name!r}", "the class's name counts; change the other one",
                       _FILE, line)  # fmt: skip


def _target(
    subject: Subject, name: str, inner: str, attribute: str, line: int
) -> Iterator[Problem]:
    base = inner.replace(".", "/")
    files = [f"{base}.py", f"{base}/__init__.py"] if base else ["__init__.py"]
    file = next((one for one in files if exists(subject.root, one)), None)
    if file is None:
        yield make("entry_point_target", f"the entry point {name!r} names {files[0]}, which does"
                   " not exist", "correct the module", _FILE, line)  # fmt: skip
        return
    scope = subject.tree.scope(file)
    starred = any(one.name == "*" for one in scope.every_import)
    if attribute not in scope.values and attribute not in scope.imported and not starred:
        yield make("entry_point_target", f"the entry point {name!r} names {attribute}, which"
                   f" {file} does not define", "correct the attribute", _FILE, line)  # fmt: skip


def _requirements(subject: Subject, project: Mapping[str, Any]) -> Iterator[Problem]:
    from packaging.requirements import InvalidRequirement, Requirement

    requirements = project.get("dependencies", [])
    for text in requirements if isinstance(requirements, list) else ():
        line = _line(subject, f'"{text}"', f"'{text}'")
        try:
            parsed = Requirement(str(text))
        except InvalidRequirement:
            yield make("requirement_invalid", f"{text!r} is no requirement",
                       'write it as in "httpx>=0.27"', _FILE, line)  # fmt: skip
            continue
        if not parsed.specifier and parsed.url is None:
            yield make("requirement_unpinned", f"{parsed.name} is required in any version",
                       f'write "{parsed.name}>=…"', _FILE, line)  # fmt: skip
        try:
            missing = missing_requirements([str(text)])
        except LoadError as error:
            yield of_error(error, subject.root, _FILE)
            continue
        if missing:
            yield make("requirement_unmet", f"{text} is not installed here",
                       f"pip install '{text}'", _FILE, line)  # fmt: skip


def _own_package(data: Mapping[str, Any]) -> _Package | None:
    """The package that `package-dir` maps to the directory, for setuptools."""
    tool = data.get("tool", {}).get("setuptools", {})
    places = tool.get("package-dir", {}) if isinstance(tool, dict) else {}
    if not isinstance(places, dict):
        return None
    name = next((key for key, place in places.items() if place in (".", "./") and key), None)
    if name is None:
        return None
    given = tool.get("package-data", {})
    patterns: list[str] = []
    for key in (name, "*"):
        value = given.get(key, []) if isinstance(given, dict) else []
        patterns += (
            [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
        )
    return _Package(name, tuple(patterns))


def _package_data(data: Mapping[str, Any], subject: Subject) -> Iterator[Problem]:
    system = data.get("build-system", {})
    backend = system.get("build-backend") if isinstance(system, dict) else None
    own = _own_package(data)
    if backend not in (None, *_SETUPTOOLS) or own is None:
        return
    included = data["tool"]["setuptools"].get("include-package-data", True)
    if included and exists(subject.root, "MANIFEST.in"):
        return  # what it says cannot be told from here
    for top in _CARRIED:
        for file in _files(subject, top):
            if not any(_matches(file, pattern) for pattern in own.patterns):
                yield make(
                    "package_data_missing",
                    f"the wheel does not hold {file}, so an installed strategy lacks it",
                    f'add "{top}/**" to package-data of {own.name}'
                    if file != top
                    else f'add "{top}" to package-data of {own.name}',
                    _FILE,
                    _line(subject, "package-data", "[tool.setuptools]"),
                )
                break


def _files(subject: Subject, top: str, depth: int = 0) -> Iterator[str]:
    """Files below a name of the directory, nothing compiled."""
    path = subject.root / top
    if path.is_file():
        yield top
    elif path.is_dir() and depth < 6:
        for name in entries(subject.root, top):
            if name != "__pycache__" and not name.endswith(".pyc"):
                yield from _files(subject, f"{top}/{name}", depth + 1)


def _matches(file: str, pattern: str) -> bool:
    """As setuptools matches: `**` stands for any directories, `*` stays in one."""
    return _parts_match(file.split("/"), pattern.removeprefix("./").split("/"))


def _parts_match(parts: list[str], patterns: list[str]) -> bool:
    if not patterns:
        return not parts
    head, *rest = patterns
    if head == "**":
        # At the end it stands for everything below.
        return (
            bool(parts)
            if not rest
            else any(_parts_match(parts[number:], rest) for number in range(len(parts) + 1))
        )
    return bool(parts) and fnmatch.fnmatchcase(parts[0], head) and _parts_match(parts[1:], rest)

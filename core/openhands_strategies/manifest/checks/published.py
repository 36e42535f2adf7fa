"""What whoever finds a published strategy looks for: a licence, a read-me, its versions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openhands_strategies.manifest.checks.problem import Problem, make
from openhands_strategies.manifest.checks.subject import Subject
from openhands_strategies.manifest.files import entries, exists, parse_toml, read_text

_FILE = "pyproject.toml"


def problems(subject: Subject) -> Iterator[Problem]:
    if not exists(subject.root, _FILE):
        return
    project: Any = parse_toml(read_text(subject.root, _FILE), _FILE, "pyproject_invalid").get(
        "project"
    )
    if not isinstance(project, dict):
        return
    names = {name.lower() for name in entries(subject.root, ".")}
    licensed = "license" in project or "license-files" in project
    if not licensed and not any(name.startswith(("licen", "copying")) for name in names):
        yield make("license_missing", "nothing says under which licence it may be used",
                   'write license = "MIT" or the like, and add the text', _FILE)  # fmt: skip
    if not any(name.startswith("readme") for name in names):
        yield make("readme_missing", "there is no README",
                   "say what it does, what it costs, and what its parameters are",
                   _FILE)  # fmt: skip
    if "requires-python" not in project:
        yield make("python_unbounded", "pyproject.toml does not say which Python it needs",
                   'write requires-python = ">=3.12"', _FILE)  # fmt: skip
    if "version" not in project and "version" not in project.get("dynamic", []):
        yield make("version_missing", "pyproject.toml gives no version", 'write version = "0.1.0"',
                   _FILE)  # fmt: skip

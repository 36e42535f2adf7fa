"""Skills: named as their directories, described, and there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from openhands_strategies.manifest.checks.places import line_of
from openhands_strategies.manifest.checks.problem import Problem, make
from openhands_strategies.manifest.checks.subject import Subject
from openhands_strategies.manifest.files import entries, inside, read_text
from openhands_strategies.manifest.frontmatter import split_header
from openhands_strategies.manifest.model import Skill
from openhands_strategies.manifest.plugin import COMMAND_FOLDERS, read_skills

_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MAX_NAME: Final = 64
_MAX_DESCRIPTION: Final = 1024


def problems(subject: Subject) -> Iterator[Problem]:
    if not subject.directory:
        return
    root = subject.root
    for entry in entries(root, "skills"):
        folder = root / "skills" / entry
        if not folder.is_dir() or entry.startswith((".", "__")) or not inside(root, folder):
            continue
        if not any(name.lower() == "skill.md" for name in entries(root, f"skills/{entry}")):
            yield make("skill_file_missing", f"skills/{entry} has no SKILL.md",
                       "add it, or remove the directory", f"skills/{entry}")  # fmt: skip
    first: dict[str, str] = {}
    for skill in read_skills(root, subject.name):
        other = first.setdefault(skill.name, skill.file)
        if other != skill.file:
            yield make("skill_clash", f"{skill.file} and {other} are both called {skill.name!r}",
                       "rename one of them", skill.file,
                       line_of(root, skill.file, "name:"))  # fmt: skip
        yield from _skill(skill, subject)


def _skill(skill: Skill, subject: Subject) -> Iterator[Problem]:
    root, path = subject.root, PurePosixPath(skill.file)
    header, body = split_header(read_text(root, skill.file), skill.file)
    named, told = line_of(root, skill.file, "name:"), line_of(root, skill.file, "description:")
    command = str(path.parent) in COMMAND_FOLDERS
    if not command and path.name.lower() == "skill.md" and len(path.parts) > 2:
        if skill.name != path.parent.name:
            yield make(
                "skill_name_mismatch",
                f"the skill calls itself {skill.name!r}, its directory {path.parent.name!r}",
                "give both the same name",
                skill.file,
                named,
            )
        if not _NAME.fullmatch(skill.name) or len(skill.name) > _MAX_NAME:
            yield make("skill_name_form", f"the skill name {skill.name!r} is not kebab-case",
                       "lower-case letters, digits and single hyphens, at most 64",
                       skill.file, named)  # fmt: skip
    if not header.get("description"):
        yield make("skill_description", f"the skill {skill.name!r} has no description",
                   "write description: … in its header: models choose skills by it",
                   skill.file, told)  # fmt: skip
    elif len(str(header["description"])) > _MAX_DESCRIPTION:
        yield make("skill_description_long",
                   f"the description of the skill {skill.name!r} has more than 1024 characters",
                   "shorten it", skill.file, told)  # fmt: skip
    if not body.strip():
        yield make("skill_empty", f"the skill {skill.name!r} says nothing below its header",
                   "write what it teaches", skill.file)  # fmt: skip
    for run in skill.commands:
        yield make("skill_runs", f"the skill {skill.name!r} runs a command when it is shown: {run}",
                   "tell it in the README; users see it before they trust the strategy",
                   skill.file, line_of(root, skill.file, run))  # fmt: skip

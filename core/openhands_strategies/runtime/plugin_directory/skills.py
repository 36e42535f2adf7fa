"""Skills and commands of a plugin directory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from openhands_strategies.errors import LoadError, describe
from openhands_strategies.manifest.plugin import (
    COMMAND_FOLDERS,
    check_shown,
    markdown_files,
    skill_files,
)

if TYPE_CHECKING:
    from openhands.sdk.skills import Skill


def plugin_skills(root: Path, name: str, where: str) -> list[Skill]:
    """The skills in `skills/` (or a `SKILL.md` at the root), then the commands.

    A command `review` is the skill `NAME:review`, triggered by `/NAME:review` in what the
    user says.

    Args:
        root: The directory.
        name: Of the plugin, for its commands.
        where: Names the strategy in messages.

    Raises:
        LoadError: `skill_invalid`, `command_invalid`, or `skill_clash` for two of one name.
    """
    found: dict[str, Skill] = {}
    for skill in (*_skills(root, name, where), *_commands(root, name, where)):
        if skill.name in found:
            raise LoadError(
                "skill_clash", f"{where}: two skills are called {skill.name!r}", "rename one"
            )
        found[skill.name] = skill
    return list(found.values())


def _skills(root: Path, name: str, where: str) -> Iterator[Skill]:
    for file in skill_files(root):
        if "/" in file:
            yield _skill(root, file, root / "skills", where)
            continue
        skill = _skill(root, file, root, where)
        # In the store the directory is named by its content.
        yield skill.model_copy(update={"name": name}) if skill.name == root.name else skill


def _skill(root: Path, name: str, base: Path, where: str) -> Skill:
    from openhands.sdk.skills import Skill
    from openhands.sdk.skills.utils import discover_skill_resources

    file = root / name
    try:
        check_shown(root, name)
        skill = Skill.load(file, base, strict=False)
    except Exception as error:
        raise _invalid("skill", file, where, error) from error
    if file.name.lower() == "skill.md" and skill.resources is None:
        resources = discover_skill_resources(file.parent)
        skill = skill.model_copy(update={"resources": resources})
    return skill


def _commands(root: Path, name: str, where: str) -> Iterator[Skill]:
    from openhands.sdk.plugin import CommandDefinition

    for file in markdown_files(root, COMMAND_FOLDERS):
        try:
            check_shown(root, file)
            yield CommandDefinition.load(root / file).to_skill(name)
        except Exception as error:
            raise _invalid("command", root / file, where, error) from error


def _invalid(kind: str, file: Path, where: str, error: Exception) -> LoadError:
    shown = "/".join(file.parts[-3:] if file.name.lower() == "skill.md" else file.parts[-2:])
    return LoadError(
        f"{kind}_invalid",
        f"{where}: {shown} cannot be read: {describe(error)}",
        "correct the header of that file",
    )

"""Skills and commands of a plugin directory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from openhands_strategies.errors import LoadError, describe
from openhands_strategies.manifest.files import entries
from openhands_strategies.manifest.plugin import COMMAND_FOLDERS, markdown_files

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
    folder = root / "skills"
    if not folder.is_dir():
        file = _skill_file(root)
        if file is not None:
            skill = _skill(file, root, where)
            # In the store the directory is named by its content.
            yield skill.model_copy(update={"name": name}) if skill.name == root.name else skill
        return
    for entry in entries(root, "skills"):
        path = folder / entry
        if path.is_dir():
            file = _skill_file(path)
            if file is not None:
                yield _skill(file, folder, where)
        elif entry.endswith(".md") and entry.lower() != "readme.md":
            yield _skill(path, folder, where)


def _skill_file(folder: Path) -> Path | None:
    return next((p for p in sorted(folder.iterdir()) if p.name.lower() == "skill.md"), None)


def _skill(file: Path, base: Path, where: str) -> Skill:
    from openhands.sdk.skills import Skill
    from openhands.sdk.skills.utils import discover_skill_resources

    try:
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

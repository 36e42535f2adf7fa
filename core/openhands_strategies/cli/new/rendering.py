"""The template, filled in by copier: it only copies files, and runs nothing."""

from __future__ import annotations

import datetime
import re
import warnings
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from openhands_strategies.cli.new.names import Names
from openhands_strategies.errors import UsageError, describe, one_line

TEMPLATE: Final = Path(__file__).parent.parent.parent / "template"
_REFUSED: Final = re.compile(r"^Validation error for question '(\w+)': ")


def render(
    names: Names, answers: Mapping[str, Any], made: Path, *, ask: bool, git_name: str
) -> dict[str, Any]:
    """Write a new strategy.

    Args:
        names: What it is called.
        answers: To the questions of `copier.yml`; the others are asked or take defaults.
        made: Directory that is made.
        ask: Whether the user is asked, on the terminal.
        git_name: What git calls the user; empty when it does not know.

    Returns:
        All answers, those that were asked included.

    Raises:
        UsageError: `answer_invalid`.
        KeyboardInterrupt: The user broke the questions off.
    """
    import copier

    given = {"name": names.name, **answers}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            done = copier.run_copy(
                str(TEMPLATE),
                made,
                data={**given, **_worked_out(names, given, git_name)},
                defaults=not ask,
                # The user's own defaults and trusted templates are for other templates.
                settings=copier.Settings(),
                quiet=True,
                unsafe=False,
                skip_tasks=True,
            )
        except ValueError as error:
            # So copier tells of an answer that a question's validator refuses.
            raise UsageError(
                "answer_invalid",
                _REFUSED.sub(r"--\1: ", one_line(str(error))) or describe(error),
                "give another value, or leave it out",
            ) from error
    told: dict[str, Any] = dict(done.answers.combined)
    return {key: told[key] for key in ("kind", "parts", "license")}


def _worked_out(names: Names, given: Mapping[str, Any], git_name: str) -> dict[str, Any]:
    """What the template needs and nobody is asked for; not recorded among the answers."""
    from packaging.version import Version

    own = version("openhands-strategies")
    return {
        "package": names.package,
        "class_name": names.class_name,
        "git_name": git_name,
        "year": datetime.datetime.now(tz=datetime.UTC).year,
        "ohs_version": own,
        "requires": Version(own).base_version,
    }

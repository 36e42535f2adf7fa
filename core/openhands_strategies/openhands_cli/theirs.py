"""What the OpenHands CLI will make of its arguments, read by its own parser."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from openhands_strategies.errors import UsageError
from openhands_strategies.openhands_cli.changed import changed, installed

_PARSER: Final = "openhands_cli.argparsers.main_parser"
_MAKER: Final = "create_main_parser"
# What is read; without one of them a mode would pass for another.
_READ: Final = (
    "command",
    "headless",
    "json",
    "always_approve",
    "llm_approve",
    "resume",
    "last",
    "override_with_envs",
)


@dataclass(frozen=True)
class Theirs:
    """What the CLI will make of its arguments.

    Attributes:
        command: Its subcommand; None for the terminal interface and `--headless`.
        headless: Whether nobody can be asked.
        json: Whether stdout takes JSON.
        approval: The option by which the user said which actions run unasked, if one.
        resume: Id of a conversation; empty for the list or `--last`.
        last: Whether the latest conversation is meant.
        cloud: Whether `acp` works in the cloud.
        environment: Whether `LLM_*` variables count.
    """

    command: str | None
    headless: bool
    json: bool
    approval: str | None
    resume: str | None
    last: bool
    cloud: bool
    environment: bool

    @property
    def converses(self) -> bool:
        """Whether it makes conversations on this machine, in this process."""
        return self.command is None or (self.command == "acp" and not self.cloud)


def upstream_parser() -> Any:
    """The CLI's own argument parser.

    Raises:
        UsageError: `openhands_cli_missing`.
        LoadError: `openhands_cli_changed` when there is a CLI, but no such parser.
    """
    try:
        return getattr(importlib.import_module(_PARSER), _MAKER)()
    except ImportError as error:
        if installed() is not None:
            raise changed(f"{_PARSER} ({error})") from error
        raise UsageError(
            "openhands_cli_missing",
            f"the OpenHands CLI is not installed here: {error}",
            "install it with strategies on Python 3.12: uv tool install --python 3.12"
            " 'openhands-strategies[openhands-cli,plugins]'",
        ) from error
    except (AttributeError, TypeError) as error:
        raise changed(f"{_PARSER}.{_MAKER}()") from error


def parse_theirs(rest: Sequence[str]) -> Theirs:
    """Read the CLI's arguments as it will read them itself.

    Raises:
        UsageError: `openhands_cli_missing`.
        LoadError: `openhands_cli_changed` when something is called otherwise.
        SystemExit: The CLI's own answer to arguments that it refuses.
    """
    found = vars(upstream_parser().parse_args(list(rest)))
    for name in (*_READ, *(("cloud",) if found.get("command") == "acp" else ())):
        if name not in found:
            raise changed(f"the argument {name!r} of {_PARSER}")
    headless = bool(found["headless"])
    approval = "--llm-approve" if found["llm_approve"] else None
    return Theirs(
        command=found["command"],
        headless=headless,
        json=headless and bool(found["json"]),
        approval="--always-approve" if found["always_approve"] else approval,
        resume=found["resume"],
        last=bool(found["last"]),
        cloud=bool(found.get("cloud")),
        environment=bool(found["override_with_envs"]),
    )

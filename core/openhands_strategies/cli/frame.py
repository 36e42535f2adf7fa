"""What one invocation of `ohs` carries from its options to its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click


@dataclass
class Frame:
    """One invocation.

    Attributes:
        json: Whether stdout takes one JSON document and nothing else.
        debug: Whether tracebacks and the SDK's log are shown.
        last_act: Set when threads still hang: called after all output, and the process
            then ends without waiting for them.
    """

    json: bool = False
    debug: bool = False
    last_act: Callable[[], None] | None = None


def current_frame(context: click.Context) -> Frame:
    """The frame of the invocation that `context` belongs to."""
    return context.ensure_object(Frame)


def _note(field: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def note(context: click.Context, _: click.Parameter, value: bool) -> None:
        frame = context.find_object(Frame)
        if value and frame is not None:
            setattr(frame, field, True)

    return note


debug_option = click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    callback=_note("debug"),
    help="Show tracebacks and the SDK's log.",
)
json_option = click.option(
    "--json",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_note("json"),
    help="Print one JSON document on stdout, nothing else.",
)


def asked_for(flag: str, arguments: list[str]) -> bool:
    """Whether a flag stands among arguments that could not be parsed."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return flag in arguments[:end]

"""What is shown while agents work: nothing, plain lines, or a live table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from openhands_strategies.cli.text import printable, say
from openhands_strategies.runtime.roles import RoleView
from openhands_strategies.runtime.usage import total

_STATES = {"completed": "done", "finished": "done"}


class Screen(Protocol):
    """Shows views of a fleet; used by the main thread only, as a context manager."""

    def __enter__(self) -> Screen: ...
    def __exit__(self, *_: object) -> None: ...
    def update(self, views: Sequence[RoleView]) -> None: ...
    def paused(self) -> AbstractContextManager[None]: ...
    def note(self, text: str) -> None: ...


class Silent:
    """Shows nothing: stdout takes one JSON document."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, views: Sequence[RoleView]) -> None:
        """Show nothing."""

    @contextmanager
    def paused(self) -> Iterator[None]:
        yield

    def note(self, text: str) -> None:
        """Show nothing."""


class Lines(Silent):
    """One line on stderr when a role starts and one when it ends."""

    def __init__(self, earlier: Sequence[RoleView] = ()) -> None:
        """Args: earlier: Views of a resumed run, which are not told again."""
        self._told = {view.key: (view.state, view.seconds) for view in earlier}

    def update(self, views: Sequence[RoleView]) -> None:
        for view in views:
            before, seconds = self._told.get(view.key, ("", 0.0))
            # A short run may start and end between two looks: its time has grown.
            if view.state == before and (view.state == "working" or view.seconds <= seconds):
                continue
            if not view.model:
                # The main agent before its conversation is open.
                continue
            if view.state == "working":
                say(f"{_who(view)} started: {view.model}")
            else:
                say(f"{_who(view)} {state_of(view)}: {_figures(view)}")
            self._told[view.key] = (view.state, view.seconds)

    def note(self, text: str) -> None:
        say(text)


def state_of(view: RoleView) -> str:
    """How a role stands, in a word."""
    return _STATES.get(view.state, view.state)


def dollars(amount: float | None) -> str:
    """`$0.0123`, or `unknown`."""
    return "unknown" if amount is None else f"${amount:.4f}"


def cost_of(views: Sequence[RoleView]) -> float | None:
    """Dollars of some roles so far; None when a price among them is unknown."""
    usage = total(one for view in views for one in view.usage)
    return usage.cost_usd if usage.priced else None


def _who(view: RoleView) -> str:
    label = f" ({view.label})" if view.label else ""
    where = "" if view.key == view.role else f" {view.key}"
    return printable(f"{view.role}{where}{label}", 120)


def _figures(view: RoleView) -> str:
    usage = total(view.usage)
    return (
        f"{view.seconds:.1f} s, {usage.calls} calls, {usage.input_tokens} + "
        f"{usage.output_tokens} tokens, {dollars(cost_of([view]))}"
    )

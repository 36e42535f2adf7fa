"""A conversation that cannot be made, and the terminal interface that ends by it."""

from __future__ import annotations

from collections.abc import Callable

from rich.text import Text

from openhands_strategies.errors import StrategyError


class StrategyRefused(Exception):
    """What the CLI is told when a conversation cannot be made.

    Where it goes on, as when the user looks into an earlier conversation, it shows the
    message. Where it does not, its interface asks how to show the error; nothing is shown
    there then, and `ended` is told, so that the error can be said in our way at the end.

    Args:
        error: Why there is no conversation.
        ended: Takes it when the interface ends by it.
    """

    def __init__(self, error: StrategyError, ended: Callable[[StrategyError], None]) -> None:
        super().__init__(f"{error.message} ({error.hint})" if error.hint else error.message)
        self.error = error
        self._ended = ended

    def __rich__(self) -> Text:
        self._ended(self.error)
        return Text("")

"""Errors that a user sees: one base class with `code`, `message` and `hint`.

Every class also derives from the builtin that a caller would expect, so
`except ValueError` works around a bad parameter. The command line, REST and the
web page show the same three fields.
"""

from __future__ import annotations

from typing import ClassVar


class StrategyError(Exception):
    """Base of all errors raised on purpose by this package.

    Attributes:
        code: Stable snake_case identifier, for programs.
        message: One line that names the strategy and its source.
        hint: One line that says what to do; may be empty.
        exit_code: Exit code of the command line for this kind of error.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        self.code = code
        self.message = one_line(message)
        self.hint = one_line(hint)
        super().__init__(self.message)

    def located(self, where: str) -> None:
        """Put before the message where it happened."""
        self.message = one_line(f"{where}: {self.message}")
        self.args = (self.message,)

    def to_json(self) -> dict[str, str]:
        """The three fields as they stand in every JSON answer."""
        return {"code": self.code, "message": self.message, "hint": self.hint}


class UsageError(StrategyError, ValueError):
    """A bad option or parameter, or a missing model, key or workspace."""

    exit_code: ClassVar[int] = 2


class ParameterError(UsageError):
    """A parameter that is unknown, of the wrong type or out of range.

    Attributes:
        field: The parameter's name, for form fields and REST answers.
    """

    def __init__(self, code: str, message: str, hint: str = "", *, field: str = "") -> None:
        super().__init__(code, message, hint)
        self.field = field


class ResolveError(StrategyError, LookupError):
    """A reference that leads to no strategy."""

    exit_code: ClassVar[int] = 3


class LoadError(StrategyError, ImportError):
    """A strategy whose files cannot be read or whose module cannot be used."""

    exit_code: ClassVar[int] = 3


class BuildError(StrategyError, ValueError):
    """A strategy that loads, but does not build a usable blueprint."""

    exit_code: ClassVar[int] = 3


class TrustError(StrategyError, PermissionError):
    """A tree that the user has not agreed to run."""

    exit_code: ClassVar[int] = 4


class RunError(StrategyError, RuntimeError):
    """A run that failed, was stopped by a limit, or could not reach its model."""

    exit_code: ClassVar[int] = 1


def one_line(text: str) -> str:
    """Fold all white space, so that a stranger's text cannot break the layout."""
    return " ".join(text.split())


def describe(error: BaseException) -> str:
    """`Type: text` of a foreign exception, on one line, at most 300 characters."""
    text = one_line(str(error))
    name = type(error).__name__
    folded = f"{name}: {text}" if text else name
    return folded if len(folded) <= 300 else folded[:299] + "…"

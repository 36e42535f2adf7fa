"""Parameters of a strategy: what is declared, and what a user's values become.

A `StrategyParam` keeps the fields of the RFC (name, description, type, default) and
adds number, choices, range, required and secret. One declaration yields the command
line's options, REST validation, the web form and a JSON Schema.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from openhands_strategies.errors import ParameterError

TYPES: Final = ("string", "integer", "number", "boolean")
_NAME: Final = re.compile(r"([a-z0-9][a-z0-9_-]*\.)*[a-z][a-z0-9_]*")
_SECRET_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_TRUE: Final = frozenset({"true", "yes", "on", "1"})
_FALSE: Final = frozenset({"false", "no", "off", "0"})


@dataclass(frozen=True)
class StrategyParam:
    """One declared parameter.

    Attributes:
        name: snake_case; `label.name` only where a composition passes it down.
        description: One line for people.
        type: `string`, `integer`, `number` or `boolean`.
        default: Value when none is given; None means "not set".
        choices: Allowed values; empty means any.
        minimum: Lowest allowed number, inclusive.
        maximum: Highest allowed number, inclusive.
        required: Whether a value must be given.
        secret: Whether the value is the *name* of an environment variable or SDK
            secret. A literal secret is refused.

    Raises:
        ParameterError: `param_declaration` when the declaration contradicts itself.
    """

    name: str
    description: str = ""
    type: str = "string"
    default: Any = None
    choices: Sequence[Any] = ()
    minimum: float | None = None
    maximum: float | None = None
    required: bool = False
    secret: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "choices", tuple(self.choices or ()))
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise self._wrong("its name must be snake_case")
        if self.type not in TYPES:
            raise self._wrong(f"its type {self.type!r} is none of {', '.join(TYPES)}")
        if (self.minimum is not None or self.maximum is not None) and self.type not in (
            "integer",
            "number",
        ):
            raise self._wrong("only integer and number take minimum and maximum")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise self._wrong("its minimum is above its maximum")
        if self.secret and self.type != "string":
            raise self._wrong("a secret is named by a string")
        if self.secret and self.default is not None and not _is_secret_name(self.default):
            raise self._wrong("a secret's default must be the name of an environment variable")
        for choice in self.choices:
            if not _has_type(choice, self.type):
                raise self._wrong(f"its choice {choice!r} is no {self.type}")
        if self.default is not None and not self.secret:
            try:
                check_value(self, self.default, owner="its declaration")
            except ParameterError as error:
                raise self._wrong(f"its default does not fit: {error.message}") from error

    def _wrong(self, why: str) -> ParameterError:
        return ParameterError(
            "param_declaration",
            f"parameter {self.name!r} is declared wrongly: {why}",
            "correct the StrategyParam in the strategy",
            field=str(self.name),
        )


def _is_secret_name(value: object) -> bool:
    return isinstance(value, str) and _SECRET_NAME.fullmatch(value) is not None


def _has_type(value: object, type_: str) -> bool:
    if type_ == "boolean":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if type_ == "integer":
        return isinstance(value, int)
    if type_ == "number":
        return isinstance(value, (int, float)) and value == value and abs(value) != float("inf")
    return isinstance(value, str)


def allowed(param: StrategyParam) -> str:
    """What a parameter takes, in words: `an integer from 1 to 16`."""
    if param.secret:
        return "the name of an environment variable that is set"
    if param.choices:
        return "one of " + ", ".join(str(choice) for choice in param.choices)
    words = {"string": "a text", "integer": "an integer", "number": "a number"}
    if param.type == "boolean":
        return "true or false"
    text = words[param.type]
    if param.minimum is not None and param.maximum is not None:
        return f"{text} from {param.minimum:g} to {param.maximum:g}"
    if param.minimum is not None:
        return f"{text} of at least {param.minimum:g}"
    if param.maximum is not None:
        return f"{text} of at most {param.maximum:g}"
    return text


def check_value(
    param: StrategyParam, value: Any, *, owner: str, secrets: Container[str] | None = None
) -> Any:
    """Return `value` when it fits `param`.

    Args:
        param: The declaration.
        value: A typed value (JSON), not a text from the command line.
        owner: Who declares the parameter, for the message.
        secrets: Names that a secret may have; the process environment by default.

    Raises:
        ParameterError: `param_type`, `param_choice`, `param_range` or `param_secret`.
            A refused secret is never repeated in the message.
    """

    def wrong(code: str, what: str) -> ParameterError:
        return ParameterError(
            code,
            f"{owner}: parameter {param.name!r} {what}",
            f"{param.name} takes {allowed(param)}",
            field=param.name,
        )

    if param.secret:
        known = os.environ if secrets is None else secrets
        if not _is_secret_name(value) or value not in known:
            raise wrong(
                "param_secret", "must name an environment variable that is set, not hold the secret"
            )
        return value
    if not _has_type(value, param.type):
        raise wrong("param_type", f"is {_shown(value)}, which is no {param.type}")
    if param.choices and value not in param.choices:
        raise wrong("param_choice", f"is {_shown(value)}")
    if param.type in ("integer", "number"):
        below = param.minimum is not None and value < param.minimum
        above = param.maximum is not None and value > param.maximum
        if below or above:
            raise wrong("param_range", f"is {_shown(value)}")
    return value


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"


def from_text(param: StrategyParam, text: str) -> Any:
    """Turn a command line's text into the parameter's type; a misfit stays text.

    `check_value` then refuses what stayed text, so there is one place for messages.
    """
    if param.type == "boolean":
        folded = text.strip().lower()
        return True if folded in _TRUE else False if folded in _FALSE else text
    try:
        if param.type == "integer":
            return int(text)
        if param.type == "number":
            return float(text)
    except ValueError:
        return text
    return text


def validate(
    params: Iterable[StrategyParam],
    values: Mapping[str, Any],
    *,
    owner: str,
    texts: bool = False,
    secrets: Container[str] | None = None,
) -> dict[str, Any]:
    """Check values against declarations and fill in defaults.

    Args:
        params: What the strategy declares.
        values: What the user gave.
        owner: The strategy's name, for messages.
        texts: Whether the values are texts of a command line.
        secrets: Names that a secret may have; the process environment by default.

    Returns:
        One entry for each declared parameter; a parameter that is neither given nor
        has a default is None.

    Raises:
        ParameterError: `param_unknown`, `param_required` or a code of `check_value`.
    """
    declared = {param.name: param for param in params}
    for name in values:
        if name not in declared:
            near = difflib.get_close_matches(name, declared, n=1)
            known = ", ".join(sorted(declared)) or "none"
            raise ParameterError(
                "param_unknown",
                f"{owner} has no parameter {name!r}",
                f"did you mean {near[0]!r}?" if near else f"its parameters: {known}",
                field=name,
            )
    checked: dict[str, Any] = {}
    for name, param in declared.items():
        if name in values and values[name] is not None:
            value = values[name]
            value = from_text(param, value) if texts and isinstance(value, str) else value
            checked[name] = check_value(param, value, owner=owner, secrets=secrets)
        elif param.required and param.default is None:
            raise ParameterError(
                "param_required",
                f"{owner} needs the parameter {name!r}",
                f"{name} takes {allowed(param)}",
                field=name,
            )
        else:
            checked[name] = _default(param, owner, secrets)
    return checked


def _default(param: StrategyParam, owner: str, secrets: Container[str] | None) -> Any:
    """The declared default; a secret's default that nobody set counts as not given."""
    known = os.environ if secrets is None else secrets
    if param.secret and param.default is not None and param.default not in known:
        if param.required:
            return check_value(param, param.default, owner=owner, secrets=secrets)
        return None
    return param.default


def param_json(param: StrategyParam) -> dict[str, Any]:
    """The declaration as it stands in `list` and `show --json`."""
    entry: dict[str, Any] = {
        "name": param.name,
        "description": param.description,
        "type": param.type,
        "default": param.default,
        "required": param.required,
        "secret": param.secret,
    }
    if param.choices:
        entry["choices"] = list(param.choices)
    if param.minimum is not None:
        entry["minimum"] = param.minimum
    if param.maximum is not None:
        entry["maximum"] = param.maximum
    return entry


def json_schema(params: Iterable[StrategyParam]) -> dict[str, Any]:
    """A JSON Schema (2020-12) of an object with these parameters, nothing else allowed."""
    properties: dict[str, Any] = {}
    required: list[str] = []
    for param in params:
        schema: dict[str, Any] = {"type": param.type, "description": param.description}
        if param.choices:
            schema["enum"] = list(param.choices)
        if param.minimum is not None:
            schema["minimum"] = param.minimum
        if param.maximum is not None:
            schema["maximum"] = param.maximum
        if param.default is not None:
            schema["default"] = param.default
        if param.secret:
            schema["format"] = "secret-name"
            schema["pattern"] = f"^{_SECRET_NAME.pattern}$"
        properties[param.name] = schema
        if param.required and param.default is None:
            required.append(param.name)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }

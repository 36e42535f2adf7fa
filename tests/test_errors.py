"""What every error carries: code, message, hint, exit code, and the builtin a caller expects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openhands_strategies.errors import (
    BuildError,
    LoadError,
    ParameterError,
    ResolveError,
    RunError,
    StrategyError,
    TrustError,
    UsageError,
    describe,
    one_line,
)


@pytest.mark.parametrize(
    ("kind", "exit_code", "builtin"),
    [
        (UsageError, 2, ValueError),
        (ParameterError, 2, ValueError),
        (ResolveError, 3, LookupError),
        (LoadError, 3, ImportError),
        (BuildError, 3, ValueError),
        (TrustError, 4, PermissionError),
        (RunError, 1, RuntimeError),
    ],
)
def test_each_kind_has_its_exit_code_and_its_builtin(
    kind: type[StrategyError], exit_code: int, builtin: type[Exception]
) -> None:
    error = kind("some_code", "fusion (./fusion) went wrong", "do this")
    assert error.exit_code == exit_code
    with pytest.raises(builtin):
        raise error
    assert error.to_json() == {
        "code": "some_code",
        "message": "fusion (./fusion) went wrong",
        "hint": "do this",
    }
    # ImportError and PermissionError have own ideas of what their text is.
    assert str(error) == "fusion (./fusion) went wrong"


def test_a_stranger_cannot_break_the_layout_of_message_and_hint() -> None:
    error = LoadError("x", "strategy 'a\nb\r\n\tc'", "first\nsecond")
    assert error.message == "strategy 'a b c'"
    assert error.hint == "first second"


def test_the_hint_may_be_missing() -> None:
    assert RunError("x", "y").to_json()["hint"] == ""


def test_a_parameter_error_names_the_form_field() -> None:
    assert ParameterError("param_range", "m", "h", field="steps").field == "steps"


@given(st.text())
def test_one_line_is_one_line_and_keeps_the_words(text: str) -> None:
    folded = one_line(text)
    assert len(folded.splitlines()) <= 1
    assert folded.split() == text.split()


def test_describe_names_the_type_and_folds_the_text() -> None:
    assert describe(ValueError("bad\nvalue")) == "ValueError: bad value"
    assert describe(KeyError()) == "KeyError"


@given(st.text(max_size=1000))
def test_describe_is_short_whatever_the_exception_says(text: str) -> None:
    shown = describe(RuntimeError(text))
    assert len(shown) <= 300
    assert shown.startswith("RuntimeError")
    assert len(shown.splitlines()) == 1

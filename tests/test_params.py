"""Parameters: declarations that contradict themselves, values that fit and that do not."""

from __future__ import annotations

import math
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openhands_strategies.errors import ParameterError
from openhands_strategies.params import (
    StrategyParam,
    allowed,
    check_value,
    from_text,
    json_schema,
    param_json,
    validate,
)

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,12}(\.[a-z][a-z0-9_]{0,5})?", fullmatch=True)
TEXTS = st.text(max_size=20)
INTEGERS = st.integers(min_value=-(10**12), max_value=10**12)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32) | INTEGERS
VALUES = {"string": TEXTS, "integer": INTEGERS, "number": NUMBERS, "boolean": st.booleans()}
JSON_VALUES = st.one_of(
    st.none(), st.booleans(), INTEGERS, st.floats(), TEXTS, st.lists(INTEGERS, max_size=2)
)


@st.composite
def declarations(draw: st.DrawFn, name: str | None = None) -> StrategyParam:
    """Any declaration that makes sense."""
    type_ = draw(st.sampled_from(sorted(VALUES)))
    values = VALUES[type_]
    fields: dict[str, Any] = {
        "name": name or draw(NAMES),
        "type": type_,
        "description": draw(TEXTS),
        "required": draw(st.booleans()),
    }
    if type_ in ("integer", "number") and draw(st.booleans()):
        fields["minimum"], fields["maximum"] = sorted([draw(NUMBERS), draw(NUMBERS)])
    elif draw(st.booleans()):
        fields["choices"] = draw(st.lists(values, max_size=4))
    param = StrategyParam(**fields)
    default = draw(st.none() | values)
    if default is not None and fits(param, default):
        param = StrategyParam(**fields, default=default)
    return param


def fits(param: StrategyParam, value: Any) -> bool:
    try:
        check_value(param, value, owner="x")
    except ParameterError:
        return False
    return True


def outcome_of(
    params: list[StrategyParam], values: dict[str, Any], **options: Any
) -> dict[str, Any] | ParameterError:
    try:
        return validate(params, values, owner="fusion", **options)
    except ParameterError as error:
        return error


def refusal(param: StrategyParam, value: Any, **options: Any) -> ParameterError:
    with pytest.raises(ParameterError) as caught:
        check_value(param, value, owner="fusion", **options)
    return caught.value


# Declarations


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"name": "Steps"}, "snake_case"),
        ({"name": "max-steps"}, "snake_case"),
        ({"name": ""}, "snake_case"),
        ({"name": "a..b"}, "snake_case"),
        ({"name": "a\n"}, "snake_case"),
        ({"name": 3}, "snake_case"),
        ({"name": "a", "type": "int"}, "none of string, integer, number, boolean"),
        ({"name": "a", "minimum": 1}, "only integer and number"),
        ({"name": "a", "type": "integer", "minimum": 2, "maximum": 1}, "minimum is above"),
        ({"name": "a", "type": "integer", "secret": True}, "named by a string"),
        ({"name": "a", "secret": True, "default": "sk-1234"}, "name of an environment variable"),
        ({"name": "a", "type": "integer", "choices": [1, "2"]}, "choice '2' is no integer"),
        ({"name": "a", "type": "integer", "choices": [True]}, "choice True is no integer"),
        ({"name": "a", "type": "integer", "default": "3"}, "default does not fit"),
        ({"name": "a", "choices": ["x"], "default": "y"}, "default does not fit"),
        ({"name": "a", "type": "number", "minimum": 0, "default": -1.0}, "default does not fit"),
        ({"name": "a", "type": "number", "default": math.nan}, "default does not fit"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(ParameterError) as caught:
        StrategyParam(**fields)
    assert caught.value.code == "param_declaration"
    assert why in caught.value.message
    assert repr(fields["name"]) in caught.value.message


def test_the_fields_of_the_rfc_in_their_order() -> None:
    param = StrategyParam("steps", "How many", "integer", 3)
    assert (param.name, param.description, param.type, param.default) == (
        "steps",
        "How many",
        "integer",
        3,
    )
    assert StrategyParam("model").type == "string"


# Values


@pytest.mark.parametrize(
    ("param", "value", "code", "shown"),
    [
        (StrategyParam("n", type="integer"), "three", "param_type", "'three', which is no integer"),
        (StrategyParam("n", type="integer"), 1.0, "param_type", "1.0"),
        (StrategyParam("n", type="integer"), True, "param_type", "True"),
        (StrategyParam("n", type="number"), False, "param_type", "False"),
        (StrategyParam("n", type="number"), math.inf, "param_type", "inf"),
        (StrategyParam("n", type="boolean"), 1, "param_type", "1, which is no boolean"),
        (StrategyParam("n"), 7, "param_type", "7, which is no string"),
        (StrategyParam("n", choices=["a", "b"]), "c", "param_choice", "'c'"),
        (StrategyParam("n", type="integer", minimum=1, maximum=8), 9, "param_range", "9"),
        (StrategyParam("n", type="number", minimum=0.5), 0.4, "param_range", "0.4"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_what_is_allowed(
    param: StrategyParam, value: Any, code: str, shown: str
) -> None:
    error = refusal(param, value)
    assert error.code == code
    assert error.field == "n"
    assert error.message.startswith("fusion: parameter 'n'")
    assert shown in error.message
    assert allowed(param) in error.hint


def test_a_long_value_is_not_repeated_in_full() -> None:
    error = refusal(StrategyParam("n", type="integer"), "x" * 10_000)
    assert len(error.message) < 200


@pytest.mark.parametrize(
    ("param", "words"),
    [
        (StrategyParam("n"), "a text"),
        (StrategyParam("n", type="boolean"), "true or false"),
        (StrategyParam("n", type="integer", minimum=1, maximum=16), "an integer from 1 to 16"),
        (StrategyParam("n", type="number", minimum=0.5), "a number of at least 0.5"),
        (StrategyParam("n", type="number", maximum=2), "a number of at most 2"),
        (StrategyParam("n", type="integer", choices=[1, 2]), "one of 1, 2"),
        (StrategyParam("n", secret=True), "the name of an environment variable that is set"),
    ],
)
def test_what_is_allowed_in_words(param: StrategyParam, words: str) -> None:
    assert allowed(param) == words


@pytest.mark.parametrize("text", ["true", "YES", " on ", "1"])
def test_true_in_the_words_of_a_command_line(text: str) -> None:
    assert from_text(StrategyParam("b", type="boolean"), text) is True


@pytest.mark.parametrize("text", ["false", "No", "off", "0"])
def test_false_in_the_words_of_a_command_line(text: str) -> None:
    assert from_text(StrategyParam("b", type="boolean"), text) is False


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        ("boolean", "maybe"),
        ("integer", "1.5"),
        ("integer", ""),
        ("number", "nan"),
        ("number", "1,5"),
    ],
)
def test_a_text_that_is_no_such_value_is_an_error_not_a_guess(type_: str, text: str) -> None:
    param = StrategyParam("n", type=type_)
    with pytest.raises(ParameterError) as caught:
        validate([param], {"n": text}, owner="fusion", texts=True)
    assert caught.value.code == "param_type"


def test_texts_are_read_only_where_texts_are_expected() -> None:
    param = StrategyParam("n", type="integer")
    assert validate([param], {"n": "3"}, owner="x", texts=True) == {"n": 3}
    with pytest.raises(ParameterError):
        validate([param], {"n": "3"}, owner="x")


# The whole set


def test_an_unknown_parameter_suggests_the_nearest() -> None:
    params = [StrategyParam("sidekick_model"), StrategyParam("parallel", type="integer")]
    with pytest.raises(ParameterError) as caught:
        validate(params, {"sidekick_modle": "x"}, owner="fusion")
    assert caught.value.code == "param_unknown"
    assert caught.value.message == "fusion has no parameter 'sidekick_modle'"
    assert caught.value.hint == "did you mean 'sidekick_model'?"
    assert caught.value.field == "sidekick_modle"


def test_an_unknown_parameter_far_from_all_lists_them() -> None:
    params = [StrategyParam("parallel"), StrategyParam("model")]
    with pytest.raises(ParameterError) as caught:
        validate(params, {"zzz": "x"}, owner="fusion")
    assert caught.value.hint == "its parameters: model, parallel"
    with pytest.raises(ParameterError) as caught:
        validate([], {"zzz": "x"}, owner="fusion")
    assert caught.value.hint == "its parameters: none"


def test_required_default_and_unset() -> None:
    required = StrategyParam("goal", required=True)
    with pytest.raises(ParameterError) as caught:
        validate([required], {}, owner="fusion")
    assert caught.value.code == "param_required"
    assert caught.value.field == "goal"
    with pytest.raises(ParameterError):
        validate([required], {"goal": None}, owner="fusion")
    with_default = StrategyParam("goal", required=True, default="all")
    assert validate([with_default], {}, owner="fusion") == {"goal": "all"}
    assert validate([StrategyParam("goal")], {}, owner="fusion") == {"goal": None}
    assert validate([StrategyParam("goal", default="x")], {"goal": None}, owner="f") == {
        "goal": "x"
    }


# Secrets


def test_a_secret_is_the_name_of_something_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    param = StrategyParam("token", secret=True)
    monkeypatch.setenv("MY_TOKEN", "hunter2")
    assert check_value(param, "MY_TOKEN", owner="x") == "MY_TOKEN"
    monkeypatch.delenv("MY_TOKEN")
    assert refusal(param, "MY_TOKEN").code == "param_secret"
    assert check_value(param, "sdk_secret", owner="x", secrets={"sdk_secret"}) == "sdk_secret"


@pytest.mark.parametrize("literal", ["sk-live-4711", "ghp 4711", "P4SSW0RD_nobody_has_set", 4711])
def test_a_literal_secret_is_refused_and_never_repeated(literal: Any) -> None:
    error = refusal(StrategyParam("token", secret=True), literal)
    assert error.code == "param_secret"
    assert str(literal) not in f"{error.message} {error.hint} {error!r}"


def test_the_default_of_a_secret_counts_only_when_it_is_set() -> None:
    param = StrategyParam("token", secret=True, default="GITHUB_TOKEN")
    assert validate([param], {}, owner="x", secrets=set()) == {"token": None}
    assert validate([param], {}, owner="x", secrets={"GITHUB_TOKEN"}) == {"token": "GITHUB_TOKEN"}
    needed = StrategyParam("token", secret=True, default="GITHUB_TOKEN", required=True)
    with pytest.raises(ParameterError) as caught:
        validate([needed], {}, owner="x", secrets=set())
    assert caught.value.code == "param_secret"


# JSON


def test_the_declaration_as_list_and_show_print_it() -> None:
    param = StrategyParam("n", "How many", "integer", 2, minimum=1, maximum=8)
    assert param_json(param) == {
        "name": "n",
        "description": "How many",
        "type": "integer",
        "default": 2,
        "required": False,
        "secret": False,
        "minimum": 1,
        "maximum": 8,
    }
    assert param_json(StrategyParam("n", choices=("a", "b")))["choices"] == ["a", "b"]


def test_a_schema_takes_a_secrets_name_and_no_literal() -> None:
    schema = json_schema([StrategyParam("token", secret=True)])
    jsonschema.validate({"token": "GITHUB_TOKEN"}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"token": "sk-live-4711"}, schema)


# Properties


@given(declarations(), st.data())
def test_a_fitting_value_survives_the_command_line(
    param: StrategyParam, data: st.DataObject
) -> None:
    value = data.draw(st.sampled_from(param.choices) if param.choices else VALUES[param.type])
    if not fits(param, value):
        return
    typed = validate([param], {param.name: str(value)}, owner="x", texts=True)
    assert typed == {param.name: value}
    assert type(typed[param.name]) is type(value) or param.type == "number"


@given(st.data())
def test_validate_gives_every_declared_name_or_names_the_culprit(data: st.DataObject) -> None:
    names = data.draw(st.lists(NAMES, max_size=4, unique=True))
    params = [data.draw(declarations(name)) for name in names]
    values = data.draw(st.dictionaries(st.sampled_from([*names, "zz"]), JSON_VALUES))
    outcome = outcome_of(params, values, texts=data.draw(st.booleans()))
    if isinstance(outcome, ParameterError):
        assert outcome.field in {*names, *values}
        assert repr(outcome.field) in outcome.message
        assert len(outcome.message.splitlines()) == 1
        assert outcome.hint
        return
    assert list(outcome) == names
    for param in params:
        value = outcome[param.name]
        assert value is None or fits(param, value)


@given(declarations("p"), JSON_VALUES)
def test_the_schema_says_what_validate_does(param: StrategyParam, value: Any) -> None:
    # JSON has no NaN, and no difference between 1 and 1.0; ours has: an integer is no float.
    if isinstance(value, float) and (not math.isfinite(value) or value.is_integer()):
        return
    # null is "not given", which a form leaves out.
    if value is None:
        return
    schema = json_schema([param])
    jsonschema.Draft202012Validator.check_schema(schema)
    assert jsonschema.Draft202012Validator(schema).is_valid({"p": value}) == fits(param, value)


@given(declarations("p"))
def test_the_schema_requires_what_validate_requires(param: StrategyParam) -> None:
    validator = jsonschema.Draft202012Validator(json_schema([param]))
    refused = isinstance(outcome_of([param], {}), ParameterError)
    assert validator.is_valid({}) is not refused
    assert not validator.is_valid({"p": param.default, "other": 1})

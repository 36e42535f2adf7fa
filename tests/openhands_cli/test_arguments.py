"""Which arguments are ours, and what is refused before anything starts."""

from __future__ import annotations

from typing import Any

import pytest

from openhands_strategies import StrategyError
from openhands_strategies.openhands_cli.arguments import (
    OURS,
    Theirs,
    check_combination,
    help_text,
    parse_ours,
    parse_theirs,
)
from openhands_user import cli_version

PLAIN = Theirs(
    command=None,
    headless=False,
    json=False,
    approval=False,
    resume=None,
    last=False,
    cloud=False,
    environment=False,
)


def theirs(**changes: Any) -> Theirs:
    return Theirs(**{**vars(PLAIN), **changes})


def test_ours_are_taken_out_and_the_rest_keeps_its_order() -> None:
    ours = parse_ours(
        [
            *("--headless", "--strategy=fusion", "-t", "a --b", "--param", "k=v=w", "acp"),
            *("--with", "./a", "--param", "x=", "--with=./b", "--resume", "--price", "1,2"),
        ]
    )
    assert ours.strategy == "fusion"
    assert ours.params == ("k=v=w", "x=")
    assert ours.overlays == ("./a", "./b")
    assert ours.prices == ("1,2",)
    assert ours.rest == ("--headless", "-t", "a --b", "acp", "--resume")


def test_an_abbreviation_is_not_ours() -> None:
    assert parse_ours(["--strat", "x", "--par", "y"]).rest == ("--strat", "x", "--par", "y")


def test_an_option_without_its_value() -> None:
    with pytest.raises(StrategyError) as caught:
        parse_ours(["--strategy"])
    assert (caught.value.code, caught.value.exit_code) == ("usage", 2)
    assert "--strategy" in caught.value.message


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"command": "web"}, "ohs openhands --strategy REF"),
        ({"command": "serve"}, "ohs openhands --strategy REF"),
        ({"command": "cloud"}, "--headless --task"),
        ({"command": "acp", "cloud": True}, "ohs openhands acp --strategy REF"),
        ({"command": "login"}, "leave --strategy out"),
    ],
)
def test_where_a_strategy_has_no_place(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(StrategyError) as caught:
        check_combination(parse_ours(["--strategy", "fusion"]), theirs(**changes))
    assert caught.value.code == "strategy_unsupported"
    assert changes["command"] in caught.value.message
    assert said in caught.value.hint
    # Without a strategy it is the CLI's own business.
    check_combination(parse_ours([]), theirs(**changes))


def test_parameters_need_a_strategy_or_a_conversation_that_has_one() -> None:
    with pytest.raises(StrategyError) as caught:
        check_combination(parse_ours(["--param", "a=b"]), PLAIN)
    assert caught.value.code == "strategy_missing"
    check_combination(parse_ours(["--param", "a=b"]), theirs(resume="1" * 32))


def test_the_help_names_every_option_of_ours() -> None:
    for name, value, _ in OURS:
        assert f"{name} {value}" in help_text()


@pytest.mark.openhands_cli
def test_their_arguments_are_read_by_their_own_parser() -> None:
    found = parse_theirs(["--headless", "--json", "-t", "x", "--yolo", "--override-with-envs"])
    assert found == theirs(headless=True, json=True, approval=True, environment=True)
    found = parse_theirs(["acp", "--resume", "abc", "--llm-approve"])
    assert found == theirs(command="acp", approval=True, resume="abc")
    assert found.converses
    assert not parse_theirs(["acp", "--cloud"]).converses
    assert parse_theirs(["--resume", "--last"]) == theirs(resume="", last=True)


@pytest.mark.skipif(cli_version() is not None, reason="the OpenHands CLI is installed here")
def test_without_the_cli_the_error_says_how_to_get_it() -> None:
    with pytest.raises(StrategyError) as caught:
        parse_theirs([])
    assert caught.value.code == "openhands_cli_missing"
    assert "openhands-strategies[openhands-cli" in caught.value.hint

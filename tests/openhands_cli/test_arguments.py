"""Which arguments are ours, and what is refused before anything starts."""

from __future__ import annotations

from typing import Any

import pytest

import cli_page
from openhands_strategies import StrategyError
from openhands_strategies.cli.openhands_command import command
from openhands_strategies.openhands_cli.arguments import (
    OURS,
    THEIR_TEXTS,
    THEIRS_ALONE,
    check_combination,
    help_text,
    parse_ours,
)
from openhands_strategies.openhands_cli.theirs import Theirs, parse_theirs, upstream_parser
from openhands_user import cli_version

PLAIN = Theirs(
    command=None,
    headless=False,
    json=False,
    approval=None,
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


def test_a_text_for_the_cli_is_not_ours() -> None:
    for option in (*THEIR_TEXTS, "--ta"):
        for text in ("--price=3 apples", "--with", "mcp"):
            ours = parse_ours([option, text, "--with", "./a"])
            assert ours.rest == (option, text)
            assert ours.overlays == ("./a",)
            assert ours.prices == ()
    # `--resume` may stand alone, and `--cloud` takes nothing.
    ours = parse_ours(["acp", "--cloud", "--resume", "--strategy", "x"])
    assert (ours.strategy, ours.rest) == ("x", ("acp", "--cloud", "--resume"))


def test_what_follows_a_subcommand_without_conversations_is_not_ours() -> None:
    added = ("mcp", "add", "srv", "--transport", "stdio", "uvx", "--with", "pkg", "-h", "--debug")
    ours = parse_ours(added)
    assert ours.rest == added
    assert ours.given == []
    assert not ours.helps
    assert not ours.debug
    assert parse_ours(["--", "--strategy", "x"]).rest == ("--", "--strategy", "x")
    before = parse_ours(["--strategy", "x", "login"])
    assert (before.given, before.rest) == (["--strategy"], ("login",))


def test_debug_is_ours_but_not_that_of_the_web_server() -> None:
    assert parse_ours(["--headless", "--debug"]).debug
    assert parse_ours(["--headless", "--debug"]).rest == ("--headless",)
    web = parse_ours(["web", "--debug"])
    assert (web.debug, web.rest) == (False, ("web", "--debug"))
    assert parse_ours(["-t", "web", "--debug"]).debug


@pytest.mark.parametrize("asked", [["-h"], ["acp", "--help"]])
def test_help_is_asked_for(asked: list[str]) -> None:
    assert parse_ours(asked).helps


def test_an_abbreviation_is_not_ours() -> None:
    assert parse_ours(["--strat", "x", "--par", "y"]).rest == ("--strat", "x", "--par", "y")


def test_an_option_without_its_value() -> None:
    for arguments in (["--strategy"], ["--strategy", "--headless"]):
        with pytest.raises(StrategyError) as caught:
            parse_ours(arguments)
        assert (caught.value.code, caught.value.exit_code) == ("usage", 2)
        assert "--strategy has no value" in caught.value.message


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"command": "web"}, "ohs serve (extra server); here: ohs openhands --strategy REF"),
        ({"command": "serve"}, "ohs serve (extra server); here: ohs openhands --strategy REF"),
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


def test_the_reference_names_every_option_of_ours() -> None:
    told = "\n".join(cli_page._entry("ohs openhands", command))
    for name, value, text in OURS:
        assert f"| `{f'{name} {value}'.strip()}` | {text} |" in told


@pytest.mark.openhands_cli
def test_their_arguments_are_read_by_their_own_parser() -> None:
    found = parse_theirs(["--headless", "--json", "-t", "x", "--yolo", "--override-with-envs"])
    assert found == theirs(headless=True, json=True, approval="--always-approve", environment=True)
    found = parse_theirs(["acp", "--resume", "abc", "--llm-approve"])
    assert found == theirs(command="acp", approval="--llm-approve", resume="abc")
    assert found.converses
    assert not parse_theirs(["acp", "--cloud"]).converses
    assert parse_theirs(["--resume", "--last"]) == theirs(resume="", last=True)


@pytest.mark.openhands_cli
@pytest.mark.contract
def test_their_texts_and_subcommands_are_all_known() -> None:
    import argparse

    actions = upstream_parser()._actions
    (commands,) = (one for one in actions if isinstance(one, argparse._SubParsersAction))
    assert {*THEIRS_ALONE, "acp", "web", "serve", "cloud"} == set(commands.choices)
    texts = [one.option_strings for one in actions if one.type is str and one.nargs is None]
    assert {name for names in texts for name in names} == set(THEIR_TEXTS)


@pytest.mark.skipif(cli_version() is not None, reason="the OpenHands CLI is installed here")
def test_without_the_cli_the_error_says_how_to_get_it() -> None:
    with pytest.raises(StrategyError) as caught:
        parse_theirs([])
    assert caught.value.code == "openhands_cli_missing"
    assert "openhands-strategies[openhands-cli" in caught.value.hint

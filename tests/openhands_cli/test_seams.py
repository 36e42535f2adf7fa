"""Where the CLI is held: as it is, and when a version puts things elsewhere."""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import Any

import pytest

from openhands_strategies import StrategyError

pytestmark = [pytest.mark.openhands_cli, pytest.mark.contract]

SETUP = "openhands_cli.setup"
AGENT = "openhands_cli.acp_impl.agent.local_agent"
PARSER = "openhands_cli.argparsers.main_parser"
RUNNER = "openhands_cli.tui.core.conversation_runner"
STORE = "openhands_cli.stores.agent_store"
SDK = "openhands.sdk.conversation.impl.local_conversation"
BASE = "openhands_cli.acp_impl.agent.base_agent"
VISUALIZER = "openhands_cli.tui.widgets.richlog_visualizer"
PANEL = "openhands_cli.tui.panels.confirmation_panel"


@pytest.mark.parametrize("acp", [False, True])
def test_the_installed_cli_is_as_we_know_it(acp: bool) -> None:
    from openhands_strategies.openhands_cli.looking import check_seams

    check_seams(acp=acp)


def other(*given: Any) -> Any:
    """Stands where something that is built in another way was."""
    return given


def other_maker(conversation_id: Any, visualizer: Any) -> Any:
    """A `setup_conversation` that makes its conversation in another way."""
    return conversation_id, visualizer


class OtherConversation:
    """A conversation that keeps its callback under another name."""

    def __init__(self, callbacks: Any, tags: Any, visualizer: Any) -> None:
        self._state, self._visualizer = tags, visualizer
        self._notify = callbacks


class OtherRunner:
    """A runner that makes its conversations itself."""

    def __init__(self, visualizer: Any) -> None:
        self.visualizer = visualizer


class OtherAgent:
    """An editor's agent that keeps its connection under another name."""

    def __init__(self, conn: Any) -> None:
        self._client = conn


class OtherOverrides:
    """Overrides that have other fields."""

    def __init__(self, key: Any) -> None:
        self.key = key

    @classmethod
    def from_env(cls, enabled: bool) -> OtherOverrides:
        return cls(enabled)


async def other_session(self: Any, session_id: str) -> Any:
    """A `_get_or_create_conversation` that makes its conversation in another way."""
    return self, session_id


def changed(error: StrategyError, looked_for: str) -> None:
    assert error.code == "openhands_cli_changed"
    assert f"looked for {looked_for}" in error.message
    assert "openhands 1.16.0 (openhands-sdk 1.21.0)" in error.message
    assert "openhands==1.16.0" in error.hint


def replace(monkeypatch: pytest.MonkeyPatch, module: str, path: str, value: Any) -> None:
    """Put a value there; None takes away what is there."""
    target: Any = importlib.import_module(module)
    *owners, name = path.split(".")
    for owner in owners:
        target = getattr(target, owner)
    if value is None:
        monkeypatch.delattr(target, name)
    else:
        monkeypatch.setattr(target, name, value)


@pytest.mark.parametrize(
    ("acp", "module", "path", "value", "looked_for"),
    [
        (False, SETUP, "Conversation", None, f"{SETUP}.setup_conversation that calls Conversation"),
        (False, SETUP, "setup_conversation", None, f"{SETUP}.setup_conversation"),
        (False, SETUP, "setup_conversation", other, "*with the parameter 'conversation_id'"),
        (False, SETUP, "setup_conversation", other_maker, "*that calls Conversation"),
        (False, RUNNER, "setup_conversation", None, f"{RUNNER}.setup_conversation"),
        (False, RUNNER, "setup_conversation", other, f"*that is {SETUP}.setup_conversation"),
        (False, RUNNER, "ConversationRunner", OtherRunner, "*that calls setup_conversation"),
        (False, VISUALIZER, "ConversationVisualizer.__init__", other, "*parameter 'container'"),
        (False, VISUALIZER, "ConversationVisualizer.__init__", lambda container, app: 0, "*._app"),
        (False, "openhands_cli.tui.textual_app", "OpenHandsApp.input_field", None, "*.input_field"),
        (
            *(False, "openhands_cli.tui.widgets.user_input.input_field"),
            *("InputField.focus_input", None, "*.InputField.focus_input"),
        ),
        (False, PANEL, "InlineConfirmationPanel.__init__", other, "*the parameter 'self'"),
        (False, PANEL, "InlineConfirmationPanel.on_list_view_selected", None, "*_selected"),
        (
            *(False, "textual.app", "App._handle_exception", lambda self, error: 0),
            "*looks for __rich__",
        ),
        (False, "openhands_cli.entrypoint", "main", None, "openhands_cli.entrypoint.main"),
        (False, "openhands_cli.locations", "get_conversations_dir", None, "*conversations_dir"),
        (False, "openhands_cli.locations", "get_work_dir", None, "*.get_work_dir"),
        (False, STORE, "AgentStore.load_from_disk", None, f"{STORE}.AgentStore.load_from_disk"),
        (False, STORE, "apply_llm_overrides", other, "*with the parameter 'llm'"),
        (False, STORE, "LLMEnvOverrides.from_env", None, "*LLMEnvOverrides.from_env"),
        (False, STORE, "LLMEnvOverrides", OtherOverrides, "*with the parameter 'api_key'"),
        (
            *(False, "openhands_cli.conversations.store.local"),
            *("LocalFileStore.list_conversations", other, "*with the parameter 'limit'"),
        ),
        (False, SDK, "LocalConversation._ensure_agent_ready", None, "*._ensure_agent_ready"),
        (False, SDK, "LocalConversation.reject_pending_actions", other, "*the parameter 'reason'"),
        (False, SDK, "LocalConversation.set_confirmation_policy", other, "*parameter 'policy'"),
        (False, SDK, "LocalConversation.__init__", OtherConversation.__init__, "*._on_event"),
        (True, AGENT, "Conversation", None, "*_setup_conversation that calls Conversation"),
        (
            True,
            AGENT,
            "LocalOpenHandsACPAgent",
            None,
            "*LocalOpenHandsACPAgent._setup_conversation",
        ),
        (
            *(True, AGENT, "LocalOpenHandsACPAgent._get_or_create_conversation", other_session),
            "*that calls _setup_conversation",
        ),
        (True, BASE, "BaseOpenHandsACPAgent.__init__", OtherAgent.__init__, "*Agent._conn"),
        (
            *(True, "openhands_cli.acp_impl.confirmation", "ask_user_confirmation_acp", other),
            "*with the parameter 'conn'",
        ),
        (True, "acp.schema", "AgentMessageChunk", None, "acp.schema.AgentMessageChunk"),
        (True, "acp.schema", "TextContentBlock", None, "acp.schema.TextContentBlock"),
    ],
)
def test_what_is_elsewhere_is_named_with_the_versions(
    monkeypatch: pytest.MonkeyPatch, acp: bool, module: str, path: str, value: Any, looked_for: str
) -> None:
    from openhands_strategies.openhands_cli.looking import check_seams

    replace(monkeypatch, module, path, value)
    with pytest.raises(StrategyError) as caught:
        check_seams(acp=acp)
    said = caught.value.message.partition("looked for ")[2]
    changed(caught.value, said)
    assert said.endswith(looked_for[1:]) if looked_for[0] == "*" else said == looked_for


def test_a_parser_that_is_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    from openhands_strategies.openhands_cli.theirs import parse_theirs

    replace(monkeypatch, PARSER, "create_main_parser", None)
    with pytest.raises(StrategyError) as caught:
        parse_theirs([])
    changed(caught.value, f"{PARSER}.create_main_parser()")
    monkeypatch.setitem(sys.modules, PARSER, None)
    with pytest.raises(StrategyError) as caught:
        parse_theirs([])
    changed(caught.value, PARSER)


@pytest.mark.parametrize(
    "name",
    [
        *("command", "headless", "json", "always_approve", "llm_approve"),
        *("resume", "last", "override_with_envs", "cloud"),
    ],
)
def test_an_argument_that_is_called_otherwise(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    from openhands_strategies.openhands_cli.theirs import parse_theirs

    make = importlib.import_module(PARSER).create_main_parser

    def renamed() -> Any:
        parser = make()
        inner = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
        for one in (parser, *(each for group in inner for each in group.choices.values())):
            for action in one._actions:
                action.dest = "other" if action.dest == name else action.dest
        return parser

    replace(monkeypatch, PARSER, "create_main_parser", renamed)
    with pytest.raises(StrategyError) as caught:
        parse_theirs(["acp"] if name == "cloud" else [])
    changed(caught.value, f"the argument {name!r} of {PARSER}")


def test_everything_is_put_back_also_after_an_error() -> None:
    from openhands_strategies.openhands_cli.seams import held

    for acp, name in ((False, SETUP), (True, AGENT)):
        module = importlib.import_module(name)
        before = module.Conversation
        try:
            with held(lambda make, given: given, acp=acp):
                during = module.Conversation
                raise KeyError
        except KeyError:
            assert during is not before
        assert module.Conversation is before

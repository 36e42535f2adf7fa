"""Where the CLI is held: as it is, and when a version puts things elsewhere."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from openhands_strategies import StrategyError

pytestmark = [pytest.mark.openhands_cli, pytest.mark.contract]

SETUP = "openhands_cli.setup"
AGENT = "openhands_cli.acp_impl.agent.local_agent"


@pytest.mark.parametrize("acp", [False, True])
def test_the_installed_cli_is_as_we_know_it(acp: bool) -> None:
    from openhands_strategies.openhands_cli.seams import check_seams

    check_seams(acp=acp)


def other_setup(conversation_id: Any, visualizer: Any) -> Any:
    """A `setup_conversation` that makes its conversation in another way."""
    return conversation_id, visualizer


@pytest.mark.parametrize(
    ("acp", "module", "path", "value", "looked_for"),
    [
        (False, SETUP, "Conversation", None, "setup_conversation that calls Conversation"),
        (False, SETUP, "setup_conversation", None, "openhands_cli.setup.setup_conversation"),
        (False, SETUP, "setup_conversation", other_setup, "that calls Conversation"),
        (True, AGENT, "Conversation", None, "_setup_conversation that calls Conversation"),
        (True, AGENT, "LocalOpenHandsACPAgent", None, "LocalOpenHandsACPAgent"),
        (False, "openhands_cli.entrypoint", "main", None, "openhands_cli.entrypoint.main"),
    ],
)
def test_what_is_elsewhere_is_named_with_the_versions(
    monkeypatch: pytest.MonkeyPatch, acp: bool, module: str, path: str, value: Any, looked_for: str
) -> None:
    from openhands_strategies.openhands_cli.seams import check_seams

    target = importlib.import_module(module)
    if value is None:
        monkeypatch.delattr(target, path)
    else:
        monkeypatch.setattr(target, path, value)
    with pytest.raises(StrategyError) as caught:
        check_seams(acp=acp)
    assert caught.value.code == "openhands_cli_changed"
    assert looked_for in caught.value.message
    assert "openhands 1.16.0 (openhands-sdk 1.21.0)" in caught.value.message
    assert "openhands==1.16.0" in caught.value.hint


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

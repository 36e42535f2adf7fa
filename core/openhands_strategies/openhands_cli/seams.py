"""Where the OpenHands CLI is held: looked for before the start, put back at the end.

The CLI's modules call `Conversation(...)` by that name. While it runs, the name means ours.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from openhands_strategies.errors import LoadError
from openhands_strategies.openhands_cli.questions import ask_over_acp, tell_over_acp

KNOWN_VERSION: Final = "1.16.0"
"""The version of `openhands` that all of this was tried with."""

_TERMINAL: Final = "openhands_cli.setup"
_ACP: Final = "openhands_cli.acp_impl.agent.local_agent"
_NAME: Final = "Conversation"
# What our conversation is made from.
_NEEDED: Final = ("agent", "workspace", "persistence_dir", "conversation_id", "hook_config")

Make = Callable[..., Any]
Open = Callable[[Make, dict[str, Any]], Any]


def check_seams(*, acp: bool) -> None:
    """Make sure that the CLI is built as we know it, before anything starts.

    Args:
        acp: Whether it runs as an ACP agent.

    Raises:
        LoadError: `openhands_cli_changed`, with the versions and what was looked for.
    """
    _callable("openhands_cli.entrypoint", "main", ())
    _callable("openhands_cli.locations", "get_conversations_dir", ())
    store = "openhands_cli.stores.agent_store"
    _callable(store, "AgentStore.load_from_disk", ("self",))
    _callable(store, "apply_llm_overrides", ("llm", "overrides"))
    _callable(store, "LLMEnvOverrides.from_env", ("enabled",))
    if acp:
        maker = _callable(
            _ACP, "LocalOpenHandsACPAgent._setup_conversation", ("self", "session_id")
        )
        _makes_conversations(_ACP, "LocalOpenHandsACPAgent._setup_conversation", maker)
        _callable(
            "openhands_cli.acp_impl.confirmation",
            "ask_user_confirmation_acp",
            ("conn", "session_id", "pending_actions"),
        )
        return
    maker = _callable(_TERMINAL, "setup_conversation", ("conversation_id", "visualizer"))
    _makes_conversations(_TERMINAL, "setup_conversation", maker)
    visualizer = "openhands_cli.tui.widgets.richlog_visualizer"
    init = _callable(visualizer, "ConversationVisualizer.__init__", ("container", "app"))
    for attribute in ("_app", "_container"):
        if attribute not in init.__code__.co_names:
            raise _changed(f"{visualizer}: ConversationVisualizer.{attribute}")
    field = "openhands_cli.tui.widgets.user_input.input_field"
    _callable(field, "InputField.focus_input", ("self",))
    application = "openhands_cli.tui.textual_app"
    if "input_field" not in vars(_callable(application, "OpenHandsApp", ())):
        raise _changed(f"{application}.OpenHandsApp.input_field")
    panel = "openhands_cli.tui.panels.confirmation_panel"
    _callable(panel, "InlineConfirmationPanel.__init__", ("self", "num_actions"))
    _callable(panel, "InlineConfirmationPanel.on_list_view_selected", ("self", "event"))


def _callable(module: str, path: str, parameters: tuple[str, ...]) -> Any:
    """What stands under a dotted path, if it takes these parameters."""
    try:
        found: Any = importlib.import_module(module)
        for name in path.split("."):
            found = getattr(found, name)
        missing = [one for one in parameters if one not in inspect.signature(found).parameters]
    except (ImportError, AttributeError, TypeError, ValueError):
        raise _changed(f"{module}.{path}") from None
    if missing:
        raise _changed(f"{module}.{path} with the parameter {missing[0]!r}")
    return found


def _makes_conversations(module: str, path: str, function: Any) -> None:
    """The function calls `Conversation`, a name of its module, with what we need."""
    code = inspect.unwrap(function).__code__
    keywords = {one for const in code.co_consts if isinstance(const, tuple) for one in const}
    if _NAME not in code.co_names or not hasattr(importlib.import_module(module), _NAME):
        raise _changed(f"{module}.{path} that calls {_NAME}")
    for needed in _NEEDED:
        if needed not in keywords:
            raise _changed(f"{module}.{path} that calls {_NAME} with {needed}")


def _changed(looked_for: str) -> LoadError:
    try:
        installed = version("openhands")
    except PackageNotFoundError:
        installed = "of an unknown version"
    return LoadError(
        "openhands_cli_changed",
        f"openhands {installed} (openhands-sdk {version('openhands-sdk')}) is not built as"
        f" openhands {KNOWN_VERSION} is, so no strategy can be put into it:"
        f" looked for {looked_for}",
        f"install openhands=={KNOWN_VERSION} (extra openhands-cli)",
    )


@contextmanager
def held(open_conversation: Open, *, acp: bool) -> Iterator[None]:
    """While the block lasts, the CLI's conversations are made by `open_conversation`.

    Args:
        open_conversation: Takes what the CLI would call, and its keyword arguments.
        acp: Whether the CLI runs as an ACP agent.
    """
    module = importlib.import_module(_ACP if acp else _TERMINAL)
    make = getattr(module, _NAME)

    def conversation(**given: Any) -> Any:
        return open_conversation(make, given)

    setattr(module, _NAME, conversation)
    try:
        if acp:
            with _asking(module.LocalOpenHandsACPAgent):
                yield
        else:
            yield
    finally:
        setattr(module, _NAME, make)


@contextmanager
def _asking(agent_class: Any) -> Iterator[None]:
    """Give each conversation the connection of its session, to ask about sub-agents."""
    from openhands_strategies.openhands_cli.conversation import StrategyConversation

    original = agent_class._setup_conversation

    def setup(self: Any, session_id: str, *rest: Any, **given: Any) -> Any:
        made = original(self, session_id, *rest, **given)
        if isinstance(made, StrategyConversation):
            loop = asyncio.get_running_loop()
            made.fleet.confirm = ask_over_acp(made, self._conn, session_id, loop)
            made.tell = tell_over_acp(self._conn, session_id, loop)
        return made

    agent_class._setup_conversation = setup
    try:
        yield
    finally:
        agent_class._setup_conversation = original

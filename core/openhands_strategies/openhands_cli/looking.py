"""Looking whether the OpenHands CLI, and what of the SDK is under it, are as we know them."""

from __future__ import annotations

import importlib
import inspect
from typing import Any, Final

from openhands_strategies.openhands_cli.changed import changed

TERMINAL: Final = "openhands_cli.setup"
"""The module that makes conversations for the terminal interface and for `--headless`."""

ACP: Final = "openhands_cli.acp_impl.agent.local_agent"
"""The module that makes conversations for editors."""

NAME: Final = "Conversation"
"""What both call for it."""

# What our conversation is made from.
_NEEDED: Final = ("agent", "workspace", "persistence_dir", "conversation_id", "hook_config")
_SDK: Final = "openhands.sdk.conversation.impl.local_conversation"
_STORE: Final = "openhands_cli.stores.agent_store"


def check_seams(*, acp: bool) -> None:
    """Make sure that the CLI is built as we know it, before anything starts.

    Args:
        acp: Whether it runs as an ACP agent.

    Raises:
        LoadError: `openhands_cli_changed`, with the versions and what was looked for.
    """
    _callable("openhands_cli.entrypoint", "main")
    _callable("openhands_cli.locations", "get_conversations_dir")
    _callable("openhands_cli.locations", "get_work_dir")
    _callable(_STORE, "AgentStore.load_from_disk", "self")
    _callable(_STORE, "apply_llm_overrides", "llm", "overrides")
    overrides = "LLMEnvOverrides"
    _callable(_STORE, f"{overrides}.from_env", "enabled")
    _callable(_STORE, overrides, "api_key", "model", "base_url")
    _callable(
        "openhands_cli.conversations.store.local", "LocalFileStore.list_conversations", "limit"
    )
    conversation = "LocalConversation"
    init = _callable(_SDK, f"{conversation}.__init__", "callbacks", "tags", "visualizer")
    _assigns(_SDK, conversation, init, "_on_event", "_visualizer", "_state")
    for method in ("send_message", "run", "pause", "_ensure_agent_ready"):
        _callable(_SDK, f"{conversation}.{method}", "self")
    _callable(_SDK, f"{conversation}.reject_pending_actions", "reason")
    _callable(_SDK, f"{conversation}.set_confirmation_policy", "policy")
    if acp:
        _check_editor()
    else:
        _check_terminal()


def _check_editor() -> None:
    agent = "LocalOpenHandsACPAgent"
    path = f"{agent}._setup_conversation"
    _makes_conversations(ACP, path, _callable(ACP, path, "self", "session_id"))
    path = f"{agent}._get_or_create_conversation"
    _uses(ACP, path, _callable(ACP, path, "session_id"), "_setup_conversation")
    base = "openhands_cli.acp_impl.agent.base_agent"
    init = _callable(base, "BaseOpenHandsACPAgent.__init__", "conn")
    _assigns(base, "BaseOpenHandsACPAgent", init, "_conn")
    _callable(
        "openhands_cli.acp_impl.confirmation",
        "ask_user_confirmation_acp",
        *("conn", "session_id", "pending_actions"),
    )
    _callable("acp.schema", "AgentMessageChunk")
    _callable("acp.schema", "TextContentBlock")


def _check_terminal() -> None:
    path = "setup_conversation"
    maker = _callable(TERMINAL, path, "conversation_id", "visualizer")
    _makes_conversations(TERMINAL, path, maker)
    runner = "openhands_cli.tui.core.conversation_runner"
    init = _callable(runner, "ConversationRunner.__init__", "visualizer")
    _uses(runner, "ConversationRunner.__init__", init, path)
    if _callable(runner, path) is not maker:
        raise changed(f"{runner}.{path} that is {TERMINAL}.{path}")
    visualizer = "openhands_cli.tui.widgets.richlog_visualizer"
    init = _callable(visualizer, "ConversationVisualizer.__init__", "container", "app")
    _assigns(visualizer, "ConversationVisualizer", init, "_app", "_container")
    field = "openhands_cli.tui.widgets.user_input.input_field"
    _callable(field, "InputField.focus_input", "self")
    application = "openhands_cli.tui.textual_app"
    if "input_field" not in vars(_callable(application, "OpenHandsApp")):
        raise changed(f"{application}.OpenHandsApp.input_field")
    panel = "openhands_cli.tui.panels.confirmation_panel"
    _callable(panel, "InlineConfirmationPanel.__init__", "self", "num_actions")
    _callable(panel, "InlineConfirmationPanel.on_list_view_selected", "self", "event")
    ending = "App._handle_exception"
    if "__rich__" not in _callable("textual.app", ending, "error").__code__.co_consts:
        raise changed(f"textual.app.{ending} that looks for __rich__")


def _callable(module: str, path: str, *parameters: str) -> Any:
    """What stands under a dotted path, if it takes these parameters."""
    try:
        found: Any = importlib.import_module(module)
        for name in path.split("."):
            found = getattr(found, name)
        known = inspect.signature(found).parameters if parameters else ()
    except (ImportError, AttributeError, TypeError, ValueError):
        raise changed(f"{module}.{path}") from None
    if not callable(found):
        raise changed(f"{module}.{path}")
    for one in parameters:
        if one not in known:
            raise changed(f"{module}.{path} with the parameter {one!r}")
    return found


def _assigns(module: str, owner: str, init: Any, *attributes: str) -> None:
    """The initializer knows these attributes, which only instances have."""
    for one in attributes:
        if one not in inspect.unwrap(init).__code__.co_names:
            raise changed(f"{module}.{owner}.{one}")


def _uses(module: str, path: str, function: Any, name: str) -> None:
    if name not in inspect.unwrap(function).__code__.co_names:
        raise changed(f"{module}.{path} that calls {name}")


def _makes_conversations(module: str, path: str, function: Any) -> None:
    """The function calls `Conversation`, a name of its module, with what we need."""
    code = inspect.unwrap(function).__code__
    keywords = {one for const in code.co_consts if isinstance(const, tuple) for one in const}
    if NAME not in code.co_names or not hasattr(importlib.import_module(module), NAME):
        raise changed(f"{module}.{path} that calls {NAME}")
    for needed in _NEEDED:
        if needed not in keywords:
            raise changed(f"{module}.{path} that calls {NAME} with {needed}")

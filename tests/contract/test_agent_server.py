"""What the server extension leans on of agent-server 1.58, beyond its documented routes."""

from __future__ import annotations

import asyncio
import inspect
import uuid
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("openhands.agent_server")

import httpx
from fastapi import FastAPI
from openhands.agent_server.api import create_app
from openhands.agent_server.config import Config
from openhands.sdk import LLM, Agent, LocalConversation
from openhands.sdk.conversation.state import (
    ConversationExecutionStatus,
    ConversationState,
)
from openhands.sdk.event import ConversationStateUpdateEvent, Event

pytestmark = [pytest.mark.contract, pytest.mark.slow_start]


@pytest.fixture
def conversation(tmp_path: Path) -> Any:
    agent = Agent(llm=LLM(model="openai/none", api_key="k", usage_id="main"))
    made: Any = LocalConversation(
        agent=agent,
        workspace=str(tmp_path),
        persistence_dir=str(tmp_path / "kept"),
        conversation_id=uuid.uuid4(),
        visualizer=None,
    )
    yield made
    made.close()


def test_every_event_passes_through_append_event_of_the_state(conversation: Any) -> None:
    seen: list[Event] = []
    state: ConversationState = conversation.state
    append = state.append_event

    def told(event: Event) -> Any:
        seen.append(event)
        return append(event)

    state.__dict__["append_event"] = told
    # As the agent-server does for each conversation.
    state.set_on_state_change(conversation._on_event)
    conversation.send_message("hello")
    assert any(type(event).__name__ == "MessageEvent" for event in seen)
    state.execution_status = ConversationExecutionStatus.PAUSED
    changes = [one for one in seen if isinstance(one, ConversationStateUpdateEvent)]
    assert [one.value for one in changes if one.key == "execution_status"][-1] == "paused"
    # What stands beside the fields is neither written nor sent.
    assert "append_event" not in state.model_dump_json()


def test_the_agent_server_wires_state_changes_to_events() -> None:
    from openhands.agent_server.event_service import EventService

    assert "conversation._on_event(event)" in inspect.getsource(EventService._state_change_callback)


def test_where_a_conversation_is_kept() -> None:
    from openhands.agent_server import conversation_service

    source = inspect.getsource(conversation_service.ConversationService._load_catalog_sync)
    assert "conversation_id.hex" in source
    # A directory that holds our file alone is no conversation.
    assert 'conversation_dir / "meta.json"' in source
    assert Config().conversations_path == Path("workspace/conversations")


def test_the_store_of_profiles_decrypts_with_the_servers_cipher(tmp_path: Path) -> None:
    from openhands.sdk.llm.llm_profile_store import LLMProfileStore

    config = Config(secret_key="a secret key")  # type: ignore[arg-type]
    store = LLMProfileStore(base_dir=tmp_path)
    store.save(
        "one", LLM(model="m", api_key="sk-plain"), include_secrets=True, cipher=config.cipher
    )
    assert "sk-plain" not in (tmp_path / "one.json").read_text()
    known: Any = store.load("one", cipher=config.cipher).api_key
    assert known.get_secret_value() == "sk-plain"
    locked: Any = store.load("one").api_key
    # This is what `profile_locked` is told by.
    assert locked.get_secret_value().startswith("gAAAAA")


def test_authentication_and_the_dormant_gate_guard_our_routes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OHS_EXTENSIONS", "fusion")
    from openhands_strategies.server.extension import extend

    app = create_app(Config(session_api_keys=["k"]))
    before = {route.path for route in app.routes if hasattr(route, "path")}
    extend(app)
    extend(app)
    paths = [path for path in app.openapi()["paths"] if "/strategies" in path]
    assert sorted(paths) == [
        "/api/strategies",
        "/api/strategies/reload",
        "/api/strategies/runs/{conversation_id}",
        "/api/strategies/{name}",
        "/api/strategies/{name}/plan",
        "/api/strategies/{name}/start",
    ]
    assert "/api/strategies" not in before
    assert _get(app, None).status_code == 401
    assert _get(app, "k").status_code == 200
    app.state.init_service = SimpleNamespace(state="dormant")
    answer = _get(app, "k")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not_ready"


def _get(app: FastAPI, key: str | None) -> httpx.Response:
    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        headers = {} if key is None else {"X-Session-API-Key": key}
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.get("/api/strategies", headers=headers)

    return asyncio.run(get())


def test_one_name_of_a_tool_set_may_be_claimed_first() -> None:
    from openhands.sdk.tool.registry import list_registered_tools

    import openhands_strategies.server.extension  # noqa: F401
    from openhands_strategies.runtime.entries import TASK_TOOL_SET

    assert TASK_TOOL_SET in list_registered_tools()

"""Real SDK objects for the tests of runtime/; none of them reaches a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from openhands_strategies.project.home import Home, find_home
from openhands_strategies.registry.catalog import resolve
from openhands_strategies.runtime.loader import Loaded, load
from support import write

PLAIN = """
from openhands.sdk import Agent
from openhands_strategies import Strategy, StrategyParam

class Plain(Strategy):
    name = "plain"
    description = "One agent"
    params = [StrategyParam(name="steps", type="integer", description="Steps", default=3)]

    def build_agent(self, llm, params=None):
        return Agent(llm=llm, tools=[])
"""

MakeLLM = Callable[..., Any]
MakeConversation = Callable[..., Any]
LoadText = Callable[..., Loaded]


@pytest.fixture
def home(_own_home: Path) -> Home:
    return find_home()


@pytest.fixture
def make_llm() -> MakeLLM:
    """LLM(model=…) with a key and a URL that nothing listens on."""
    from openhands.sdk import LLM

    def make(model: str = "openai/main", **fields: Any) -> Any:
        values = {"api_key": "sk-test-4711", "base_url": "http://127.0.0.1:9", "usage_id": "main"}
        return LLM.model_validate({"model": model, **values, **fields})

    return make


@pytest.fixture
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The SDK's store of LLM profiles, in a directory of the test."""
    from openhands.sdk.llm import llm_profile_store

    # The SDK computes its default directory from HOME when it is imported.
    monkeypatch.setattr(llm_profile_store, "_DEFAULT_PROFILE_DIR", tmp_path / "profiles")
    return llm_profile_store.LLMProfileStore()


@pytest.fixture
def make_conversation(tmp_path: Path, make_llm: MakeLLM) -> Iterator[MakeConversation]:
    """LocalConversation in `tmp_path/ws`, initialised; closed when the test ends."""
    from openhands.sdk import Agent
    from openhands.sdk.conversation.impl.local_conversation import LocalConversation

    opened: list[Any] = []

    def make(agent: Any = None, **arguments: Any) -> Any:
        workspace = tmp_path / "ws"
        workspace.mkdir(exist_ok=True)
        conversation = LocalConversation(
            agent=agent or Agent(llm=make_llm(), tools=[]),
            **{"workspace": str(workspace), "visualizer": None, **arguments},
        )
        opened.append(conversation)
        conversation._ensure_agent_ready()
        return conversation

    yield make
    for conversation in opened:
        conversation.close()


@pytest.fixture
def load_text(tmp_path: Path, home: Home) -> LoadText:
    """Write `file` with a text and load it as `ohs run` would."""

    def load_it(text: str, file: str = "one.py", attribute: str = "") -> Loaded:
        path = write(tmp_path / file, text)
        where = path.parent if path.name == "strategy.py" else path
        return load(resolve(f"{where}{attribute}", base=tmp_path), home)

    return load_it


@pytest.fixture
def plain(load_text: LoadText) -> Loaded:
    return load_text(PLAIN)

from __future__ import annotations

import os
from pathlib import Path

import pytest

# The suite also runs without make: no price map from the network, no banner, no logs.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
os.environ.setdefault("OPENHANDS_SUPPRESS_BANNER", "1")
os.environ.setdefault("LOG_LEVEL", "ERROR")


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has its own OHS_HOME, and no model settings of whoever runs it."""
    home = tmp_path_factory.mktemp("ohs_home")
    monkeypatch.setenv("OHS_HOME", str(home))
    for name in [name for name in os.environ if name.startswith("LLM_")]:
        monkeypatch.delenv(name)
    # A broken script must fail at once, not after minutes of retries.
    monkeypatch.setenv("LLM_NUM_RETRIES", "0")
    return home

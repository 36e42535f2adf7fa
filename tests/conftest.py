from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

# The suite also runs without make: no price map from the network, no banner, no logs.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
os.environ.setdefault("OPENHANDS_SUPPRESS_BANNER", "1")
os.environ.setdefault("LOG_LEVEL", "ERROR")

# A home of its own for the whole suite: the terminals that agents open read no start-up
# files. Slow ones make the SDK's terminal lose the output of its first command, and one
# that is killed may leave a lock behind. What finds its things below the real home keeps
# finding them.
_REAL_HOME = Path.home()
_HOME = tempfile.mkdtemp(prefix="ohs_home_")
if (_REAL_HOME / ".pyenv").is_dir():
    os.environ.setdefault("PYENV_ROOT", str(_REAL_HOME / ".pyenv"))
if (_REAL_HOME / ".cache" / "uv").is_dir():
    os.environ.setdefault("UV_CACHE_DIR", str(_REAL_HOME / ".cache" / "uv"))
os.environ["HOME"] = _HOME


def pytest_sessionfinish() -> None:
    shutil.rmtree(_HOME, ignore_errors=True)


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

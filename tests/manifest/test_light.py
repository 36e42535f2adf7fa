"""Reading a manifest is quick: it imports nothing heavy and runs nothing of the strategy."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

type Write = Callable[[dict[str, str | bytes]], Path]

PROBE = """
import sys
from pathlib import Path
from openhands_strategies.manifest import read_manifest
manifest = read_manifest(Path(sys.argv[1]), "strategy.py")
assert manifest.name == "one", manifest
heavy = {"openhands", "pydantic", "rich", "git", "click", "yaml", "packaging", "importlib_metadata"}
print(sorted(heavy & set(sys.modules)))
"""


def test_nothing_heavy_is_imported_and_nothing_runs(write: Write) -> None:
    root = write(
        {
            "strategy.py": """
                # /// script
                # dependencies = ["attrs"]
                # ///
                from openhands.sdk import Agent
                from openhands_strategies import Strategy, StrategyParam

                Path("ran").write_text("ran")
                raise SystemExit("the module ran")

                class One(Strategy):
                    name = "one"
                    params = [StrategyParam("a", choices=("x", "y"))]
            """,
            "plugin.json": '{"name": "one"}',
            "hooks/hooks.json": '{"Stop": [{"hooks": [{"command": "x"}]}]}',
            "skills/s/SKILL.md": "---\nname: s\ndescription: a plain one\n---\ntext\n",
            "pyproject.toml": '[project]\nname = "one"\n',
        }
    )
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(root)], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
    assert done.stderr == ""
    assert not (root / "__pycache__").exists()

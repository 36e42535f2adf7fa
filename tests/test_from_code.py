"""What a program imports from the package: light at first, and all that it needs to run one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import openhands_strategies
from openhands_strategies.project.home import find_home
from openhands_strategies.project.trust_facts import trust_facts
from openhands_strategies.registry.catalog import resolve

PROBE = """
import json, sys
import openhands_strategies
heavy = {"openhands", "pydantic", "rich", "git", "litellm", "filelock", "click"}
at_once = sorted({name.partition(".")[0] for name in sys.modules} & heavy)
from openhands_strategies import resolve
located = resolve(sys.argv[1])
to_find = sorted({name.partition(".")[0] for name in sys.modules} & {"openhands", "pydantic"})
from openhands_strategies import NotTrusted, TrustError, find_home, load
assert issubclass(NotTrusted, TrustError)
try:
    load(located, find_home())
except TrustError as error:
    print(json.dumps([at_once, to_find, error.code, error.facts.to_json()]))
"""
STRATEGY = "from openhands_strategies import Strategy\n\nclass One(Strategy):\n    name = 'one'\n"
LISTED = '[strategies.one]\nsource = "./one"\n'
HOOKS = '{"Stop": [{"hooks": [{"command": "./x"}]}]}'


def test_finding_is_light_and_a_refusal_carries_the_facts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A path that merely stands in a project's file: nobody has agreed to it.
    for name, text in {
        ".openhands/strategies.toml": LISTED,
        "one/strategy.py": STRATEGY,
        "one/hooks/hooks.json": HOOKS,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.chdir(tmp_path)
    ran = subprocess.run(
        [sys.executable, "-c", PROBE, "one"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    at_once, to_find, code, facts = json.loads(ran.stdout)
    assert (at_once, to_find, code) == ([], [], "not_trusted")
    assert facts["source"] == resolve("one").source.to_json()
    assert "./x" in str(facts["capabilities"]["hooks"])
    shown = trust_facts(resolve("one"), facts["tree"], None, find_home()).to_json()
    assert {**shown, "capabilities": facts["capabilities"]} == facts


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'openhands_strategies' has no attribute 'nothing'"):
        openhands_strategies.nothing  # noqa: B018

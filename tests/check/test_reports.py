"""How findings are told: to people, as SARIF, and for another SDK."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from check_corpus import GOOD, STATIC, lay_out
from openhands_strategies.cli.check.sarif import sarif
from openhands_strategies.manifest.checks import RULES

PAGE = (Path(__file__).parents[2] / "docs" / "check.md").read_text()
LEVELS = {"error", "warning", "note"}

HEAVY = """
import sys
from openhands_strategies.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    code = ended.code
heavy = {"openhands", "pydantic", "rich", "git", "litellm", "hypothesis"}
print(code, sorted({name.partition(".")[0] for name in sys.modules} & heavy), file=sys.stderr)
"""


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    changes = {
        **STATIC["a hook script that is missing"][0],
        **STATIC["no description of a parameter"][0],
        **STATIC["no README"][0],
    }
    return lay_out(tmp_path / "reviewer", changes)


def test_people_read_them_by_file_with_a_summary(broken: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "openhands_strategies", "check", "--static", "./reviewer"],
        cwd=broken.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert lines[0].startswith("reviewer/hooks/hooks.json:4: error hook_missing: the hook of")
    assert lines[1].startswith("    add the file")
    places = [line.partition(": ")[0] for line in lines if " error " in line or " warning " in line]
    assert places == ["reviewer/hooks/hooks.json:4", "reviewer/strategy.py:14"]
    assert lines[-1].startswith("reviewer: 1 error, 1 warning, 1 note; 1 check in ")
    assert "Traceback" not in done.stderr


def test_a_static_check_imports_nothing_heavy(broken: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HEAVY, "check", "--static", "./reviewer"],
        cwd=broken.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.splitlines()[-1] == "1 []"


def valid(log: dict[str, Any]) -> dict[str, Any]:
    """The parts of the SARIF 2.1.0 schema that a log of ours can violate."""
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"]
    assert driver["version"]
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(set(ids)) == len(ids)
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"]
        assert rule["help"]["text"]
        assert rule["defaultConfiguration"]["level"] in LEVELS
    for result in run["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in LEVELS
        assert result["message"]["text"]
        (location,) = result["locations"]
        place = location["physicalLocation"]
        uri = place["artifactLocation"]["uri"]
        assert not uri.startswith(("/", ".."))
        assert " " not in uri
        base = place["artifactLocation"].get("uriBaseId")
        assert base is None or run["originalUriBaseIds"][base]["uri"].endswith("/")
        assert place.get("region", {"startLine": 1})["startLine"] >= 1
    return run


def test_sarif(check: Any, broken: Path) -> None:
    code, document = check("--static", "./reviewer", "--sarif", "out.sarif")
    run = valid(json.loads((broken.parent / "out.sarif").read_text()))
    assert code == 1
    assert len(run["results"]) == len(document["findings"]) == 3
    first = run["results"][0]
    assert first["ruleId"] == "hook_missing"
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "reviewer/hooks/hooks.json"},
        "region": {"startLine": 4},
    }


def test_sarif_of_every_mistake(
    check: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    for number, (changes, expected, _) in enumerate(STATIC.values()):
        directory = lay_out(tmp_path / f"d{number}" / "reviewer", changes)
        _, document = check("--static", str(directory))
        # Seen from below the current directory, and from elsewhere.
        for here in (tmp_path, tmp_path / "elsewhere"):
            monkeypatch.chdir(here)
            run = valid(sarif(document))
            assert expected in {result["ruleId"] for result in run["results"]}
        monkeypatch.chdir(tmp_path)


def test_sarif_without_findings(check: Any, reviewer: Path) -> None:
    check("--static", "./reviewer", "--sarif", "out.sarif")
    assert valid(json.loads((reviewer.parent / "out.sarif").read_text()))["results"] == []


def test_every_rule_is_documented() -> None:
    for code, rule in RULES.items():
        assert f"| `{code}` | {rule.severity} |" in PAGE, code
        assert rule.help.endswith((".", ".)"))


def test_every_mistake_of_the_corpus_has_a_rule() -> None:
    assert {code for _, code, _ in STATIC.values()} <= set(RULES)
    assert GOOD


@pytest.mark.slow_start
@pytest.mark.skipif(
    os.environ.get("CI") != "true" and shutil.which("uv", path=Path(sys.executable).parent) is None,
    reason="makes an environment with uv",
)
def test_with_another_sdk(
    check: Any, reviewer: Path, monkeypatch: pytest.MonkeyPatch, ohs_home: Path
) -> None:
    # Elsewhere only what an earlier test run has brought to this machine; no network.
    in_ci = os.environ.get("CI") == "true"
    if not in_ci:
        monkeypatch.setenv("UV_OFFLINE", "1")
    code, document = check("./reviewer", "--sdk", "1.21.0")
    failed = "error" in document and document["error"]["code"] == "environment_failed"
    if failed and not in_ci:
        pytest.skip("the packages of that SDK are not in uv's cache")
    assert (code, document["sdk"], document["findings"]) == (0, "1.21.0", [])
    assert {row["status"] for row in document["checks"]} == {"passed"}
    # An SDK that is there already needs no environment of its own.
    made = list((ohs_home / "check").glob("sdk-1.21.0-py*/installed.json"))
    assert bool(made) == (version("openhands-sdk") != "1.21.0")

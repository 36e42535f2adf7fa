"""What `ohs check --static` finds: each mistake by its own code, at its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from check_corpus import GOOD, STATIC, STRATEGY, lay_out
from openhands_strategies.manifest.checks import RULES

PLUGINS = sorted((Path(__file__).parents[2] / "plugins").glob("*/strategy.py"))


def test_nothing_is_wrong_with_a_good_directory(check: Any, reviewer: Path) -> None:
    code, document = check("--static", "./reviewer")
    assert (code, document["findings"]) == (0, [])
    assert [(row["name"], row["status"]) for row in document["checks"]] == [("files", "passed")]
    assert document["strategy"]["name"] == "reviewer"


@pytest.mark.parametrize("mistake", STATIC)
def test_each_mistake_has_its_own_finding(check: Any, tmp_path: Path, mistake: str) -> None:
    changes, expected, place = STATIC[mistake]
    lay_out(tmp_path / "reviewer", changes)
    code, document = check("--static", "./reviewer")
    found = {one["code"]: one for one in document["findings"]}
    assert expected in found, document["findings"]
    places = [f"{one['file']}:{one['line']}" for one in document["findings"]
              if one["code"] == expected]  # fmt: skip
    assert place in places
    one = found[expected]
    assert one["severity"] == RULES[expected].severity
    assert one["message"]
    assert "\n" not in one["message"] + one["hint"]
    assert one["hint"]
    assert code == any(one["severity"] == "error" for one in document["findings"])


def test_there_are_more_than_forty_mistakes() -> None:
    assert len({code for _, code, _ in STATIC.values()}) > 40


def test_a_secret_is_not_repeated(check: Any, tmp_path: Path) -> None:
    lay_out(tmp_path / "reviewer", STATIC["a key in the code"][0])
    _, document = check("--static", "./reviewer")
    assert "a1B2a1B2" not in str(document["findings"])


def test_many_mistakes_at_once_are_all_told(check: Any, tmp_path: Path) -> None:
    changes = {
        "hooks/hooks.json": "{",
        "pyproject.toml": GOOD["pyproject.toml"].replace("strategy:Reviewer", "strategy:Other"),
        "skills/reading/SKILL.md": "---\nname: writing\ndescription: x\n---\nText\n",
        "strategy.py": STRATEGY.replace("def build(self, context)", "def build(self)"),
    }
    lay_out(tmp_path / "reviewer", changes)
    code, document = check("--static", "./reviewer")
    codes = {one["code"] for one in document["findings"]}
    assert code == 1
    assert {"hooks_json_invalid", "entry_point_target", "skill_name_mismatch",
            "method_signature"} <= codes  # fmt: skip
    assert len(document["findings"]) == len({tuple(map(str, one.values()))
                                             for one in document["findings"]})  # fmt: skip


@pytest.mark.parametrize("strategy", PLUGINS, ids=lambda path: path.parent.name)
def test_the_first_party_strategies_have_no_finding(check: Any, strategy: Path) -> None:
    code, document = check("--static", str(strategy.parent))
    assert (code, document["findings"]) == (0, [])


def test_nothing_of_it_runs_and_no_trust_is_needed(check: Any, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    text = STRATEGY.replace("\n\nclass Rev", f"\nopen({str(ran)!r}, 'w')\n\nclass Rev")
    lay_out(tmp_path / "reviewer", {"strategy.py": text})
    settings = tmp_path / ".openhands"
    settings.mkdir()
    (settings / "strategies.toml").write_text('[strategies.reviewer]\nsource = "./reviewer"\n')
    code, document = check("--static", "reviewer")
    assert (code, ran.exists()) == (0, False), document
    code, document = check("reviewer")
    assert (code, document["error"]["code"]) == (4, "not_trusted")
    assert not ran.exists()


def test_a_plugin_directory_without_code(check: Any, tmp_path: Path) -> None:
    changes = dict.fromkeys(("strategy.py", "__init__.py", "pyproject.toml"))
    directory = lay_out(tmp_path / "reviewer", changes)
    assert check("--static", "./reviewer")[0] == 0
    (directory / "hooks" / "guard.sh").chmod(0o644)
    code, document = check("--static", "./reviewer")
    assert (code, document["findings"][0]["code"]) == (1, "hook_not_executable")


def test_a_link_out_of_the_directory(check: Any, tmp_path: Path) -> None:
    directory = lay_out(tmp_path / "reviewer", {"skills/reading/SKILL.md": None})
    (tmp_path / "SKILL.md").write_text("text")
    (directory / "skills" / "reading").mkdir(parents=True)
    (directory / "skills" / "reading" / "SKILL.md").symlink_to(tmp_path / "SKILL.md")
    _, document = check("--static", "./reviewer")
    assert "link_outside" in {one["code"] for one in document["findings"]}


@pytest.mark.parametrize(
    ("arguments", "code", "name"),
    [
        (("./nowhere",), 3, None),
        (("no-such-name",), 3, None),
        (("./reviewer", "--static", "--param", "x=1"), 2, "usage"),
        (("./reviewer", "--static", "--sdk", "1.21.0"), 2, "usage"),
        (("./reviewer", "--sdk", "newest"), 2, "sdk_version"),
        (("./reviewer", "--sarif", "nowhere/out.sarif"), 2, "sarif_path"),
        (("./reviewer", "--param", "x"), 2, "param_format"),
    ],
)
def test_bad_input(
    check: Any, reviewer: Path, arguments: tuple[str, ...], code: int, name: str | None
) -> None:
    got, document = check(*arguments)
    assert got == code
    assert name in (None, document["error"]["code"])

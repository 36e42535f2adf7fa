"""`ohs search` and `ohs index`, with indexes in real git repositories."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from git_server import Repository
from support import write

MODULE = """
from openhands_strategies import Strategy

raise SystemExit("an index must not run this")

class One(Strategy):
    name = "{name}"
    description = "is {name}"

    def build_agent(self, llm, params=None):
        return None
"""
ENTRY = '[strategies.{name}]\nsource = "./{name}"\ndescription = "{text}"\ntags = ["cost"]\n'


def registry(*names: str, text: str = "argues about it") -> str:
    return "version = 1\n" + "".join(ENTRY.format(name=name, text=text) for name in names)


def content(*names: str) -> dict[str, bytes]:
    found = {f"{name}/strategy.py": MODULE.format(name=name).encode() for name in names}
    return {"registry.toml": registry(*names).encode(), **found}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "served" / "Acme_Index")
    repository.add(content("debate"))
    return repository


def failed(done, code: int, name: str) -> str:
    assert done.code == code, done
    assert done.out == ""
    lines = done.err.splitlines()
    assert 1 <= len(lines) <= 2, done.err
    assert lines[0].startswith("error: ")
    assert lines[0].endswith(f"[{name}]")
    return done.err


def test_an_index_is_added_searched_updated_and_removed(
    ohs, repository: Repository, ohs_home: Path
) -> None:
    added = ohs("index", "add", f"git+file://{repository.path}", "--json")
    assert added.code == 0, added
    first = json.loads(added.out)["index"]
    assert first["name"] == "acme-index"
    (hit,) = json.loads(ohs("search", "DEBATE", "--json").out)["results"]
    assert (hit["name"], hit["index"], hit["tags"]) == ("debate", "acme-index", ["cost"])
    assert first["commit"] in hit["source"]["offers"]
    assert ohs("search", "argues").out.splitlines()[1].split()[:2] == ["debate", "acme-index"]

    commit = repository.add(content("debate", "second"))
    assert json.loads(ohs("search", "second", "--json").out)["results"] == []
    updated = json.loads(ohs("index", "update", "--json").out)["indexes"]
    assert [(one["commit"], one["changed"]) for one in updated] == [(commit, True)]
    assert "no change in index acme-index" in ohs("index", "update", "acme-index").out
    assert "second" in ohs("search", "second").out

    listed = ohs("index", "list").out.splitlines()
    assert listed[1].split()[:3] == ["acme-index", "2", commit[:12]]
    assert listed[2].split()[0] == "openhands-strategies"
    document = json.loads(ohs("index", "list", "--json").out)
    assert [one["bundled"] for one in document["indexes"]] == [False, True]

    assert ohs("index", "remove", "acme-index").code == 0
    assert json.loads(ohs("search", "second", "--json").out)["results"] == []
    failed(ohs("index", "remove", "acme-index"), 2, "index_unknown")


def test_list_outdated_and_update_agree_about_what_came_from_an_index(
    ohs, repository: Repository
) -> None:
    assert ohs("index", "add", f"git+file://{repository.path}").code == 0
    assert ohs("add", "debate").code == 0
    assert "every locked strategy is up to date" in ohs("list", "--outdated").err
    commit = repository.add(content("debate", "second"))
    for command in (["index", "list"], ["index", "update"]):  # fetched or not, it is the same
        assert ohs(*command).code == 0
        row = ohs("list", "--outdated").out.splitlines()[1].split()
        assert (row[:2], row[3]) == (["debate", "index"], commit[:12])
    assert commit[:12] in ohs("update", "--dry-run").out
    assert commit[:12] in ohs("update").out
    assert "every locked strategy is up to date" in ohs("list", "--outdated").err
    # The index is fetched by the update itself, and one that is gone is a warning.
    commit = repository.add(content("debate", "third"))
    assert commit[:12] in ohs("update").out
    assert "third" in ohs("search", "third").out
    repository.path.rename(repository.path.with_name("gone"))
    done = ohs("update")
    assert (done.code, done.out) == (0, "")
    assert "[repository_missing]" in done.err


def test_nothing_found_is_no_error_and_the_own_index_is_searched(ohs) -> None:
    done = ohs("search", "no-such-thing-anywhere")
    assert (done.code, done.out) == (0, "")
    assert "no index offers" in done.err
    assert "fusion" in ohs("search", "fusion").out


def test_one_index_that_cannot_be_fetched_leaves_the_others_updated(
    ohs, repository: Repository, tmp_path: Path
) -> None:
    other = Repository(tmp_path / "served" / "other")
    other.add(content("third"))
    assert ohs("index", "add", f"git+file://{repository.path}", "--as", "a").code == 0
    assert ohs("index", "add", f"git+file://{other.path}", "--as", "b").code == 0
    repository.path.rename(tmp_path / "gone")
    other.add(content("third", "fourth"))
    done = ohs("index", "update")
    assert done.code == 3
    assert "updated index b" in done.out
    assert done.err.count("error: ") == 1
    assert "fourth" in ohs("search", "fourth").out

    other.add(content("third", "fifth"))
    done = ohs("index", "update", "--json")
    document = json.loads(done.out)
    assert (done.code, done.err) == (3, "")
    assert [(one["name"], one["changed"]) for one in document["indexes"]] == [("b", True)]
    assert document["failed"] == {"a": document["error"]}
    assert document["error"]["code"] == "repository_missing"
    assert "fifth" in ohs("search", "fifth").out
    alone = ohs("index", "update", "a", "--json")
    assert (alone.code, list(json.loads(alone.out))) == (3, ["error"])


def test_a_strangers_description_cannot_steer_the_terminal(ohs, tmp_path: Path) -> None:
    write(tmp_path / "mine" / "registry.toml", registry("debate", text="x [red] y"))
    assert ohs("index", "add", "./mine").code == 0
    assert "x [red] y" in ohs("search", "debate").out
    write(tmp_path / "mine" / "registry.toml", registry("debate", text="x \\u001b[2J"))
    done = ohs("search", "debate")
    assert "\x1b" not in done.out + done.err
    assert done.code == 0


def test_check_passes_what_is_right(ohs, tmp_path: Path) -> None:
    write(tmp_path / "mine" / "registry.toml", registry("debate"))
    write(tmp_path / "mine" / "debate" / "strategy.py", MODULE.format(name="debate"))
    done = ohs("index", "check", "mine")
    assert (done.code, done.err) == (0, "")
    assert json.loads(ohs("index", "check", "mine/registry.toml", "--json").out)["findings"] == []


def test_check_names_what_is_wrong(ohs, tmp_path: Path) -> None:
    write(tmp_path / "mine" / "registry.toml", registry("debate", "missing"))
    write(tmp_path / "mine" / "debate" / "strategy.py", MODULE.format(name="other"))
    done = ohs("index", "check", "mine")
    assert done.code == 1
    findings = [line for line in done.out.splitlines() if line.startswith("finding: ")]
    assert len(findings) == 2
    assert "[index_name]" in findings[0]
    assert "'other'" in findings[0]
    assert "missing" in findings[1]
    as_json = ohs("index", "check", "mine", "--json")
    assert as_json.code == 1
    document = json.loads(as_json.out)
    assert [one["line"] for one in document["findings"]] == [2, 6]


@pytest.mark.parametrize(
    ("arguments", "code", "name"),
    [
        (["search"], 2, "usage"),
        (["index", "nothing"], 2, "usage"),
        (["index", "add"], 2, "usage"),
        (["index", "add", "a-name"], 2, "index_reference"),
        (["index", "add", "./nowhere"], 3, "index_missing"),
        (["index", "add", "git+ext::id"], 3, None),
        (["index", "add", "./mine", "--as", "Not A Name"], 2, "name_invalid"),
        (["index", "update", "nobody"], 2, "index_unknown"),
        (["index", "remove", "nobody"], 2, "index_unknown"),
        (["index", "check", "./nowhere"], 2, "index_path"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_input_is_one_error(ohs, arguments: list[str], code: int, name: str | None) -> None:
    document = json.loads(ohs(*arguments, "--json").out)
    failed(ohs(*arguments), code, name or document["error"]["code"])


LIGHT = """
import sys
from openhands_strategies.cli.main import main
for arguments in {all}:
    try:
        main(arguments)
    except SystemExit as ended:
        assert ended.code == 0, (arguments, ended.code)
heavy = {{"openhands", "pydantic", "litellm"}}
print(sorted({{name.partition(".")[0] for name in sys.modules}} & heavy))
"""


def test_none_of_these_commands_imports_the_sdk(repository: Repository, tmp_path: Path) -> None:
    reference = f"git+file://{repository.path}#subdirectory=debate"
    commands = [
        ["index", "add", f"git+file://{repository.path}"],
        ["index", "update"],
        ["index", "list"],
        ["search", "debate"],
        ["trust", reference, "--yes"],
        ["trust", "--list"],
        ["trust", "--revoke", reference],
        ["store", "verify"],
        ["store", "gc"],
        ["install", "--help"],
        ["uninstall", "--help"],
    ]
    done = subprocess.run(
        [sys.executable, "-c", LIGHT.format(all=commands)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"

"""Every page as its reader would follow it: commands run, files are written, code compiles.

The commands of a page are typed one after the other in an empty directory. A line with a word
such as REF shows a form: that command and its options must exist. What installs packages or
starts servers is not run here; what it names must exist.
"""

from __future__ import annotations

import ast
import importlib
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from blocks import Block, blocks, mentioned
from git_server import GitServer, Repository, make_certificates
from openhands_strategies.testing import ScriptedModel
from reader import Reader, check_form, script
from support import PRICES, write

pytestmark = [pytest.mark.e2e, pytest.mark.slow_start]

DOCS = Path(__file__).parents[2] / "docs"
GENERATED = "<!-- generated"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
# Pages whose commands have a test of their own, which also looks at what they print.
ELSEWHERE = {
    "new.md": "cli/test_new.py",
    "plan.md": "cli/test_plan.py",
    "sharing.md": "test_sharing.py",
    "testing.md": "testing/test_pytest_plugin.py",
}
INCLUDE = re.compile(r"^```\{include\} (\S+)\n```$", re.MULTILINE)
LANGUAGES = {"", "html", "json", "markdown", "python", "sh", "text", "toml", "yaml", "{toctree}"}
FORMS = re.compile(r"(layer|pipeline|team)\(")
SKILL = "---\nname: style\ndescription: Style\n---\nShort names.\n"


def text_of(page: str) -> str:
    """A page with the files that it includes, and without what is made from the code."""
    path = DOCS / page
    text = path.read_text(encoding="utf-8").partition(GENERATED)[0]
    return INCLUDE.sub(lambda one: (path.parent / one[1]).read_text(encoding="utf-8"), text)


@pytest.fixture
def reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Reader:
    """A reader with git's settings, an overlay that pages name, and a model."""
    where = tmp_path / "reader"
    write(where / "house-style/skills/style/SKILL.md", SKILL)
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "ada@example.org")
    # A command marks its own process; this one goes on after it.
    monkeypatch.setenv("OHS_PROCESS_MARK", "")
    monkeypatch.setenv("LLM_MODEL", "openai/gpt-4o")
    monkeypatch.setenv("LLM_API_KEY", "any")
    return Reader(where, monkeypatch, capfd)


def has_commands(page: str) -> bool:
    return page not in ELSEWHERE and any(one.language == "sh" for one in blocks(text_of(page)))


@pytest.mark.parametrize("page", [page for page in PAGES if has_commands(page)])
def test_the_commands_of_a_page(
    reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    certificates = make_certificates(tmp_path)
    repository = Repository(tmp_path / "served" / "acme" / "plugins")
    repository.config(uploadpack_allowFilter="true", uploadpack_allowAnySHA1InWant="true")
    files = {"house-style/skills/style/SKILL.md": SKILL.encode()}
    reader.commit = repository.add(files)
    repository.tag("v2", reader.commit)
    with (
        GitServer(tmp_path / "served", certificates) as server,
        ScriptedModel(script, prices=PRICES) as model,
    ):
        config = f'[url "{server.url}/"]\n\tinsteadOf = https://github.com/\n'
        monkeypatch.setenv("GIT_SSL_CAINFO", str(certificates.authority))
        home = write(tmp_path / "home/.gitconfig", config).parent
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.setenv("LLM_BASE_URL", model.base_url)
        if page.startswith("strategies/"):
            own_project(reader, model, monkeypatch, home)
        for block in blocks(text_of(page)):
            if block.file is not None:
                reader.write(block)
            elif block.language == "sh":
                for line in block.commands():
                    reader.type(line)
        served = [*model.served]
    runs = [line for line in reader.said if line.startswith("ohs run ")]
    for line in runs:
        assert "done by gpt-4o" in reader.said[line], reader.said[line]
    assert served or not runs


def own_project(
    reader: Reader, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    """What pages of strategies take for granted: a repository with tests, a saved profile."""
    write(reader.where / "test_own.py", "def test_own():\n    assert True\n")
    for line in ("git init --quiet", "git add .", "git commit --quiet --message First"):
        reader.type(line)
    sdk = importlib.import_module("openhands.sdk")
    llm = sdk.LLM(model="openai/gpt-4o-mini", api_key="any", base_url=model.base_url)
    profiles = importlib.import_module("openhands.sdk.llm.llm_profile_store")
    # The SDK looks once, when it is imported, where the home is.
    monkeypatch.setattr(profiles, "_DEFAULT_PROFILE_DIR", home / ".openhands" / "profiles")
    profiles.LLMProfileStore().save("second-opinion", llm, include_secrets=True)


def strategies(block: Block) -> list[str]:
    """Names of the strategies that a file of a page defines, overlays aside."""
    found = []
    for node in ast.parse(block.text).body:
        if isinstance(node, ast.ClassDef) and "Strategy" in [ast.unparse(b) for b in node.bases]:
            if "overlay = True" not in ast.unparse(node):
                found.append(node.name)
        elif isinstance(node, ast.Assign) and FORMS.match(ast.unparse(node.value)):
            found.append(ast.unparse(node.targets[0]))
    return found


DEFINED = [
    (page, block, name)
    for page in PAGES
    for block in blocks(text_of(page))
    if block.language == "python" and block.file is not None
    for name in strategies(block)
]


@pytest.mark.parametrize(
    ("block", "name"), [pytest.param(b, n, id=f"{p}:{b.line}:{n}") for p, b, n in DEFINED]
)
def test_a_strategy_of_a_page_is_planned(reader: Reader, block: Block, name: str) -> None:
    reader.write(block)
    line = f"ohs plan ./{block.file}:{name} --json"
    reader.type(line)
    assert json.loads(reader.said[line])["roles"]


@pytest.fixture
def registered() -> Iterator[None]:
    """The SDK's global registry, as it was before."""
    registry = importlib.import_module("openhands.sdk.subagent.registry")
    before = dict(registry._agent_factories)
    yield
    registry._agent_factories.clear()
    registry._agent_factories.update(before)


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("page", PAGES)
def test_the_blocks_of_a_page(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for block in blocks(text_of(page)):
        where = f"{page}:{block.line}"
        assert block.language in LANGUAGES, where
        if block.language == "json":
            json.loads(block.text)
        elif block.language == "toml":
            tomllib.loads(block.text)
        elif block.language == "yaml":
            yaml.safe_load(block.text)
        elif block.language == "python":
            code = compile(block.text, where, "exec", dont_inherit=True)
            if is_complete(block) and page not in ELSEWHERE:
                exec(code, {"__name__": "example"})


def is_complete(block: Block) -> bool:
    """Whether a block brings what it uses; others show a part of a file."""
    return block.text.startswith(("from ", "import ")) or block.file is not None


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_that_a_text_mentions(page: str) -> None:
    for command in mentioned(text_of(page)):
        check_form(command)

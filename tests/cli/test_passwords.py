"""A password that somebody types or that git is given stands nowhere; and nothing is left."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from git_server import GitServer, Repository, make_certificates
from openhands_strategies.testing import ScriptedModel, finish
from support import PRICES, write

CANARY = "hunter2hunter2"
STRATEGY = b"""
from openhands_strategies import Strategy

class Debate(Strategy):
    name = "debate"
    description = "One agent"

    def build_agent(self, llm, params=None):
        from openhands.sdk import Agent
        return Agent(llm=llm, tools=[])
"""
MISTYPED = (
    f"github:user:{CANARY}@a/b",
    f"git+https:user:{CANARY}@127.0.0.1/x",
    f"https:user:{CANARY}@127.0.0.1/x",
    f"git+https://127.0.0.1:1/x?token={CANARY}",
    f"git+https://127.0.0.1:1/x#token={CANARY}",
    f"git+https://127.0.0.1:1/a@user:{CANARY}@b",
    f"x @ git+https://user:{CANARY}@127.0.0.1:1/x",
)


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which nothing was ever run."""
    user = tmp_path / "user"
    user.mkdir()
    monkeypatch.setenv("HOME", str(user))
    monkeypatch.delenv("OHS_HOME")
    return user


@pytest.fixture
def project(ohs_here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory that the user works in."""
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    return project


@pytest.fixture
def model() -> Iterator[list[str]]:
    """The options that name a scripted model."""
    with ScriptedModel(lambda _: finish("done"), prices=PRICES) as model:
        yield ["--model", "openai/main", "--base-url", model.base_url]


def where_it_stands(*roots: Path) -> list[str]:
    """Every file below some directories that holds the canary, in its name or content."""
    return [
        str(path)
        for root in roots
        for path in root.rglob("*")
        if CANARY in path.name or (path.is_file() and CANARY.encode() in path.read_bytes())
    ]


def says_nothing(done) -> None:
    assert CANARY not in done.out, done
    assert CANARY not in done.err, done


@pytest.mark.parametrize("reference", MISTYPED)
def test_a_mistyped_reference_does_not_repeat_it(
    ohs_here, user: Path, project: Path, reference: str
) -> None:
    for arguments in (
        ["add", reference],
        ["trust", reference, "--yes"],
        ["trust", "--revoke", reference],
        ["show", reference],
        ["index", "add", reference],
        ["update", reference, "--user"],
        ["remove", reference, "--user"],
        *([["install", reference]] if "@" in reference else []),
        ["run", reference, "--task", "do it"],
    ):
        for options in ([], ["--debug"], ["--json"]):
            done = ohs_here(*arguments, *options)
            assert done.code in (2, 3)
            says_nothing(done)
    assert where_it_stands(user, project) == []


def test_a_projects_file_that_holds_one_is_warned_about_without_it(
    ohs_here, user: Path, project: Path
) -> None:
    entries = [f'[strategies.s{at}]\nsource = "{one}"\n' for at, one in enumerate(MISTYPED)]
    write(project / ".openhands" / "strategies.toml", "".join(entries))
    for arguments in (["list"], ["list", "--outdated"], ["lock"], ["sync"], ["update"],
                      *(["show", f"s{at}"] for at in range(len(MISTYPED))),
                      ["run", "s0", "--task", "do it"], ["trust", "s1", "--yes"]):  # fmt: skip
        for options in ([], ["--debug"], ["--json"]):
            says_nothing(ohs_here(*arguments, *options))
    warnings = json.loads(ohs_here("list", "--json").out)["warnings"]
    assert len(warnings) == len(MISTYPED)
    assert where_it_stands(user) == []


@pytest.mark.e2e
def test_a_private_repository_and_nothing_left(
    ohs_here,
    user: Path,
    project: Path,
    model: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    repository = Repository(tmp_path / "served" / "acme")
    repository.config(uploadpack_allowFilter="true", uploadpack_allowAnySHA1InWant="true")
    repository.add({"plugins/debate/strategy.py": STRATEGY})
    certificates = make_certificates(tmp_path)
    monkeypatch.setenv("GIT_SSL_CAINFO", str(certificates.authority))
    helper = write(tmp_path / "helper", f"#!/bin/sh\necho username=user\necho password={CANARY}\n")
    helper.chmod(0o755)
    with GitServer(tmp_path / "served", certificates, password=CANARY) as server:
        source = f"{server.url}/acme@main#subdirectory=plugins/debate"
        with_password = source.replace("//", f"//user:{CANARY}@")

        def ohs(*arguments: str, code: int = 0):
            done = ohs_here(*arguments)
            assert done.code == code, done
            says_nothing(done)
            return done

        assert "[git_auth]" in ohs("add", f"git+{source}", "--debug", code=3).err
        refused = ohs("add", f"git+{with_password}", "--debug", code=3)
        assert "[reference_credentials]" in refused.err
        assert not any(path.is_file() for path in [*user.rglob("*"), *project.rglob("*")])

        write(user / ".gitconfig", f"[credential]\n\thelper = {helper}\n")
        ohs("add", f"debate @ git+{source}", "--debug")
        ohs("trust", "debate", "--yes", "--json")
        assert ohs("run", "debate", "--task", "do it", *model).out == "done\n"
        repository.add({"plugins/debate/strategy.py": STRATEGY + b"\n"})
        assert "ohs update debate" in ohs("list", "--outdated", "--debug").out
        for command in ("update", "sync", "list", "lock", "store verify", "trust --list"):
            ohs(*command.split(), "--json")
        (user / ".gitconfig").unlink()
        assert "[git_auth]" in ohs("list", "--outdated", "--debug").err
    assert where_it_stands(user, project) == []

    ohs("remove", "debate")
    shutil.rmtree(user / ".openhands" / "strategies" / "runs")
    ohs("store", "gc")
    assert [*user.iterdir(), *project.iterdir()] == []

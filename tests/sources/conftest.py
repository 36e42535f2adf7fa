from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from git_server import Certificates, GitServer, Repository, make_certificates

MakeServer = Callable[..., GitServer]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, and nothing about git in the environment."""
    home = tmp_path / "home"
    home.mkdir()
    for name in [one for one in os.environ if one.startswith(("GIT_", "XDG_", "SSH_"))]:
        monkeypatch.delenv(name)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def served(tmp_path: Path) -> Repository:
    """A repository that a server or a file URL gives out."""
    return Repository(tmp_path / "served" / "acme" / "tools")


@pytest.fixture
def serve(tmp_path: Path, user: Path, certificates: Certificates, monkeypatch: pytest.MonkeyPatch):
    """Start servers of what lies in `served`; git trusts their certificate."""
    monkeypatch.setenv("GIT_SSL_CAINFO", str(certificates.authority))
    with ExitStack() as stack:

        def start(**settings: Any) -> GitServer:
            return stack.enter_context(GitServer(tmp_path / "served", certificates, **settings))

        yield start

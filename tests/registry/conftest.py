"""Directories that hold installed distributions, as an installer leaves them."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Install = Callable[..., Path]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory on `sys.path`; what a test imports from it is forgotten afterwards."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    before = set(sys.modules)
    yield site
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if file.startswith(str(site)):
            del sys.modules[name]


@pytest.fixture
def install(site: Path) -> Install:
    """Install one module with one entry point."""

    def install(
        name: str, source: str, *, group: str = "openhands.strategies", entry: str = ""
    ) -> Path:
        module = name.replace("-", "_")
        (site / f"{module}.py").write_text(textwrap.dedent(source))
        info = site / f"{module}-1.0.dist-info"
        info.mkdir()
        info.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        info.joinpath("RECORD").write_text(f"{module}.py,,\n")
        info.joinpath("entry_points.txt").write_text(
            f"[{group}]\n{entry or f'{name} = {module}'}\n"
        )
        return site / f"{module}.py"

    return install

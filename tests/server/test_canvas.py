"""The Canvas extension: written by `ohs canvas export`, installed by the real server."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from server_process import Server

NAME = "openhands-strategies"


def export(directory: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "openhands_strategies", "canvas", "export", *options]
    return subprocess.run(
        [*command, str(directory)], capture_output=True, text=True, timeout=60, check=False
    )


def test_it_is_one_module_without_imports(tmp_path: Path) -> None:
    made = export(tmp_path / "extension", "--json")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["files"] == ["canvas-extension.json", "extension.js", "icon.svg"]
    module = (tmp_path / "extension" / "extension.js").read_text()
    assert not re.search(
        r"^\s*import\b|\bimport\(|\brequire\(|https?://(?!www\.w3\.org)", module, re.M
    )
    assert re.findall(r"^export .*", module, re.M) == [
        "export const { activate } = extension_module;"
    ]
    again = export(tmp_path / "extension")
    assert again.returncode == 0, "an earlier export is replaced"


def test_a_directory_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    refused = export(tmp_path)
    assert refused.returncode == 2
    assert "notes.txt" in refused.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.e2e
@pytest.mark.slow_start
def test_the_server_installs_enables_and_hands_it_out(server: Server, tmp_path: Path) -> None:
    directory = tmp_path / "extension"
    assert export(directory).returncode == 0
    installed = server.post("/api/canvas-extensions/install", json={"source": str(directory)})
    assert installed.status_code == 200, installed.text
    path = f"/api/canvas-extensions/installed/{NAME}"
    try:
        assert installed.json()["name"] == NAME
        assert installed.json()["enabled"] is False
        assert server.client.patch(path, json={"enabled": True}).json()["enabled"] is True
        (listed,) = server.get("/api/canvas-extensions/installed").json()["canvas_extensions"]
        assert listed["enabled"] is True
        assert listed["manifest"] == json.loads((directory / "canvas-extension.json").read_text())
        bundle = server.get(f"{path}/bundle")
        assert bundle.content == (directory / "extension.js").read_bytes()
        assert "javascript" in bundle.headers["content-type"]
    finally:
        assert server.client.delete(path).status_code == 200

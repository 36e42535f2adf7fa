"""Small trees on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

type Write = Callable[[dict[str, str | bytes]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files (path to content; texts are dedented) and return their root."""

    def written(files: dict[str, str | bytes]) -> Path:
        root = tmp_path / "tree"
        for file, content in files.items():
            path = root / file
            path.parent.mkdir(parents=True, exist_ok=True)
            data = dedent(content).encode() if isinstance(content, str) else content
            path.write_bytes(data)
        return root

    return written

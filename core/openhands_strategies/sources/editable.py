"""Where the modules of an editable install are, read from what its installer recorded.

setuptools writes a finder module with a literal `MAPPING`; other tools (and setuptools'
simple layouts) write a `.pth` file with the source directory; every installer writes
`direct_url.json` with the project's directory. None of these is run.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from importlib_metadata import Distribution


def module_directories(
    distribution: Distribution, record: set[str]
) -> Iterator[tuple[list[str], Path]]:
    """Yield pairs of a module's dotted parts and its directory, most exact first.

    Args:
        distribution: An installed distribution.
        record: The file names of its RECORD.

    Raises:
        OSError, SyntaxError, ValueError: When a recorded file cannot be read.
    """
    site = Path(str(distribution.locate_file("")))
    top = sorted(name for name in record if "/" not in name)
    for name in top:
        if name.startswith("__editable__") and name.endswith("_finder.py"):
            yield from _mapping((site / name).read_text(encoding="utf-8"))
    for name in top:
        if name.endswith(".pth"):
            for line in (site / name).read_text(encoding="utf-8").splitlines():
                # As in `site`: comments and lines that would be run name no directory.
                if line.strip() and not line.startswith(("#", "import ", "import\t")):
                    yield [], site / line.strip()
    project = _project(distribution)
    if project is not None:
        yield [], project / "src"
        yield [], project
    elif not record:
        # Some system packages come without a RECORD; their files lie beside the metadata.
        yield [], site


def _mapping(text: str) -> Iterator[tuple[list[str], Path]]:
    """The literals `MAPPING` and `NAMESPACES`; the longest module name first."""
    pairs: list[tuple[list[str], Path]] = []
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            target, value = node.target, node.value
        else:
            continue
        if not isinstance(target, ast.Name) or target.id not in ("MAPPING", "NAMESPACES"):
            continue
        found = ast.literal_eval(value)
        if not isinstance(found, dict):
            raise ValueError(f"{target.id} is no dict")
        for module, places in found.items():
            for place in [places] if isinstance(places, str) else list(places):
                pairs.append((str(module).split("."), Path(str(place))))
    yield from sorted(pairs, key=lambda pair: -len(pair[0]))


def _project(distribution: Distribution) -> Path | None:
    """The directory of an editable install, from `direct_url.json`."""
    text = distribution.read_text("direct_url.json")
    if text is None:
        return None
    content = json.loads(text)
    info = content.get("dir_info") if isinstance(content, dict) else None
    if not isinstance(info, dict) or info.get("editable") is not True:
        return None
    url = urlsplit(str(content.get("url", "")))
    path = unquote(url.path)
    if url.scheme != "file" or not path.startswith("/"):
        raise ValueError(f"direct_url.json has no file URL: {url.scheme}:")
    drive = len(path) > 2 and path[2] == ":"
    return Path(path[1:] if drive else path)

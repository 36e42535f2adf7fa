"""The page as an OpenHands Canvas extension: a manifest, one module and an icon.

Canvas loads exactly one module, without imports. So the page's modules are put one after
the other, each in a function of its own that returns what it exports. The modules are
files beside the server's code; nothing of that code is imported.
"""

from __future__ import annotations

import json
import re
from importlib.metadata import version
from importlib.resources import files
from typing import Final

_PAGE: Final = "openhands_strategies.server.web"
NAME: Final = "openhands-strategies"
ENTRY: Final = "extension.js"
_STYLES: Final = ("style.css", "run.css")
_IMPORT: Final = re.compile(r'^import \{([^}]*)\} from "\./([a-z]+)\.js";$', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)


def canvas_extension() -> dict[str, str]:
    """The files of the extension, by name."""
    return {
        "canvas-extension.json": json.dumps(_manifest(), indent=2) + "\n",
        ENTRY: _bundle(),
        "icon.svg": _text("static/icon.svg"),
    }


def _manifest() -> dict[str, object]:
    return {
        "schema_version": 1,
        "name": NAME,
        "display_name": "Strategies",
        "version": version("openhands-strategies"),
        "description": "Choose a strategy, start it, and watch its agents work",
        "entrypoint": ENTRY,
        "icon": "icon.svg",
        "contributes": {
            "pages": [{"id": "strategies", "title": "Strategies", "path": "/strategies"}]
        },
    }


def _bundle() -> str:
    modules: dict[str, str] = {}
    _collect("extension", modules)
    return (
        f"// openhands-strategies {version('openhands-strategies')}: "
        "made by `ohs canvas export` from the page's modules.\n"
        + "".join(modules.values())
        + "export const { activate } = extension_module;\n"
    )


def _collect(name: str, found: dict[str, str]) -> None:
    """Add a module behind those that it imports."""
    text = _source(name)
    for one in _IMPORT.finditer(text):
        if one[2] not in found:
            _collect(one[2], found)
    exported = ", ".join(one[1] for one in _EXPORT.finditer(text))
    body = _EXPORT.sub("", _IMPORT.sub(r"const {\1} = \2_module;", text))
    found[name] = f"const {name}_module = (() => {{\n{body}return {{ {exported} }};\n}})();\n"


def _source(name: str) -> str:
    if name == "styles":
        styles = "".join(_text(f"static/{one}") for one in _STYLES)
        return f"export const STYLES = {json.dumps(styles)};\n"
    return _text(f"canvas/{name}.js" if name == "extension" else f"static/{name}.js")


def _text(path: str) -> str:
    return files(_PAGE).joinpath(path).read_text(encoding="utf-8")

"""The findings as SARIF 2.1.0, which code hosts show beside the lines."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import quote

from openhands_strategies.manifest.checks import RULES

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT: Final = "STRATEGY"


def sarif(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a check's document as a SARIF log with one run.

    Paths start from the current directory where the strategy lies below it, as code hosts
    want them, and else from the strategy's own directory.
    """
    root = Path(document["strategy"]["root"])
    below = _below(root)
    findings = document["findings"]
    codes = sorted({one["code"] for one in findings})
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "ohs check",
                "version": version("openhands-strategies"),
                "rules": [_rule(code, findings) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, codes, below, document) for one in findings],
    }
    if below is None:
        run["originalUriBaseIds"] = {_ROOT: {"uri": f"{root.as_uri()}/"}}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str, findings: list[dict[str, Any]]) -> dict[str, Any]:
    rule = RULES.get(code)
    level = rule.severity if rule is not None else "error"
    first = next(one for one in findings if one["code"] == code)
    text = rule.help if rule is not None else "The strategy cannot be read, loaded, built or run."
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in code.split("_")),
        "shortDescription": {"text": text},
        "help": {"text": f"{text} What to do: {first['hint'] or 'see the message'}"},
        "defaultConfiguration": {"level": level},
    }


def _result(
    one: Mapping[str, Any],
    codes: list[str],
    below: PurePosixPath | None,
    document: Mapping[str, Any],
) -> dict[str, Any]:
    hint = f" ({one['hint']})" if one["hint"] else ""
    # Code hosts drop a result without a place.
    file = one["file"] or document["strategy"].get("file") or "."
    path = PurePosixPath(file) if below is None else below / file
    artifact: dict[str, Any] = {"uri": quote(str(path))}
    if below is None:
        artifact["uriBaseId"] = _ROOT
    place: dict[str, Any] = {"artifactLocation": artifact}
    if one["line"]:
        place["region"] = {"startLine": one["line"]}
    return {
        "ruleId": one["code"],
        "ruleIndex": codes.index(one["code"]),
        "level": one["severity"],
        "message": {"text": f"{one['message']}{hint}"},
        "locations": [{"physicalLocation": place}],
    }


def _below(root: Path) -> PurePosixPath | None:
    try:
        return PurePosixPath(root.relative_to(Path.cwd().resolve()).as_posix())
    except (ValueError, OSError):
        return None

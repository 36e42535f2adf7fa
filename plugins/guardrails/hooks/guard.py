"""PreToolUse hook: refuses destructive commands and writes outside the workspace.

It guards against slips, not against malice: a program that a command runs can do what it
likes. Reads the SDK's hook event as JSON on standard input; exit code 2 refuses the action,
and standard error tells the model why. Runs with any Python >= 3.8 and the standard library
only.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kinds import Finding
from places import Places
from rules import findings

MAX_COMMAND = 200_000
PATCHED = re.compile(r"^\*\*\* (?:(?:Add|Update|Delete) File|Move to): (.+?)\s*$", re.MULTILINE)


def judged(event: dict[str, Any], places: Places) -> Iterator[Finding]:
    """What speaks against the tool call in a hook event."""
    given = event.get("tool_input") or {}
    command = given.get("command")
    if event.get("tool_name") in ("file_editor", "planning_file_editor"):
        if command != "view":
            yield from _written(str(given.get("path") or ""), places)
    elif isinstance(command, str):
        if len(command) > MAX_COMMAND:
            yield Finding("outside-write", "it is too long to be looked through; use a file")
        else:
            yield from findings(command, places)
    elif event.get("tool_name") in ("edit", "write_file"):
        yield from _written(str(given.get("file_path") or ""), places)
    elif event.get("tool_name") == "apply_patch":
        for path in PATCHED.findall(str(given.get("patch") or "")):
            yield from _written(path, places)


def _written(path: str, places: Places) -> Iterator[Finding]:
    target = places.target(path)
    if target is not None and not places.writable(target):
        yield Finding("outside-write", f"it changes {target.path}, outside the workspace")


def main(words: list[str] | None = None) -> int:
    """Judge one hook event; 0 allows, 2 refuses."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--allow", default="", help="rules that are off, with commas between")
    parser.add_argument("--writable", default="", help="directories, with colons between")
    options = parser.parse_args(words)
    event = json.load(sys.stdin)
    workspace = Path(os.path.realpath(event.get("working_dir") or "."))
    extra = (Path(one).expanduser() for one in options.writable.split(":") if one)
    allowed = tuple(os.path.realpath(workspace / one) for one in extra)
    places = Places(str(workspace), allowed, str(workspace), {})
    off = {rule.strip() for rule in options.allow.split(",")}
    for finding in judged(event, places):
        if finding.rule not in off:
            print(
                f"Refused by guardrails [{finding.rule}]: {finding.reason}. Do not look for a way"
                " round this; if it is needed, say so in your answer.",
                file=sys.stderr,
            )
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""PostToolUse and Stop hook: reports secrets that tools have printed.

The SDK lets a PostToolUse hook only observe: what it prints stands in the conversation's event
log and reaches no model. So what is seen is also noted, without the secret itself, in a file
of this conversation; when the agent wants to stop, the Stop hook hands these notes to it once.
Runs with any Python >= 3.8 and the standard library only.
"""

from __future__ import annotations

import json
import math
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MAX_TEXT = 2_000_000
KINDS = {
    "AWS access key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})"),
    "GitLab token": re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}"),
    "Slack token": re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    "API key": re.compile(r"\bsk-(?:ant-|proj-|or-)?[A-Za-z0-9_-]{20,}"),
    "Google API key": re.compile(r"\bAIza[0-9A-Za-z_-]{35}"),
    "private key": re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----"),
}
ASSIGNED = re.compile(
    r"(?i)\b([\w.-]*(?:api_?key|secret|token|passw(?:or)?d|credential)[\w.-]*)"
    r"[\"']?\s*[:=]\s*[\"']?([A-Za-z0-9+/_=.~-]{16,})"
)
MIN_ENTROPY = 3.5
PLACEHOLDER = re.compile(r"(?i)example|placeholder|changeme|your[_-]|xxxx|\.\.\.|^[a-z_.-]+$")


def secrets_in(text: str) -> Iterator[tuple[str, str]]:
    """Kind and value of everything in a text that looks like a secret."""
    for kind, pattern in KINDS.items():
        for found in pattern.finditer(text):
            yield kind, found[0]
    for found in ASSIGNED.finditer(text):
        name, value = found.groups()
        if not PLACEHOLDER.search(value) and entropy(value) >= MIN_ENTROPY:
            yield f"value of {name[:60]}", value


def entropy(text: str) -> float:
    """Bits per character."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)


def report(text: str) -> list[str]:
    """One line for each different secret, with as much of it as tells which one."""
    values: dict[str, str] = {}
    for kind, value in secrets_in(text[:MAX_TEXT]):
        # One value may fit several patterns; the first one names it.
        if not any(value in known or known in value for known in values):
            values[value] = kind
    return [
        f"{kind}" if kind == "private key" else f"{kind} ({value[:4]}…, {len(value)} characters)"
        for value, kind in values.items()
    ]


def texts_of(data: Any) -> Iterator[str]:
    """All texts in a tool's response."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for value in data.values():
            yield from texts_of(value)
    elif isinstance(data, list):
        for value in data:
            yield from texts_of(value)


def notes_file(event: dict[str, Any]) -> Path:
    """Where the notes of one conversation stand; in a directory of this user alone."""
    directory = Path(tempfile.gettempdir()) / f"openhands-guardrails-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    if directory.lstat().st_uid != os.getuid() or directory.is_symlink():
        raise PermissionError(f"{directory} belongs to somebody else")
    name = re.sub(r"[^A-Za-z0-9-]", "", str(event.get("session_id") or "")) or "none"
    return directory / f"{name}.txt"


def after_a_tool(event: dict[str, Any]) -> None:
    """Note what a tool's output shows."""
    lines = report("\n".join(texts_of(event.get("tool_response"))))
    if not lines:
        return
    tool = event.get("tool_name")
    with notes_file(event).open("a", encoding="utf-8") as notes:
        notes.write("".join(f"{line} in the output of {tool}\n" for line in lines))
    told = f"Output of {tool} shows secrets: {'; '.join(lines)}."
    print(json.dumps({"reason": told, "additionalContext": told}))


def before_stopping(event: dict[str, Any]) -> None:
    """Hand the notes to the agent once, which goes on for it."""
    path = notes_file(event)
    try:
        lines = list(dict.fromkeys(path.read_text(encoding="utf-8").splitlines()))
        path.unlink()
    except FileNotFoundError:
        return
    seen = "\n".join(f"- {line}" for line in lines[:20])
    told = (
        f"Guardrails saw secrets in what your tools printed:\n{seen}\n"
        "They are now in this conversation and went to the model's provider. Make sure that"
        " you have written none of them into a file, a commit or your answer. Then finish"
        " again, and tell the user which ones these are, without the values, and that they"
        " should be replaced."
    )
    print(json.dumps({"decision": "deny", "reason": told}))


def main() -> int:
    """Handle one hook event; never blocks a tool."""
    event = json.load(sys.stdin)
    if event.get("event_type") == "Stop":
        before_stopping(event)
    else:
        after_a_tool(event)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Keys and passwords that stand in the files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from openhands_strategies.errors import LoadError
from openhands_strategies.manifest.checks.problem import Problem, make
from openhands_strategies.manifest.checks.subject import Subject
from openhands_strategies.manifest.files import entries, exists, read_text
from openhands_strategies.manifest.plugin import AGENT_FOLDERS, HOOK_FILES, MCP_FILES

_KINDS: Final = (
    ("an API key", re.compile(r"\b(?:sk|rk|pk)-[A-Za-z0-9_-]{20,}")),
    ("a GitHub token", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{50,})")),
    ("an AWS key", re.compile(r"\bAKIA[0-9A-Z]{16}\b")),
    ("a Slack token", re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}")),
    ("a Google key", re.compile(r"\bAIza[0-9A-Za-z_-]{35}")),
    ("a private key", re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----")),
)


def problems(subject: Subject) -> Iterator[Problem]:
    files = [scope.file for scope in subject.scopes]
    if subject.directory:
        folders = ("hooks", *AGENT_FOLDERS)
        files += [one for one in (*HOOK_FILES, *MCP_FILES) if exists(subject.root, one)]
        files += [
            f"{folder}/{name}" for folder in folders for name in entries(subject.root, folder)
        ]
    for file in dict.fromkeys(files):
        if not (subject.root / file).is_file():
            continue
        try:
            lines = read_text(subject.root, file).splitlines()
        except LoadError:
            continue  # no text; what must be one is a problem elsewhere
        for number, line in enumerate(lines, 1):
            kind = next((told for told, pattern in _KINDS if pattern.search(line)), None)
            if kind is not None:
                yield make(
                    "secret_literal",
                    f"{kind} stands in the file",
                    "revoke it, and take a parameter with secret=True, or ${VARIABLE}, instead",
                    file,
                    number,
                )

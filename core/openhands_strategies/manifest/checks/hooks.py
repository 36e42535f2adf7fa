"""Hooks: their scripts are there and can be run, their matchers match."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from openhands_strategies.manifest.checks.places import line_of
from openhands_strategies.manifest.checks.problem import Problem, make
from openhands_strategies.manifest.checks.subject import Subject
from openhands_strategies.manifest.files import exists, inside
from openhands_strategies.manifest.model import COMPUTED, Hook
from openhands_strategies.manifest.plugin import read_plugin

_ROOT: Final = r"\$\{(?:CLAUDE_)?PLUGIN_ROOT\}"
_SCRIPT: Final = re.compile(_ROOT + r"[\"']?/(?P<path>[\w./-]+)")
_DIRECT: Final = re.compile(r"(?:^|[;&|(]\s*)[\"']?" + _ROOT + r"[\"']?/(?P<path>[\w./-]+)")
_UNBRACED: Final = re.compile(r"\$(?:CLAUDE_)?PLUGIN_ROOT\b")
_HOME: Final = re.compile(r"(?:^|[\s\"'=])(?:/home/|/Users/|~/)")
_WORD: Final = re.compile(r"[\w./-]+")


def problems(subject: Subject) -> Iterator[Problem]:
    if subject.manifest is not None:
        hooks: tuple[Hook, ...] = subject.manifest.capabilities.hooks
    else:
        hooks = read_plugin(subject.root, subject.name).hooks if subject.directory else ()
    for hook in hooks:
        if hook.type == "command" and hook.command != COMPUTED:
            yield from _command(hook, subject)
        if not _compiles(hook.matcher):
            yield make(
                "hook_matcher",
                f"the matcher {hook.matcher!r} of {hook.event} is no regular expression, so the"
                " hook never runs",
                'write tool names separated by |, a regular expression, or "*"',
                hook.file,
                line_of(subject.root, hook.file, hook.matcher),
            )


def _command(hook: Hook, subject: Subject) -> Iterator[Problem]:
    root, command = subject.root, hook.command
    line = line_of(root, hook.file, command, *_WORD.findall(command)[::-1][:3])
    what = f"the hook of {hook.event}"
    if _UNBRACED.search(command):
        yield make("hook_root", f"{what} writes PLUGIN_ROOT without braces, which stays empty",
                   "write ${PLUGIN_ROOT}", hook.file, line)  # fmt: skip
    if _HOME.search(command):
        yield make("hook_path", f"{what} names a path of one machine's user",
                   "put the file into hooks/ and write ${PLUGIN_ROOT}/hooks/…",
                   hook.file, line)  # fmt: skip
    if not subject.directory and _SCRIPT.search(command):
        return
    direct = {found["path"] for found in _DIRECT.finditer(command)}
    for path in dict.fromkeys(found["path"] for found in _SCRIPT.finditer(command)):
        yield from _script(root, path, path in direct, what, hook.file, line)
    bare = _SCRIPT.sub(" ", command)
    for word in _WORD.findall(bare):
        relative = word.removeprefix("./")
        if "/" in relative and not relative.startswith("/") and (root / relative).is_file():
            yield make(
                "hook_relative",
                f"{what} runs {relative} from the user's workspace, where it does not exist",
                f"write ${{PLUGIN_ROOT}}/{relative}",
                hook.file,
                line,
            )


def _script(
    root: Path, path: str, direct: bool, what: str, file: str, line: int
) -> Iterator[Problem]:
    if not exists(root, path) or not inside(root, root / path) or not (root / path).is_file():
        yield make("hook_missing", f"{what} runs {path}, which does not exist",
                   "add the file, or correct the command", file, line)  # fmt: skip
        return
    if not direct:
        return
    if not os.access(root / path, os.X_OK):
        yield make("hook_not_executable", f"{what} runs {path}, which is not executable",
                   f"chmod +x {path}, or name the interpreter in the command", path)  # fmt: skip
    with (root / path).open("rb") as script:
        begin = script.read(4)
    if not begin.startswith((b"#!", b"\x7fELF", b"MZ")):
        yield make("hook_shebang", f"{what} runs {path}, whose first line names no interpreter",
                   "begin it with #!/usr/bin/env python3 or the like", path)  # fmt: skip


def _compiles(matcher: str) -> bool:
    pattern = matcher
    if len(pattern) > 1 and pattern.startswith("/") and pattern.endswith("/"):
        pattern = pattern[1:-1]
    if pattern in ("*", "", COMPUTED):
        return True
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    return True

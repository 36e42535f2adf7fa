"""PreToolUse hook for `terminal`: refuses commands that plainly change files.

It guards against a reviewer's slip, not against malice: a program that a command runs
(a test, a script) can do what it likes. Reads the SDK's hook event as JSON on standard
input; exit code 2 refuses the action, and standard error tells the model why. Runs with
any Python >= 3.8 and the standard library only.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Iterator


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


WRITERS = _set(
    "rm rmdir unlink shred mv cp install ln link touch mkdir mkfifo mknod chmod chown chgrp"
    " truncate dd tee patch rsync unzip ed ex apt apt-get brew systemctl kill pkill"
)
# Programs of which only some subcommands read.
READING = {
    "git": _set(
        "--version blame cat-file describe diff grep log ls-files ls-tree merge-base rev-list"
        " rev-parse shortlog show show-ref status version"
    ),
    "pip": _set("list show freeze check --version"),
    "pip3": _set("list show freeze check --version"),
    "npm": _set("test run ls list view outdated --version"),
    "cargo": _set("test check build tree metadata --version"),
}
VALUED = _set("-C -c --git-dir --work-tree --prefix --manifest-path")
WRITING_FLAGS = {
    "sed": re.compile(r"-[a-zA-Z]*i|--in-place"),
    "perl": re.compile(r"-[a-zA-Z]*i"),
    "find": re.compile(r"-delete|-fprintf?0?|-fls"),
    "tar": re.compile(r"-?[a-zA-Z]*[xcru][a-zA-Z]*|--extract|--create"),
    "sort": re.compile(r"-o|--output.*"),
    "curl": re.compile(r"-[oO]|--output|--remote-name"),
}
PREFIXES = _set("sudo command env time nohup nice xargs exec builtin then do else")
NESTED = frozenset(["-exec", "-execdir", "-ok"])
SEPARATORS = _set("; && || | & ( ) |& ;; { }")
# Redirections there lose nothing.
HARMLESS = re.compile(r"/dev/(null|stdout|stderr)|&?\d|-")


def reason_to_refuse(command: str) -> str | None:
    """Why a command is refused, or None when it seems only to read."""
    inner = re.findall(r"\$\(([^()]*)\)|`([^`]*)`", command)
    for part in [command] + [first or second for first, second in inner]:
        for line in part.replace("\\\n", " ").splitlines():
            try:
                words = _words(line)
            except ValueError:
                continue  # A quote that spans lines; its lines are no commands.
            reason = _redirection(words) or next(filter(None, map(_writes, _commands(words))), None)
            if reason:
                return reason
    return None


def _words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = "#"
    return list(lexer)


def _redirection(words: list[str]) -> str | None:
    for index, word in enumerate(words):
        if set(word) <= set("><&|") and ">" in word and word != ">&":
            target = words[index + 1] if index + 1 < len(words) else ""
            if not HARMLESS.fullmatch(target):
                return f"it writes to {target!r}"
    return None


def _commands(words: list[str]) -> Iterator[list[str]]:
    current: list[str] = []
    for word in words:
        if word in SEPARATORS:
            yield current
            current = []
        else:
            current.append(word)
    yield current


def _writes(words: list[str]) -> str | None:
    while words and (words[0] in PREFIXES or re.match(r"[A-Za-z_]\w*=", words[0])):
        words = words[1:]
    if not words:
        return None
    program, arguments = words[0].rpartition("/")[2], words[1:]
    if program in WRITERS:
        return f"{program!r} changes files"
    if program in ("sh", "bash", "zsh", "dash", "eval") and "-c" in arguments[:1]:
        return reason_to_refuse(" ".join(arguments[1:]))
    if program in READING:
        subcommand = _subcommand(arguments)
        if subcommand not in READING[program]:
            return f"'{program} {subcommand}' may change something"
    flag = WRITING_FLAGS.get(program)
    found = next((word for word in arguments if flag and flag.fullmatch(word)), None)
    if found:
        return f"'{program} {found}' writes files"
    for index, word in enumerate(arguments):
        if word in NESTED:
            return _writes(arguments[index + 1 :])
    return None


def _subcommand(arguments: list[str]) -> str:
    """The first word that is no option and no option's value; `--version` counts too."""
    words = iter(arguments)
    for word in words:
        if word in VALUED:
            next(words, None)
        elif word == "--version" or not word.startswith("-"):
            return word
    return ""


def main() -> int:
    """Judge one hook event; 0 allows, 2 refuses."""
    event = json.load(sys.stdin)
    command = str((event.get("tool_input") or {}).get("command") or "")
    reason = reason_to_refuse(command)
    if reason is None:
        return 0
    print(
        f"Reviewers only read: {reason}. Report what you would change instead.",
        file=sys.stderr,
    )
    return 2


if __name__ == "__main__":
    sys.exit(main())

"""What `git` is refused: throwing work away, and rewriting what others have.

Runs with any Python >= 3.8 and the standard library only.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

from places import Places
from wrappers import words_of
from writers import has_flag, operands

_GLOBAL_VALUED = words_of("-C -c --git-dir --work-tree --namespace --exec-path")


def git_findings(arguments: list[str], places: Places) -> Iterator[tuple[str, str]]:
    """Rule and reason for each thing that this call of git would lose."""
    directory = places.cwd
    rest = list(arguments)
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option in _GLOBAL_VALUED and rest:
            value = rest.pop(0)
            target = places.target(value) if option == "-C" else None
            directory = target.path if target else directory
    if not rest:
        return
    subcommand, words = rest[0], rest[1:]
    if subcommand == "push":
        forced = _forced(words)
        if forced:
            yield "force-push", f"'git push {forced}' rewrites or removes what others may have"
    elif subcommand == "reset" and "--hard" in words:
        if dirty(directory):
            yield "git-discard", "'git reset --hard' loses changes that are not committed"
    elif subcommand == "clean" and not has_flag(words, "n", "--dry-run"):
        if has_flag(words, "f", "--force") and dirty(directory, ignored=has_flag(words, "xX")):
            yield "git-discard", "'git clean' removes files that are nowhere else"
    elif subcommand in ("checkout", "restore", "switch"):
        if _throws_all_away(subcommand, words) and dirty(directory):
            yield "git-discard", f"'git {subcommand}' loses changes that are not committed"
    elif subcommand == "stash" and words[:1] in (["drop"], ["clear"]):
        yield "git-discard", f"'git stash {words[0]}' loses stashed changes"


def _forced(words: list[str]) -> str:
    """The option or refspec that forces a push; empty without one."""
    for word in words:
        if re.fullmatch(r"--(force(-with-lease|-if-includes)?|mirror|delete|prune)(=.*)?", word):
            return word
        if re.fullmatch(r"-[a-zA-Z]*[fd][a-zA-Z]*", word):
            return word
    return next((word for word in operands("git", words)[1:] if word[:1] in "+:"), "")


def _throws_all_away(subcommand: str, words: list[str]) -> bool:
    if subcommand == "restore":
        only_staged = has_flag(words, "S", "--staged") and not has_flag(words, "W", "--worktree")
        if only_staged:
            return False
    elif has_flag(words, "f", "--force", "--discard-changes"):
        return True
    return any(word in (".", "./", ":/", "\ue000") for word in words)


def dirty(directory: str | None, *, ignored: bool = False) -> bool:
    """Whether a work tree has something that is not committed; True where git does not say.

    Args:
        directory: In the work tree; None means that it is not known.
        ignored: Whether ignored files count.
    """
    if directory is None:
        return True
    command = ["git", "--no-optional-locks", "-c", "core.fsmonitor=false", "status", "--porcelain"]
    try:
        done = subprocess.run(
            [*command, *(["--ignored"] if ignored else [])],
            cwd=directory,
            capture_output=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return True
    # Where there is no repository, the command itself fails and loses nothing.
    return done.returncode == 0 and bool(done.stdout.strip())

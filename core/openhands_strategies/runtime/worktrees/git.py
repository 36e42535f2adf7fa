"""Git in the user's own repository: a closed list of commands, none of which changes a ref.

`sources.git_command` is for strangers' repositories and turns the user's settings off. Here
the user's attributes, filters and excludes must count, or a worktree would not be what the
user has; only hooks, housekeeping and prompts are off. Values from outside are paths and
object ids; they stand after `--`, or come from git itself.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from openhands_strategies.errors import ResolveError, RunError, UsageError, one_line
from openhands_strategies.sources.git_environment import environment, programs

OLDEST: Final = (2, 23)
"""The first git that says where a ref is checked out (`%(worktreepath)`)."""

_SECONDS: Final = 600.0
_SETTINGS: Final = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "advice.addEmbeddedRepo=false",
)
_KEPT: Final = (
    *("LC_ALL", "LANGUAGE", "PATH", "GIT_TERMINAL_PROMPT", "GCM_INTERACTIVE"),
    *("SSH_ASKPASS_REQUIRE", "GIT_OPTIONAL_LOCKS"),
)
# A snapshot belongs to nobody: whoever made the changes is not its author.
_NOBODY: Final = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "openhands-strategies"), ("EMAIL", "noreply@localhost"))
}
_COMMANDS: Final = (
    ("version",),
    ("rev-parse", "--is-inside-work-tree", "--show-toplevel", "--show-prefix"),
    ("rev-parse", "--git-common-dir"),
    ("rev-parse", "--git-path", "index"),
    ("rev-parse", "--verify", "--quiet", "HEAD^{commit}"),
    ("check-ignore", "--quiet", "--"),
    ("ls-files", "--stage", "-z", "--full-name"),
    ("add", "--all"),
    ("write-tree",),
    ("commit-tree", "-F", "-"),
    ("commit-tree", "-F", "-", "-p"),
    ("worktree", "add", "--quiet", "--detach", "--"),
    ("worktree", "remove", "--force", "--force", "--"),
    # Not `diff`: what it prints depends on the user's settings.
    ("diff-tree", "-r", "-p", "--binary", "--full-index", "--no-ext-diff", "--no-textconv"),
    ("diff-tree", "-r", "-M", "--stat=100,60,40", "--summary", "--no-ext-diff"),
    ("apply", "--check", "--whitespace=nowarn", "--"),
    ("apply", "--whitespace=nowarn", "--"),
    ("apply", "--check", "--reverse", "--whitespace=nowarn", "--"),
    ("apply", "--cached", "--3way", "--whitespace=nowarn", "--"),
    ("for-each-ref", "--format=%(refname) %(objectname) %(worktreepath)", "--contains"),
    ("update-ref", "-d"),
    ("stash", "drop", "--quiet", "stash@{0}"),
)


def git(
    command: Sequence[str],
    operands: Sequence[str] = (),
    *,
    at: Path,
    index: Path | None = None,
    tree: tuple[Path, Path] | None = None,
    stdin: str = "",
    ok: Sequence[int] = (0,),
) -> str:
    """Run one git command in a directory of the user's and return what it printed.

    Args:
        command: One of the closed list.
        operands: Paths, object ids and ref names; none begins with `-`.
        at: Directory to run in.
        index: Index file to use instead of the repository's.
        tree: Repository and working tree, where what lies in `at` must not decide.
        stdin: What git reads.
        ok: Exit codes that count as success.

    Raises:
        UsageError: `git_missing`.
        RunError: `git_failed` with the line that git wrote, or `git_timeout`.
        ValueError: The command is not in the list, or an operand could be an option.
    """
    return git_bytes(command, operands, at=at, index=index, tree=tree, stdin=stdin, ok=ok).decode(
        "utf-8", "surrogateescape"
    )


def git_bytes(
    command: Sequence[str],
    operands: Sequence[str] = (),
    *,
    at: Path,
    index: Path | None = None,
    tree: tuple[Path, Path] | None = None,
    stdin: str = "",
    ok: Sequence[int] = (0,),
) -> bytes:
    """As `git`, for output that is no text."""
    if tuple(command) not in _COMMANDS:
        raise ValueError(f"git {' '.join(command)} is not in the list of commands")
    if any(not one or one.startswith("-") or "\0" in one for one in operands):
        raise ValueError("an operand could be taken for an option")
    program, variables = _surroundings()
    if index is not None:
        variables["GIT_INDEX_FILE"] = str(index)
    if tree is not None:
        variables["GIT_DIR"], variables["GIT_WORK_TREE"] = (str(one) for one in tree)
    settings = [part for one in _SETTINGS for part in ("-c", one)]
    process = subprocess.Popen(
        [program, *settings, *command, *operands],
        cwd=at,
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(stdin.encode(), timeout=_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise RunError(
            "git_timeout",
            f"git {command[0]} in {at} did not end within {_SECONDS:g} seconds",
            "is the repository on a slow disk, or does it hold large untracked files?",
        ) from error
    finally:
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    if process.returncode not in ok:
        raise RunError(
            "git_failed", f"git {command[0]} in {at}: {_telling(err)}", "run it by hand to see why"
        )
    return out


def check_git(at: Path) -> None:
    """Refuse a git without worktrees that can be removed again.

    Raises:
        UsageError: `git_missing` or `git_too_old`.
    """
    said = git(("version",), at=at)
    match = re.search(r"(\d+)\.(\d+)", said)
    if match is None or (int(match[1]), int(match[2])) < OLDEST:
        raise UsageError(
            "git_too_old",
            f"worktrees need git {'.'.join(map(str, OLDEST))} or later, and this is {said[:60]!r}",
            "update git, or put a newer one first on PATH",
        )


def _surroundings() -> tuple[str, dict[str, str]]:
    try:
        _, program, path = programs()
    except ResolveError as error:
        raise UsageError(
            "git_missing", "git worktrees need the program git, which is not on PATH", "install git"
        ) from error
    dropped, fixed = environment(path, Path(os.devnull), "none")
    passed = {name: value for name, value in os.environ.items() if name not in dropped}
    mine = {name: fixed[name] for name in _KEPT}
    ours = {name: value for name, value in passed.items() if not name.startswith("GIT_")}
    return program, {**ours, **mine, **_NOBODY}


def _telling(err: bytes) -> str:
    """The line that names the reason."""
    lines = [line for line in err.decode("utf-8", "replace").splitlines() if line.strip()]
    hits = [line for line in lines if re.match(r"(fatal|error): ", line)]
    return one_line((hits or lines or ["it failed without a word"])[0])[:300]

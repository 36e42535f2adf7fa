"""The one place that runs git, through GitPython, with a closed list of commands.

Only `git.cmd.Git().execute` with a literal argument list is used: no shell, no `Repo`, no
keyword that becomes an option. A value from outside goes into `operands`, which stand
after `--end-of-options`, or into a file that git reads. GitPython is imported when
something is fetched.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from openhands_strategies.errors import ResolveError, describe
from openhands_strategies.sources.git_environment import (
    SETTINGS,
    environment,
    programs,
)
from openhands_strategies.sources.git_errors import failure
from openhands_strategies.sources.git_place import GitPlace, Progress
from openhands_strategies.sources.git_process import Lines, Output, end, pump

if TYPE_CHECKING:
    from git.cmd import Git

__all__ = ["OLDEST", "Progress", "check_version", "run_git"]

OLDEST: Final = (2, 34)
_OPTIONS: Final[Mapping[str, frozenset[str]]] = {
    "version": frozenset(),
    "ls-remote": frozenset(),
    "ls-tree": frozenset(("-r", "-d", "-z", "--full-tree", "--name-only")),
    "cat-file": frozenset(("--batch", "--batch-check", "--buffer")),
    "fetch": frozenset(
        (
            *("--progress", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"),
            *("--no-auto-maintenance", "--no-write-commit-graph", "--stdin", "--depth=1"),
            "--filter=blob:none",
        )
    ),
}


def run_git(
    place: GitPlace,
    verb: str,
    options: Sequence[str] = (),
    operands: Sequence[str] = (),
    *,
    stdin: Path | None = None,
    sink: Callable[[bytes], None] | None = None,
) -> bytes:
    """Run one command of git and return what it printed.

    Args:
        place: Where, and for which URL.
        verb: A command out of the closed list, with `options` out of its list.
        options: Literals.
        operands: Checked values; none begins with `-` or holds a control character.
        stdin: File that git reads; nothing by default.
        sink: Takes the output piece by piece; then nothing is returned and
            `limits.output` does not count.

    Raises:
        ResolveError: `git_missing`, `git_timeout`, `git_output_too_large`,
            `git_download_too_large`, or what `git_errors.failure` names.
        ValueError: The command is not in the closed list.
    """
    if verb not in _OPTIONS or not _OPTIONS[verb].issuperset(options):
        raise ValueError(f"git {verb} {' '.join(options)} is not in the list of commands")
    if any(one.startswith("-") or not one.isprintable() or not one for one in operands):
        raise ValueError("an operand could be taken for an option")
    env, git, path = programs()
    dropped, variables = environment(path, place.directory, _protocols(place.url, verb))
    command = [env, *(part for name in dropped for part in ("-u", name)), git]
    for setting in (*SETTINGS, f"http.lowSpeedTime={place.limits.stalled}"):
        command += ["-c", setting]
    command += [verb, *options]
    if operands:
        command += ["--end-of-options", *operands]
    with contextlib.ExitStack() as stack:
        source = None if stdin is None else stack.enter_context(stdin.open("rb"))
        # A session of its own has no terminal to ask on, and is ended with all its children.
        running = _git().execute(
            command, istream=source, env=variables, as_process=True, start_new_session=True
        )
        process = running.proc
        if process is None or process.stdout is None or process.stderr is None:
            raise failure(place.url, ["fatal: git could not be started"])
        stack.callback(process.stderr.close)
        stack.callback(process.stdout.close)
        stack.callback(end, process)
        output, lines = Output(place, sink), Lines(place.progress)
        pump(process, output, lines, place)
    if process.returncode:
        raise failure(place.url, lines.kept)
    return bytes(output.held)


def check_version(place: GitPlace) -> None:
    """Refuse a git that does not know the options that are used.

    Raises:
        ResolveError: `git_missing` or `git_too_old`.
    """
    said = run_git(place, "version").decode("utf-8", "replace")
    match = re.search(r"(\d+)\.(\d+)", said)
    if match is None or (int(match[1]), int(match[2])) < OLDEST:
        raise ResolveError(
            "git_too_old",
            f"fetching needs git {'.'.join(map(str, OLDEST))} or later, and this is {said[:60]!r}",
            "update git, or put a newer one first on PATH",
        )


def _git() -> Git:
    try:
        from git.cmd import Git
    except ImportError as error:  # GitPython runs git when it is imported
        raise ResolveError(
            "git_missing", f"git cannot be used: {describe(error)}", "install git 2.34 or later"
        ) from error
    return Git("/")  # no repository, and nobody's project


def _protocols(url: str, verb: str) -> str:
    """What git may speak: nothing where it only reads, so that it fetches no missing object.

    `https` and `ssh` go together, because users rewrite one to the other in their settings.
    """
    if verb not in ("fetch", "ls-remote"):
        return "none"
    return "file" if url.startswith("file:") else "https:ssh"

"""Programs that start another program: what they start.

Runs with any Python >= 3.8 and the standard library only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


def words_of(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


SHELLS = words_of("sh bash zsh dash ksh ash fish")
AS_ROOT = words_of("sudo doas su pkexec runuser")
# Options of a wrapper that take the next word.
_WRAPPERS = {
    "sudo": "-u -g -h -p -C -D -R -T -U --user --group --chdir",
    "doas": "-u -C",
    "pkexec": "--user",
    "env": "-u -C -S --unset --chdir --split-string",
    "command": "",
    "builtin": "",
    "exec": "-a",
    "nohup": "",
    "setsid": "",
    "time": "-f -o",
    "nice": "-n --adjustment",
    "ionice": "-c -n -p",
    "chrt": "-p",
    "timeout": "-k -s --kill-after --signal",
    "stdbuf": "-i -o -e",
    "busybox": "",
    "watch": "-n --interval",
    "parallel": "-j -a -S -N -L -n --jobs --arg-file --max-args --colsep --delay --timeout",
    "xargs": "-I -i -n -P -L -d -a -s -E --max-args --max-procs --delimiter --replace",
}


@dataclass(frozen=True)
class Unwrapped:
    """What a command line starts in the end.

    Attributes:
        words: Program and arguments.
        as_root: The wrapper that acts as another user; empty without one.
        from_pipe: Whether it gets further arguments from a pipe.
    """

    words: list[str]
    as_root: str = ""
    from_pipe: bool = False


def unwrapped(words: list[str]) -> Unwrapped:
    """Take `sudo`, `env A=b`, `timeout 5`, `xargs` and their like away."""
    as_root, from_pipe = "", False
    while words:
        program = words[0].rpartition("/")[2]
        if program in AS_ROOT:
            as_root = as_root or program
        if program in ("su", "runuser"):
            return Unwrapped(_shell_of(words), as_root, from_pipe)
        if program not in _WRAPPERS:
            break
        from_pipe = from_pipe or program == "xargs"
        words = _rest(words[1:], words_of(_WRAPPERS[program]))
        if program == "timeout":
            words = words[1:]
        if program == "parallel":
            from_pipe = from_pipe or ":::" not in words
            # Its command may be one word.
            words = [*(words[0].split() if words else []), *words[1:]]
    return Unwrapped(words, as_root, from_pipe)


def _rest(words: list[str], valued: frozenset[str]) -> list[str]:
    """The words after a wrapper's options and assignments."""
    number = 0
    while number < len(words):
        word = words[number]
        if word == "--":
            return words[number + 1 :]
        if word in valued:
            number += 2
        elif word.startswith("-") or re.match(r"[A-Za-z_]\w*=", word):
            number += 1
        else:
            break
    return words[number:]


def _shell_of(words: list[str]) -> list[str]:
    """`su -c CODE` as the shell that it starts."""
    for number, word in enumerate(words):
        if word in ("-c", "--command") and number + 1 < len(words):
            return ["sh", "-c", words[number + 1]]
    return []

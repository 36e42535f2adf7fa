"""What of a command line is refused, and by which rule.

Runs with any Python >= 3.8 and the standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from gits import git_findings
from kinds import (
    DEVICE,
    DISK_PROGRAMS,
    FETCHERS,
    FORK_BOMB,
    INTERPRETERS,
    MAX_DEPTH,
    POWER,
    Finding,
)
from piped import code_in, printed, programs_in
from places import UNKNOWN, Places, Target, as_code
from shell import parse
from words import Command
from wrappers import SHELLS, unwrapped
from writers import has_flag, operands, written


def findings(source: str, places: Places, depth: int = 0) -> Iterator[Finding]:
    """Everything in a script that a rule is against, in order.

    Args:
        source: Shell code.
        places: Where it runs; what `cd` and assignments do is written there.
        depth: How many shells it stands in.
    """
    if depth > MAX_DEPTH:
        yield Finding("delete-tree", f"shells are nested deeper than {MAX_DEPTH} levels")
        return
    if FORK_BOMB.search(source):
        yield Finding("fork-bomb", "a function that starts itself twice fills the machine")
    commands = parse(source)
    many = {c.pipeline for c in commands if sum(o.pipeline == c.pipeline for o in commands) > 1}
    scopes: dict[tuple[int, ...], Places] = {(): places}
    fetched: set[int] = set()
    starts: dict[int, list[str]] = {}
    for number, command in enumerate(commands):
        for level in range(1, len(command.scope) + 1):
            outer = scopes[command.scope[: level - 1]]
            scopes.setdefault(command.scope[:level], outer.copy())
        here = scopes[command.scope]
        lasting = depth == 0 and not command.scope and command.pipeline not in many
        # Each part of a pipe is a subshell.
        own = here.copy() if command.pipeline in many else here
        judge = _Judge(command, own, depth, lasting, command.pipeline in fetched)
        judge.found_files = starts.get(command.pipeline, [])
        before = commands[number - 1] if number else None
        if before is not None and before.pipeline == command.pipeline:
            judge.printed = printed(before, own)
        yield from judge.findings()
        if judge.programs & FETCHERS:
            fetched.add(command.pipeline)
        if "find" in judge.programs:
            starts[command.pipeline] = judge.find_starts


class _Judge:
    """One simple command."""

    def __init__(
        self, command: Command, places: Places, depth: int, lasting: bool, fetched: bool
    ) -> None:
        self.command = command
        self.places = places
        self.depth = depth
        self.lasting = lasting
        self.fetched = fetched
        self.programs: set[str] = set()
        self.find_starts: list[str] = []
        self.found_files: list[str] = []
        # What comes out of the pipe; None where that is not known.
        self.printed: list[str] | None = None

    def findings(self) -> Iterator[Finding]:
        for word in self.command.words:
            for piece in word:
                if piece.kind == "code":
                    yield from findings(piece.text, self.places.copy(), self.depth + 1)
        for sign, target in self.command.redirections:
            if sign not in ("<", "<<<", "<&"):
                for text in self.places.expand(target):
                    if not re.fullmatch(r"\d+|-", text) or not sign.endswith("&"):
                        yield from self.written(text, "writes to")
        words = [text for word in self.command.words for text in self.places.expand(word)]
        words = self.assigned(words)
        yield from self.judged(words)

    def assigned(self, words: list[str]) -> list[str]:
        """Take assignments from the front and remember what they say."""
        if words[:1] == ["for"] and words[2:3] == ["in"]:
            self.places.values[words[1]] = words[3:]
            return []
        if words[:1] == ["read"]:
            self.places.values.update({name: [UNKNOWN] for name in words[1:]})
        rest = words[1:] if words[:1] and words[0] in ("export", "local", "readonly") else words
        taken = 0
        while taken < len(rest) and re.match(r"[A-Za-z_]\w*=", rest[taken]):
            taken += 1
        if taken == len(rest):
            for word in rest:
                name, _, value = word.partition("=")
                self.places.values[name] = [value]
        return rest[taken:]

    def judged(self, words: list[str]) -> Iterator[Finding]:
        """Judge a program with its arguments, through what it is wrapped in."""
        unwrapping = unwrapped(words)
        if unwrapping.as_root:
            yield Finding("sudo", f"{unwrapping.as_root!r} acts as somebody else")
        words = unwrapping.words
        if unwrapping.from_pipe:
            words = [*words, *(f"{start}/{UNKNOWN}" for start in self.found_files or [UNKNOWN])]
        if not words:
            return
        program, arguments = words[0].rpartition("/")[2], words[1:]
        self.programs.add(program)
        yield from self.runs(program, arguments)
        if program in ("cd", "pushd"):
            yield from self.moves(arguments)
        elif program == "find":
            yield from self.finds(arguments)
        elif program == "git":
            for rule, reason in git_findings(arguments, self.places):
                yield Finding(rule, reason)
        elif DISK_PROGRAMS.fullmatch(program):
            yield Finding("disk", f"{program!r} overwrites a disk")
        elif program in POWER or self.stops_machine(program, arguments):
            yield Finding("power", f"{program!r} stops the machine or everything on it")
        recursive = program == "rm" and has_flag(arguments, "rR", "--recursive")
        for text in written(program, arguments):
            if recursive:
                yield from self.removed_tree(text)
            if program in ("chmod", "chown", "chgrp") and has_flag(arguments, "R", "--recursive"):
                yield from self.permissions(program, text)
            removes = program in ("rm", "unlink", "rmdir", "mv", "ln")
            yield from self.written(text, f"{program!r} changes", follow=not removes)

    def runs(self, program: str, arguments: list[str]) -> Iterator[Finding]:
        """Code that a shell is given as a word, a document, or by another program."""
        for code in code_in(program, arguments):
            yield from findings(as_code(code), self.places.copy(), self.depth + 1)
        if program not in INTERPRETERS:
            return
        inner = [p.text for w in self.command.words for p in w if p.kind == "code"]
        if any(set(programs_in(text)) & FETCHERS for text in inner):
            yield Finding("remote-code", f"{program!r} runs what was just fetched, unread")
        positional = operands(program, arguments)
        reads = not positional or positional == ["-"] or "-s" in arguments
        reads = reads and not has_flag(arguments, "cme")
        if self.fetched and (reads or "/dev/stdin" in positional):
            yield Finding("remote-code", f"{program!r} runs what was just fetched, unread")
        if program == "eval":
            yield from findings(as_code(" ".join(arguments)), self.places, self.depth)
        if program not in SHELLS or not reads:
            return
        given = [
            as_code(text)
            for sign, target in self.command.redirections
            if sign == "<<<"
            for text in self.places.expand(target)
        ]
        given += self.command.documents
        if self.command.piped and not given:
            if self.printed is None:
                yield Finding("remote-code", f"{program!r} runs what is piped into it, unread")
            given += self.printed or []
        for text in given:
            yield from findings(text, self.places.copy(), self.depth + 1)

    def moves(self, arguments: list[str]) -> Iterator[Finding]:
        """`cd`: later commands start there, also those of later calls."""
        words = operands("cd", arguments)
        target = (
            None
            if words == ["-"]
            else self.places.target(words[0] if words else str(Path("~").expanduser()))
        )
        if target is None or not target.whole:
            self.places.cwd = None
            return
        if self.lasting and not self.places.writable(target):
            yield Finding(
                "leave-workspace",
                f"'cd {target.path}' leaves the workspace for all later commands; put it in"
                " parentheses, (cd … && …), or use absolute paths",
            )
        self.places.cwd = target.path

    def finds(self, arguments: list[str]) -> Iterator[Finding]:
        """`find` with `-delete` or `-exec`."""
        count = next((n for n, w in enumerate(arguments) if w[:1] in "-(!"), len(arguments))
        self.find_starts = arguments[:count] or ["."]
        tests = [
            w for w in arguments if re.match(r"-(i?(name|path|regex)|[acm]?(time|min)|size)", w)
        ]
        if "-delete" in arguments:
            for start in self.find_starts:
                if not tests:
                    yield from self.removed_tree(start)
                yield from self.written(start, "'find -delete' removes")
        for number, word in enumerate(arguments):
            if word in ("-exec", "-execdir", "-ok", "-okdir"):
                run = []
                for one in arguments[number + 1 :]:
                    if one in (";", "+"):
                        break
                    run.append(one)
                for start in self.find_starts:
                    yield from self.judged([w.replace("{}", f"{start}/{UNKNOWN}") for w in run])

    def stops_machine(self, program: str, arguments: list[str]) -> bool:
        if program == "systemctl":
            return bool(set(arguments) & {"poweroff", "reboot", "halt", "kexec"})
        if program in ("init", "telinit"):
            return arguments[:1] in (["0"], ["6"])
        return program == "kill" and arguments[-1:] in (["-1"], ["1"]) and len(arguments) > 1

    def removed_tree(self, text: str) -> Iterator[Finding]:
        target = self.places.target(text, follow=text.endswith("/"))
        if target is None:
            yield Finding(
                "delete-tree",
                "what 'rm -r' would remove cannot be seen from here; write the path out",
            )
        elif any(target.covers(place) for place in (*self.places.protected,)) or (
            target.covers(f"{self.places.workspace}/.git")
        ):
            yield Finding("delete-tree", f"it would remove {_shown(target)} with all that is in it")

    def permissions(self, program: str, text: str) -> Iterator[Finding]:
        target = self.places.target(text)
        home = self.places.protected[2]
        above = target is not None and target.path != self.places.workspace
        if (
            target is not None
            and above
            and (target.covers(self.places.workspace) or target.covers(home))
        ):
            yield Finding("permissions", f"'{program} -R' on {_shown(target)} reaches too far")

    def written(self, text: str, how: str, *, follow: bool = True) -> Iterator[Finding]:
        """A path that is written: a device, or outside of what may be written."""
        target = self.places.target(text, follow=follow)
        if target is None:
            return
        if DEVICE.match(target.path) or DEVICE.match(text):
            yield Finding("disk", f"{how} the device {target.path}")
        elif not self.places.writable(target):
            yield Finding("outside-write", f"{how} {_shown(target)}, outside the workspace")


def _shown(target: Target) -> str:
    return target.path if target.whole else f"{target.path.rstrip('/')}/…"

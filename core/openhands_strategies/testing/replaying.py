"""A recorded run as a script: every request gets the answer that it got then.

A request is known by its model, its system prompt, the tools it offers, what the user said and
what the assistant did before. The texts of tool results do not count unless `strict`: they hold
times, versions and line numbers. Whatever else departs from the recording is an error that shows
both.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from openhands_strategies.testing.cleaning import Cleaner, filled
from openhands_strategies.testing.replay_file import (
    RecordedTurn,
    Recording,
    ReplayError,
    normal_request,
    read_recording,
)
from openhands_strategies.testing.replies import Call, Reply
from openhands_strategies.testing.turns import Turn


class ReplayMismatch(ReplayError):
    """A request that the recording does not have, or a recorded one that never came."""


@dataclass(frozen=True)
class Replay:
    """A script that plays a recorded run; made by `replay`.

    Attributes:
        path: The replay file, read when the first request comes.
        places: Directories of this run, by the names they have in the file.
        system: Whether system prompts and offered tools must be as recorded.
        strict: Whether the texts of tool results must be as recorded.
    """

    path: Path
    places: Mapping[str, Path] = field(default_factory=dict)
    system: bool = True
    strict: bool = False

    def __call__(self, turn: Turn) -> Reply:
        """The recorded answer.

        Raises:
            ReplayMismatch: The recording has no such request.
            ReplayError: The file is missing or damaged.
        """
        came, text = normal_request(turn.model, turn.messages, tuple(turn.tools), self._cleaner)
        key = self._key(came)
        found = [one for one in self.recording.turns if self._key(one) == key]
        if not found:
            raise ReplayMismatch(self._departure(came, text))
        alike = [one for one in found if one.messages == came.messages] or found
        # Equal requests that were answered differently: in the order of the recording.
        chosen = alike[min(turn.attempt, len(alike) - 1)]
        calls = tuple(
            Call(one["name"], filled(one["arguments"], self.places)) for one in chosen.calls
        )
        return Reply(text=filled(chosen.text, self.places), calls=calls)

    def placed(self, places: Mapping[str, Path]) -> Replay:
        """The same replay in other directories; places that it has already stay."""
        return replace(self, places={**places, **self.places})

    @cached_property
    def recording(self) -> Recording:
        """What the file holds.

        Raises:
            ReplayError: It is missing or damaged.
        """
        return read_recording(self.path)

    @property
    def model(self) -> str:
        """The main model's full name, for example `openai/main`.

        Raises:
            ReplayError: The file is missing or damaged.
        """
        return self.recording.model

    def check_played(self, answered: int) -> None:
        """Refuse a run that ended before the recording did.

        Raises:
            ReplayMismatch: Fewer requests were answered than recorded.
        """
        recorded = len(self.recording.turns)
        if answered < recorded:
            raise ReplayMismatch(
                f"{self.path}: {answered} of the {recorded} recorded requests came;"
                " the run does less than the recorded one"
            )

    @cached_property
    def _cleaner(self) -> Cleaner:
        return Cleaner(self.places)

    def _key(self, turn: RecordedTurn) -> str:
        return "\n".join(self._lines(turn, ""))

    def _lines(self, turn: RecordedTurn, system: str) -> Iterator[str]:
        """A request as text, one piece a line, for comparison and for people."""
        yield f"model {turn.model}"
        if self.system:
            yield f"tools {', '.join(turn.tools)}"
            yield f"system {turn.system}"
            yield from _indented(system)
        for message in turn.messages:
            if message["role"] == "tool":
                yield f"tool {message.get('tool')}"
                if self.strict:
                    yield from _indented(message["text"])
                continue
            yield str(message["role"])
            yield from _indented(message["text"])
            for made in message.get("calls", ()):
                arguments = json.dumps(made["arguments"], sort_keys=True, ensure_ascii=False)
                yield f"  call {made['name']} {arguments}"

    def _departure(self, came: RecordedTurn, system: str) -> str:
        lines = list(self._lines(came, system))
        recorded = [
            (one, list(self._lines(one, self.recording.systems.get(one.system, ""))))
            for one in self.recording.turns
            if one.model == came.model
        ]
        near = _nearest(came, lines, recorded)
        if near is None:
            known = ", ".join(sorted({one.model for one in self.recording.turns})) or "none"
            return (
                f"{self.path} has no request to model {came.model!r}, only to: {known}; record it"
                " again, or run the strategy with the recorded models"
            )
        number = self.recording.turns.index(near[0]) + 1
        shown = difflib.unified_diff(
            near[1], lines, f"recorded (turn {number})", "came", lineterm="", n=3
        )
        head = (
            f"{self.path}: the run departs from the recording at turn {number};"
            " record it again if that is meant"
        )
        return "\n".join([head, *shown])


def replay(
    path: Path | str,
    *,
    workspace: Path | None = None,
    home: Path | None = None,
    system: bool = True,
    strict: bool = False,
) -> Replay:
    """Play a recorded run back.

    Args:
        path: The replay file. It need not exist before the first request comes.
        workspace: Directory that stands for the recorded workspace; the fixture
            `strategy_run` fills it in.
        home: Directory that stands for the recorded home; the user's by default.
        system: Whether system prompts and offered tools must be as recorded. The SDK's own
            part of a prompt differs between its versions.
        strict: Whether the texts of tool results must be as recorded.

    Returns:
        A script for `ScriptedModel`.
    """
    places = {"home": home or Path.home()}
    if workspace is not None:
        places["workspace"] = workspace
    return Replay(Path(path), places, system=system, strict=strict)


def _indented(text: str) -> list[str]:
    return [f"  {line}" for line in text.splitlines()]


def _nearest(
    came: RecordedTurn,
    lines: Sequence[str],
    recorded: Sequence[tuple[RecordedTurn, list[str]]],
) -> tuple[RecordedTurn, list[str]] | None:
    """The recorded request that a person would compare with: alike, and as far on."""

    def likeness(one: tuple[RecordedTurn, list[str]]) -> tuple[int, float]:
        matcher = difflib.SequenceMatcher(None, one[1], lines, autojunk=False)
        return -abs(one[0].replies - came.replies), matcher.ratio()

    return max(recorded, key=likeness, default=None)

"""What the process that runs a strategy's code is asked, and what it has written when it ends.

Both are files in a directory of the check: the code may end its process at any point, and what
it had come to is kept.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from openhands_strategies.sources.source import Located

_REQUEST: Final = "request"
_JOURNAL: Final = "journal"


@dataclass(frozen=True)
class Request:
    """What is to be checked.

    Attributes:
        located: The strategy.
        given: Values of its parameters, as texts.
        quiet: Whether nothing is said about what is being done.
        debug: Whether the SDK may log.
    """

    located: Located
    given: dict[str, str]
    quiet: bool
    debug: bool


def write_request(directory: Path, request: Request) -> None:
    """Leave a request in a directory that is the user's own."""
    (directory / _REQUEST).write_bytes(pickle.dumps(request))


def read_request(directory: Path) -> Request:
    """Return the request of a directory, which this program has written."""
    request: Request = pickle.loads((directory / _REQUEST).read_bytes())  # noqa: S301
    return request


def writer(directory: Path) -> Callable[[dict[str, Any]], None]:
    """Return a function that adds an entry to the journal."""

    def write(entry: dict[str, Any]) -> None:
        with (directory / _JOURNAL).open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    return write


def read_journal(directory: Path) -> Iterator[dict[str, Any]]:
    """The entries of the journal; none where the process has ended before the first."""
    try:
        text = (directory / _JOURNAL).read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    for line in text.splitlines():
        try:
            yield json.loads(line)
        except ValueError:  # the process ended while it was written
            return

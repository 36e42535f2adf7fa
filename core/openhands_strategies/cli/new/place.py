"""Where a new strategy goes: checked before, filled in one step, or left as it was."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from openhands_strategies.errors import UsageError, describe


@dataclass(frozen=True)
class Workshop:
    """A directory beside the target, on the same file system, in which it is made.

    Attributes:
        made: What becomes the target; does not exist at first.
        target: Absolute; does not exist, or is an empty directory.
    """

    made: Path
    target: Path

    def deliver(self) -> None:
        """Put what was made in its place.

        Raises:
            UsageError: `directory_not_empty` or `directory_unwritable`: the target has
                changed meanwhile.
        """
        try:
            # A rename replaces an empty directory, but takes it from under a shell in it.
            if self.target.exists():
                _fill(self.made, self.target)
            else:
                self.made.rename(self.target)
        except OSError as error:
            raise _unwritable(self.target, error) from error


def target_of(text: str | None, name: str) -> Path:
    """The directory that a strategy is to be made in.

    Args:
        text: As the user typed it; None means one of the strategy's name, here.
        name: The strategy's name.

    Raises:
        UsageError: `directory_invalid`, `directory_not_empty` or `directory_missing`.
    """
    try:
        target = Path(name if text is None else text).expanduser().absolute()
        if "\0" in target.name:
            raise ValueError("a byte 0 stands in it")
        if not target.parent.is_dir():
            raise UsageError(
                "directory_missing",
                f"{target.parent} is no directory",
                f"make it first: mkdir -p {target.parent}",
            )
        if target.is_dir():
            full = next(target.iterdir(), None) is not None
        elif os.path.lexists(target):
            raise UsageError(
                "directory_invalid",
                f"{target} exists and is no directory",
                "choose another place: --directory DIR",
            )
        else:
            full = False
    # A path that is too long, or a home that nobody has.
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(
            "directory_invalid",
            f"{(text or name)[:200]!r} cannot be used: {describe(error)}",
            "name a directory: --directory DIR",
        ) from error
    if full:
        raise UsageError(
            "directory_not_empty",
            f"{target} is not empty",
            "choose a new or an empty directory: --directory DIR",
        )
    return target


@contextlib.contextmanager
def workshop(target: Path) -> Iterator[Workshop]:
    """A place to work in, which is gone at the end, whatever happens.

    Raises:
        UsageError: `directory_unwritable`.
    """
    try:
        room = Path(tempfile.mkdtemp(prefix=f".{target.name[:40]}-", dir=target.parent))
    except OSError as error:
        raise _unwritable(target.parent, error) from error
    try:
        if target.is_dir() and not os.access(target, os.W_OK | os.X_OK):
            raise _unwritable(target, PermissionError("Permission denied"))
        yield Workshop(room / "made", target)
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _fill(made: Path, target: Path) -> None:
    if next(target.iterdir(), None) is not None:
        raise UsageError(
            "directory_not_empty",
            f"{target} is not empty any more",
            "choose a new or an empty directory: --directory DIR",
        )
    moved: list[Path] = []
    try:
        for one in sorted(made.iterdir()):
            one.rename(target / one.name)
            moved.append(target / one.name)
    except BaseException:
        for one in moved:
            shutil.rmtree(one) if one.is_dir() else one.unlink()
        raise


def _unwritable(place: Path, error: OSError) -> UsageError:
    return UsageError(
        "directory_unwritable",
        f"{place} cannot be written: {error.strerror or describe(error)}",
        "choose another place: --directory DIR",
    )

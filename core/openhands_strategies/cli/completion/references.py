"""Names of strategies and what their files say of parameters; nothing of them is run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from openhands_strategies.cli.entry import Entry, read_entry
from openhands_strategies.errors import StrategyError
from openhands_strategies.manifest.model import COMPUTED, Manifest
from openhands_strategies.params import StrategyParam
from openhands_strategies.project.fetching import Fetching
from openhands_strategies.registry.catalog import list_all, resolve
from openhands_strategies.registry.host import plugin_host
from openhands_strategies.sources.reference import PathReference, parse_reference
from openhands_strategies.sources.source import Located

# Reading one takes some milliseconds, and the user waits for all of them.
_MOST_READ: Final = 40
_DEEPEST: Final = 4


def names(beginning: str) -> list[tuple[str, Manifest | None]]:
    """Names that begin so, each with the manifest of what wins it.

    Where there are many, their files are not read, and every manifest is None; so it is
    for one whose files cannot be read.
    """
    found: dict[str, Located] = {}
    for located in list_all().entries:
        if located.name and located.name.startswith(beginning):
            found.setdefault(located.name, located)
    if len(found) > _MOST_READ:
        return [(name, None) for name in sorted(found)]
    return [(name, read_entry(found[name]).manifest) for name in sorted(found)]


def params_of_run(reference: str, overlays: Iterable[str] = ()) -> dict[str, StrategyParam]:
    """Parameters that a run of a strategy takes, as far as files tell.

    Args:
        reference: As the user typed it.
        overlays: What `--with` names.

    Returns:
        By the name that `--param` takes: the strategy's own, those of its parts and of
        overlays as `label.name`. What cannot be found without the network is left out.
    """
    found = dict(_params(reference, Path.cwd(), ()))
    for overlay in overlays:
        entry = _entry(overlay, Path.cwd())
        if entry is not None and entry.manifest is not None:
            label = entry.manifest.name or entry.name
            found |= {f"{label}.{one.name}": one for one in entry.manifest.params or ()}
    return found


def _params(
    reference: str, base: Path, above: tuple[str, ...]
) -> Iterator[tuple[str, StrategyParam]]:
    entry = _entry(reference, base)
    if entry is None or entry.manifest is None or len(above) > _DEEPEST or reference in above:
        return
    for param in entry.manifest.params or ():
        yield param.name, param
    for label, part in (entry.manifest.parts or {}).items():
        if part != COMPUTED and _may_name(entry.located, part):
            for name, param in _params(part, entry.located.root, (*above, reference)):
                yield f"{label}.{name}", param


def _entry(reference: str, base: Path) -> Entry | None:
    try:
        located = resolve(
            reference,
            base=base,
            host=plugin_host(),
            warn=_unsaid,
            fetching=Fetching(offline=True),
        )
    except (StrategyError, OSError):  # a shell has no place for a message
        return None
    return read_entry(located)


def _may_name(located: Located, part: str) -> bool:
    """Whether a strategy may name this part: a stranger's only within its own files."""
    try:
        parsed = parse_reference(part)
    except StrategyError:
        return False
    if not isinstance(parsed, PathReference) or located.source.type == "path":
        return True
    path = PurePosixPath(parsed.path)
    return not (path.is_absolute() or ".." in path.parts or parsed.path.startswith("~"))


def _unsaid(_: StrategyError) -> None:
    """A shell has no place for a warning."""

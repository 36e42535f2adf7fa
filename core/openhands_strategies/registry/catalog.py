"""From what a user types to a located strategy, and the list of all names."""

from __future__ import annotations

import difflib
import logging
from dataclasses import dataclass
from pathlib import Path

from openhands_strategies.errors import ResolveError, StrategyError
from openhands_strategies.project.fetching import Fetching
from openhands_strategies.project.home import find_home
from openhands_strategies.project.indexes import IndexSource, offers_of, open_indexes
from openhands_strategies.project.locate import EntryError, locate_entry
from openhands_strategies.project.locking import ambiguous
from openhands_strategies.project.toml_file import FileError
from openhands_strategies.registry.host import Host, Warn, plugin_host
from openhands_strategies.sources.distribution import BrokenOffer
from openhands_strategies.sources.entry import ENTRY, entry_of
from openhands_strategies.sources.reference import NameReference, parse_reference
from openhands_strategies.sources.source import Located, Source

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Listing:
    """All strategies that have names.

    Attributes:
        entries: In the order of the look-up; one that an earlier level shadows, or that
            two distributions offer, stands here too.
        warnings: What is broken, one error each.
    """

    entries: tuple[Located, ...]
    warnings: tuple[StrategyError, ...]

    def named(self, name: str) -> tuple[Located, ...]:
        """All entries of one name, the one that wins first."""
        return tuple(entry for entry in self.entries if entry.name == name)


def list_all(*, base: Path | None = None, host: Host | None = None) -> Listing:
    """List every strategy that has a name, without running any of them.

    Args:
        base: Directory that the user works in; the current one by default.
        host: Hook plugins; loaded by default.
    """
    host = plugin_host() if host is None else host
    warnings = list(host.warnings)
    levels = host.levels(_base(base), warnings.append)
    entries = tuple(entry for level in levels for entry in level)
    return Listing(entries, tuple(warnings))


def resolve(
    text: str,
    *,
    base: Path | None = None,
    host: Host | None = None,
    warn: Warn | None = None,
    fetching: Fetching | None = None,
) -> Located:
    """Find the strategy that a reference names, without running it.

    Args:
        text: A reference as the user typed it.
        base: Directory that relative paths start from; the current one by default.
        host: Hook plugins; loaded by default.
        warn: Takes what failed beside the point (a broken plugin or distribution);
            logged by default.
        fetching: Whether the network may be used, and who is told of progress.

    Raises:
        ResolveError: `strategy_unknown` (with the nearest names), `name_ambiguous`, or
            what parsing, locating and fetching raise.
        BrokenOffer: The name belongs to a distribution that cannot be used.
        FileError: The project's or the user's file cannot be read, so that it cannot be
            told what the name means there.
    """
    fetching = fetching or Fetching()
    base = _base(base)
    warn = _log_warning if warn is None else warn
    try:
        reference = parse_reference(text)
    except ResolveError as error:
        if error.code == "reference_invalid" and (here := _here(text, base)):
            raise ResolveError(error.code, error.message, f"did you mean {here}?") from error
        raise
    host = plugin_host() if host is None else host
    for warning in host.warnings:
        warn(warning)
    if isinstance(reference, NameReference):
        return _by_name(reference, base, host, warn, fetching)
    located = host.resolve(reference, base, warn, fetching)
    if located is None:
        raise ResolveError(
            "source_unsupported",
            f"{reference}: no plugin resolves this kind of reference",
            "look at the warnings above, and check OHS_PLUGINS",
        )
    return located


def shadows(
    name: str,
    *,
    base: Path | None = None,
    host: Host | None = None,
    warn: Warn | None = None,
) -> list[Source | IndexSource]:
    """Everything else that has a name which is found first in another place.

    Args:
        name: The name.
        base: Directory that the user works in; the current one by default.
        host: Hook plugins; loaded by default.
        warn: Takes an error for each index that cannot be read; logged by default.

    Returns:
        Sources in the order of the look-up, those of the indexes last; nothing is fetched.
    """
    named: list[Source | IndexSource] = []
    named += [one.source for one in list_all(base=base, host=host).named(name)]
    indexes = open_indexes(find_home(), _log_warning if warn is None else warn)
    named += [one.source for one in offers_of(name, indexes)]
    return named[1:]


def _by_name(
    reference: NameReference, base: Path, host: Host, warn: Warn, fetching: Fetching
) -> Located:
    name = reference.name
    warnings: list[StrategyError] = []
    known: set[str] = set()
    for level in host.levels(base, warnings.append):
        _refuse_unreadable(warnings)
        entry = next((w for w in warnings if isinstance(w, EntryError) and w.name == name), None)
        if entry is not None:
            # The project has the name: whatever is wrong, no other level may answer.
            _pass_on([warning for warning in warnings if warning is not entry], warn)
            return _fetched(entry, fetching)
        hits = [entry for entry in level if entry.name == name]
        if hits:
            _pass_on(warnings, warn)
            return hits[0] if len(hits) == 1 else _ambiguous(name, hits)
        known.update(entry.name for entry in level if entry.name)
    _refuse_unreadable(warnings)
    broken = next((w for w in warnings if isinstance(w, BrokenOffer) and w.name == name), None)
    _pass_on([warning for warning in warnings if warning is not broken], warn)
    if broken is not None:
        raise broken
    located = host.resolve(reference, base, warn, fetching)
    if located is not None:
        return located
    known.update(*(index.offers for index in open_indexes(find_home(), warn)))
    near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.5)
    if here := _here(name, base):
        near.append(here)
    raise ResolveError(
        "strategy_unknown",
        f"no strategy is named {name!r}",
        f"did you mean {' or '.join(near)}?" if near else "ohs list shows what there is",
    )


def _refuse_unreadable(warnings: list[StrategyError]) -> None:
    for warning in warnings:
        if isinstance(warning, FileError):
            raise warning


def _fetched(error: EntryError, fetching: Fetching) -> Located:
    """Fetch what is locked and not in the store; every other fault stands."""
    if error.code != "not_in_store" or fetching.offline:
        raise error
    return locate_entry(error.entry, error.project, find_home(), fetching)


def _ambiguous(name: str, hits: list[Located]) -> Located:
    places = {str(hit.source): str(hit.root if hit.module == ENTRY else hit.file) for hit in hits}
    raise ambiguous(name, places)


def _here(text: str, base: Path) -> str:
    """`./text` when a strategy of that name lies in `base`, with or without `.py`."""
    if "/" in text or "\0" in text or len(text) > 255:
        return ""
    for name in (text, f"{text}.py"):
        path = base / name
        usable = path.suffix == ".py" if path.is_file() else path.is_dir() and entry_of(path)
        if usable not in (None, False):
            return f"./{name}"
    return ""


def _pass_on(warnings: list[StrategyError], warn: Warn) -> None:
    for warning in warnings:
        warn(warning)


def _log_warning(error: StrategyError) -> None:
    _log.warning("%s", error.message)


def _base(base: Path | None) -> Path:
    return (Path.cwd() if base is None else base).absolute()

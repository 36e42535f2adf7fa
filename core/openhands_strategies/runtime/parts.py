"""The parts of a strategy: found when it is loaded, and again as they were."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

from openhands_strategies.errors import LoadError, StrategyError, describe
from openhands_strategies.registry.catalog import resolve
from openhands_strategies.runtime.entries import Origin
from openhands_strategies.runtime.loaded import Loaded
from openhands_strategies.runtime.rfc import as_subagents, captured_registrations
from openhands_strategies.sources.reference import (
    GitReference,
    PathReference,
    parse_reference,
)
from openhands_strategies.sources.source import Located
from openhands_strategies.strategy import Strategy

Find = Callable[[str, str, "Loaded", "Chain"], Loaded]
"""Loads the part `(label, reference)` of a strategy."""

Chain = tuple[Origin, ...]
"""The strategies whose parts are being loaded, outermost first."""

MAX_PARTS: Final = 64
"""Parts of one strategy; more is a mistake, or an attack."""


def with_parts(loaded: Loaded, find: Find, chain: Chain = ()) -> Loaded:
    """Return the strategy with its parts loaded and written into its origin.

    Args:
        loaded: A strategy; its `parts` are not loaded yet.
        find: Loads a part that is given as a reference.
        chain: What this strategy is a part of.

    Raises:
        LoadError: `composition_cycle`, `parts_invalid`, or whatever loading a part raises.
    """
    pieces = _pieces(loaded)
    if not pieces:
        return loaded
    chain = (*chain, loaded.origin)
    parts = {
        label: find(label, piece, loaded, chain)
        if isinstance(piece, str)
        else _instance(label, piece, loaded, find, chain)
        for label, piece in pieces.items()
    }
    origin = loaded.origin.model_copy(
        update={"parts": {label: part.origin for label, part in parts.items()}}
    )
    return replace(loaded, origin=origin, parts=parts)


def refuse_cycle(origin: Origin, chain: Chain) -> None:
    """Stop where a strategy would become a part of itself.

    Raises:
        LoadError: `composition_cycle`, with the way round.
    """
    for number, earlier in enumerate(chain):
        if (earlier.tree, earlier.module, earlier.attribute) == (
            origin.tree,
            origin.module,
            origin.attribute,
        ):
            way = " → ".join(one.name for one in (*chain[number:], origin))
            raise LoadError(
                "composition_cycle",
                f"strategy {earlier.name!r} ({earlier.reference}) is a part of itself: {way}",
                "take one of them out",
            )


def _pieces(loaded: Loaded) -> dict[str, Strategy | str]:
    found: Any = getattr(loaded.strategy, "parts", None) or {}
    if not isinstance(found, Mapping) or len(found) > MAX_PARTS:
        raise LoadError(
            "parts_invalid",
            f"{loaded.where}: its parts are no mapping of up to {MAX_PARTS} labels",
            "write parts = {'label': 'reference'}",
        )
    return {str(label): piece for label, piece in found.items()}


def _instance(label: str, piece: Strategy, owner: Loaded, find: Find, chain: Chain) -> Loaded:
    """A part that the owner's code made itself: its code is the owner's."""
    origin = owner.origin.model_copy(
        update={
            "name": str(getattr(piece, "name", "") or label),
            "attribute": f"{owner.origin.attribute}.{label}",
            "parts": {},
        }
    )
    loaded = Loaded(piece, origin, owner.root, owner.manifest, own_files=False)
    with captured_registrations() as captured:
        try:
            piece.setup()
        except StrategyError:
            raise
        except (Exception, SystemExit) as error:
            raise LoadError(
                "setup_failed",
                f"{owner.where}: setup() of its part {label!r} raised {describe(error)}",
                "see --debug",
            ) from error
    return with_parts(replace(loaded, registered=as_subagents(captured)), find, chain)


def locate_part(reference: str, owner: Loaded) -> Located:
    """Find the strategy that another one names.

    A relative path starts from the strategy that names it. Only a strategy from a path may
    name other paths; one from git or an installed package stays within its own files, which
    were consented to as a whole.

    Raises:
        LoadError: `part_outside`.
        ResolveError: Whatever finding it raises.
    """
    parsed = parse_reference(reference)
    local = owner.origin.source.get("type") == "path"
    if isinstance(parsed, PathReference):
        if local:
            path = Path(str(owner.origin.source.get("path")))
            base = path if path.is_dir() else path.parent
        else:
            base = owner.root
            inside = PurePosixPath(parsed.path)
            if inside.is_absolute() or ".." in inside.parts or parsed.path.startswith("~"):
                raise _outside(reference, owner)
        return replace(resolve(reference, base=base), typed=True)
    if isinstance(parsed, GitReference) and parsed.url.startswith("file:") and not local:
        raise _outside(reference, owner)
    return resolve(reference)


def _outside(reference: str, owner: Loaded) -> LoadError:
    return LoadError(
        "part_outside",
        f"{owner.where} names the part {reference}, which lies outside its own files",
        "a published strategy names its parts by name or by git reference",
    )

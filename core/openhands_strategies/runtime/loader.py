"""From a located strategy to a live one: checks first, then the module, then `setup()`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from openhands_strategies.compose.directory import PluginDirectory
from openhands_strategies.errors import LoadError, StrategyError, describe
from openhands_strategies.manifest.dependencies import missing_requirements
from openhands_strategies.manifest.model import Manifest
from openhands_strategies.manifest.reader import read_manifest
from openhands_strategies.project.home import Home
from openhands_strategies.project.trust import check_consent, check_trust
from openhands_strategies.runtime.entries import Origin
from openhands_strategies.runtime.layering import layered
from openhands_strategies.runtime.loaded import Loaded
from openhands_strategies.runtime.modules import registered_by, strategy_in, strategy_module
from openhands_strategies.runtime.parts import Chain, locate_part, refuse_cycle, with_parts
from openhands_strategies.runtime.rfc import as_subagents, captured_registrations
from openhands_strategies.sources.distribution import distribution_files, installed
from openhands_strategies.sources.source import GitSource, Located
from openhands_strategies.sources.store import claim_tree, get_tree, put_tree
from openhands_strategies.sources.tree import hash_tree, tree_files

__all__ = ["Loaded", "load", "load_again"]


def load(
    located: Located, home: Home, overlays: Sequence[Located] = (), *, chain: Chain = ()
) -> Loaded:
    """Load a strategy that was found; a path's tree is put into the store first.

    A tree that is in the store already (git) is hashed again: what was consented to is
    what runs, whatever happened to the files since. Parts that it names are found, checked
    and loaded the same way.

    Args:
        located: The strategy.
        home: Where the store is, and the user's consents.
        overlays: What is laid over it, innermost first.
        chain: What it is a part of.

    Raises:
        LoadError: The files or the module cannot be used; nothing of it stays behind.
        TrustError: The user has not agreed to run this tree.
    """
    loaded = _load(located, home, chain)
    over = [_load(one, home, chain) for one in overlays]
    return layered(loaded, over) if over else loaded


def _load(located: Located, home: Home, chain: Chain) -> Loaded:
    if located.tree is not None:
        claim_tree(home.store, located.tree)
        root, tree = located.root, hash_tree(located.root, tree_files(located.root))
    elif located.import_name is None:
        files = tree_files(located.root, located.only)
        stored = put_tree(home.store, located.root, files, claim=True)
        root, tree = stored.path, stored.tree
    else:
        root, tree = located.root, hash_tree(located.root, distribution_files(located))
    manifest = read_manifest(root, located.module, located.attribute, located.name)
    origin = Origin(
        name=manifest.name or located.name or manifest.attribute,
        reference=located.reference,
        source=dict(located.source.to_json()),
        commit=located.source.commit if isinstance(located.source, GitSource) else None,
        tree=tree,
        module=located.module,
        attribute=manifest.attribute,
        import_name=located.import_name,
    )
    check_trust(located, tree, manifest, home=home)
    refuse_cycle(origin, chain)

    def find(label: str, reference: str, owner: Loaded, chain: Chain) -> Loaded:
        return _load(locate_part(reference, owner), home, chain)

    return with_parts(_loaded(origin, root, manifest), find, chain)


def load_again(origin: Origin, home: Home) -> Loaded:
    """Load the code that a conversation started with, that of its parts and overlays too.

    Raises:
        LoadError: `strategy_changed` when that tree is gone or is another one now.
        TrustError: `not_trusted` when the consent to a git tree was revoked.
    """
    over = [_load_again(one, home) for one in origin.overlays]
    loaded = _load_again(origin.model_copy(update={"overlays": ()}), home)
    return layered(loaded, over) if over else loaded


def _load_again(origin: Origin, home: Home) -> Loaded:
    if origin.import_name is None:
        root = get_tree(home.store, origin.tree)
        if root is None:
            raise _changed(origin, "its tree is no longer in the store")
        if hash_tree(root, tree_files(root)) != origin.tree:
            raise _changed(origin, "its tree in the store was changed")
        if origin.commit is not None:
            check_consent(origin.name, origin.reference, origin.tree, home)
    else:
        located = next(
            (one for one in installed(store=home.store)[0] if _same_place(one, origin)), None
        )
        if located is None:
            raise _changed(origin, "it is no longer installed")
        root = located.root
        if hash_tree(root, distribution_files(located)) != origin.tree:
            raise _changed(origin, "other code is installed now")
    manifest = read_manifest(root, origin.module, origin.attribute, origin.name)

    def find(label: str, reference: str, owner: Loaded, chain: Chain) -> Loaded:
        earlier = _part_origin(origin, chain, label)
        if earlier is None:
            raise _changed(origin, f"it has the part {label!r} now")
        return _load_again(earlier, home)

    return with_parts(_loaded(origin.model_copy(update={"parts": {}}), root, manifest), find)


def _part_origin(origin: Origin, chain: Chain, label: str) -> Origin | None:
    """What was written down for a part; `chain` leads from `origin` to its owner."""
    found: Origin | None = origin
    for owner in chain[1:]:
        if found is None:
            return None
        own = owner.attribute.rpartition(".")[2]
        found = found.parts.get(own)
    return None if found is None else found.parts.get(label)


def _same_place(located: Located, origin: Origin) -> bool:
    return located.import_name == origin.import_name and located.module == origin.module


def _changed(origin: Origin, why: str) -> LoadError:
    return LoadError(
        "strategy_changed",
        f"strategy {origin.name!r} ({origin.reference}) cannot be loaded as it was: {why}",
        "restore it, or start a new run",
    )


def _loaded(origin: Origin, root: Path, manifest: Manifest) -> Loaded:
    where = f"strategy {origin.name!r} ({origin.reference})"
    if not origin.module:
        overlay = PluginDirectory(origin.name, manifest.description or "")
        return Loaded(overlay, origin, root, manifest)
    if manifest.removed_imports:
        gone = manifest.removed_imports[0]
        raise LoadError(
            "import_removed",
            f"{where}: {gone.file}:{gone.line} uses {gone.name}, which the SDK has removed",
            f"use {gone.replacement}",
        )
    if origin.import_name is None:
        missing = missing_requirements(manifest.requirements)
        if missing:
            quoted = " ".join(f"'{one}'" for one in missing)
            raise LoadError(
                "dependencies_missing",
                f"{where} needs {', '.join(missing)}",
                f"pip install {quoted}",
            )
    with captured_registrations() as captured:
        module = strategy_module(origin, root, manifest, where)
        strategy = strategy_in(module, origin, where)
        try:
            strategy.setup()
        except StrategyError:
            raise
        except (Exception, SystemExit) as error:
            raise LoadError(
                "setup_failed", f"{where}: setup() raised {describe(error)}", "see --debug"
            ) from error
    registered = {**registered_by(module), **captured}
    return Loaded(strategy, origin, root, manifest, as_subagents(registered))

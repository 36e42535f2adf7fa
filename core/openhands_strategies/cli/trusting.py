"""`ohs trust`: consent to run one strategy, given after seeing what it can do."""

from __future__ import annotations

import contextlib
import shlex
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import click

from openhands_strategies.cli.boundary import print_json
from openhands_strategies.cli.completion.values import complete_reference
from openhands_strategies.cli.confirming import can_ask
from openhands_strategies.cli.fetch_progress import fetch_progress
from openhands_strategies.cli.frame import Frame, current_frame, debug_option, json_option
from openhands_strategies.cli.text import printable, say, warn
from openhands_strategies.cli.trust_lines import fact_lines, record_json, record_lines
from openhands_strategies.errors import LoadError, StrategyError, TrustError, UsageError
from openhands_strategies.manifest.model import Manifest
from openhands_strategies.manifest.reader import read_manifest
from openhands_strategies.project.fetching import Fetching, remember_typed
from openhands_strategies.project.home import Home, find_home
from openhands_strategies.project.locking import fetching_trees
from openhands_strategies.project.trust import is_trusted, listed, revoke, trust
from openhands_strategies.project.trust_facts import TrustFacts, trust_facts
from openhands_strategies.project.trust_file import TrustedPath, TrustedTree
from openhands_strategies.registry.catalog import list_all, resolve
from openhands_strategies.sources.entry import ENTRY
from openhands_strategies.sources.reference import (
    GitReference,
    NameReference,
    PathReference,
    parse_reference,
)
from openhands_strategies.sources.source import (
    DistributionSource,
    GitSource,
    Located,
    PathSource,
)
from openhands_strategies.sources.store import put_tree
from openhands_strategies.sources.tree import hash_tree, tree_files


@click.command("trust")
@click.argument(
    "reference", metavar="[NAME|REF]", required=False, shell_complete=complete_reference
)
@click.option("--yes", is_flag=True, help="Agree without being asked.")
@click.option("--list", "listing", is_flag=True, help="List what you have agreed to.")
@click.option("--revoke", "revoking", is_flag=True, help="Take consent back.")
@json_option
@debug_option
@click.pass_context
def command(
    context: click.Context, reference: str | None, yes: bool, listing: bool, revoking: bool
) -> None:
    """Agree to run a strategy, after seeing what it can do.

    Consent is to exactly the tree that is shown: when any file of it changes, you are asked
    again, and shown the difference. Nothing of it is run or imported here.
    """
    frame = current_frame(context)
    if listing + revoking + yes > 1:
        raise UsageError(
            "usage", "--list, --revoke and --yes exclude each other", "ohs trust --help shows how"
        )
    if listing and reference is not None:
        raise UsageError("usage", "--list takes no name", "ohs trust --list")
    if listing:
        _list(frame)
    elif reference is None:
        raise UsageError("usage", "a name or a reference is missing", "ohs trust NAME|REF")
    elif revoking:
        _revoke(reference, frame)
    else:
        _trust(reference, frame, yes)


@dataclass(frozen=True)
class _Asked:
    """What the user is asked about; `copy` is what is shown, where it is not stored yet."""

    located: Located
    manifest: Manifest
    tree: str
    facts: TrustFacts
    known: bool
    copy: Path | None

    @property
    def by_path(self) -> bool:
        return isinstance(self.located.source, PathSource) and self.located.typed


def _trust(reference: str, frame: Frame, yes: bool) -> None:
    # A refusal leaves nothing in the store.
    with tempfile.TemporaryDirectory(prefix="ohs-trust-") as place:
        asked = _asked(reference, find_home(), frame, Path(place))
        if asked is not None:
            _decide(asked, reference, frame, yes)


def _decide(asked: _Asked, reference: str, frame: Frame, yes: bool) -> None:
    if not asked.known:
        if not yes and (frame.json or not can_ask()):
            if not frame.json:
                _show(asked)
            raise TrustError(
                "not_trusted",
                f"nobody is there to agree to {asked.facts.name} ({reference})",
                f"look at it and agree: ohs trust {shlex.quote(reference)} --yes",
            )
        if not frame.json:
            _show(asked)
        if not yes and not _agreed(asked.facts.name):
            raise TrustError(
                "trust_refused", f"{asked.facts.name} stays untrusted", "nothing was changed"
            )
        _record(asked, find_home())
    source = asked.located.source
    if isinstance(source, GitSource) and asked.located.typed:
        remember_typed(source.url, find_home())
    if frame.json:
        kind = "path" if asked.by_path else "tree"
        print_json({"trusted": kind, "new": not asked.known, **asked.facts.to_json()})
        return
    name = printable(asked.facts.name, 200)
    what = asked.located.source if asked.by_path else asked.tree
    already = "was trusted already" if asked.known else "is trusted now"
    click.echo(f"{name} {already}: {printable(str(what), 2000)}")


def _record(asked: _Asked, home: Home) -> None:
    """Write the consent down, and keep what it is to: a change is compared with it."""
    with fetching_trees(home, asked.copy is not None):
        if asked.copy is not None:
            put_tree(home.store, asked.copy, tree_files(asked.copy))
        trust(asked.located, asked.tree, asked.manifest, home=home)


def _asked(reference: str, home: Home, frame: Frame, place: Path) -> _Asked | None:
    """Find, read and hash the strategy; None, and a word, for what pip installed."""
    may_fetch = not isinstance(parse_reference(reference), PathReference)
    with fetch_progress(frame) as progress, fetching_trees(home, may_fetch):
        fetching = Fetching(progress=progress)
        located = resolve(reference, warn=_quiet if frame.json else warn, fetching=fetching)
        if isinstance(located.source, DistributionSource):
            _installed(located, frame)
            return None
        root, tree, copy = located.root, located.tree, None
        files = tree_files(located.root, located.only)
        if tree is not None:
            _check_stored(located, hash_tree(root, files))
        elif located.typed:
            tree = hash_tree(root, files)
        else:
            # Consent is to a content, so what is shown is read from a copy of it.
            stored = put_tree(place / "store", root, files)
            root, tree, copy = stored.path, stored.tree, stored.path
        manifest = read_manifest(root, located.module, located.attribute, located.name)
        facts = trust_facts(replace(located, root=root), tree, manifest, home)
        return _Asked(located, manifest, tree, facts, _known(located, tree, home), copy)


def _check_stored(located: Located, tree: str) -> None:
    """What is shown must be what consent is recorded to."""
    if located.tree != tree:
        raise LoadError(
            "store_damaged",
            f"{located.root} was changed: it is no longer {located.tree}",
            "ohs store verify shows what is wrong; remove that directory and try again",
        )


def _known(located: Located, tree: str, home: Home) -> bool:
    """Whether consent is on record; that a path is typed now is none."""
    if isinstance(located.source, PathSource) and located.typed:
        place = str(located.source.path)
        return any(
            isinstance(one, TrustedPath) and one.path == place and not one.fetch
            for one in listed(home=home)
        )
    return is_trusted(located, tree, home=home)


def _installed(located: Located, frame: Frame) -> None:
    if frame.json:
        source = located.source.to_json()
        print_json({"trusted": "distribution", "new": False, "name": located.name,
                    "reference": located.reference, "source": source})  # fmt: skip
        return
    name = printable(located.name or located.reference, 200)
    click.echo(f"{name} is trusted: it was installed as {printable(str(located.source), 200)}")


def _show(asked: _Asked) -> None:
    for line in fact_lines(asked.facts, whatever_it_holds=asked.by_path):
        say(line)


def _agreed(name: str) -> bool:
    # What was typed before the question was seen is no answer to it.
    import termios

    with contextlib.suppress(termios.error, OSError):
        termios.tcflush(sys.stdin, termios.TCIFLUSH)
    question = f"Trust {printable(name, 200)} to run on this machine? [y/N] "
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _list(frame: Frame) -> None:
    records = listed(home=find_home())
    if frame.json:
        print_json({"trusted": [record_json(one) for one in records]})
    elif records:
        click.echo("\n".join(record_lines(records)))
    else:
        say("nothing is trusted but what pip installed")


def _revoke(reference: str, frame: Frame) -> None:
    removed = _revoked(reference, find_home())
    if frame.json:
        print_json({"revoked": [record_json(one) for one in removed]})
        return
    click.echo("no longer trusted:")
    click.echo("\n".join(record_lines(removed)))


def _revoked(reference: str, home: Home) -> list[TrustedTree | TrustedPath]:
    """Revoke what a text names as it stands, or else what it leads to; nothing is fetched."""
    try:
        return revoke(reference, home=home)
    except UsageError as error:
        for located in _places(reference):
            with contextlib.suppress(UsageError):
                return revoke(located, home=home)
        raise error


def _places(reference: str) -> list[Located]:
    try:
        parsed = parse_reference(reference)
    except StrategyError:
        return []
    if isinstance(parsed, NameReference):
        return list(list_all().named(parsed.name))
    source: GitSource | PathSource
    if isinstance(parsed, GitReference):
        source = GitSource(parsed.url, "", parsed.subdirectory, parsed.revision)
    else:
        # What is gone by now can still be revoked.
        source = PathSource((Path.cwd() / Path(parsed.path).expanduser()).resolve())
    typed = isinstance(parsed, GitReference)
    return [Located(reference, source, Path.cwd(), ENTRY, typed=typed)]


def _quiet(_: Exception) -> None:
    """In JSON mode stdout belongs to the document."""

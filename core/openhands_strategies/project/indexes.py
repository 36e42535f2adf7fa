"""Looking names and words up in the indexes: the user's own, and the one that comes along."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Final

from openhands_strategies.errors import ResolveError, StrategyError
from openhands_strategies.project.fetching import Fetching, fetch
from openhands_strategies.project.home import Home
from openhands_strategies.project.index_file import FILE, IndexEntry, read_index
from openhands_strategies.project.indexes_file import UserIndex, read_indexes
from openhands_strategies.sources.path import locate_path
from openhands_strategies.sources.reference import GitReference, PathReference
from openhands_strategies.sources.source import Located
from openhands_strategies.sources.store import get_tree

BUNDLED: Final = "openhands-strategies"
"""Name of the index that comes with this package."""


@dataclass(frozen=True)
class IndexSource:
    """An offer of an index; nothing of it was fetched.

    Attributes:
        index: Name of the index.
        offers: The reference or the distribution that it offers.
    """

    type: ClassVar[str] = "index"
    index: str
    offers: str

    def to_json(self) -> dict[str, str]:
        """`{type, index, offers}` as it stands in `--json`."""
        return {"type": self.type, "index": self.index, "offers": self.offers}

    def __str__(self) -> str:
        return f"{self.offers} (index {self.index})"


@dataclass(frozen=True)
class Offer:
    """One name of one index.

    Attributes:
        index: Name of the index.
        entry: What the index says.
        reference: Where it is; None when only a distribution is named.
    """

    index: str
    entry: IndexEntry
    reference: GitReference | PathReference | None

    @property
    def name(self) -> str:
        """Name of the strategy."""
        return self.entry.name

    @property
    def source(self) -> IndexSource:
        """The offer as it is shown beside sources."""
        return IndexSource(self.index, str(self.reference or self.entry.distribution))


@dataclass(frozen=True)
class OpenIndex:
    """An index that was read.

    Attributes:
        name: Its name; unique.
        where: Its repository, directory or file.
        offers: By name.
    """

    name: str
    where: str
    offers: Mapping[str, Offer]


def open_indexes(
    home: Home, warn: Callable[[StrategyError], None], *, bundled: Path | None = None
) -> list[OpenIndex]:
    """Read all indexes, the user's first; nothing is fetched.

    Args:
        home: The user's home.
        warn: Takes an error for each index that cannot be read.
        bundled: The index that comes along; this package's own by default.
    """
    found = []
    try:
        indexes = read_indexes(home)
    except StrategyError as error:
        warn(error)
        indexes = ()
    for index in indexes:
        try:
            found.append(_open(index, home))
        except StrategyError as error:
            warn(error)
    try:
        own = Path(__file__).parent.parent / FILE if bundled is None else bundled
        offers = {name: Offer(BUNDLED, entry, entry.git)
                  for name, entry in (read_index(own) or {}).items()}  # fmt: skip
        found.append(OpenIndex(BUNDLED, "comes with this package", offers))
    except StrategyError as error:
        warn(error)
    return found


def offers_of(name: str, indexes: list[OpenIndex]) -> list[Offer]:
    """All offers of a name; those of one and the same source only once."""
    found: dict[str, Offer] = {}
    for index in indexes:
        if name in index.offers:
            offer = index.offers[name]
            found.setdefault(offer.source.offers, offer)
    return list(found.values())


def search(word: str, indexes: list[OpenIndex]) -> list[Offer]:
    """Offers whose name, description or tags contain a word, whatever its case.

    Names that contain it come first, then in alphabetical order.
    """
    wanted = word.casefold()
    hits = [
        offer
        for index in indexes
        for offer in index.offers.values()
        if any(
            wanted in text.casefold()
            for text in (offer.name, offer.entry.description, *offer.entry.tags)
        )
    ]
    return sorted(hits, key=lambda hit: (wanted not in hit.name, hit.name, hit.index))


def locate_offer(offer: Offer, home: Home, fetching: Fetching) -> Located:
    """Find an offer's files; a repository is fetched.

    Raises:
        ResolveError: `index_incompatible`, `distribution_missing`, or what locating raises.
        LoadError: What fetching raises.
    """
    check_requires(offer)
    if offer.reference is None and offer.entry.distribution is None:
        raise ResolveError(
            "index_invalid",
            f"{offer.name} (index {offer.index}) has no source outside of its repository",
            "add that repository with ohs index add",
        )
    if offer.reference is None:
        raise ResolveError(
            "distribution_missing",
            f"{offer.name} (index {offer.index}) is the distribution"
            f" {offer.entry.distribution}, which is not installed",
            f"ohs install {offer.entry.distribution}",
        )
    if isinstance(offer.reference, PathReference):
        located = locate_path(offer.reference, home.path)
    else:
        located = fetch(offer.reference, home, fetching)
    # A path that an index names was not typed by anybody.
    return replace(located, name=offer.name, typed=False)


def check_requires(offer: Offer) -> None:
    """Refuse an offer that does not work with this version of openhands-strategies.

    Raises:
        ResolveError: `index_incompatible`, or `index_invalid` for what is no version
            specifier.
    """
    requires = offer.entry.requires
    if requires is None:
        return
    from importlib.metadata import version

    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    own = version("openhands-strategies")
    try:
        fits = SpecifierSet(requires).contains(own, prereleases=True)
    except InvalidSpecifier as error:
        raise ResolveError(
            "index_invalid",
            f"{offer.name} (index {offer.index}): requires {requires!r} is no version specifier",
            "write for example >=0.1",
        ) from error
    if not fits:
        raise ResolveError(
            "index_incompatible",
            f"{offer.name} (index {offer.index}) needs openhands-strategies {requires},"
            f" and this is {own}",
            f"pip install 'openhands-strategies{requires}'",
        )


def offer_of(index: str, entry: IndexEntry, repository: GitReference | Path | None) -> Offer:
    """What an entry means where its index's repository is known.

    Args:
        index: Name of the index.
        entry: The entry.
        repository: The index's repository at its commit, or its directory; None where
            there is none, and the distribution counts.
    """
    if entry.inside is None or repository is None:
        return Offer(index, entry, entry.git)
    if isinstance(repository, Path):
        return Offer(index, entry, PathReference(str(repository / entry.inside)))
    return Offer(index, entry, replace(repository, subdirectory=entry.inside or None))


def _open(index: UserIndex, home: Home) -> OpenIndex:
    repository: GitReference | Path
    if index.url is None:
        directory = repository = Path(str(index.path))
        hint = f"restore it, or ohs index remove {index.name}"
    else:
        stored = get_tree(home.store, str(index.tree))
        if stored is None:
            raise ResolveError(
                "not_in_store",
                f"index {index.name} ({index}) is not in the store",
                f"ohs index add {index} --as {index.name}",
            )
        directory = stored
        repository = GitReference(index.url, index.commit)
        hint = f"ohs index remove {index.name}"
    entries = read_index(directory / FILE)
    if entries is None:
        raise ResolveError("index_missing", f"index {index.name}: {directory} has no {FILE}", hint)
    offers = {name: offer_of(index.name, entry, repository) for name, entry in entries.items()}
    return OpenIndex(index.name, str(index), offers)

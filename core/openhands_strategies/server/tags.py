"""Tags of a strategy that is served, from the index that offers it."""

from __future__ import annotations

from collections.abc import Sequence

from openhands_strategies.project.indexes import Offer, OpenIndex
from openhands_strategies.sources.reference import GitReference
from openhands_strategies.sources.source import DistributionSource, GitSource, Located


def tags_of(located: Located, indexes: Sequence[OpenIndex]) -> tuple[str, ...]:
    """The tags of the first offer that means this source; a name alone proves nothing.

    Args:
        located: The strategy.
        indexes: The indexes that were read, the user's first.
    """
    offers = (offer for index in indexes for offer in index.offers.values())
    return next((offer.entry.tags for offer in offers if _means(offer, located)), ())


def _means(offer: Offer, located: Located) -> bool:
    source, reference = located.source, offer.reference
    if isinstance(source, DistributionSource):
        return offer.name == located.name and offer.entry.distribution == source.name
    return (
        isinstance(source, GitSource)
        and isinstance(reference, GitReference)
        and (source.url, source.subdirectory) == (reference.url, reference.subdirectory)
    )

"""The articles on offer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Article:
    """One article, its net price in cents."""

    number: str
    title: str
    unit_cents: int
    vat_rate: str = "standard"


def search(articles: list[Article], words: str) -> list[Article]:
    """Articles whose title has all the words, cheapest first."""
    wanted = words.casefold().split()
    found = [a for a in articles if all(word in a.title.casefold() for word in wanted)]
    return sorted(found, key=lambda article: (article.unit_cents, article.number))

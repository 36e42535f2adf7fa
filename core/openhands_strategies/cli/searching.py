"""`ohs search WORD`: what the indexes offer."""

from __future__ import annotations

import click

from openhands_strategies.cli.boundary import print_json
from openhands_strategies.cli.frame import current_frame, debug_option, json_option
from openhands_strategies.cli.text import aligned, printable, say, warn
from openhands_strategies.errors import StrategyError
from openhands_strategies.project.home import find_home
from openhands_strategies.project.indexes import Offer, open_indexes, search


@click.command("search")
@click.argument("word")
@json_option
@debug_option
@click.pass_context
def command(context: click.Context, word: str) -> None:
    """Search names, descriptions and tags in your indexes.

    Nothing is fetched: ohs index update brings the indexes up to date.
    """
    warnings: list[StrategyError] = []
    offers = search(word, open_indexes(find_home(), warnings.append))
    if current_frame(context).json:
        print_json(
            {
                "results": [_document(offer) for offer in offers],
                "warnings": [warning.to_json() for warning in warnings],
            }
        )
        return
    for warning in warnings:
        warn(warning)
    if offers:
        click.echo("\n".join(aligned([("NAME", "INDEX", "DESCRIPTION"), *map(_row, offers)])))
    else:
        say(f"no index offers anything about {printable(word, 80)!r}; ohs index list shows them")


def _row(offer: Offer) -> tuple[str, str, str]:
    about = printable(offer.entry.description, 100) or "-"
    return printable(offer.name, 60), printable(offer.index, 60), about


def _document(offer: Offer) -> dict[str, object]:
    entry = offer.entry
    return {
        "name": offer.name,
        "index": offer.index,
        "source": offer.source.to_json(),
        "description": entry.description,
        "tags": list(entry.tags),
        "homepage": entry.homepage,
        "distribution": entry.distribution,
        "requires": entry.requires,
    }

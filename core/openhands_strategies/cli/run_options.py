"""Options that several commands share: what a strategy runs with."""

from __future__ import annotations

import click

from openhands_strategies.cli.completion.values import (
    complete_overlay,
    complete_param,
    complete_profile,
)

param_option = click.option(
    "--param",
    "params",
    metavar="NAME=VALUE",
    multiple=True,
    help="A parameter of the strategy; see ohs show REF.",
    shell_complete=complete_param,
)
overlay_option = click.option(
    "--with",
    "overlays",
    metavar="REF",
    multiple=True,
    help="Lay an overlay over it: skills, hooks, tools, limits.",
    shell_complete=complete_overlay,
)
model_option = click.option("--model", metavar="NAME", help="Main model; LLM_MODEL by default.")
base_url_option = click.option(
    "--base-url", metavar="URL", help="Its server; LLM_BASE_URL by default."
)
profile_option = click.option(
    "--llm-profile",
    "profile",
    metavar="NAME",
    help="A saved LLM profile instead.",
    shell_complete=complete_profile,
)
price_option = click.option(
    "--price",
    "prices",
    metavar="[MODEL=]IN,OUT",
    multiple=True,
    help="Dollars for a million tokens, of the main or of another model.",
)


def check_one_model(model: str | None, base_url: str | None, profile: str | None) -> None:
    """Refuse a profile beside a model or its server.

    Raises:
        click.UsageError: Both are given.
    """
    if profile is not None and (model is not None or base_url is not None):
        raise click.UsageError(
            "--llm-profile brings its own model and server: leave --model and --base-url out."
        )

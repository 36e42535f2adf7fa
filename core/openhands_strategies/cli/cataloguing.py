"""`ohs index catalogue`: the page of an index."""

from __future__ import annotations

import os
from pathlib import Path

import click

from openhands_strategies.cli.boundary import print_json
from openhands_strategies.cli.completion.values import complete_file
from openhands_strategies.cli.fetch_progress import fetch_progress
from openhands_strategies.cli.frame import current_frame, debug_option, json_option
from openhands_strategies.cli.text import printable, warn
from openhands_strategies.errors import RunError, UsageError, describe
from openhands_strategies.project.fetching import Fetching
from openhands_strategies.project.home import find_home


@click.command("catalogue")
@click.argument("path", metavar="[PATH]", required=False, default=".", shell_complete=complete_file)
@click.option(
    "--output",
    metavar="FILE|DIR",
    required=True,
    help="Where the page goes; index.html in a directory.",
    shell_complete=complete_file,
)
@click.option(
    "--checked",
    metavar="FILE",
    multiple=True,
    help="What ohs index check --json or ohs check --json printed.",
    shell_complete=complete_file,
)
@click.option("--title", metavar="TEXT", default="Strategies", help="Title of the page.")
@json_option
@debug_option
@click.pass_context
def command(
    context: click.Context, path: str, output: str, checked: tuple[str, ...], title: str
) -> None:
    """Write a page of every strategy in a registry.toml; nothing of it runs.

    PATH is the file or its directory, here by default. The page is one file that loads
    nothing else, and the same again for the same index.
    """
    from openhands_strategies.cli.catalogue.page import catalogue_page
    from openhands_strategies.cli.catalogue.reading import read_catalogue
    from openhands_strategies.cli.catalogue.results import read_results

    frame = current_frame(context)
    place, page = index_place(path), _page_path(output)
    results = read_results(checked)
    with fetch_progress(frame) as progress:
        fetching = Fetching(progress=progress)
        listed = list(read_catalogue(place, find_home(), fetching, results))
    _write(page, catalogue_page(listed, title))
    broken = [one.error for one in listed if one.error is not None]
    if frame.json:
        print_json(
            {
                "page": str(page),
                "strategies": [one.entry.name for one in listed],
                "warnings": [error.to_json() for error in broken],
            }
        )
        return
    for error in broken:
        warn(error)
    count = f"{len(listed)} {'strategy' if len(listed) == 1 else 'strategies'}"
    click.echo(f"wrote {printable(str(page), 2000)}: {count}")


def index_place(path: str) -> Path:
    """A registry.toml or a directory that the user named.

    Raises:
        UsageError: `index_path` when it does not exist.
    """
    place = Path(path)
    try:
        exists = place.exists()
    except (OSError, ValueError):
        exists = False
    if not exists:
        raise UsageError(
            "index_path", f"{path} does not exist", "name a registry.toml or its directory"
        )
    return place


def _page_path(text: str) -> Path:
    from openhands_strategies.cli.options import writable_path

    path = Path(text)
    path = path / "index.html" if path.is_dir() else path
    return writable_path(path, f"--output {text}", "page_path")


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise RunError("page_write", f"{path} cannot be written: {describe(error)}", "") from error

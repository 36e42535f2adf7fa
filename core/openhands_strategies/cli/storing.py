"""`ohs store`: clearing and checking the copies of trees that strategies run from."""

from __future__ import annotations

import click

from openhands_strategies.cli.boundary import print_json
from openhands_strategies.cli.frame import current_frame, debug_option, json_option
from openhands_strategies.cli.text import error_lines, printable, say
from openhands_strategies.project.home import find_home
from openhands_strategies.project.roots import collect
from openhands_strategies.sources.store_care import stored_trees, verify_store


@click.group("store", invoke_without_command=True)
@debug_option
@click.pass_context
def command(context: click.Context) -> None:
    """Clear the store of what nothing names any more, or check it."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@command.command("gc")
@json_option
@debug_option
@click.pass_context
def _gc(context: click.Context) -> None:
    """Remove trees that no lock file, consent, index or run names."""
    frame = current_frame(context)
    waiting = None if frame.json else lambda: say("waiting for another process")
    collected = collect(find_home(), waiting=waiting)
    if frame.json:
        print_json(
            {
                "removed": list(collected.trees),
                "leftovers": list(collected.leftovers),
                "bytes": collected.bytes,
            }
        )
        return
    count = len(collected.trees)
    trees = "1 tree" if count == 1 else f"{count} trees"
    click.echo(f"removed {trees}, {_size(collected.bytes)}")


@command.command("verify")
@json_option
@debug_option
@click.pass_context
def _verify(context: click.Context) -> int:
    """Hash every tree of the store again, and look at the commits that name them.

    The exit code is 1 when something is wrong.
    """
    store = find_home().store
    findings = verify_store(store)
    count = len(stored_trees(store))
    if current_frame(context).json:
        print_json({"findings": [finding.to_json() for finding in findings], "trees": count})
    else:
        for finding in findings:
            click.echo("\n".join(error_lines(finding, kind="finding")))
        if not findings:
            trees = "1 tree is" if count == 1 else f"{count} trees are"
            click.echo(f"{printable(str(store), 2000)}: {trees} sound")
    return 1 if findings else 0


def _size(number: int) -> str:
    return f"{number} bytes" if number < 10_000 else f"{number / 1_000_000:.2f} MB"

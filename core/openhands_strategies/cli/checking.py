"""`ohs check`: the options, and what is printed at the end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openhands_strategies.cli.boundary import print_json
from openhands_strategies.cli.completion.values import (
    complete_file,
    complete_param,
    complete_reference,
)
from openhands_strategies.cli.frame import Frame, current_frame, debug_option, json_option
from openhands_strategies.cli.project_options import working
from openhands_strategies.cli.sdk import stdout_reserved
from openhands_strategies.errors import StrategyError

if TYPE_CHECKING:
    from openhands_strategies.project.home import Home
    from openhands_strategies.sources.source import Located


@click.command("check")
@click.argument("reference", metavar="REF", shell_complete=complete_reference)
@click.option("--static", is_flag=True, help="Read the files only; nothing of it runs.")
@click.option(
    "--param",
    "params",
    metavar="NAME=VALUE",
    multiple=True,
    shell_complete=complete_param,
    help="Build and run with this value; see ohs show REF.",
)
@click.option(
    "--sdk", metavar="VERSION", help="Check with this SDK, in an environment made for it."
)
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=1),
    default=600.0,
    help="How long its code may take, all in all; 600 by default.",
)
@click.option(
    "--sarif",
    "sarif_file",
    metavar="FILE",
    shell_complete=complete_file,
    help="Write the findings as SARIF 2.1.0.",
)
@json_option
@debug_option
@click.pass_context
def command(
    context: click.Context,
    reference: str,
    static: bool,
    params: tuple[str, ...],
    sdk: str | None,
    timeout: float,
    sarif_file: str | None,
) -> int:
    """Find what is wrong with a strategy: its files, its code, a run.

    Files are read first. Then it is loaded, built with default and with generated
    parameters, compared with what its files show, and run with a scripted model in a
    workspace that is made for it; all that in a process of its own. The exit code is 1
    when an error is found.
    """
    from openhands_strategies.cli.options import params_of, writable_path

    if static and (params or sdk):
        raise click.UsageError("--static builds nothing: leave --param and --sdk out.")
    path = None
    if sarif_file is not None:
        path = writable_path(Path(sarif_file), f"--sarif {sarif_file}", "sarif_path")
    given = params_of(params)
    frame = current_frame(context)
    # Strategies print where they like; the result is for stdout alone.
    with stdout_reserved():
        document = _document(reference, given, frame, static=static, sdk=sdk, seconds=timeout)
    return _show(document, frame, path)


def _document(
    reference: str,
    given: dict[str, str],
    frame: Frame,
    *,
    static: bool,
    sdk: str | None,
    seconds: float,
) -> dict[str, Any]:
    from openhands_strategies.cli.check.carrying_out import check
    from openhands_strategies.registry.catalog import resolve
    from openhands_strategies.registry.host import plugin_host

    elsewhere = sdk is not None and not _is_running(sdk)
    with working(frame) as work:
        located = resolve(
            reference, host=plugin_host(), warn=work.warnings.append, fetching=work.fetching
        )
    if sdk is not None and elsewhere:
        from openhands_strategies.cli.check.other_sdk import check_elsewhere

        needed = _trusted_requirements(located, work.home)
        arguments = [f"--param={name}={value}" for name, value in given.items()]
        arguments += [
            f"--timeout={seconds}",
            *(["--debug"] if frame.debug else []),
            "--",
            reference,
        ]
        return check_elsewhere(located, needed, arguments, sdk, work.home)
    checked = check(
        located, given, static=static, seconds=seconds, quiet=frame.json, debug=frame.debug
    )
    return checked.to_json()


def _trusted_requirements(located: Located, home: Home) -> tuple[str, ...]:
    """What is installed beside another SDK; installing runs code, so it takes the user's trust."""
    from openhands_strategies.manifest.reader import read_manifest
    from openhands_strategies.project.trust import check_trust, is_trusted
    from openhands_strategies.sources.tree import hash_tree, tree_files

    try:
        manifest = read_manifest(located.root, located.module, located.attribute, located.name)
    except StrategyError:
        return ()  # the check itself tells it
    tree = located.tree or ""
    # Where the hash decides nothing (typed, added, installed) no file is read.
    if not tree and not is_trusted(located, tree, home=home):
        tree = hash_tree(located.root, tree_files(located.root, located.only))
    check_trust(located, tree, manifest, home=home)
    return manifest.requirements


def _is_running(sdk: str) -> bool:
    from openhands_strategies.cli.check.other_sdk import is_running

    return is_running(sdk)


def _show(document: dict[str, Any], frame: Frame, path: Path | None) -> int:
    from openhands_strategies.cli.check.report import failed, lines

    if path is not None:
        from openhands_strategies.cli.check.sarif import sarif

        path.write_text(json.dumps(sarif(document), indent=2) + "\n", encoding="utf-8")
    if frame.json:
        print_json(document)
    else:
        click.echo("\n".join(lines(document)))
    return 1 if failed(document) else 0

"""`ohs run`: the options, and what is printed at the end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from openhands_strategies.cli.boundary import INTERRUPTED, print_json
from openhands_strategies.cli.completion.values import (
    complete_directory,
    complete_file,
    complete_run,
    complete_strategy,
)
from openhands_strategies.cli.frame import Frame, current_frame, debug_option, json_option
from openhands_strategies.cli.run_options import (
    base_url_option,
    check_one_model,
    model_option,
    overlay_option,
    param_option,
    price_option,
    profile_option,
)
from openhands_strategies.cli.text import error_lines, many_lines, say

if TYPE_CHECKING:
    from openhands_strategies.runtime.report import Report
    from openhands_strategies.strategy import Confirmation


@click.command("run")
@click.argument("reference", metavar="REF", required=False, shell_complete=complete_strategy)
@click.option("--task", metavar="TEXT", help="What is to be done.")
@click.option(
    "--file",
    metavar="FILE",
    help="Read the task from a file; - reads stdin.",
    shell_complete=complete_file,
)
@param_option
@overlay_option
@click.option(
    "--workspace",
    metavar="DIR",
    help="Where agents work; here by default.",
    shell_complete=complete_directory,
)
@model_option
@base_url_option
@profile_option
@click.option(
    "--max-budget",
    type=float,
    metavar="USD",
    help="Stop all agents when they have spent this together.",
)
@price_option
@click.option(
    "--confirm",
    type=click.Choice(["never", "risky", "always"]),
    help="Which actions need your yes.",
)
@click.option(
    "--report", metavar="FILE", help="Write the report as JSON.", shell_complete=complete_file
)
@click.option(
    "--resume",
    metavar="ID",
    help="Go on with an earlier run; no REF then.",
    shell_complete=complete_run,
)
@click.option(
    "--server", metavar="URL", help="Run it on this agent-server, which has our extension."
)
@click.option(
    "--session-key-env",
    "key_env",
    metavar="VAR",
    help="The variable that holds the server's key.",
)
@json_option
@debug_option
@click.pass_context
def command(
    context: click.Context,
    reference: str | None,
    task: str | None,
    file: str | None,
    params: tuple[str, ...],
    overlays: tuple[str, ...],
    workspace: str | None,
    model: str | None,
    base_url: str | None,
    profile: str | None,
    max_budget: float | None,
    prices: tuple[str, ...],
    confirm: str | None,
    report: str | None,
    resume: str | None,
    server: str | None,
    key_env: str | None,
) -> int:
    """Run a strategy on a task, or resume a run.

    REF is a name, a .py file, a file.py:Class or a directory with strategy.py. The model's
    key comes from LLM_API_KEY.
    """
    from openhands_strategies.cli.options import (
        budget_of,
        params_of,
        prices_of,
        report_path,
        task_of,
    )
    from openhands_strategies.cli.starting import Request

    _check_combination(context, reference, resume, (task, file))
    if key_env is not None and server is None:
        raise click.UsageError("--session-key-env names the key of a --server: give that too.")
    check_one_model(model, base_url, profile)
    main_price, other_prices = prices_of(prices)
    path = report_path(report)
    request = Request(
        reference=reference,
        resume=resume,
        task=task_of(task, file),
        params=params_of(params),
        overlays=overlays,
        workspace=workspace,
        model=model,
        base_url=base_url,
        profile=profile,
        max_budget=budget_of(max_budget),
        price=main_price,
        prices=other_prices,
        confirmation=cast("Confirmation | None", confirm),
    )
    frame = current_frame(context)
    if server is not None:
        from openhands_strategies.cli.remote.address import server_of
        from openhands_strategies.cli.remote.running import run_remotely

        place = server_of(server, key_env)
        done = run_remotely(request, place, frame)
        return show_result(done, frame, path, where=f" {place.options}")
    from openhands_strategies.cli.working import run_request

    return show_result(run_request(request, frame), frame, path)


def _check_combination(
    context: click.Context,
    reference: str | None,
    resume: str | None,
    tasks: tuple[str | None, str | None],
) -> None:
    if reference is not None and resume is not None:
        raise click.UsageError("REF and --resume exclude each other: a run knows its strategy.")
    if reference is None and resume is None:
        raise click.UsageError("Give a strategy (REF), or a run with --resume ID.")
    if resume is None and tasks == (None, None):
        raise click.UsageError("Give the task with --task TEXT or --file FILE.")


def show_result(
    report: Report,
    frame: Frame,
    path: Path | None = None,
    *,
    resumable: bool = True,
    where: str = "",
) -> int:
    """Print the result of a run and return the exit code.

    Args:
        report: How the run ended.
        frame: Whether stdout takes JSON.
        path: Where the report is written to.
        resumable: Whether the run is kept, so that it can be resumed.
        where: Options that name the server of a run that is not kept here.
    """
    code = {"finished": 0, "interrupted": INTERRUPTED}.get(report.status, 1)
    if path is not None:
        _write(report, path)
    if frame.json:
        print_json(report.to_json())
        return code
    from openhands_strategies.cli.summary import print_summary
    from openhands_strategies.cli.working import stderr_console

    error = report.error
    if report.answer:
        click.echo(many_lines(report.answer))
    print_summary(report, stderr_console())
    if report.status == "interrupted" and (error is None or error.code == "interrupted"):
        resume = f"ohs run --resume {report.conversation_id}{where}"
        again = f"; resume with: {resume}" if resumable else ""
        say(f"stopped{again}")
    elif error is not None:
        for line in error_lines(error)[: None if resumable else 1]:
            say(line)
    return code


def _write(report: Report, path: Path) -> None:
    from openhands_strategies.errors import RunError, describe
    from openhands_strategies.runtime.json_file import write_json

    try:
        write_json(path, report.to_json())
    except OSError as error:
        say(f"{json.dumps(report.to_json())}")
        raise RunError(
            "report_write", f"--report {path} cannot be written: {describe(error)}", ""
        ) from error

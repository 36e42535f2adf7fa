"""`ohs compare`: the options, and what is printed at the end."""

from __future__ import annotations

import click

from openhands_strategies.cli.boundary import INTERRUPTED, print_json
from openhands_strategies.cli.completion.values import (
    complete_compared_param,
    complete_directory,
    complete_file,
    complete_strategies,
)
from openhands_strategies.cli.frame import Frame, current_frame, debug_option, json_option
from openhands_strategies.cli.run_options import (
    base_url_option,
    check_one_model,
    model_option,
    price_option,
    profile_option,
)


@click.command("compare")
@click.argument("task", metavar="TASK", required=False)
@click.option(
    "--strategies",
    metavar="REF,…",
    multiple=True,
    help="Strategies, separated by commas; NAME=REF gives one another name.",
    shell_complete=complete_strategies,
)
@click.option(
    "--repeat",
    type=click.IntRange(1, 1000),
    metavar="N",
    help="Runs of each strategy; 1 by default.",
)
@click.option(
    "--check", metavar="COMMAND", help="Shell command that succeeds when the task is done."
)
@click.option(
    "--check-timeout",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="End the check after this; 600 by default.",
)
@click.option(
    "--workspace",
    metavar="DIR",
    help="What every run gets a copy of; here by default.",
    shell_complete=complete_directory,
)
@click.option(
    "--param",
    "params",
    metavar="STRATEGY.NAME=VALUE",
    multiple=True,
    help="A parameter of one strategy; see ohs show REF.",
    shell_complete=complete_compared_param,
)
@model_option
@base_url_option
@profile_option
@price_option
@click.option("--max-budget", type=float, metavar="USD", help="What each single run may spend.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    metavar="N",
    default=2,
    show_default=True,
    help="Runs at a time.",
)
@click.option("--keep", is_flag=True, help="Keep the copies as the agents left them.")
@click.option(
    "--report",
    metavar="FILE",
    help="Write a page with plots, as HTML.",
    shell_complete=complete_file,
)
@click.option(
    "--out",
    metavar="DIR",
    help="New directory for the results; below OHS_HOME by default.",
    shell_complete=complete_directory,
)
@click.option(
    "--resume",
    metavar="DIR",
    help="Do what is missing in an earlier comparison.",
    shell_complete=complete_directory,
)
@json_option
@debug_option
@click.pass_context
def command(
    context: click.Context,
    task: str | None,
    strategies: tuple[str, ...],
    repeat: int | None,
    check: str | None,
    check_timeout: float | None,
    workspace: str | None,
    params: tuple[str, ...],
    model: str | None,
    base_url: str | None,
    profile: str | None,
    prices: tuple[str, ...],
    max_budget: float | None,
    jobs: int,
    keep: bool,
    report: str | None,
    out: str | None,
    resume: str | None,
) -> int:
    """Run strategies on copies of a workspace, and compare them.

    TASK is what each of them gets. Agents run commands in the copies without asking. The
    model's key comes from LLM_API_KEY.
    """
    from openhands_strategies.cli.compare.asking import Asked
    from openhands_strategies.cli.compare.carrying_out import compare, finish
    from openhands_strategies.cli.options import report_path

    check_one_model(model, base_url, profile)
    if out is not None and resume is not None:
        raise click.UsageError(
            "--out and --resume exclude each other: results stay where they are."
        )
    page = report_path(report)
    frame: Frame = current_frame(context)
    asked = Asked(
        task=task,
        strategies=strategies,
        params=params,
        repeat=repeat,
        check=check,
        check_timeout=check_timeout,
        workspace=workspace,
        model=model,
        base_url=base_url,
        profile=profile,
        prices=prices,
        max_budget=max_budget,
    )
    document = compare(asked, frame, jobs=jobs, keep=keep, out=out, resume=resume)
    finish(document, page)
    if frame.json:
        print_json(document)
    else:
        from openhands_strategies.cli.compare.carrying_out import print_result

        print_result(document)
    return {"finished": 0, "interrupted": INTERRUPTED}.get(document["status"], 1)

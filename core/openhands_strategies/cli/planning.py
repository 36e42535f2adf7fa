"""`ohs plan`: what a strategy would use, before anything runs."""

from __future__ import annotations

import click

from openhands_strategies.cli.boundary import print_json
from openhands_strategies.cli.completion.values import complete_directory, complete_strategy
from openhands_strategies.cli.frame import current_frame, debug_option, json_option
from openhands_strategies.cli.run_options import overlay_option, param_option


@click.command("plan")
@click.argument("reference", metavar="REF", shell_complete=complete_strategy)
@param_option
@overlay_option
@click.option("--prompts", is_flag=True, help="Show system prompts and tools in full.")
@click.option(
    "--diff",
    "other",
    metavar="REF",
    help="Show what differs in another strategy or version.",
    shell_complete=complete_strategy,
)
@click.option(
    "--workspace",
    metavar="DIR",
    help="Where agents would work; here by default.",
    shell_complete=complete_directory,
)
@click.option("--model", metavar="NAME", help="Main model; LLM_MODEL or a placeholder by default.")
@json_option
@debug_option
@click.pass_context
def command(
    context: click.Context,
    reference: str,
    params: tuple[str, ...],
    overlays: tuple[str, ...],
    prompts: bool,
    other: str | None,
    workspace: str | None,
    model: str | None,
) -> None:
    """Show what a strategy would use, and which part brought what.

    No model is called and nothing is started: agents, models, tools, skills, hooks, MCP
    servers, limits and prompts are those that ohs run would start with.
    """
    from openhands_strategies.cli.options import params_of
    from openhands_strategies.cli.plan.making import PlanRequest, make_plan, other_plan

    frame = current_frame(context)
    request = PlanRequest(
        reference=reference,
        overlays=overlays,
        params=params_of(params),
        workspace=workspace,
        model=model,
        prompts=prompts or other is not None,
    )
    made = make_plan(request, frame)
    if other is None:
        if frame.json:
            print_json(made)
            return
        from openhands_strategies.cli.plan.tree import print_plan

        print_plan(made, prompts=prompts)
        return
    second = other_plan(request, other, frame)
    from openhands_strategies.runtime.plan.changes import plan_changes

    changes = plan_changes(made, second)
    if frame.json:
        print_json({"a": made["strategy"], "b": second["strategy"], "changes": changes})
        return
    from openhands_strategies.cli.plan.changes import print_changes

    print_changes(made, second, changes)

"""`ohs export`: a strategy's main agent as an agent profile of upstream's own UI."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from openhands_strategies.cli.boundary import print_json
from openhands_strategies.cli.completion.values import complete_profile, complete_strategy
from openhands_strategies.cli.frame import Frame, current_frame, debug_option, json_option
from openhands_strategies.cli.run_options import overlay_option, param_option
from openhands_strategies.cli.text import printable, say

if TYPE_CHECKING:
    from openhands.sdk import LLM

    from openhands_strategies.cli.plan.making import PlanRequest
    from openhands_strategies.runtime.agent_profile.comparing import Comparison
    from openhands_strategies.runtime.agent_profile.storing import LLMProfile, Saved


@click.command("export")
@click.argument("reference", metavar="REF", shell_complete=complete_strategy)
@click.option(
    "--agent-profile",
    "name",
    metavar="NAME",
    required=True,
    help="Name of the agent profile that is written.",
)
@param_option
@overlay_option
@click.option(
    "--llm-profile",
    "llm_profile",
    metavar="NAME",
    help="The saved LLM profile that it refers to; default by default.",
    shell_complete=complete_profile,
)
@click.option("--force", is_flag=True, help="Replace an agent profile of this name.")
@json_option
@debug_option
@click.pass_context
def command(
    context: click.Context,
    reference: str,
    name: str,
    params: tuple[str, ...],
    overlays: tuple[str, ...],
    llm_profile: str | None,
    force: bool,
) -> None:
    """Write a strategy's main agent as an agent profile, and say what that leaves out.

    An agent-server of this home, and every UI on top of it, then offers the profile. It
    holds one agent: tools, system prompt and condenser. What it cannot hold is listed,
    line by line; ohs serve offers the whole strategy.
    """
    from openhands_strategies.cli.options import params_of
    from openhands_strategies.cli.plan.making import PlanRequest
    from openhands_strategies.cli.sdk import require_agent_profiles
    from openhands_strategies.runtime.agent_profile.storing import profile_name

    frame = current_frame(context)
    profile = profile_name(name)
    require_agent_profiles()
    request = PlanRequest(reference=reference, overlays=overlays, params=params_of(params))
    done = _export(request, profile, llm_profile, frame, force=force)
    if frame.json:
        print_json(_document(done))
    else:
        _show(done)


@dataclass(frozen=True)
class _Done:
    saved: Saved
    refers: LLMProfile
    compared: Comparison


def _export(
    request: PlanRequest, name: str, llm_profile: str | None, frame: Frame, *, force: bool
) -> _Done:
    from openhands_strategies.cli.plan.making import made_ready
    from openhands_strategies.cli.sdk import stdout_reserved

    found: list[tuple[LLMProfile, LLM]] = []

    def stand_in() -> LLM:
        from openhands_strategies.runtime.agent_profile.making import stand_in_llm
        from openhands_strategies.runtime.agent_profile.storing import find_llm_profile

        refers = find_llm_profile(llm_profile)
        found.append((refers, stand_in_llm(refers.model)))
        return found[0][1]

    # Strategies print where they like; what was written is for stdout alone.
    with stdout_reserved():
        prepared, _ = made_ready(request, frame, stand_in)
        from openhands_strategies.runtime.agent_profile.comparing import compare
        from openhands_strategies.runtime.agent_profile.making import agent_profile
        from openhands_strategies.runtime.agent_profile.storing import save_profile

        ((refers, llm),) = found
        profile = agent_profile(
            prepared,
            name,
            refers.name,
            llm=llm,
            model_known=refers.model is not None,
            environ=os.environ,
        )
        compared = compare(prepared, profile, llm)
        return _Done(save_profile(profile, force=force), refers, compared)


def _document(done: _Done) -> dict[str, Any]:
    profile, compared = done.saved.profile, done.compared
    return {
        "agent_profile": profile.name,
        "path": str(done.saved.path),
        "id": str(profile.id),
        "revision": profile.revision,
        "llm_profile": {"name": done.refers.name, "saved": done.refers.saved},
        "carries": [item.to_json() for item in compared.carries],
        "leaves_out": [item.to_json() for item in compared.leaves_out],
        "adds": [item.to_json() for item in compared.adds],
    }


def _show(done: _Done) -> None:
    for title, items in (
        ("carries", done.compared.carries),
        ("leaves out", done.compared.leaves_out),
        ("adds", done.compared.adds),
    ):
        for item in items:
            why = f": {item.why}" if item.why else ""
            what = item.name if item.name == item.kind else f"{item.kind} {item.name}"
            say(printable(f"{title} {what}{why}", 400))
    if not done.refers.saved:
        say(
            f"note: it refers to the LLM profile {done.refers.name!r}, which is not saved yet;"
            " save one of that name, or give --llm-profile"
        )
    click.echo(f"wrote {printable(str(done.saved.path), 300)}")

"""`ohs openhands`: the OpenHands CLI, with a strategy in the conversations that it makes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from openhands_strategies.cli.completion.values import complete_passed_on
from openhands_strategies.cli.fetch_progress import fetch_progress
from openhands_strategies.cli.frame import Frame, current_frame
from openhands_strategies.cli.options import params_of, prices_of
from openhands_strategies.cli.sdk import import_sdk, stdout_reserved
from openhands_strategies.cli.starting import Surroundings, name_given, resolve_all
from openhands_strategies.cli.text import say, warn
from openhands_strategies.errors import StrategyError, UsageError
from openhands_strategies.openhands_cli.arguments import (
    Ours,
    check_combination,
    help_text,
    parse_ours,
)
from openhands_strategies.openhands_cli.elsewhere import check_made_here, kept
from openhands_strategies.openhands_cli.notes import start_lines
from openhands_strategies.openhands_cli.record import (
    check_same_overlays,
    check_same_params,
    check_same_strategy,
    exists,
    read_record,
)
from openhands_strategies.openhands_cli.theirs import Theirs, parse_theirs, upstream_parser
from openhands_strategies.openhands_cli.upstream import conversations_dir, ended, run_upstream
from openhands_strategies.project.home import find_home
from openhands_strategies.registry.host import plugin_host

if TYPE_CHECKING:
    from openhands_strategies.openhands_cli.session import Session
    from openhands_strategies.runtime.run_file import RunFile
    from openhands_strategies.sources.source import Located


@click.command(
    "openhands",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, shell_complete=complete_passed_on)
@click.pass_context
def command(context: click.Context, arguments: tuple[str, ...]) -> int:
    """Run the OpenHands CLI with a strategy."""
    frame = current_frame(context)
    ours = parse_ours(arguments)
    frame.debug = frame.debug or ours.debug
    if ours.helps:
        return _help(ours.rest)
    theirs: list[Theirs] = []
    refused = ended(lambda: theirs.append(parse_theirs(ours.rest)), ours.rest)
    if not theirs:
        return refused
    frame.json = theirs[0].json
    check_combination(ours, theirs[0])
    if not theirs[0].converses:
        return run_upstream(ours.rest)
    # What strategies and libraries print is no part of the protocol, nor of --json.
    with stdout_reserved():
        session = _session(ours, theirs[0], frame)
    from openhands_strategies.openhands_cli.seams import held

    before = kept(conversations_dir())
    with held(session.open, acp=session.acp):
        code = run_upstream(ours.rest)
    if session.opened and not session.acp:
        say(f"With its strategy it is resumed by: ohs openhands --resume {session.opened[-1]}")
    if session.failed is not None:
        raise session.failed
    if session.new is not None and not session.asked:
        check_made_here(before, conversations_dir(), session.resumed)
    return code


def _help(rest: Sequence[str]) -> int:
    click.echo(f"{help_text()}\n")
    try:
        upstream_parser()
    except StrategyError as missing:
        click.echo(f"  ({missing.message}; {missing.hint})")
        return 0
    return ended(lambda: upstream_parser().parse_args(list(rest)), rest)


def _session(ours: Ours, theirs: Theirs, frame: Frame) -> Session:
    """Check everything that can be checked before the CLI takes the terminal."""
    home, host = find_home(), plugin_host()
    params = params_of(ours.params)
    price, prices = prices_of(ours.prices)
    references = [*([] if ours.strategy is None else [ours.strategy]), *ours.overlays]
    around = Surroundings(warn, say, fetching=lambda: fetch_progress(frame), debug=frame.debug)
    found = resolve_all(references, home, host, around)
    located = None if ours.strategy is None else found[0]
    overlays = found if located is None else found[1:]
    if not theirs.json:
        say("loading the SDK, this takes some seconds…")
    import_sdk(debug=frame.debug)
    from openhands_strategies.openhands_cli import looking, upstream
    from openhands_strategies.openhands_cli.session import Chosen, Session, recorded
    from openhands_strategies.runtime.building import check_params
    from openhands_strategies.runtime.loader import load

    acp = theirs.command == "acp"
    looking.check_seams(acp=acp)
    upstream.load_entry_point()
    resumed = upstream.resumed_id(theirs.resume, last=theirs.last)
    record = _record(ours, resumed, located, overlays)
    chosen: Chosen | None = None
    if record is not None:
        chosen = recorded(record, home)
        kept = {name: v for name, v in record.params.items() if not name_given(name, params)}
        values = check_params(chosen.loaded, {**kept, **params}, texts=True)
        check_same_params(record, [one for one in values if name_given(one, params)], values)
    elif located is not None:
        loaded = load(located, home, overlays)
        chosen = Chosen(loaded, check_params(loaded, params, texts=True))
    session = Session(
        home=home,
        host=host,
        warn=warn,
        new=chosen,
        price=price,
        prices=prices,
        headless=theirs.headless,
        acp=acp,
        approval=theirs.approval,
        resumed=resumed,
    )
    # An ACP agent reads no LLM_* variables.
    llm = upstream.users_llm(environment=theirs.environment and not acp) if chosen else None
    if chosen is not None and llm is not None:
        # What is wrong with a strategy is said now, and not in the middle of the screen.
        prepared = session.prepare(chosen, llm, None if acp else upstream.work_dir())
        for line in start_lines(prepared, session.approval):
            say(line)
    return session


def _record(
    ours: Ours, resumed: str | None, located: Located | None, overlays: Sequence[Located]
) -> RunFile | None:
    """What the conversation to resume was started with, if it fits what is asked for now."""
    if resumed is None:
        return None
    directory = conversations_dir() / resumed
    record = read_record(directory)
    if record is None:
        if not exists(directory):
            # The CLI would start a new one under that id.
            raise UsageError(
                "run_unknown",
                f"there is no conversation {resumed}",
                "ohs openhands --resume lists the conversations",
            )
        if ours.strategy or ours.params or ours.overlays:
            raise UsageError(
                "resume_conflict",
                f"conversation {resumed} was started without a strategy",
                f"leave {ours.given[0]} out, or start a new conversation",
            )
        return None
    if ours.strategy is not None and located is not None:
        check_same_strategy(record, ours.strategy, located)
    check_same_overlays(record, overlays)
    return record

"""The command `ohs`: the table of its commands, each imported only when it is used."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Final, NoReturn

import click
from click.shell_completion import CompletionItem

from openhands_strategies.cli.boundary import guarded
from openhands_strategies.cli.frame import Frame, asked_for, debug_option

# Name to module and help line. The help line stands here so that `ohs --help` imports
# none of them.
COMMANDS: Final = {
    "list": ("listing", "List the strategies that have names."),
    "show": ("showing", "Show what is known of a strategy without running it."),
    "plan": ("planning", "Show what a strategy would use, and which part brought what."),
    "check": ("checking", "Find what is wrong with a strategy: its files, its code, a run."),
    "run": ("running", "Run a strategy on a task, or resume a run."),
    "openhands": ("openhands_command", "Run the OpenHands CLI with a strategy."),
    "compare": ("comparing", "Run strategies on copies of a workspace, and compare them."),
    "add": ("adding", "Fetch a strategy, write it into the project's file and lock it."),
    "remove": ("removing", "Take a strategy out of the project's files."),
    "update": ("updating", "Lock newer commits, and show what changes by that."),
    "lock": ("locking", "Write the project's lock file, and show what changed."),
    "sync": ("syncing", "Bring every strategy of the project to this machine, as it is locked."),
    "trust": ("trusting", "Agree to run a strategy, after seeing what it can do."),
    "search": ("searching", "Search names, descriptions and tags in your indexes."),
    "index": ("indexing", "Add, update, list, check, show and remove indexes of strategies."),
    "install": (
        "installing",
        "Install strategies into the environment that runs ohs, with pip or uv.",
    ),
    "uninstall": ("uninstalling", "Remove distributions from the environment that runs ohs."),
    "store": ("storing", "Clear the store of what nothing names any more, or check it."),
    "serve": ("serving", "Serve strategies: the agent-server with a REST API for them."),
    "new": ("creating", "Make a new strategy: tested, and ready to be published."),
    "export": (
        "exporting",
        "Write a strategy's main agent as an agent profile, and say what that leaves out.",
    ),
    "canvas": ("canvas_command", "Write the strategies page as an OpenHands Canvas extension."),
    "completion": ("completing", "Print the script that makes bash, zsh or fish complete ohs."),
    "demo": ("demo", "Watch fusion work on a sample repository, with a scripted model."),
    "doctor": ("doctor", "Check versions, settings and what is missing."),
}


class _Commands(click.Group):
    """A group whose commands live in modules of their own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"openhands_strategies.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        # click's own imports every command, only for its help line.
        found = [
            CompletionItem(name, help=text)
            for name, (_, text) in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _version(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"ohs {version('openhands-strategies')}")
        context.exit()


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Show the version and exit.",
)
@debug_option
@click.pass_context
def cli(context: click.Context) -> None:
    """Run strategies: who works on a task, with which model, under which limits."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run `ohs` and end the process with the exit codes that contracts.md lists."""
    given = sys.argv[1:] if arguments is None else arguments
    if "_OHS_COMPLETE" in os.environ:
        from openhands_strategies.cli.completion.shells import answer

        sys.exit(answer(cli, os.environ["_OHS_COMPLETE"], os.environ))
    for stream in (sys.stdout, sys.stderr):
        # A file name that is no UTF-8 must not turn an error message into a traceback.
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
    frame = Frame(debug=asked_for("--debug", given))

    def command() -> int | None:
        with cli.make_context("ohs", list(given), obj=frame) as context:
            code: int | None = cli.invoke(context)
            return code

    code = guarded(frame, given, command)
    if frame.last_act is not None:
        sys.stdout.flush()
        sys.stderr.flush()
        frame.last_act()
        os._exit(code)
    sys.exit(code)

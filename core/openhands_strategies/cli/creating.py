"""`ohs new NAME`: the options, and what is printed at the end."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from openhands_strategies.cli.boundary import print_json
from openhands_strategies.cli.completion.values import (
    complete_directory,
    complete_file,
    one_of,
    some_of,
)
from openhands_strategies.cli.frame import current_frame, debug_option, json_option
from openhands_strategies.cli.new.answers import KINDS, LICENSES, PARTS, parts_of, read_answers
from openhands_strategies.cli.new.names import Names, check_free, names_of
from openhands_strategies.cli.new.place import target_of, workshop
from openhands_strategies.cli.new.repository import Outcome, git_user, make_repository
from openhands_strategies.cli.text import printable, say, warn
from openhands_strategies.errors import UsageError


@click.command("new")
@click.argument("name")
@click.option(
    "--kind",
    metavar="KIND",
    shell_complete=one_of(*KINDS),
    help="strategy (the default), overlay or composition.",
)
@click.option(
    "--with",
    "parts",
    metavar="PART,…",
    multiple=True,
    shell_complete=some_of(*PARTS),
    help="skills, hooks, agents, or none; skills,hooks by default.",
)
@click.option(
    "--directory",
    metavar="DIR",
    shell_complete=complete_directory,
    help="Where it is made; ./NAME by default.",
)
@click.option("--description", metavar="TEXT", help="What it does, in one line.")
@click.option("--author", metavar="NAME", help="For licence and package; git's user by default.")
@click.option("--email", metavar="ADDRESS", help="For the package; none by default.")
@click.option(
    "--license",
    "license_name",
    type=click.Choice(LICENSES),
    help="MIT by default.",
)
@click.option("--repository", metavar="URL", help="Where it will be published, https.")
@click.option(
    "--answers",
    metavar="FILE",
    shell_complete=complete_file,
    help="Answers of another one: its .copier-answers.yml.",
)
@click.option("--defaults", is_flag=True, help="Ask nothing; what is not given has its default.")
@click.option("--allow-taken", is_flag=True, help="Also a name that another strategy has.")
@click.option("--no-git", is_flag=True, help="Make no git repository.")
@json_option
@debug_option
@click.pass_context
def command(
    context: click.Context,
    name: str,
    kind: str | None,
    parts: tuple[str, ...],
    directory: str | None,
    description: str | None,
    author: str | None,
    email: str | None,
    license_name: str | None,
    repository: str | None,
    answers: str | None,
    defaults: bool,
    allow_taken: bool,
    no_git: bool,
) -> None:
    """Make a new strategy: tested, and ready to be published.

    The directory is a plugin directory, a pip package and a git repository at once. On a
    terminal, what the options leave open is asked.
    """
    from openhands_strategies.cli.new.rendering import render

    frame = current_frame(context)
    names = names_of(name)
    given: dict[str, Any] = {} if answers is None else read_answers(answers)
    options = {
        "kind": _kind(kind),
        "parts": parts_of(parts),
        "description": description,
        "author": author,
        "email": email,
        "license": license_name,
        "repository": repository,
    }
    given |= {key: value for key, value in options.items() if value is not None}
    target = target_of(directory, names.name)
    if not allow_taken:
        check_free(names.name, base=Path.cwd(), warn=warn)
    ask = not defaults and answers is None and not frame.json and sys.stdin.isatty()
    ask = ask and sys.stdout.isatty()
    with workshop(target) as work:
        told = render(names, given, work.made, ask=ask, git_name=git_user())
        made = sorted(
            path.relative_to(work.made).as_posix()
            for path in work.made.rglob("*")
            if path.is_file()
        )
        outcome = Outcome() if no_git else make_repository(work.made, names.name, target)
        work.deliver()
    if frame.json:
        print_json({"new": _document(names, told, target, made, outcome)})
    else:
        _print(names, told, target, directory, outcome, quiet=no_git)


def _kind(text: str | None) -> str | None:
    if text is not None and text not in KINDS:
        raise UsageError(
            "kind_unknown", f"--kind {text!r} is no kind", f"choose from {', '.join(KINDS)}"
        )
    return text


def _document(
    names: Names, told: dict[str, Any], target: Path, made: list[str], outcome: Outcome
) -> dict[str, Any]:
    return {
        "name": names.name,
        "kind": told["kind"],
        "with": list(told["parts"]),
        "directory": str(target),
        "distribution": names.distribution,
        "package": names.package,
        "files": made,
        "repository": outcome.repository,
        "commit": outcome.commit,
        "note": outcome.note,
    }


def _print(
    names: Names,
    told: dict[str, Any],
    target: Path,
    directory: str | None,
    outcome: Outcome,
    *,
    quiet: bool,
) -> None:
    click.echo(f"made {names.name} ({told['kind']}) in {printable(str(target), 2000)}")
    if outcome.commit is not None:
        click.echo(f"git repository with a first commit, {outcome.commit[:12]}")
    elif outcome.note and not quiet:
        say(f"note: {printable(outcome.note, 2000)}")
    where = printable(names.name if directory is None else directory, 2000)
    say("next:")
    say(f"  cd {where}")
    say("  python -m pip install --editable '.[dev]'")
    say("  python -m pytest")

"""Reference of the command line, from the commands themselves; the SDK is not imported."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from docstrings import table


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command with its path, groups before what is in them."""
    from openhands_strategies.cli.main import cli

    yield from _below("ohs", cli, click.Context(cli, info_name="ohs"))


def _below(
    path: str, command: click.Command, context: click.Context
) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None and not inner.hidden:
                below = click.Context(inner, parent=context, info_name=name)
                yield from _below(f"{path} {name}", inner, below)


def options(command: click.Command) -> list[click.Option]:
    """The options that are shown to people."""
    return [one for one in command.params if isinstance(one, click.Option) and not one.hidden]


def page() -> str:
    """Every command with usage, text and options."""
    return "\n\n".join(
        piece for path, command in commands() for piece in _entry(path, command) if piece
    )


def _entry(path: str, command: click.Command) -> Iterator[str]:
    yield f"## {path}"
    context = click.Context(command, info_name=path)
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    yield f"```text\n{usage}\n```"
    yield from _help(command.help or "")
    rows = [*(_passed_on() if path == "ohs openhands" else ())]
    rows += [_row(one, context) for one in options(command)]
    yield table(("option", "meaning"), rows)
    if isinstance(command, click.Group):
        inner = [
            (f"[`{path} {name}`](#{path.replace(' ', '-')}-{name})", one.get_short_help_str(200))
            for name in command.list_commands(context)
            if (one := command.get_command(context, name)) is not None and not one.hidden
        ]
        yield table(("command", "what it does"), inner)


def _help(text: str) -> Iterator[str]:
    """Paragraphs; one that is laid out by hand stays as it is."""
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith("\b"):
            yield "```text\n" + paragraph.removeprefix("\b").strip("\n") + "\n```"
        else:
            # Words in capitals between < > are meant, and no HTML.
            yield " ".join(paragraph.split()).replace("<", "&lt;")


def _passed_on() -> Iterator[tuple[str, str]]:
    """Our options among the arguments that another program reads."""
    from openhands_strategies.openhands_cli.arguments import OURS

    for name, value, text in OURS:
        yield f"`{f'{name} {value}'.strip()}`", text.replace("<", "&lt;")


def _row(option: click.Option, context: click.Context) -> tuple[str, str]:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    value = "" if option.is_flag or option.count else f" `{option.make_metavar(context)}`"
    many = " May be repeated." if option.multiple else ""
    choices = option.type.choices if isinstance(option.type, click.Choice) else ()
    told = f" One of {', '.join(f'`{one}`' for one in choices)}." if choices else ""
    return f"{names}{value}", f"{option.help or ''}{told}{many}".replace("<", "&lt;")

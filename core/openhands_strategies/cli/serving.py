"""`ohs serve`: upstream's agent-server with the strategies that the user names."""

from __future__ import annotations

import argparse
import errno
import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import click

from openhands_strategies.cli.frame import debug_option
from openhands_strategies.cli.sdk import import_sdk
from openhands_strategies.cli.server_key import give_secret_key
from openhands_strategies.cli.text import say
from openhands_strategies.errors import RunError, StrategyError, UsageError
from openhands_strategies.project.home import find_home

_MODULE: Final = "openhands_strategies.server.extension"
_LISTS: Final = {"--extensions": "extensions", "--with": "overlays", "--workspaces": "workspaces"}
_OTHERS: Final = (
    *("--strict", "--help", "--debug", "--host", "--port", "--reload", "--check-browser"),
    *("--import-modules", "--extra-python-path"),
)


@dataclass
class Arguments:
    """What belongs to us of a command line, and what is upstream's."""

    extensions: list[str] = field(default_factory=list)
    overlays: list[str] = field(default_factory=list)
    workspaces: list[str] = field(default_factory=list)
    strict: bool = False
    upstream: list[str] = field(default_factory=list)


@click.command(
    "serve",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": True},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARGUMENTS]…")
@debug_option
def command(arguments: tuple[str, ...]) -> int:
    """Serve strategies: the agent-server with a REST API for them.

    \b
    --extensions REF…   Strategies to serve; all that have a name here by default.
    --with REF…         Layer these on top of every strategy.
    --workspaces DIR…   Let runs work only in or below these directories.
    --strict            Do not start when a strategy is broken.

    Everything else goes to the agent-server as it is: --port, --import-modules, … It
    listens on 127.0.0.1 unless you give --host.
    """
    given = split_arguments(arguments)
    _check(given)
    home = find_home()
    _pass_on(given)
    import_sdk(debug=True)
    # Also for the server's own start: no price map from the network.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    give_secret_key(home)
    from openhands.agent_server.__main__ import main

    passed_on = upstream_arguments(given.upstream)
    if (address := page_address(passed_on)) is not None:
        say(f"once the server is up, its page is at {address}")
    sys.argv = ["agent-server", *passed_on]
    try:
        main()
    except SystemExit as ended:
        if isinstance(ended.__cause__, StrategyError):
            raise ended.__cause__ from None
        if ended.code:
            raise why_it_ended(ended.code, passed_on) from ended
    return 0


def split_arguments(arguments: Sequence[str]) -> Arguments:
    """Take our options out of a command line, wherever they stand.

    The beginning of an option, ours or upstream's, becomes the whole, as upstream reads it.

    Raises:
        UsageError: `usage` for an option of ours without a value, and for a beginning that
            several options share.
    """
    found = Arguments()
    rest = list(arguments)
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        name = _whole(name)
        if name == "--strict" and not equals:
            found.strict = True
        elif name in _LISTS:
            values = [value] if equals else []
            while not equals and rest and not rest[0].startswith("-"):
                values.append(rest.pop(0))
            if not any(values):
                raise UsageError("usage", f"{name} needs a value", "ohs serve --help shows how")
            getattr(found, _LISTS[name]).extend(values)
        else:
            found.upstream.append(name + equals + value)
    return found


def _whole(name: str) -> str:
    meant = [one for one in (*_LISTS, *_OTHERS) if one.startswith(name)]
    if not name.startswith("--") or name in ("--", *meant) or not meant:
        return name
    if len(meant) > 1:
        raise UsageError("usage", f"{name} could be {' or '.join(meant)}", "write the whole option")
    return meant[0]


def upstream_arguments(given: Sequence[str]) -> list[str]:
    """Upstream's arguments with our module among those it imports, and a host.

    Args:
        given: What the user wrote; modules that are named there stay.
    """
    arguments: list[str] = []
    modules: list[str] = []
    rest = list(given)
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        if name == "--import-modules":
            modules.append(value if equals else rest.pop(0) if rest else "")
        else:
            arguments.append(name + equals + value)
    if not any(one.partition("=")[0] == "--host" for one in arguments):
        arguments += ["--host", "127.0.0.1"]
    named = [one.strip() for text in modules for one in text.split(",") if one.strip()]
    return [*arguments, "--import-modules", ",".join([*named, _MODULE])]


def page_address(arguments: Sequence[str]) -> str | None:
    """Where a browser on this machine finds the page.

    Args:
        arguments: As the agent-server gets them.

    Returns:
        None where it will not serve: it is asked something else, or cannot read them.
    """
    if (found := _listening(arguments)) is None:
        return None
    host, port = found
    if host in ("0.0.0.0", "::"):  # noqa: S104  nothing is bound here
        host = "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/strategies"


def _listening(arguments: Sequence[str]) -> tuple[str, int] | None:
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    for other in (("-h", "--help"), ("--check-browser",)):
        parser.add_argument(*other, dest="other", action="store_true")
    try:
        found, _ = parser.parse_known_args(arguments)
    except argparse.ArgumentError:
        return None
    return None if found.other else (found.host.strip("[]"), found.port)


def why_it_ended(code: object, arguments: Sequence[str]) -> StrategyError:
    """What an exit of the agent-server means; it has printed its own words by then.

    Args:
        code: Of its `SystemExit`; not 0.
        arguments: As it got them.
    """
    if code == 2:
        return UsageError(
            "usage",
            "the agent-server does not take these arguments, as it says above",
            "strategies are named by --extensions REF; ohs serve --help shows the rest",
        )
    listening = _listening(arguments)
    if listening is not None and _is_taken(*listening):
        return RunError(
            "port_taken",
            f"another program listens on port {listening[1]} of {listening[0]}",
            "end that one, or give another --port",
        )
    return RunError("server_ended", f"the agent-server ended with {code}", "it says above why")


def _is_taken(host: str, port: int) -> bool:
    try:
        with socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET
        ):
            return False
    except OSError as error:
        return error.errno == errno.EADDRINUSE
    except OverflowError:
        return False


def _check(given: Arguments) -> None:
    if find_spec("openhands.agent_server") is None:
        raise UsageError(
            "server_missing",
            "the agent-server is not installed",
            "pip install 'openhands-strategies[server]'",
        )
    if "--reload" in given.upstream:
        raise UsageError(
            "usage", "--reload starts the agent-server anew without strategies", "leave it out"
        )
    for one in given.workspaces:
        if not Path(one).expanduser().is_dir():
            raise UsageError("usage", f"--workspaces: {one} is no directory", "create it first")
    for text in (*given.extensions, *given.overlays, *given.workspaces):
        if "\n" in text:
            raise UsageError("usage", f"{text!r} holds a line break", "write it on one line")


def _pass_on(given: Arguments) -> None:
    """Tell the extension by environment; it is imported by upstream, not called by us."""
    for name, values in (
        ("OHS_EXTENSIONS", given.extensions),
        ("OHS_WITH", given.overlays),
        ("OHS_WORKSPACES", given.workspaces),
    ):
        if values:
            os.environ[name] = "\n".join(values)
    if given.strict:
        os.environ["OHS_STRICT"] = "1"

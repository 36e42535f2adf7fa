"""What a start sends, from the options; what makes no sense on a server is refused."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from openhands_strategies.cli.remote.address import Server
from openhands_strategies.cli.starting import Request
from openhands_strategies.errors import UsageError

_OWN_LLM = "the server uses its own LLM settings"
_PROFILE = "leave it out, or name one of the server's profiles with --llm-profile"


def check_usage(request: Request) -> None:
    """Refuse options that say nothing to a server.

    Raises:
        UsageError: `remote_option`, with the reason.
    """
    if request.model is not None:
        raise _refused("--model", _OWN_LLM, _PROFILE)
    if request.base_url is not None:
        raise _refused("--base-url", _OWN_LLM, _PROFILE)
    if request.price is not None:
        raise _refused(
            "--price IN,OUT", "the main model is the server's choice", "write --price MODEL=IN,OUT"
        )
    if request.resume is None:
        return
    for option, given in (
        ("--param", request.params),
        ("--with", request.overlays),
        ("--workspace", request.workspace),
        ("--llm-profile", request.profile),
        ("--max-budget", request.max_budget),
        ("--price", request.prices),
        ("--confirm", request.confirmation),
    ):
        if given:
            raise _refused(
                f"{option} with --resume", "a run goes on as it was started", f"leave {option} out"
            )


def start_body(request: Request, server: Server) -> dict[str, Any]:
    """The body of a start, but for its overlays.

    Args:
        request: Of a new run.
        server: A workspace that is not given is the current directory on this machine.

    Raises:
        UsageError: `workspace_missing` or `workspace_relative`.
    """
    return {
        "task": request.task,
        "params": dict(request.params),
        "params_as_texts": True,
        "workspace": _workspace(request.workspace, server),
        "llm_profile": request.profile,
        "max_budget": request.max_budget,
        "prices": {model: [one.input, one.output] for model, one in request.prices.items()},
        "confirmation": request.confirmation,
    }


def _workspace(text: str | None, server: Server) -> str:
    if text is None:
        if server.loopback:
            return str(Path.cwd())
        raise UsageError(
            "workspace_missing",
            "agents work on the server, and no directory there is named",
            "name an absolute path on the server: --workspace DIR",
        )
    if not (PurePosixPath(text).is_absolute() or PureWindowsPath(text).is_absolute()):
        raise UsageError(
            "workspace_relative",
            f"--workspace {text}: with --server it is a path on the server, and must be absolute",
            "write --workspace /path/on/the/server",
        )
    return text


def _refused(option: str, why: str, hint: str) -> UsageError:
    return UsageError("remote_option", f"--server takes no {option}: {why}", hint)

"""The module for `agent-server --import-modules`: importing it extends that server.

Upstream imports it before it makes any conversation, and again, by name, where it opens
one that was started elsewhere.
"""

from __future__ import annotations

import logging
import sys
from typing import Final

from fastapi import APIRouter, Depends, FastAPI

from openhands_strategies.cli.server_key import give_secret_key
from openhands_strategies.cli.text import error_lines
from openhands_strategies.errors import LoadError, StrategyError
from openhands_strategies.project.home import find_home
from openhands_strategies.server.catalogue import Catalogue
from openhands_strategies.server.routes import strategies_router
from openhands_strategies.server.setup import read_setup
from openhands_strategies.server.task_tools import register_server_tools
from openhands_strategies.server.web.page import page_router

_log = logging.getLogger(__name__)
_APP: Final = "openhands.agent_server.api"
_NO_KEY: Final = (
    "this server has no secret key, so it stores model keys as they are, and a run cannot go on"
    " after a restart: set OH_SECRET_KEY"
)


def extend(app: FastAPI) -> None:
    """Add the task tool set and the routes to a server; a second call does nothing.

    Raises:
        LoadError: `strategies_broken` when the operator asked to be strict.
    """
    if hasattr(app.state, "openhands_strategies"):
        return
    setup = read_setup()
    catalogue = Catalogue(setup)
    broken = catalogue.broken()
    for error in broken:
        _log.error("%s [%s]", error.message, error.code)
    if broken and setup.strict:
        raise LoadError(
            "strategies_broken",
            f"{len(broken)} of {len(catalogue.listed())} strategies cannot be started: "
            + "; ".join(f"{error.message} [{error.code}]" for error in broken),
            "mend them, or leave --strict out",
        )
    from openhands.agent_server.dependencies import check_session_api_key
    from openhands.agent_server.init_router import require_initialized

    register_server_tools()
    guarded = APIRouter(
        prefix="/api",
        # As upstream guards its own: the dormant gate first, then the key.
        dependencies=[Depends(require_initialized), Depends(check_session_api_key)],
    )
    guarded.include_router(strategies_router(catalogue))
    app.include_router(guarded)
    app.include_router(page_router())
    app.state.openhands_strategies = catalogue


def _extend_server() -> None:
    """Extend the server that imports this module.

    A server that is not up yet ends with one line, instead of a traceback, where it cannot
    be extended.
    """
    try:
        # The server reads its configuration once, as soon as its app is imported.
        if _APP not in sys.modules:
            give_secret_key(find_home())
        from openhands.agent_server.api import api

        if api.state.config.secret_key is None:
            _log.warning(_NO_KEY)
        extend(api)
    except StrategyError as error:
        if _is_up():
            raise
        raise SystemExit("\n".join(error_lines(error))) from error


def _is_up() -> bool:
    module = sys.modules.get(_APP)
    return module is not None and hasattr(module.api.state, "conversation_service")


_extend_server()

"""The module for `agent-server --import-modules`: importing it extends that server.

Upstream imports it before it makes any conversation, and again, by name, where it opens
one that was started elsewhere.
"""

from __future__ import annotations

import logging

from fastapi import APIRouter, Depends, FastAPI
from openhands.agent_server.api import api
from openhands.agent_server.dependencies import check_session_api_key
from openhands.agent_server.init_router import require_initialized

from openhands_strategies.errors import LoadError
from openhands_strategies.server.catalogue import Catalogue
from openhands_strategies.server.routes import strategies_router
from openhands_strategies.server.setup import read_setup
from openhands_strategies.server.task_tools import register_server_tools
from openhands_strategies.server.web.page import page_router

_log = logging.getLogger(__name__)


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


extend(api)

"""The routes under `/api/strategies`."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from openhands_strategies.runtime.plan import plan
from openhands_strategies.server.bodies import StartBody, request_body, start_body
from openhands_strategies.server.catalogue import Catalogue
from openhands_strategies.server.documents import (
    Plan,
    Reloaded,
    RunReport,
    Started,
    StrategyEntry,
    StrategyList,
    problems,
)
from openhands_strategies.server.problems import ProblemRoute
from openhands_strategies.server.run_report import run_report
from openhands_strategies.server.starting import prepared_run, start

_Body = Annotated[StartBody, Depends(start_body)]
_STARTING = problems(401, 403, 404, 409, 413, 422, 429, 502, 503)


def strategies_router(catalogue: Catalogue) -> APIRouter:
    """The routes for this catalogue, without authentication: whoever mounts them adds it."""
    router = APIRouter(prefix="/strategies", tags=["Strategies"], route_class=ProblemRoute)

    @router.get(
        "",
        responses={200: {"model": StrategyList}, **problems(401, 503)},
        operation_id="list_strategies",
    )
    async def list_strategies() -> JSONResponse:
        """List the strategies, those that cannot be started included."""
        entries = await asyncio.to_thread(lambda: [one.to_json() for one in catalogue.listed()])
        return JSONResponse({"strategies": entries})

    @router.post(
        "/reload",
        responses={200: {"model": Reloaded}, **problems(401, 503)},
        operation_id="reload_strategies",
    )
    async def reload_strategies() -> JSONResponse:
        """Take up strategies that were added or removed; changed code needs a restart."""
        return JSONResponse(await asyncio.to_thread(catalogue.reload))

    @router.get(
        "/runs/{conversation_id}",
        responses={200: {"model": RunReport}, **problems(401, 404, 422, 502, 503)},
        operation_id="strategy_run_report",
    )
    async def get_run(request: Request, conversation_id: str) -> JSONResponse:
        """Report on a run, also while it works."""
        return JSONResponse(await run_report(request, conversation_id))

    @router.get(
        "/{name}",
        responses={200: {"model": StrategyEntry}, **problems(401, 404, 422, 503)},
        operation_id="get_strategy",
    )
    async def get_strategy(name: str) -> JSONResponse:
        """One strategy."""
        return JSONResponse(await asyncio.to_thread(lambda: catalogue.find(name).to_json()))

    @router.post(
        "/{name}/plan",
        responses={200: {"model": Plan}, **_STARTING},
        openapi_extra=request_body(),
        operation_id="plan_strategy",
    )
    async def plan_strategy(request: Request, name: str, body: _Body) -> JSONResponse:
        """Say what a start would use, without starting anything."""

        def planned() -> dict[str, Any]:
            config = request.app.state.config
            prepared, workspace = prepared_run(catalogue, config, name, body, planning=True)
            return plan(prepared, workspace=workspace)

        return JSONResponse(await asyncio.to_thread(planned))

    @router.post(
        "/{name}/start",
        status_code=201,
        responses={201: {"model": Started}, **_STARTING},
        openapi_extra=request_body(),
        operation_id="start_strategy",
    )
    async def start_strategy(request: Request, name: str, body: _Body) -> JSONResponse:
        """Start a conversation with this strategy."""
        return JSONResponse(await start(request, catalogue, name, body), status_code=201)

    return router

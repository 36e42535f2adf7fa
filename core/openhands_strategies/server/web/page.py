"""Routes of the page at `/strategies`.

The files are the same for everyone and need no key; what they show comes from
`/api/strategies`, which does.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from typing import Final, NamedTuple

from fastapi import APIRouter, HTTPException, Request, Response

PATH: Final = "/strategies"
SHELL: Final = "index.html"
HEADERS: Final[Mapping[str, str]] = {
    # `connect-src 'self'` covers the WebSocket of the same host. No script may turn a text
    # into markup: where browsers know Trusted Types, they refuse it by themselves.
    "Content-Security-Policy": "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            "img-src 'self' data:",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ]
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    # Asked for again each time, and answered with 304: an upgrade shows at once.
    "Cache-Control": "no-cache",
}
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}


class PageFile(NamedTuple):
    """One file of the page, ready to be sent."""

    content: bytes
    type: str
    etag: str


def page_files() -> dict[str, PageFile]:
    """Read all files of the page, by name; other files than these are never handed out."""
    found: dict[str, PageFile] = {}
    for one in files(__package__).joinpath("static").iterdir():
        kind = _TYPES.get(one.name[one.name.rfind(".") :])
        if kind is not None:
            content = one.read_bytes()
            found[one.name] = PageFile(content, kind, f'"{sha256(content).hexdigest()[:32]}"')
    return found


def page_router() -> APIRouter:
    """`/strategies` and the files below it, for `FastAPI.include_router`."""
    router = APIRouter(include_in_schema=False)
    pages = page_files()

    def answer(request: Request, name: str) -> Response:
        found = pages.get(name)
        if found is None:
            raise HTTPException(404, "There is no such file")
        headers = {**HEADERS, "ETag": found.etag}
        if found.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(found.content, media_type=found.type, headers=headers)

    @router.api_route(PATH, methods=["GET", "HEAD"])
    async def page(request: Request) -> Response:
        return answer(request, SHELL)

    @router.api_route(PATH + "/{name}", methods=["GET", "HEAD"])
    async def page_file(request: Request, name: str) -> Response:
        return answer(request, name)

    return router

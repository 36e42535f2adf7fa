"""The page's files and headers; what the page does is in `browser/`."""

from __future__ import annotations

import re

import httpx
import pytest

pytest.importorskip("openhands.agent_server")

from fastapi import FastAPI
from fastapi.testclient import TestClient

from openhands_strategies.server.web.page import page_files, page_router


@pytest.fixture(scope="module")
def client() -> TestClient:
    app = FastAPI()
    app.include_router(page_router())
    return TestClient(app)


def policy(answer: httpx.Response) -> dict[str, str]:
    parts = [one.split(None, 1) for one in answer.headers["content-security-policy"].split(";")]
    return {one[0]: one[1] for one in parts}


def test_every_file_has_its_type_and_all_headers(client: TestClient) -> None:
    types = {"html": "text/html", "js": "text/javascript", "css": "text/css", "svg": "image/svg"}
    names = page_files()
    assert {"index.html", "main.js", "style.css", "icon.svg"} <= set(names)
    for name in names:
        answer = client.get(f"/strategies/{name}")
        assert answer.status_code == 200, name
        assert answer.headers["content-type"].startswith(types[name.rpartition(".")[2]])
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert policy(answer) == {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self'",
            "connect-src": "'self'",
            "img-src": "'self' data:",
            "frame-ancestors": "'none'",
            "base-uri": "'none'",
            "form-action": "'none'",
            "require-trusted-types-for": "'script'",
            "trusted-types": "'none'",
        }


def test_the_page_names_only_files_that_are_there(client: TestClient) -> None:
    page = client.get("/strategies")
    assert page.text == page_files()["index.html"].content.decode()
    named = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    assert len(named) >= 3
    for one in named:
        assert client.get(f"/{one}").status_code == 200, one
    for name, file in page_files().items():
        if name.endswith(".js"):
            for module in re.findall(r'from "\./([^"]*)"', file.content.decode()):
                assert module in page_files(), f"{name} imports {module}"


def test_no_script_turns_a_text_into_markup_or_leaves_the_server() -> None:
    for name, file in page_files().items():
        text = file.content.decode().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", text), (
            name
        )
        assert not re.search(r"https?://|//cdn|@import|<style|style=|\son\w+=", text), name
        assert "localStorage" not in text, name


def test_what_has_not_changed_is_not_sent_again(client: TestClient) -> None:
    first = client.get("/strategies/main.js")
    again = client.get("/strategies/main.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "content-security-policy" in again.headers
    changed = client.get("/strategies/main.js", headers={"If-None-Match": '"other"'})
    assert changed.status_code == 200


@pytest.mark.parametrize(
    "path",
    ["page.py", "__init__.py", "..%2Fpage.py", "%2e%2e/page.py", "static/main.js", "a.js", "%00"],
)
def test_nothing_else_is_handed_out(client: TestClient, path: str) -> None:
    assert client.get(f"/strategies/{path}").status_code == 404


def test_an_address_with_a_slash_leads_to_the_page(client: TestClient) -> None:
    answer = client.get("/strategies/", follow_redirects=False)
    assert answer.status_code == 307
    assert answer.headers["location"].endswith("/strategies")


def test_the_page_is_no_part_of_the_api_description(client: TestClient) -> None:
    assert client.get("/openapi.json").json()["paths"] == {}
    assert client.head("/strategies").status_code == 200
    assert client.post("/strategies").status_code == 405

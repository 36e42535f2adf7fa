"""The check of the built site's links, on sites with one mistake each."""

from __future__ import annotations

from pathlib import Path

import pytest

from check_links import Site, findings, serving

PAGE = '<h2 id="top">T</h2><a href="{}">x</a>'


@pytest.mark.parametrize(
    ("link", "what"),
    [
        ("other.html", "leads nowhere"),
        ("a.html#bottom", "has no such anchor"),
        ("#bottom", "has no such anchor"),
        ("../outside.html", "leads nowhere"),
        ("http://example.org/", "is no https address"),
        ("https://", "is no https address"),
        ("https://localhost/x", "is no https address"),
        ("javascript:alert(1)", "is no https address"),
        ("https://[half", "Invalid IPv6 URL"),
    ],
)
def test_a_bad_link_is_found(tmp_path: Path, link: str, what: str) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (tmp_path / "outside.html").write_text("x")
    (site / "a.html").write_text(PAGE.format(link))
    assert [*findings(site)] == [f"a.html: {link}: {what}"]


@pytest.mark.parametrize(
    "text",
    [
        '<script src="https://cdn.example.org/x.js"></script>',
        '<link rel="stylesheet" href="//fonts.example.org/a.css">',
        '<img src="https://img.example.org/badge.svg" alt="">',
    ],
)
def test_what_is_loaded_from_elsewhere_is_found(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.html").write_text(text)
    (found,) = findings(tmp_path)
    assert found.endswith("loads from elsewhere")


def test_fonts_of_styles_from_elsewhere_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<p>x</p>")
    (tmp_path / "a.css").write_text('@font-face { src: url("https://fonts.example.org/a.woff2") }')
    (found,) = findings(tmp_path)
    assert "fonts.example.org" in found


def test_what_a_style_loads_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<p>x</p>")
    (tmp_path / "a.css").write_text("@font-face { src: url('own.woff2'), url(gone.woff2) }")
    (tmp_path / "own.woff2").write_bytes(b"x")
    assert [*findings(tmp_path)] == ["a.css: gone.woff2: leads nowhere"]


def test_a_directory_without_a_page_is_nowhere(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.txt").write_text("x")
    (tmp_path / "a.html").write_text(PAGE.format("b/"))
    assert [*findings(tmp_path)] == ["a.html: b/: leads nowhere"]


def test_the_site_is_fetched_from_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A proxy of the machine is not asked for what is on the machine.
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    (tmp_path / "a.html").write_text(PAGE.format("#top"))
    with serving(tmp_path) as base:
        assert base.startswith("http://127.0.0.1:")
        site = Site(base)
        assert site.get(f"{base}a.html").kind == "text/html"
        assert not site.get(f"{base}b.html").found
        # Once fetched it is known.
        (tmp_path / "a.html").unlink()
        assert site.get(f"{base}a.html").found


def test_good_links_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "index.html").write_text('<p id="here">x</p>')
    (tmp_path / "my page.html").write_text("<p>x</p>")
    for link in (
        "#top",
        "b",
        "b/",
        "b/index.html#here",
        "my%20page.html",
        "https://example.org/a?b=c",
    ):
        (tmp_path / "a.html").write_text(PAGE.format(link))
        assert not [*findings(tmp_path)], link
    # A relative link of a page starts from where the page is served.
    (tmp_path / "b" / "index.html").write_text(PAGE.format("../a.html#top"))
    assert not [*findings(tmp_path)]

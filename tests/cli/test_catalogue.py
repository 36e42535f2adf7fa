"""`ohs index catalogue`: the page holds what the files say, and runs nothing of it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest

from openhands_strategies.cli.html import new_page
from support import write

HOSTILE = "</code><script>alert(1)</script><img src=x onerror=alert(1)>"
MODULE = f'''
from openhands_strategies import Strategy, StrategyParam

raise SystemExit("a catalogue must not run this")

class One(Strategy):
    name = "debate"
    description = "Two agents argue"
    params = [
        StrategyParam(name="rounds", type="integer", minimum=1, maximum=9, default=3,
                      description="How often {HOSTILE} \\x1b[2J"),
        StrategyParam(name="tone", choices=["calm", "{HOSTILE}"], required=True),
    ]

    def build(self, context): ...
'''
PROJECT = """
[project]
name = "debate"
version = "1.0"
license = "MIT"
"""
HOOKS = {"PreToolUse": [{"matcher": "terminal", "hooks": [
    {"type": "command", "command": f"check.sh {HOSTILE}"}]}]}  # fmt: skip


@dataclass
class Page(HTMLParser):
    """Tags with their attributes, and the text of each strategy's article."""

    source: str
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    raw: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self._article = self._tag = ""
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._tag = tag
        if tag == "article":
            self._article = dict(attrs)["id"] or ""

    def handle_endtag(self, tag: str) -> None:
        self._tag = ""

    def handle_data(self, data: str) -> None:
        if self._tag in ("style", "script"):
            self.raw[self._tag] = self.raw.get(self._tag, "") + data
        else:
            self.texts[self._article] = self.texts.get(self._article, "") + data + "\n"


def index(place: Path, **more: str) -> Path:
    lines = [f"{key} = {json.dumps(value)}" for key, value in more.items()]
    write(
        place / "registry.toml",
        "\n".join(["version = 1", "[strategies.debate]", 'source = "./debate"', *lines]),
    )
    write(place / "debate/strategy.py", MODULE)
    write(place / "debate/hooks/hooks.json", json.dumps({"hooks": HOOKS}))
    write(place / "debate/skills/arguing/SKILL.md", "---\nname: arguing\ndescription: d\n---\nx\n")
    write(place / "debate/pyproject.toml", PROJECT)
    return place


def made(ohs, place: Path, *arguments: str) -> Page:
    done = ohs("index", "catalogue", str(place), "--output", "page.html", *arguments)
    assert done.code == 0, done
    return Page((place.parent / "page.html").read_text())


def test_the_page_holds_what_the_files_say(ohs, tmp_path: Path) -> None:
    place = index(tmp_path / "mine", homepage="https://example.org/d?a=1&b=2", requires=">=0.1")
    page = made(ohs, place, "--title", "Our own")
    text = page.texts["debate"]
    for expected in (
        "Two agents argue", "./debate", "MIT", "openhands-strategies >=0.1", "ohs run debate",
        "rounds", "an integer from 1 to 9", "required", "terminal", "check.sh", "arguing",
        "1 hook, 1 skill", "none is known",
    ):  # fmt: skip
        assert expected in text, expected
    assert "Our own" in page.texts[""]
    links = [given for tag, given in page.tags if tag == "a"]
    assert [one["href"] for one in links] == ["#debate", "https://example.org/d?a=1&b=2"]
    assert "noopener" in str(links[1]["rel"])


def test_a_stranger_can_put_nothing_into_the_page(ohs, tmp_path: Path) -> None:
    place = index(tmp_path / "mine", description=HOSTILE, distribution="d")
    page = made(ohs, place, "--title", HOSTILE)
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert "img" not in [tag for tag, _ in page.tags]
    assert not [name for _, given in page.tags for name in given if name.startswith("on")]
    assert page.texts["debate"].count(HOSTILE) == 4  # description, parameter, choice, hook
    assert "\x1b" not in page.source
    assert "\\x1b[2J" in page.source


def test_the_policy_allows_just_this_script_and_style(ohs, tmp_path: Path) -> None:
    page = made(ohs, index(tmp_path / "mine"))
    policy = next(str(given["content"]) for _, given in page.tags if "http-equiv" in given)
    for kind in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(page.raw[kind].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert not [given for _, given in page.tags if "src" in given or "style" in given]
    with pytest.raises(ValueError, match="holds <, > or &"):
        new_page("t", "a > b {}")


def test_the_same_index_gives_the_same_page(ohs, tmp_path: Path) -> None:
    place = index(tmp_path / "mine")
    first = made(ohs, place).source
    assert ohs("index", "catalogue", "mine/registry.toml", "--output", "page.html").code == 0
    assert (tmp_path / "page.html").read_text() == first


def test_the_last_check_is_told_with_its_sdk(ohs, tmp_path: Path) -> None:
    place = index(tmp_path / "mine")
    checked = json.loads(ohs("index", "check", "mine", "--json").out)
    assert [one["findings"] for one in checked["strategies"]] == [0]
    write(tmp_path / "checked.json", json.dumps({**checked, "checked": "2031-02-03T04:05:06Z"}))
    text = made(ohs, place, "--checked", "checked.json").texts["debate"]
    assert "2031-02-03" in text
    assert f"with SDK {checked['sdk']}: files read, nothing run; nothing found" in text

    run = {
        "strategy": {
            "name": "debate",
            "source": {"type": "path", "path": "x"},
            "tree": checked["strategies"][0]["tree"],
        },
        "sdk": "1.21.0",
        "checked": "2030-01-01",
        "findings": [{"severity": "error"}, {"severity": "note"}],
    }
    write(tmp_path / "run.json", json.dumps(run))
    text = made(ohs, place, "--checked", "checked.json", "--checked", "run.json").texts["debate"]
    assert "2030-01-01, with SDK 1.21.0: built and run on a scripted model; 1 finding\n" in text


def test_a_check_of_another_commit_does_not_count(ohs, tmp_path: Path) -> None:
    place = index(tmp_path / "mine")
    pinned = f"git+https://example.org/acme/strategies@{'1' * 40}"
    one = {"name": "debate", "source": pinned, "findings": 0}
    write(
        tmp_path / "read.json",
        json.dumps({"sdk": "1.58.0", "checked": "2030-01-01", "strategies": [one]}),
    )
    source = {"type": "git", "url": "https://example.org/acme/strategies", "commit": "1" * 40}
    write(
        tmp_path / "run.json",
        json.dumps(
            {"sdk": "1.58.0", "findings": [], "strategy": {"name": "debate", "source": source}}
        ),
    )
    results = ("--checked", "read.json", "--checked", "run.json")
    assert "none is known" in made(ohs, place, *results).texts["debate"]


def test_a_check_of_other_files_does_not_count(ohs, tmp_path: Path) -> None:
    place = index(tmp_path / "mine")
    for name, words in {
        "read": ("index", "check", "mine"),
        "look": ("check", "./mine/debate", "--static"),
    }.items():
        done = ohs(*words, "--json")
        assert done.code == 0, done
        write(tmp_path / f"{name}.json", done.out)
    results = [("--checked", "read.json"), ("--checked", "look.json")]
    for one in results:
        assert "files read, nothing run" in made(ohs, place, *one).texts["debate"]
    with (place / "debate/strategy.py").open("a") as file:
        file.write("# another version\n")
    for one in results:
        assert "none is known" in made(ohs, place, *one).texts["debate"]
    # A result from before trees were told is about nobody knows which.
    old = json.loads((tmp_path / "look.json").read_text())
    del old["strategy"]["tree"]
    write(tmp_path / "old.json", json.dumps(old))
    assert "none is known" in made(ohs, place, "--checked", "old.json").texts["debate"]


def test_numbers_have_their_nouns(ohs, tmp_path: Path) -> None:
    place = index(tmp_path / "mine")
    assert "\n1 strategy. What each one brings" in made(ohs, place).texts[""]
    one = ohs("index", "catalogue", "mine", "--output", "page.html").out
    assert one.endswith("page.html: 1 strategy\n")
    text = (place / "registry.toml").read_text()
    write(place / "registry.toml", f'{text}\n[strategies.other]\nsource = "./other"\n')
    assert "\n2 strategies. What each one brings" in made(ohs, place).texts[""]


def test_a_check_tells_which_entries_have_findings(ohs, tmp_path: Path) -> None:
    place = index(tmp_path / "mine")
    text = (place / "registry.toml").read_text()
    write(place / "registry.toml", f'{text}\n[strategies.gone]\nsource = "./gone"\n')
    document = json.loads(ohs("index", "check", "mine", "--json").out)
    found = {one["name"]: one["findings"] for one in document["strategies"]}
    assert found == {"debate": 0, "gone": 1}
    write(tmp_path / "checked.json", json.dumps(document))

    done = ohs("index", "catalogue", "mine", "--output", "page.html", "--json")
    shown = json.loads(done.out)
    assert (done.code, shown["strategies"]) == (0, ["debate", "gone"])
    assert len(shown["warnings"]) == 1
    page = Page((tmp_path / "page.html").read_text())
    assert shown["warnings"][0]["code"] in page.texts["gone"]
    assert "[" in ohs("index", "catalogue", "mine", "--output", "page.html").err


def test_a_directory_takes_the_page_as_its_index(ohs, tmp_path: Path) -> None:
    index(tmp_path / "mine")
    (tmp_path / "site").mkdir()
    assert ohs("index", "catalogue", "mine", "--output", "site").code == 0
    assert [one.name for one in (tmp_path / "site").iterdir()] == ["index.html"]


@pytest.mark.parametrize(
    ("arguments", "code", "name"),
    [
        ([], 2, "usage"),
        (["mine"], 2, "usage"),
        (["nowhere", "--output", "x.html"], 2, "index_path"),
        (["mine", "--output", "no/x.html"], 2, "page_path"),
        (["empty", "--output", "x.html"], 3, "index_missing"),
        (["broken", "--output", "x.html"], 3, "index_invalid"),
        (["mine", "--output", "x.html", "--checked", "gone.json"], 2, "result_invalid"),
        (["mine", "--output", "x.html", "--checked", "broken/registry.toml"], 2, "result_invalid"),
        (["mine", "--output", "x.html", "--checked", "list.json"], 2, "result_invalid"),
        (["mine", "--output", "x.html", "--checked", "other.json"], 2, "result_invalid"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_input_is_one_error(
    ohs, tmp_path: Path, arguments: list[str], code: int, name: str
) -> None:
    index(tmp_path / "mine")
    (tmp_path / "empty").mkdir()
    write(tmp_path / "broken/registry.toml", "no TOML")
    write(tmp_path / "list.json", "[]")
    write(tmp_path / "other.json", '{"sdk": "1", "checked": "yesterday", "strategies": []}')
    done = ohs("index", "catalogue", *arguments)
    assert (done.code, done.out) == (code, "")
    lines = done.err.splitlines()
    assert 1 <= len(lines) <= 2
    assert lines[0].endswith(f"[{name}]")
    assert not (tmp_path / "x.html").exists()


def test_the_script_searches(ohs, tmp_path: Path) -> None:
    """The script itself in a real browser; the policy would refuse the test's own."""
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("chromium is not installed")
    place = index(tmp_path / "mine")
    text = (place / "registry.toml").read_text()
    write(place / "registry.toml", f'{text}\n[strategies.other]\nsource = "./other"\n')
    page = made(ohs, place)
    assert "hidden" in dict(page.tags)["form"]
    types = (
        "<script>document.getElementById('search').value = 'ARGUING rounds';"
        "document.getElementById('search').dispatchEvent(new Event('input'));</script>"
    )
    for with_policy, expected in ((False, "1 of 2 strategies"), (True, "")):
        source = page.source.replace("</body>", f"{types}</body>")
        if not with_policy:
            source = re.sub(r'<meta content="default-src[^>]*>|<meta http-equiv[^>]*>', "", source)
        write(tmp_path / "tried.html", source)
        done = subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
             f"--user-data-dir={tmp_path}/profile", (tmp_path / "tried.html").as_uri()],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        shown = Page(done.stdout)
        hidden = [given["id"] for tag, given in shown.tags if "hidden" in given]
        assert (expected in shown.texts[""], hidden) == (True, [] if with_policy else ["other"])
        assert f'role="status">{expected}<' in done.stdout

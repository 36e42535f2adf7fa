"""Shell completion: in real shells where they are installed, and by its protocol."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click
import pytest

from openhands_strategies.cli.completion.shells import read_line
from openhands_strategies.cli.main import COMMANDS, cli
from support import write

STRATEGY = """
from openhands_strategies import Strategy, StrategyParam

raise SystemExit("completion must not run this")

class Spoken(Strategy):
    name = "spoken"
    description = "Says it: loudly"
    params = [
        StrategyParam(name="style", choices=["calm", "very bold"], description="How"),
        StrategyParam(name="twice", type="boolean", default=False),
        StrategyParam(name="token", secret=True),
        StrategyParam(name="depth", type="integer"),
    ]

    def build_agent(self, llm, params=None): ...
"""
OVERLAY = """
from openhands_strategies import Strategy, StrategyParam

class Quiet(Strategy):
    name = "quiet"
    description = "Nothing is said"
    overlay = True
    params = [StrategyParam(name="level", choices=["low", "none"])]

    def build(self, context): ...
"""
FLOW = """
from openhands_strategies import part, pipeline

flow = pipeline("./spoken.py", part("./quiet.py"), name="flow")
"""
RUN = "0123456789abcdef0123456789abcdef"

Items = Callable[..., list[str]]


@pytest.fixture
def place(tmp_path: Path, ohs_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with strategies, an overlay, a run, an index and LLM profiles."""
    write(tmp_path / "spoken.py", STRATEGY)
    write(tmp_path / "quiet.py", OVERLAY)
    write(tmp_path / "flow.py", FLOW)
    names = {"spoken": "spoken", "quiet": "quiet", "flow": "flow"}
    entries = (f'[strategies.{name}]\nsource = "./{file}.py"\n' for name, file in names.items())
    write(tmp_path / ".openhands/strategies.toml", "".join(entries))
    write(
        ohs_home / "runs" / RUN / "run.json",
        json.dumps({"version": 1, "status": "failed", "strategy": {"name": "spoken"}}),
    )
    (ohs_home / "runs" / "not-a-run").mkdir()
    write(
        ohs_home / "indexes.toml", f'version = 1\n[[index]]\nname = "acme"\npath = "{tmp_path}"\n'
    )
    write(tmp_path / "state/profiles/cheap.json", "no JSON at all")
    write(tmp_path / "state/profiles/-x.json", "{}")
    (tmp_path / "shared").mkdir()
    monkeypatch.setenv("OH_PERSISTENCE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("OHS_PLUGINS", "")
    write(tmp_path / "bin/ohs", f'#!/bin/sh\nexec {sys.executable} -m openhands_strategies "$@"\n')
    (tmp_path / "bin/ohs").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin{os.pathsep}{os.environ['PATH']}")
    return tmp_path


@pytest.fixture
def items(place: Path) -> Items:
    """What `ohs` answers a shell, one item a line."""

    def ask(line: str, shell: str = "bash") -> list[str]:
        done = subprocess.run(
            ["ohs"],
            cwd=place,
            env={**os.environ, "_OHS_COMPLETE": f"{shell}_complete", "COMP_WORDS": line},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()

    return ask


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ohs sho", ["plain,show"]),
        ("ohs run fl", ["plain,flow"]),
        ("ohs run qui", ["file,qui"]),
        ("ohs run spoken --with qu", ["plain,quiet"]),
        ("ohs run spoken --with spo", ["file,spo"]),
        ("ohs show qu", ["plain,quiet"]),
        (
            "ohs run spoken --param ",
            ["part,style=", "part,twice=", "part,token=", "part,depth="],
        ),
        ("ohs plan ./spoken.py --param tw", ["part,twice="]),
        (
            "ohs run spoken --param style=calm --param ",
            ["part,twice=", "part,token=", "part,depth="],
        ),
        ("ohs run spoken --param style=", ["plain,style=calm", r"plain,style=very\ bold"]),
        ("ohs run spoken --param twice=", ["plain,twice=true", "plain,twice=false"]),
        ("ohs run spoken --param=twice=f", ["plain,--param=twice=false"]),
        ("ohs run spoken --param token=OH_PERSIST", ["plain,token=OH_PERSISTENCE_DIR"]),
        ("ohs run spoken --param depth=", []),
        ("ohs run nobody --param ", []),
        ("ohs run --param ", []),
        ("ohs run spoken --with quiet --param q", ["part,quiet.level="]),
        ("ohs run flow --param ", [
            "part,spoken.style=", "part,spoken.twice=", "part,spoken.token=",
            "part,spoken.depth=", "part,quiet.level=",
        ]),
        ("ohs run flow --param quiet.level=", ["plain,quiet.level=low", "plain,quiet.level=none"]),
        ("ohs run flow --confirm a", ["plain,always"]),
        ("ohs run --resume 01", [f"plain,{RUN}"]),
        ("ohs run spoken --llm-profile ", ["plain,cheap"]),
        ("ohs run spoken --workspace sh", ["dir,sh"]),
        ("ohs run spoken --workspace=sh", ["dir,--workspace=sh"]),
        ("ohs compare x --strategies spoken,fl", [r"plain,spoken,flow"]),
        ("ohs compare x --strategies spoken,b=./spoken.py --param b.tw", ["part,b.twice="]),
        ("ohs openhands --strategy spoken --param twi", ["part,twice="]),
        ("ohs check spoken --param tw", ["part,twice="]),
        ("ohs check spoken --param style=c", ["plain,style=calm"]),
        ("ohs new x --kind ", ["plain,strategy", "plain,overlay", "plain,composition"]),
        ("ohs new x --with ", ["plain,skills", "plain,hooks", "plain,agents"]),
        ("ohs new x --with hooks,s", [r"plain,hooks,skills"]),
        ("ohs index update ", ["plain,acme"]),
        ("ohs completion ", ["plain,bash", "plain,zsh", "plain,fish"]),
        ("ohs run 'spo", ["plain,spoken"]),
        ("ohs run spoken --task 'it is", []),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_offered(items: Items, line: str, expected: list[str]) -> None:
    assert items(line) == expected


def _below(
    command: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Parameter]]:
    """Every parameter of a command and of those below it, each with the command's name."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _below(inner, (*path, name))
    for one in command.params:
        yield " ".join(path), one


def test_whatever_can_be_completed_is() -> None:
    known = {"REF", "[REF]", "NAME=VALUE", "PATH", "[PATH]", "FILE", "DIR", "KIND", "PART,…"}
    wanted = [
        (name, one)
        for name, one in _below(cli)
        if one.metavar in known or {"--param", "--with"} & set(one.opts)
    ]
    assert {name for name, _ in wanted} >= {"run", "plan", "check", "new", "compare", "index add"}
    # What click itself asks: a callback of ours, or a type that knows its values.
    silent = [
        (name, one.opts)
        for name, one in wanted
        if one._custom_shell_complete is None
        and type(one.type).shell_complete is click.ParamType.shell_complete
    ]
    assert silent == []


@pytest.mark.parametrize("instruction", ["bash_complete", "bash_source"])
def test_a_shell_that_reads_no_further_gets_no_word(place: Path, instruction: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            ["ohs"],
            cwd=place,
            env={**os.environ, "_OHS_COMPLETE": instruction, "COMP_WORDS": "ohs "},
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def test_every_command_is_offered_with_its_help(items: Items) -> None:
    expected = [f"plain\t{name}\t{text}" for name, (_, text) in COMMANDS.items()]
    assert items("ohs ", "zsh") == expected


def test_zsh_and_fish_are_given_descriptions(items: Items) -> None:
    assert items("ohs run spo", "zsh") == ["plain\tspoken\tSays it: loudly"]
    assert items("ohs run spo", "fish") == ["plain,spoken\tSays it: loudly"]
    assert items("ohs run --resume ", "fish") == [f"plain,{RUN}\tspoken, failed"]


def test_a_stranger_can_put_nothing_between_the_items(items: Items, place: Path) -> None:
    text = STRATEGY.replace('"calm"', r'"a\nplain,evil", "\x1b[2J", "$(touch here)"')
    write(place / "spoken.py", text.replace("Says it: loudly", r"a\nplain,evil \x1b[2J"))
    assert items("ohs run spoken --param style=") == [
        r"plain,style=\$\(touch\ here\)",
        r"plain,style=very\ bold",
    ]
    assert items("ohs run spo", "fish") == ["plain,spoken\ta plain,evil \\x1b[2J"]


def test_what_is_broken_costs_only_itself(items: Items, place: Path, ohs_home: Path) -> None:
    write(place / "spoken.py", "def broken(:")
    write(ohs_home / "indexes.toml", "no TOML")
    assert items("ohs run fl") == ["plain,flow"]
    assert items("ohs run spoken --param ") == []
    assert items("ohs run flow --param ") == ["part,quiet.level="]
    assert items("ohs index remove ") == []


def test_many_strategies_are_offered_without_being_read(items: Items, place: Path) -> None:
    entries = (f'[strategies.s{number:03}]\nsource = "./spoken.py"\n' for number in range(60))
    write(place / ".openhands/strategies.toml", "".join(entries))
    assert len(items("ohs run s0")) == 60
    assert items("ohs run s0", "fish")[0] == "plain,s000"


@pytest.mark.parametrize(
    ("line", "arguments", "incomplete"),
    [
        ("ohs", [], "ohs"),
        ("ohs ", [], ""),
        ("ohs run fu", ["run"], "fu"),
        ('ohs run --task "two words', ["run", "--task"], "two words"),
        (r"ohs run two\ words", ["run"], "two words"),
        ("ohs run 'a b' c", ["run", "a b"], "c"),
        ("", [], ""),
    ],
)
def test_a_line_is_taken_apart(line: str, arguments: list[str], incomplete: str) -> None:
    asked = read_line(line)
    assert asked.incomplete == ("ohs" if line == "ohs" else incomplete)
    assert asked.arguments == arguments


def test_completion_imports_nothing_heavy(place: Path) -> None:
    program = (
        "import sys\n"
        "from openhands_strategies.cli.main import main\n"
        "try:\n    main([])\nexcept SystemExit as ended:\n    assert ended.code == 0\n"
        "heavy = {'openhands', 'pydantic', 'rich', 'git', 'litellm', 'copier', 'yaml'}\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & heavy), file=sys.stderr)\n"
    )
    for line in (
        "ohs ",
        "ohs run ",
        "ohs run flow --with quiet --param ",
        "ohs compare x --strategies spoken --param spoken.",
        "ohs openhands --strategy sp",
        "ohs run --resume ",
        "ohs run x --llm-profile ",
        "ohs index remove ",
        "ohs uninstall ",
    ):
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=place,
            env={**os.environ, "_OHS_COMPLETE": "bash_complete", "COMP_WORDS": line},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.stderr.splitlines()[-1:], bool(done.stdout)) == (["[]"], True), (line, done)


def test_another_shell_is_named(ohs, place: Path) -> None:
    done = ohs("completion", "tcsh")
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == [
        "error: ohs has no completion for the shell 'tcsh' [shell_unknown]",
        "hint: there is one for bash, zsh, fish",
    ]
    assert "[usage]" in ohs("completion").err
    done = ohs(_OHS_COMPLETE="tcsh_complete", COMP_WORDS="ohs ")
    assert (done.code, done.out) == (2, "")
    assert "tcsh_complete" in done.err


def shell(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def typed(command: Sequence[str], set_up: str, keys: str, place: Path) -> str:
    """Type keys and a Tab into a shell on a terminal; the line as it stands then."""
    told = place / "line"
    told.unlink(missing_ok=True)
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(place)
        home = {"HOME": str(place), "ZDOTDIR": str(place), "TERM": "xterm", "PS1": "READY> "}
        os.execve(command[0], list(command), {**os.environ, **home})
    try:
        os.write(terminal, f"{set_up}; touch ready\n".encode())
        _await(place / "ready", terminal)
        # The shell reads on only when it has completed: to the line's start, then its end.
        os.write(terminal, keys.encode() + b"\t\x01printf %s '\x05' > line\n")
        _await(told, terminal)
        return told.read_text()
    finally:
        (place / "ready").unlink(missing_ok=True)
        os.close(terminal)
        os.waitpid(child, 0)


def _await(file: Path, terminal: int) -> None:
    deadline, seen = time.monotonic() + 30, b""
    while not file.exists() or (file.name == "line" and not file.stat().st_size):
        assert time.monotonic() < deadline, seen.decode(errors="replace")
        if select.select([terminal], [], [], 0.05)[0]:
            seen += os.read(terminal, 4096)


LINES = [
    ("ohs comple", "ohs completion "),
    ("ohs run spo", "ohs run spoken "),
    ("ohs run spoken --param sty", "ohs run spoken --param style="),
    ("ohs run spoken --param style=c", "ohs run spoken --param style=calm "),
    ("ohs run spoken --param style=v", r"ohs run spoken --param style=very\ bold "),
    ("ohs run spoken --param=twice=t", "ohs run spoken --param=twice=true "),
    ("ohs run flow --param quiet.l", "ohs run flow --param quiet.level="),
    ("ohs run spoken --with=q", "ohs run spoken --with=quiet "),
    ("ohs run ./spo", "ohs run ./spoken.py "),
    ("ohs run spoken --workspace sha", "ohs run spoken --workspace shared/"),
    ("true; X=1 ohs run spo", "true; X=1 ohs run spoken "),
]


@pytest.mark.parametrize(("keys", "line"), LINES, ids=[keys for keys, _ in LINES])
def test_bash_completes_the_line(place: Path, keys: str, line: str) -> None:
    command = [shell("bash"), "--norc", "--noprofile", "-i"]
    found = typed(command, 'eval "$(ohs completion bash)"', keys, place)
    assert found == line


@pytest.mark.parametrize(("keys", "line"), LINES, ids=[keys for keys, _ in LINES])
def test_zsh_completes_the_line(place: Path, keys: str, line: str) -> None:
    # zsh takes the slash of a directory away again when the cursor leaves it.
    set_up = "autoload -Uz compinit; compinit -u; bindkey -e; source <(ohs completion zsh)"
    assert typed([shell("zsh"), "-f", "-i"], set_up, keys, place).rstrip() == line.rstrip(" /")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ohs run spo", "spoken\tSays it: loudly"),
        ("ohs run spoken --param style=c", "style=calm"),
        ("ohs run spoken --param=twice=t", "--param=twice=true"),
        ("ohs run spoken --workspace=sha", "--workspace=shared/\tDirectory"),
        ("ohs run ./spo", "./spoken.py"),
    ],
)
def test_fish_is_offered(place: Path, line: str, expected: str) -> None:
    done = subprocess.run(
        [shell("fish"), "-N", "-c", f"ohs completion fish | source; complete -C '{line}'"],
        cwd=place,
        env={**os.environ, "HOME": str(place)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.splitlines(), done.stderr) == ([expected], "")


def test_zsh_without_compinit_is_told(place: Path) -> None:
    done = subprocess.run(
        [shell("zsh"), "-f", "-c", "source <(ohs completion zsh)"],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "needs compinit" in done.stderr

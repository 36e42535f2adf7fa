"""Worktrees of tasks on real repositories: what they start from, keep, apply and leave."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from openhands_strategies.errors import RunError, UsageError
from openhands_strategies.runtime.entries import Entry
from openhands_strategies.runtime.worktrees.applying import apply_patch, is_applied
from openhands_strategies.runtime.worktrees.checking import run_check
from openhands_strategies.runtime.worktrees.worktree import (
    PATCH,
    check_workspace,
    open_worktree,
    put_away,
    put_away_all,
    read_worktree,
    take_changes,
)


def git(at: Path, *arguments: str) -> str:
    settings = [
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@localhost",
        "-c",
        "core.hooksPath=/dev/null",
    ]
    command = ["git", "--no-optional-locks", *settings, *arguments]
    return subprocess.run(command, cwd=at, check=True, capture_output=True, text=True).stdout


def state(repo: Path) -> dict[str, str]:
    """Everything of a repository that a user could notice, but unreachable objects."""
    index = repo / ".git" / "index"
    return {
        "worktrees": git(repo, "worktree", "list", "--porcelain"),
        "administration": str(sorted((repo / ".git").glob("worktrees/*"))),
        "refs": git(repo, "for-each-ref"),
        "head": (repo / ".git" / "HEAD").read_text(),
        "reachable": git(repo, "rev-list", "--objects", "--all", "--reflog"),
        "stash": git(repo, "stash", "list"),
        "status": git(repo, "status", "--porcelain"),
        "config": (repo / ".git" / "config").read_text(),
        "index": index.read_bytes().hex() if index.exists() else "",
    }


def but_worktrees(state: dict[str, str]) -> dict[str, str]:
    """Without what is there as long as a worktree is."""
    return {
        key: value
        for key, value in state.items()
        if key not in ("worktrees", "administration", "reachable")
    }


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with two files and an ignored one; its own hooks fail."""
    top = tmp_path / "repo"
    (top / "sub").mkdir(parents=True)
    git(tmp_path, "init", "-q", str(top))
    (top / ".gitignore").write_text("*.log\n")
    (top / "a.txt").write_text("".join(f"line {n}\n" for n in range(20)))
    (top / "sub" / "b.txt").write_text("b\n")
    git(top, "add", "-A")
    git(top, "commit", "-qm", "first")
    for hook in ("post-checkout", "pre-commit", "post-index-change"):
        path = top / ".git" / "hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text("#!/bin/sh\ntouch hook-ran\nexit 1\n")
        path.chmod(0o755)
    return top


@pytest.fixture
def keep(tmp_path: Path) -> Path:
    path = tmp_path / "task"
    path.mkdir()
    return path


def test_it_starts_from_the_working_state_and_leaves_the_repository_alone(
    repo: Path, keep: Path
) -> None:
    (repo / "a.txt").write_text("edited\n")
    (repo / "new file.txt").write_text("untracked\n")
    (repo / "noise.log").write_text("ignored\n")
    (repo / "staged.txt").write_text("staged\n")
    git(repo, "add", "staged.txt")
    (repo / "sub" / "b.txt").unlink()
    before = state(repo)
    worktree = open_worktree(repo, keep)
    place = worktree.workspace
    assert (place / "a.txt").read_text() == "edited\n"
    assert (place / "new file.txt").read_text() == "untracked\n"
    assert (place / "staged.txt").exists()
    assert not (place / "noise.log").exists()
    assert not (place / "sub" / "b.txt").exists()
    assert not (place / "hook-ran").exists()
    assert not place.is_relative_to(repo)
    assert git(place, "status", "--porcelain") == ""
    assert "first" in git(place, "log", "--oneline")
    assert but_worktrees(state(repo)) == but_worktrees(before)
    put_away(keep)
    assert state(repo) == before
    assert not place.exists()
    assert not (repo / "hook-ran").exists()


def test_changes_are_kept_and_come_back_and_apply(repo: Path, keep: Path) -> None:
    (repo / "dirty.txt").write_text("mine\n")
    worktree = open_worktree(repo, keep)
    place = worktree.workspace
    (place / "a.txt").write_text("".join(f"line {n}\n" for n in range(19)) + "last\n")
    (place / "picture.bin").write_bytes(bytes(range(256)))
    (place / "tool.sh").write_text("#!/bin/sh\n")
    (place / "tool.sh").chmod(0o755)
    (place / "sub" / "b.txt").unlink()
    changes = take_changes(worktree, keep)
    assert not changes.empty
    assert changes.patch == keep / PATCH
    assert "picture.bin" in changes.stat
    assert "4 files changed" in changes.stat
    put_away(keep)
    again = open_worktree(repo, keep)
    assert again.path == worktree.path
    assert (again.workspace / "picture.bin").read_bytes() == bytes(range(256))
    assert os.access(again.workspace / "tool.sh", os.X_OK)
    assert not (again.workspace / "sub" / "b.txt").exists()
    assert take_changes(again, keep).stat == changes.stat
    put_away(keep)
    index = (repo / ".git" / "index").read_bytes()
    apply_patch(repo, keep / PATCH)
    assert (repo / "picture.bin").read_bytes() == bytes(range(256))
    assert os.access(repo / "tool.sh", os.X_OK)
    assert not (repo / "sub" / "b.txt").exists()
    assert (repo / "dirty.txt").read_text() == "mine\n"
    assert (repo / ".git" / "index").read_bytes() == index
    assert is_applied(repo, keep / PATCH)


def test_a_patch_is_merged_where_the_files_went_on(repo: Path, keep: Path) -> None:
    worktree = open_worktree(repo, keep)
    lines = [f"line {n}\n" for n in range(20)]
    (worktree.workspace / "a.txt").write_text("".join(["FIRST\n", *lines[1:]]))
    take_changes(worktree, keep)
    # The patch's context has changed, the line itself has not.
    (repo / "a.txt").write_text("".join([*lines[:3], "MINE\n", *lines[4:]]))
    index = (repo / ".git" / "index").read_bytes()
    apply_patch(repo, keep / PATCH)
    assert (repo / "a.txt").read_text() == "".join(["FIRST\n", *lines[1:3], "MINE\n", *lines[4:]])
    assert (repo / ".git" / "index").read_bytes() == index


def test_a_patch_that_no_longer_fits_harms_nothing(repo: Path, keep: Path) -> None:
    worktree = open_worktree(repo, keep)
    (worktree.workspace / "a.txt").write_text("theirs\n")
    (worktree.workspace / "new.txt").write_text("theirs\n")
    take_changes(worktree, keep)
    (repo / "a.txt").write_text("mine\n")
    before = state(repo)
    with pytest.raises(RunError) as caught:
        apply_patch(repo, keep / PATCH)
    assert caught.value.code == "patch_conflict"
    assert (repo / "a.txt").read_text() == "mine\n"
    assert not (repo / "new.txt").exists()
    put_away(keep)
    assert but_worktrees(state(repo)) == but_worktrees(before)


def test_an_ignored_file_in_the_way_is_not_overwritten(repo: Path, keep: Path) -> None:
    worktree = open_worktree(repo, keep)
    (worktree.workspace / ".gitignore").unlink()
    (worktree.workspace / "x.log").write_text("theirs\n")
    take_changes(worktree, keep)
    (repo / "x.log").write_text("mine\n")
    with pytest.raises(RunError):
        apply_patch(repo, keep / PATCH)
    assert (repo / "x.log").read_text() == "mine\n"
    assert (repo / ".gitignore").exists()


def test_a_repository_without_a_commit(tmp_path: Path, keep: Path) -> None:
    top = tmp_path / "empty"
    git(tmp_path, "init", "-q", str(top))
    (top / "one.txt").write_text("one\n")
    before = state(top)
    worktree = open_worktree(top, keep)
    assert (worktree.workspace / "one.txt").read_text() == "one\n"
    (worktree.workspace / "two.txt").write_text("two\n")
    take_changes(worktree, keep)
    put_away(keep)
    assert state(top) == before
    apply_patch(top, keep / PATCH)
    assert (top / "two.txt").read_text() == "two\n"


def test_a_workspace_below_the_top(repo: Path, keep: Path) -> None:
    worktree = open_worktree(repo / "sub", keep)
    assert worktree.workspace == Path(worktree.path) / "sub"
    (worktree.workspace / "b.txt").write_text("better\n")
    take_changes(worktree, keep)
    put_away(keep)
    apply_patch(Path(worktree.top), keep / PATCH)
    assert (repo / "sub" / "b.txt").read_text() == "better\n"


def test_a_workspace_that_is_a_worktree_itself(repo: Path, keep: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    git(repo, "config", "core.bare", "true")
    git(repo, "-c", "core.bare=false", "worktree", "add", "-q", str(other))
    (other / "x.txt").write_text("x\n")
    listed = git(other, "worktree", "list")
    worktree = open_worktree(other, keep)
    assert (worktree.workspace / "x.txt").exists()
    (worktree.workspace / "x.txt").write_text("y\n")
    take_changes(worktree, keep)
    put_away(keep)
    apply_patch(other, keep / PATCH)
    assert (other / "x.txt").read_text() == "y\n"
    assert git(other, "worktree", "list") == listed


def test_what_a_task_does_to_git_is_undone(repo: Path, keep: Path) -> None:
    (repo / "a.txt").write_text("stashed by the user\n")
    git(repo, "stash")
    before = state(repo)
    worktree = open_worktree(repo, keep)
    place = worktree.workspace
    (place / "a.txt").write_text("one\n")
    git(place, "stash")
    (place / "c.txt").write_text("committed\n")
    git(place, "checkout", "-q", "-b", "fix")
    git(place, "add", "c.txt")
    git(place, "commit", "-qm", "work")
    git(place, "tag", "done")
    changes = take_changes(worktree, keep)
    assert "c.txt" in changes.stat
    put_away(keep)
    assert state(repo) == before


def test_a_branch_that_somebody_uses_stays(repo: Path, keep: Path) -> None:
    worktree = open_worktree(repo, keep)
    place = worktree.workspace
    (place / "c.txt").write_text("committed\n")
    git(place, "add", "c.txt")
    git(place, "commit", "-qm", "work")
    git(place, "branch", "kept")
    take_changes(worktree, keep)
    git(repo, "checkout", "-q", "kept")
    git(repo, "branch", "later")
    put_away(keep)
    assert git(repo, "branch", "--format=%(refname:short)").split() == ["kept", "later", "master"]


@pytest.mark.parametrize("damage", ["git file", "all", "other repository", "read-only"])
def test_a_damaged_worktree_is_removed_all_the_same(repo: Path, keep: Path, damage: str) -> None:
    before = state(repo)
    worktree = open_worktree(repo, keep)
    path = Path(worktree.path)
    (path / "n.txt").write_text("n\n")
    if damage == "git file":
        (path / ".git").unlink()
        assert "n.txt" in take_changes(worktree, keep).stat
    elif damage == "all":
        subprocess.run(["rm", "-rf", str(path)], check=True)
    elif damage == "other repository":
        (path / ".git").unlink()
        git(path, "init", "-q")
        assert "n.txt" in take_changes(worktree, keep).stat
    else:
        (path / "sub").chmod(0o500)
    put_away(keep)
    assert not path.exists()
    assert state(repo) == before


def test_leftovers_of_a_killed_process_keep_their_changes(repo: Path, tmp_path: Path) -> None:
    before = state(repo)
    # As a task of a task keeps it.
    keep = tmp_path / "run" / "subagents" / "aa" / "subagents" / "bb"
    keep.mkdir(parents=True)
    worktree = open_worktree(repo, keep)
    (worktree.workspace / "half.txt").write_text("half\n")
    failed: list[RunError] = []
    put_away_all(tmp_path / "run" / "subagents", failed.append)
    assert not failed
    assert state(repo) == before
    again = open_worktree(repo, keep)
    assert (again.workspace / "half.txt").read_text() == "half\n"
    put_away(keep)


def test_a_worktree_that_was_being_made_is_made_anew(repo: Path, keep: Path) -> None:
    worktree = open_worktree(repo, keep)
    record = (keep / "worktree.json").read_text()
    (keep / "worktree.json").write_text(record.replace('"ready"', '"making"'))
    (worktree.workspace / "partial.txt").write_text("x")
    again = open_worktree(repo, keep)
    assert again.path != worktree.path
    assert not Path(worktree.path).exists()
    assert not (again.workspace / "partial.txt").exists()
    put_away(keep)


def test_several_at_once(repo: Path, tmp_path: Path) -> None:
    before = state(repo)
    keeps = [tmp_path / f"task{n}" for n in range(6)]
    for keep in keeps:
        keep.mkdir()
    with ThreadPoolExecutor(6) as pool:
        worktrees = list(pool.map(lambda keep: open_worktree(repo, keep), keeps))
        list(pool.map(put_away, keeps))
    assert len({worktree.path for worktree in worktrees}) == 6
    assert state(repo) == before


def test_a_run_kept_in_the_repository_has_its_worktrees_elsewhere(repo: Path) -> None:
    keep = repo / ".runs" / "task"
    keep.mkdir(parents=True)
    worktree = open_worktree(repo, keep)
    assert not Path(worktree.path).is_relative_to(repo)
    put_away(keep)
    assert not Path(worktree.path).parent.exists()


def test_a_repository_that_is_gone_does_not_stop_the_removal(repo: Path, keep: Path) -> None:
    worktree = open_worktree(repo, keep)
    take_changes(worktree, keep)
    repo.rename(repo.with_name("moved"))
    put_away(keep)
    assert not Path(worktree.path).exists()


def test_settings_and_variables_of_the_user_do_not_spoil_it(
    repo: Path, keep: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "diff.noprefix": "true",
        "diff.external": "false",
        "color.ui": "always",
        "apply.whitespace": "error",
        "commit.gpgSign": "true",
        "core.autocrlf": "true",
    }.items():
        git(repo, "config", name, value)
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere/index")
    worktree = open_worktree(repo, keep)
    (worktree.workspace / "a.txt").write_text("trailing \n")
    take_changes(worktree, keep)
    put_away(keep)
    apply_patch(repo, keep / PATCH)
    assert (repo / "a.txt").read_text() == "trailing \n"


def entry(**fields: object) -> Entry:
    return Entry.model_validate({"description": "x", "kind": "declared", **fields})


def test_a_workspace_is_checked_for_nested_entries_too(tmp_path: Path, repo: Path) -> None:
    nested = {"phase": entry(kind="code", agents={"attempt": entry(worktree=True)})}
    check_workspace(nested, repo)
    check_workspace(nested, repo / "sub")
    check_workspace({"plain": entry()}, tmp_path)
    with pytest.raises(UsageError) as caught:
        check_workspace(nested, tmp_path)
    assert caught.value.code == "workspace_not_git"
    assert str(tmp_path) in caught.value.message
    apart = {"phase": entry(kind="code", workspace="deep/er", agents=nested["phase"].agents)}
    check_workspace(apart, repo)


def test_bare_and_ignored_workspaces_are_refused(tmp_path: Path, repo: Path) -> None:
    agents = {"attempt": entry(worktree=True)}
    bare = tmp_path / "bare"
    git(tmp_path, "init", "-q", "--bare", str(bare))
    (repo / "trace.log").mkdir()
    for place in (bare, repo / ".git", repo / "trace.log"):
        with pytest.raises(UsageError) as caught:
            check_workspace(agents, place)
        assert caught.value.code == "workspace_not_git"


def test_a_submodule_that_is_checked_out_is_refused(tmp_path: Path, repo: Path) -> None:
    agents = {"attempt": entry(worktree=True)}
    outer = tmp_path / "outer"
    git(tmp_path, "init", "-q", str(outer))
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repo), "in")
    with pytest.raises(UsageError) as caught:
        check_workspace(agents, outer)
    assert caught.value.code == "workspace_submodules"
    # The submodule itself is a repository like any other.
    check_workspace(agents, outer / "in")
    keep = tmp_path / "task"
    keep.mkdir()
    worktree = open_worktree(outer / "in", keep)
    (worktree.workspace / "a.txt").write_text("changed\n")
    assert "a.txt" in take_changes(worktree, keep).stat
    put_away(keep)
    apply_patch(Path(worktree.top), keep / PATCH)
    assert (outer / "in" / "a.txt").read_text() == "changed\n"


def test_a_repository_inside_that_is_not_tracked_is_left_alone(repo: Path, keep: Path) -> None:
    inner = repo / "vendor"
    git(repo, "init", "-q", str(inner))
    (inner / "v.txt").write_text("v\n")
    git(inner, "add", "-A")
    git(inner, "commit", "-qm", "inner")
    check_workspace({"attempt": entry(worktree=True)}, repo)
    worktree = open_worktree(repo, keep)
    (worktree.workspace / "new.txt").write_text("new\n")
    assert "1 file changed" in take_changes(worktree, keep).stat
    put_away(keep)
    apply_patch(repo, keep / PATCH)
    assert (repo / "new.txt").exists()
    assert (inner / "v.txt").read_text() == "v\n"
    assert git(inner, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("said", "code"), [("git version 2.4.1", "git_too_old"), (None, "git_missing")]
)
def test_an_old_or_missing_git_is_named(
    tmp_path: Path, repo: Path, monkeypatch: pytest.MonkeyPatch, said: str | None, code: str
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    if said is not None:
        (programs / "git").write_text(f"#!/bin/sh\necho {said}\n")
        (programs / "git").chmod(0o755)
    (programs / "env").symlink_to("/usr/bin/env")
    monkeypatch.setenv("PATH", str(programs))
    with pytest.raises(UsageError) as caught:
        check_workspace({"attempt": entry(worktree=True)}, repo)
    assert caught.value.code == code


def test_a_check_is_judged_by_its_exit_code(tmp_path: Path) -> None:
    log = tmp_path / "check.log"
    good = run_check("echo fine", tmp_path, log, stopping=lambda: False)
    assert (good.passed, good.tail) == (True, "fine")
    bad = run_check("echo no >&2; exit 3", tmp_path, log, stopping=lambda: False)
    assert (bad.exit_code, bad.passed, bad.tail) == (3, False, "no")
    long = run_check("sleep 60 & sleep 60", tmp_path, log, stopping=lambda: False, seconds=0.3)
    assert (long.exit_code, long.passed) == (None, False)
    assert long.seconds < 10
    stopped = run_check("sleep 60", tmp_path, log, stopping=lambda: True)
    assert (stopped.exit_code, stopped.stopped, long.stopped) == (None, True, False)
    noisy = run_check("seq 100000", tmp_path, log, stopping=lambda: False)
    assert noisy.tail.endswith("100000")
    assert len(noisy.tail) <= 2001


def test_a_record_that_cannot_be_read_is_named(keep: Path) -> None:
    (keep / "worktree.json").write_text("{")
    with pytest.raises(RunError) as caught:
        read_worktree(keep)
    assert caught.value.code == "worktree_unreadable"

"""The table of tasks: ids that are never given twice, on disk before anybody is told."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from openhands_strategies.errors import RunError
from openhands_strategies.runtime.table import (
    FILE,
    TaskRecord,
    TaskTable,
    prompt_digest,
    read_records,
    write_json,
)


def new(role: str = "helper", prompt: str = "look", **fields: object) -> TaskRecord:
    values = {"conversation_id": "0" * 32, "prompt_digest": prompt_digest(prompt), **fields}
    return TaskRecord(id="", role=role, **values)  # type: ignore[arg-type]


def test_ids_count_up_and_are_on_disk_at_once(tmp_path: Path) -> None:
    table = TaskTable(tmp_path)
    ids = [table.add(new()).id for _ in range(3)]
    assert ids == ["task_00000001", "task_00000002", "task_00000003"]
    assert [record.id for record in read_records(tmp_path)] == ids


def test_a_new_process_goes_on_counting(tmp_path: Path) -> None:
    first = TaskTable(tmp_path)
    first.add(new())
    first.add(new())
    assert TaskTable(tmp_path).add(new()).id == "task_00000003"


def test_ids_stay_unique_beyond_ten(tmp_path: Path) -> None:
    table = TaskTable(tmp_path)
    ids = [table.add(new()).id for _ in range(18)]
    assert len(set(ids)) == 18
    assert TaskTable(tmp_path).add(new()).id not in ids


def test_many_threads_get_many_ids(tmp_path: Path) -> None:
    table = TaskTable(tmp_path)
    barrier = threading.Barrier(8)
    ids: list[str] = []

    def work() -> None:
        barrier.wait()
        ids.extend(table.add(new()).id for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids)) == 40
    assert {record.id for record in read_records(tmp_path)} == set(ids)


def test_everything_of_a_record_survives(tmp_path: Path) -> None:
    table = TaskTable(tmp_path)
    record = table.add(
        new(
            state="completed",
            label="look, näher",
            model="openai/cheap",
            result="found\nit",
            started=1700000000.0,
            runs=2,
        )
    )
    assert TaskTable(tmp_path).get(record.id) == record


def test_a_task_that_a_dead_process_left_running_counts_as_interrupted(tmp_path: Path) -> None:
    TaskTable(tmp_path).add(new(state="running"))
    assert [record.state for record in TaskTable(tmp_path).all()] == ["interrupted"]


def test_an_interrupted_task_is_claimed_once_and_by_its_own_prompt(tmp_path: Path) -> None:
    task = TaskTable(tmp_path).add(new(prompt="look"))
    table = TaskTable(tmp_path)
    assert table.take_interrupted("helper", prompt_digest("other")) is None
    assert table.take_interrupted("tester", prompt_digest("look")) is None
    claimed = table.take_interrupted("helper", prompt_digest("look"))
    assert claimed is not None
    assert (claimed.id, claimed.state) == (task.id, "running")
    assert table.take_interrupted("helper", prompt_digest("look")) is None


def test_what_runs_in_this_process_is_not_claimed(tmp_path: Path) -> None:
    table = TaskTable(tmp_path)
    table.add(new(prompt="look"))
    assert table.take_interrupted("helper", prompt_digest("look")) is None


def test_one_lock_for_each_task(tmp_path: Path) -> None:
    table = TaskTable(tmp_path)
    assert table.lock("task_00000001") is table.lock("task_00000001")
    assert table.lock("task_00000001") is not table.lock("task_00000002")


def test_a_long_result_is_cut_in_the_file(tmp_path: Path) -> None:
    TaskTable(tmp_path).add(new(result="x" * 1_000_000))
    assert len(read_records(tmp_path)[0].result) == 100_000


def test_no_file_means_no_tasks(tmp_path: Path) -> None:
    assert TaskTable(tmp_path / "missing").all() == []


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"tasks": [{}]}', '{"tasks": [{"id": 1, "other": []}]}', "\ud800"]
)
def test_a_file_that_is_not_ours_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(RunError) as caught:
        TaskTable(tmp_path)
    assert caught.value.code == "tasks_unreadable"
    assert FILE in caught.value.message
    assert caught.value.hint


def test_a_write_that_fails_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    write_json(path, {"a": "ä"})
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": "ä"}
    assert [entry.name for entry in tmp_path.iterdir()] == ["data.json"]


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    write_json(path, list(range(50_000)))
    done = threading.Event()
    lengths: set[int] = set()

    def read() -> None:
        while not done.is_set():
            lengths.add(len(json.loads(path.read_text())))

    thread = threading.Thread(target=read)
    thread.start()
    for number in range(20):
        write_json(path, list(range(50_000 if number % 2 else 10)))
    done.set()
    thread.join()
    assert lengths <= {10, 50_000}


def test_the_digest_tells_prompts_apart() -> None:
    assert prompt_digest("a") == prompt_digest("a")
    assert prompt_digest("a") != prompt_digest("a ")

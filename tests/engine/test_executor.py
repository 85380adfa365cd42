"""Tasks on workers: all of them once, whatever a worker does."""

import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.errors import UserError
from engine.executor import (
    DIED,
    ExecutorPool,
    LocalPool,
    OwnProcess,
    Pool,
    dask_pool,
    run_tasks,
)


def square(n: int) -> int:
    if n == 3:
        raise UserError("three cannot be squared; choose another number")
    if n == 4:
        raise KeyError("four")
    return n * n


def die_once(path: str) -> str:
    """Dies where its file is missing, and leaves one."""
    file = Path(path)
    if not file.exists() and file.name != "fine":
        file.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return file.name


def always_die(name: str) -> str:
    if name == "bad":
        os._exit(3)
    return name


def sleep(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def done_of(pool: Pool, work, tasks):
    return [done for done in run_tasks(pool, work, tasks) if done is not None]


@pytest.mark.parametrize(
    "make",
    [OwnProcess, lambda: LocalPool(2), lambda: ExecutorPool(ThreadPoolExecutor(2), 2)],
    ids=["own process", "local pool", "any executor"],
)
def test_every_task_ends_once_and_an_error_ends_its_task_alone(make):
    found = {d.task: (d.result, d.failed) for d in done_of(make(), square, range(6))}
    assert found == {
        0: (0, None),
        1: (1, None),
        2: (4, None),
        3: (None, "three cannot be squared; choose another number"),
        4: (None, "KeyError: 'four'"),
        5: (25, None),
    }


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_tasks_whose_worker_was_killed_are_done_again(tmp_path):
    tasks = [str(tmp_path / name) for name in ("fine", "a", "b", "fine")]
    found = done_of(LocalPool(2), die_once, tasks)
    assert sorted(d.result or "" for d in found) == ["a", "b", "fine", "fine"]


def test_a_task_that_kills_every_worker_is_given_up_and_the_others_are_not():
    found = {d.task: (d.result, d.failed) for d in done_of(LocalPool(2), always_die,
                                                           ["a", "bad", "b", "c"])}  # fmt: skip
    assert found.pop("bad") == (None, DIED)
    assert found == {name: (name, None) for name in "abc"}


def test_closing_ends_the_workers_at_once():
    pool = LocalPool(2)
    run = run_tasks(pool, sleep, [0.0, 60.0, 60.0])
    first = next(done for done in run if done is not None)
    assert first.result == 0.0
    executor = pool._executor
    workers = list(executor._processes.values())
    run.close()
    assert not any(worker.is_alive() for worker in workers)


def test_a_pool_needs_a_worker():
    with pytest.raises(UserError, match="ask for at least 1"):
        LocalPool(0)


def test_where_dask_is_missing_one_sentence_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UserError, match="pip install distributed"):
        dask_pool("tcp://127.0.0.1:8786")


def test_a_dask_cluster_does_the_same():
    distributed = pytest.importorskip("distributed", reason="Dask is not installed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as cluster:
        pool = dask_pool(cluster.scheduler_address)
        assert pool.size == 2
        found = {d.task: (d.result, d.failed) for d in done_of(pool, square, range(6))}
    assert [found[n][0] for n in (0, 1, 2, 5)] == [0, 1, 4, 25]
    assert found[3][1] == "three cannot be squared; choose another number"

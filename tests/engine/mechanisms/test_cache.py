"""Generated sources: one file for a text, shared by processes, found again."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.mechanisms import cache_dir, compile_source

SOURCE = """\
from numba import njit


@njit(cache=True)
def twice(x):
    return 2 * x
"""
PROGRAM = """
import sys, time
from engine.mechanisms import compile_source
module = compile_source(open(sys.argv[1]).read(), "twice")
start = time.perf_counter()
assert module.twice(21) == 42
stats = module.twice.stats
print(module.__file__, sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""


def _run(tmp_path: Path, cache: Path) -> tuple[str, int, int]:
    text, program = tmp_path / "source.txt", tmp_path / "program.py"
    text.write_text(SOURCE)
    program.write_text(PROGRAM)
    environment = {
        **os.environ,
        "DENDVIEW_CACHE": str(cache),
        "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
    }
    command = [sys.executable, str(program), str(text)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    path, hits, misses = done.stdout.split()
    return path, int(hits), int(misses)


def test_the_second_process_finds_the_machine_code(tmp_path):
    cache = tmp_path / "cache"
    assert _run(tmp_path, cache)[1:] == (0, 1)
    path, hits, misses = _run(tmp_path, cache)
    assert (hits, misses) == (1, 0)
    assert Path(path).is_relative_to(cache)


def test_two_processes_at_once(tmp_path):
    with ThreadPoolExecutor(2) as pool:
        paths = [run[0] for run in pool.map(lambda _: _run(tmp_path, tmp_path / "cache"), range(2))]
    assert paths[0] == paths[1]
    assert not list((tmp_path / "cache").rglob("*.part"))


def test_the_folder_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "shared"))
    monkeypatch.delenv("DENDVIEW_CACHE", raising=False)
    assert cache_dir() == tmp_path / "shared" / "dendview"
    monkeypatch.setenv("DENDVIEW_CACHE", str(tmp_path / "own"))
    assert cache_dir() == tmp_path / "own"


def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    """A file stands where the folder should be; the module is made in a temporary folder
    instead."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DENDVIEW_CACHE", str(tmp_path / "file"))
    module = compile_source("answer = 6 * 7\n", "unwritable")
    assert module.answer == 42
    assert not Path(module.__file__).is_relative_to(tmp_path)


def test_a_damaged_file_is_written_again(tmp_path, monkeypatch):
    monkeypatch.setenv("DENDVIEW_CACHE", str(tmp_path))
    module = compile_source("answer = 1\n", "damaged")
    path = Path(module.__file__)
    path.write_text("answer =")
    del sys.modules[module.__name__]
    assert compile_source("answer = 1\n", "damaged").answer == 1


def test_same_text_same_module_and_errors_leave_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("DENDVIEW_CACHE", str(tmp_path))
    assert compile_source("a = 1\n", "same") is compile_source("a = 1\n", "same")
    assert compile_source("a = 2\n", "same").a == 2
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            compile_source("a = 1 / 0\n", "failing")

"""Folders that nobody named, and paths that mean the same everywhere."""

import sys
from pathlib import Path

import pytest

from dendview.folders import data_folder, stamped, whole_path


@pytest.fixture
def bare(monkeypatch):
    for name in ("DENDVIEW_STUDIES", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_an_own_folder_wins_then_the_one_shared_by_all_programs(bare, tmp_path):
    bare.setenv("XDG_DATA_HOME", str(tmp_path))
    assert data_folder("spike-lab", "DENDVIEW_STUDIES") == tmp_path / "dendview" / "spike-lab"
    bare.setenv("DENDVIEW_STUDIES", "~/mine")
    assert data_folder("spike-lab", "DENDVIEW_STUDIES") == Path.home() / "mine"


@pytest.mark.parametrize(
    ("platform", "part"),
    [("linux", ".local/share"), ("darwin", "Library/Application Support")],
)
def test_each_system_has_its_place(bare, platform, part):
    bare.setattr(sys, "platform", platform)
    assert data_folder("training", "NONE") == Path.home() / part / "dendview" / "training"


def test_windows_keeps_data_where_it_says(bare, tmp_path):
    bare.setattr(sys, "platform", "win32")
    bare.setenv("LOCALAPPDATA", str(tmp_path))
    assert data_folder("training", "NONE") == tmp_path / "dendview" / "training"


def test_names_of_folders_end_in_name_and_number():
    stamp, tail = stamped("quick", 3).rsplit("-quick-", 1)
    assert (len(stamp), tail) == (15, "3")


def test_samples_stay_and_paths_become_whole(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert whole_path("sample:spn") == "sample:spn"
    assert whole_path("cell.swc") == str(tmp_path / "cell.swc")

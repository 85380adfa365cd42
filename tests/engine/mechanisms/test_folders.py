"""A folder of files as the window shows it: ready, or why not."""

import pytest

from engine.errors import UserError
from engine.mechanisms import describe_folder, user_mechanisms
from tests.engine.mechanisms.test_nmodl_errors import GOOD
from tests.engine.mechanisms.test_points import PULSE


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a_good.mod").write_text(GOOD)
    (tmp_path / "b_again.mod").write_text(GOOD)
    (tmp_path / "c_hh.mod").write_text(GOOD.replace("SUFFIX good", "SUFFIX hh"))
    (tmp_path / "d_verbatim.mod").write_text(GOOD + "VERBATIM\nENDVERBATIM\n")
    (tmp_path / "E_PULSE.MOD").write_text(PULSE.read_text())
    (tmp_path / "notes.txt").write_text("no mechanism")
    (tmp_path / "g.mod").mkdir()
    return tmp_path


def test_every_file_is_reported(folder):
    reports = {report.path.name: report for report in describe_folder(folder)}
    assert len(reports) == 5
    good = reports["a_good.mod"]
    assert (good.name, good.ready) == ("good", True)
    assert good.sentence == "channel good: current ik, 1 state, 1 parameter"
    pulse = reports["E_PULSE.MOD"]
    assert pulse.sentence.startswith("point process Pulse: current ica, i, receives events")
    again, hh, verbatim = (reports[n] for n in ("b_again.mod", "c_hh.mod", "d_verbatim.mod"))
    assert not any(report.ready for report in (again, hh, verbatim))
    assert "also defined in a_good.mod; rename it after SUFFIX" in again.sentence
    assert "comes with the program" in hh.sentence
    line = GOOD.count("\n") + 1
    assert f"d_verbatim.mod:{line}: construct VERBATIM" in verbatim.sentence
    assert verbatim.name == "d_verbatim"
    assert not any("\n" in report.sentence for report in reports.values())


def test_only_what_is_ready_can_be_used(folder):
    assert sorted(user_mechanisms(folder)) == ["Pulse", "good"]


def test_folders_that_hold_nothing(tmp_path):
    with pytest.raises(UserError, match=r"no \.mod file here; choose"):
        describe_folder(tmp_path)
    with pytest.raises(UserError, match="cannot be read"):
        describe_folder(tmp_path / "none")

"""The program as a whole: smoke run, excepthook, settings, themes, diagnosis."""

import subprocess
import sys

import pytest
from PyQt6.QtCore import QByteArray, QSettings
from PyQt6.QtWidgets import QPushButton

import dendview.app as app_module
from dendview.app import install_excepthook, run
from dendview.colors import THEMES, contrast, rgb
from dendview.diagnosis import OpenGL, platform_advice, probe_opengl, system_report
from dendview.settings import Settings
from dendview.state import AppState
from dendview.theme_qt import derived_colors, make_palette
from engine.errors import UserError


@pytest.fixture
def hook():
    before = sys.excepthook
    yield
    sys.excepthook = before


def test_a_smoke_run_draws_and_ends(qapp, hook, monkeypatch, capsys):
    monkeypatch.setattr(app_module, "SMOKE_PATIENCE_S", 30)
    assert run("sample:toy15", smoke=True) == 0
    assert run("/nowhere/at_all.swc", smoke=True) == 1
    assert "at_all.swc" in capsys.readouterr().err


def test_a_defect_of_ours_is_told_and_the_window_lives(qapp, hook, qtbot, capsys):
    state = AppState()
    install_excepthook(state)
    button = QPushButton()
    qtbot.addWidget(button)
    try:
        raise ZeroDivisionError("a defect")
    except ZeroDivisionError as error:
        sys.excepthook(ZeroDivisionError, error, error.__traceback__)
    assert "ZeroDivisionError" in state.message.text
    assert "test_app.py" in state.message.details
    assert "a defect" in capsys.readouterr().err
    sys.excepthook(UserError, UserError("Choose another folder."), None)
    assert (state.message.text, state.message.details) == ("Choose another folder.", "")


def test_an_exception_in_a_slot_does_not_end_the_program(tmp_path):
    """PyQt ends a program without a hook, so this is tried in one of its own."""
    script = tmp_path / "slot.py"
    script.write_text(
        "from dendview.app import install_excepthook, make_app\n"
        "from dendview.state import AppState\n"
        "from PyQt6.QtCore import QTimer\n"
        "app, state = make_app(), AppState()\n"
        "install_excepthook(state)\n"
        "QTimer.singleShot(0, lambda: 1 / 0)\n"
        "QTimer.singleShot(50, app.quit)\n"
        "app.exec()\n"
        "print(state.message.text)\n"
    )
    command = [sys.executable, str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "ZeroDivisionError" in done.stdout


def test_a_window_closed_under_long_work_ends_the_program_without_a_crash(tmp_path):
    script = tmp_path / "close.py"
    script.write_text(
        "import sys, time\n"
        "from PyQt6.QtCore import QSettings, QTimer\n"
        "import dendview.app as app\n"
        "from dendview.settings import Settings\n"
        "from dendview.widgets.background import Background\n"
        "store = QSettings(sys.argv[1], QSettings.Format.IniFormat)\n"
        "Settings.of_the_user = classmethod(lambda cls: cls(store))\n"
        "app.wait_for_threads.__defaults__ = (100,)\n"
        "make = app.make_window\n"
        "def work():\n"
        "    end = time.monotonic() + 15\n"
        "    while time.monotonic() < end:\n"
        "        sum(range(10_000))\n"
        "def opened(**given):\n"
        "    window = make(**given)\n"
        "    task = Background(window)\n"
        "    QTimer.singleShot(200, lambda: (task.start(work), window.close()))\n"
        "    return window\n"
        "app.make_window = opened\n"
        "sys.exit(app.run(None))\n"
    )
    kept = tmp_path / "settings.ini"
    command = [sys.executable, str(script), str(kept)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert kept.stat().st_size > 0  # where the window was


def test_settings_come_back_from_their_file(tmp_path):
    path = str(tmp_path / "settings.ini")
    one = Settings(QSettings(path, QSettings.Format.IniFormat))
    one.theme, one.recent, one.folder = "light", ("/a.swc", "/b.swc"), "/pictures"
    one.set_layout("explore", QByteArray(b"layout"))
    one._store.sync()
    other = Settings(QSettings(path, QSettings.Format.IniFormat))
    assert (other.theme, other.recent, other.folder) == ("light", ("/a.swc", "/b.swc"), "/pictures")
    assert other.layout("explore") == QByteArray(b"layout")
    assert other.layout("schedule") is None
    other.forget_layouts()
    assert other.layout("explore") is None


def test_settings_somebody_edited_do_no_harm(tmp_path):
    store = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    store.setValue("theme", "pink")
    store.setValue("recent", "{not json")
    store.setValue("geometry", "nonsense")
    settings = Settings(store)
    assert (settings.theme, settings.recent, settings.geometry) == ("dark", (), None)


@pytest.mark.parametrize("name", ["dark", "light"])
def test_text_is_readable_on_every_ground(name):
    theme = THEMES[name]
    for ground in (theme.window, theme.panel, theme.canvas):
        for ink in (theme.text, theme.muted, theme.done, theme.warning, theme.error, theme.accent):
            assert contrast(rgb(ink), rgb(ground)) >= 4.5, (ink, ground)
    colors = derived_colors(theme)
    for ink, ground in (
        ("on_accent", "accent"),
        ("on_done", "done"),
        ("on_done", "done_hover"),
        ("on_error", "error"),
    ):
        assert contrast(rgb(colors[ink]), rgb(colors[ground])) >= 4.5, (ink, ground)


@pytest.mark.parametrize("name", ["dark", "light"])
def test_the_palette_is_readable_too(qapp, name):
    palette = make_palette(THEMES[name])
    role = palette.ColorRole
    for ink, ground in (
        (role.Text, role.Base),
        (role.WindowText, role.Window),
        (role.ButtonText, role.Button),
        (role.HighlightedText, role.Highlight),
        (role.PlaceholderText, role.Base),
        (role.ToolTipText, role.ToolTipBase),
    ):
        pair = (rgb(palette.color(which).name()) for which in (ink, ground))
        assert contrast(*pair) >= 4.5, (ink, ground)


def test_the_renderer_is_named(qapp):
    gl = probe_opengl()
    assert gl.problem == ""
    assert gl.renderer
    assert gl.version[0].isdigit()
    report = system_report(gl, "CPU, 2 threads")
    assert gl.renderer in report
    assert "Engine: CPU, 2 threads" in report
    assert "numba" in report


def test_advice_fits_what_was_found():
    assert OpenGL("llvmpipe (LLVM 15)", "Mesa", "4.5").label == "llvmpipe (software)"
    assert OpenGL("NVIDIA H200/PCIe/SSE2", "NVIDIA", "4.6").advice == ""
    assert "driver" in OpenGL(problem="no context").advice
    assert platform_advice("xcb") == ""
    assert "QT_QPA_PLATFORM=xcb" in platform_advice("wayland")

"""A real window for pictures: the one a person sees, if need be on a virtual display."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dendview.cli.display import display
from dendview.colors import ThemeName
from dendview.state import AppState, Perspective
from engine.errors import UserError

if TYPE_CHECKING:
    from dendview.main_window import MainWindow


@contextmanager
def opened_window(
    source: str, perspective: Perspective, size: tuple[int, int], theme: ThemeName = "dark"
) -> "Iterator[MainWindow]":
    """A shown window of a size in pixels, its cell open and drawn; closed at the end.

    Raises
    ------
    UserError
        If the cell cannot be opened (the reader's own sentence) or there is no way to draw.
    """
    with display():
        from dendview.app import make_app, make_window, wait_for_cell, wait_for_threads

        app = make_app()
        window = make_window(AppState(theme=theme), warm=False)
        try:
            window.resize(*size)
            window.show()
            window.open_source(source, perspective)
            if not wait_for_cell(window):
                message = window.state.message
                raise UserError(
                    message.details or message.text if message else f"{source} was not opened"
                )
            settle(app)
            yield window
        finally:
            window.close()
            wait_for_threads(60_000)
            settle(app)


def settle(app: "object", rounds: int = 8) -> None:
    """Let Qt lay out and draw what was asked for."""
    for _ in range(rounds):
        app.processEvents()  # type: ignore[attr-defined]

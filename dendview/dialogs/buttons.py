"""The buttons of a dialog that only tells: Copy, and Close."""

from collections.abc import Callable

from PyQt6.QtWidgets import QDialog, QDialogButtonBox, QPushButton


def copy_and_close(
    dialog: QDialog, text: str, copy: Callable[[], object]
) -> tuple[QDialogButtonBox, QPushButton]:
    """A box with a button that copies (``text`` on it) and one that closes the dialog."""
    buttons = QDialogButtonBox()
    button = QPushButton(text)
    button.setAutoDefault(False)
    button.clicked.connect(lambda _: copy())
    buttons.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
    close = buttons.addButton(QDialogButtonBox.StandardButton.Close)
    assert close is not None
    close.setDefault(True)
    buttons.rejected.connect(dialog.reject)
    return buttons, button

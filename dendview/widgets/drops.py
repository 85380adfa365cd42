"""Files dropped onto the window."""

from PyQt6.QtCore import QMimeData


def dropped_path(data: QMimeData | None) -> str:
    """The first local file of what is dragged, or an empty string."""
    if data is None or not data.hasUrls():
        return ""
    return next((url.toLocalFile() for url in data.urls() if url.isLocalFile()), "")

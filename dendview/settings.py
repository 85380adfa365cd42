"""What the program remembers between starts: recent files, theme, dock layouts."""

import json
from collections.abc import Iterable
from typing import get_args

from PyQt6.QtCore import QByteArray, QSettings

from dendview.colors import ThemeName
from engine.types import BackendName

N_RECENT = 10
LAYOUT_VERSION = 3
"""Raised when docks change, so that an old layout is not forced upon new docks."""


class Settings:
    """Typed access to a :class:`QSettings`; without one, a memory that ends with the program.

    Pictures made without a person and tests use the memory, so they neither see nor change what a
    person has arranged.
    """

    def __init__(self, store: QSettings | None = None) -> None:
        self._store = store
        self._memory: dict[str, object] = {}

    @classmethod
    def of_the_user(cls) -> "Settings":
        """The settings of whoever runs the program."""
        return cls(QSettings("DendView", "DendView"))

    def keep(self) -> None:
        """Write what was set to the person's file now, as a program that ends abruptly has to."""
        if self._store is not None:
            self._store.sync()

    def _get(self, key: str) -> object:
        return self._memory.get(key) if self._store is None else self._store.value(key)

    def _set(self, key: str, value: object) -> None:
        if self._store is None:
            self._memory[key] = value
        else:
            self._store.setValue(key, value)

    @property
    def theme(self) -> ThemeName:
        value = self._get("theme")
        return next((name for name in get_args(ThemeName) if name == value), "dark")

    @theme.setter
    def theme(self, name: ThemeName) -> None:
        self._set("theme", name)

    @property
    def backend(self) -> BackendName:
        """What the person wants runs to be made on."""
        value = self._get("backend")
        return next((name for name in get_args(BackendName) if name == value), "auto")

    @backend.setter
    def backend(self, name: BackendName) -> None:
        self._set("backend", name)

    @property
    def recent(self) -> tuple[str, ...]:
        """Sources that were opened, the last first."""
        text = self._get("recent")
        try:
            names = json.loads(text) if isinstance(text, str) else []
        except ValueError:  # somebody edited the settings file: start the list afresh
            names = []
        return tuple(name for name in names if isinstance(name, str))[:N_RECENT]

    @recent.setter
    def recent(self, names: Iterable[str]) -> None:
        self._set("recent", json.dumps(list(names)[:N_RECENT]))

    @property
    def image_folders(self) -> dict[str, str]:
        """Where images to learn from are, by data set."""
        text = self._get("image_folders")
        try:
            found = json.loads(text) if isinstance(text, str) else {}
        except ValueError:
            return {}
        return {k: v for k, v in found.items() if isinstance(v, str)}

    @image_folders.setter
    def image_folders(self, folders: dict[str, str]) -> None:
        self._set("image_folders", json.dumps(folders))

    def _bytes(self, key: str) -> QByteArray | None:
        value = self._get(key)
        return value if isinstance(value, QByteArray) and not value.isEmpty() else None

    @property
    def geometry(self) -> QByteArray | None:
        """Place and size of the main window."""
        return self._bytes("geometry")

    @geometry.setter
    def geometry(self, value: QByteArray) -> None:
        self._set("geometry", value)

    def layout(self, perspective: str) -> QByteArray | None:
        """Dock layout a person made of a perspective, or None."""
        return self._bytes(f"layout{LAYOUT_VERSION}/{perspective}")

    def set_layout(self, perspective: str, value: QByteArray) -> None:
        self._set(f"layout{LAYOUT_VERSION}/{perspective}", value)

    def forget_layouts(self) -> None:
        """Back to the layouts the program comes with."""
        if self._store is not None:
            self._store.remove(f"layout{LAYOUT_VERSION}")
        self._memory = {k: v for k, v in self._memory.items() if not k.startswith("layout")}

    @property
    def folder(self) -> str:
        """Folder of the last export or open, empty at first."""
        value = self._get("folder")
        return value if isinstance(value, str) else ""

    @folder.setter
    def folder(self, path: str) -> None:
        self._set("folder", path)

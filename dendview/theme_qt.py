# ruff: noqa: E501  (style rules, one a line)
"""The theme as Qt wants it: a palette for the Fusion style and a short style sheet."""

from PyQt6.QtGui import QColor, QPalette
from PyQt6.QtWidgets import QApplication

from dendview.colors import THEMES, Theme, ThemeName, contrast, hex_color, mix, rgb

_SHEET = """
* {{ outline: none; }}
QMainWindow::separator {{ background: {grid}; width: 1px; height: 1px; }}
QMainWindow::separator:hover {{ background: {accent}; }}
QToolTip {{ background: {panel}; color: {text}; border: 1px solid {grid}; padding: 4px 6px; }}

QMenuBar {{ background: {window}; padding: 2px 6px; }}
QMenuBar::item {{ padding: 4px 9px; border-radius: 4px; background: transparent; }}
QMenuBar::item:selected {{ background: {grid}; }}
QMenu {{ background: {panel}; border: 1px solid {grid}; padding: 4px; }}
QMenu::item {{ padding: 5px 28px 5px 24px; border-radius: 4px; }}
QMenu::item:selected {{ background: {accent}; color: {on_accent}; }}
QMenu::item:disabled {{ color: {disabled}; background: transparent; }}
QMenu::separator {{ height: 1px; background: {grid}; margin: 4px 8px; }}

QToolBar {{ background: {window}; border: none; border-bottom: 1px solid {grid}; padding: 5px 8px; spacing: 6px; }}
QToolBar#timeline {{ border: none; border-top: 1px solid {grid}; padding: 0; }}
QToolBar QToolButton {{ border: 1px solid transparent; border-radius: 5px; padding: 4px 7px; color: {text}; }}
QToolBar QToolButton:hover {{ background: {grid}; }}
QToolBar QToolButton:disabled {{ color: {disabled}; }}
QToolBar QToolButton:focus {{ border-color: {accent}; }}

#segments {{ background: {panel}; border: 1px solid {grid}; border-radius: 7px; }}
#segments QToolButton {{ border: none; border-radius: 5px; padding: 5px 14px; margin: 2px; color: {muted}; }}
#segments QToolButton:hover {{ color: {text}; }}
#segments QToolButton:checked {{ background: {accent}; color: {on_accent}; font-weight: 600; }}
#segments QToolButton:disabled {{ color: {disabled}; }}
#segments QToolButton:focus {{ border: 1px solid {text}; }}

QToolButton#run {{ background: {done}; color: {on_done}; font-weight: 600; padding: 5px 12px; }}
QToolButton#run:hover {{ background: {done_hover}; }}
QToolButton#run:disabled {{ background: {grid}; color: {disabled}; }}
QToolButton#run[busy="true"] {{ background: {error}; color: {on_error}; }}
QToolButton#search {{ background: {panel}; border: 1px solid {grid}; color: {muted}; padding: 5px 10px; }}
QToolButton#search:hover {{ border-color: {accent}; color: {text}; }}
QToolButton#chip {{ background: {panel}; border: 1px solid {grid}; border-radius: 11px; padding: 3px 11px; }}

QDockWidget {{ color: {muted}; font-weight: 600; }}
QDockWidget::close-button, QDockWidget::float-button {{ border: none; background: transparent; icon-size: 0px; }}
QDockWidget::title {{ background: {window}; padding: 6px 10px; text-align: left; }}
QTabBar {{ qproperty-drawBase: 0; }}
QTabBar::tab {{ background: transparent; color: {muted}; padding: 6px 12px; border: none; border-bottom: 2px solid transparent; }}
QTabBar::tab:hover {{ color: {text}; }}
QTabBar::tab:selected {{ color: {text}; border-bottom-color: {accent}; }}
QTabBar::tab:focus {{ color: {accent}; }}

QStatusBar {{ background: {window}; border-top: 1px solid {grid}; color: {muted}; }}
QStatusBar::item {{ border: none; }}
QStatusBar QLabel {{ color: {muted}; padding: 2px 6px; }}
QStatusBar QToolButton {{ border: none; padding: 2px 6px; color: {text}; }}
QStatusBar QToolButton[kind="done"] {{ color: {done}; }}
QStatusBar QToolButton[kind="warning"] {{ color: {warning}; }}
QStatusBar QToolButton[kind="error"] {{ color: {error}; }}
QProgressBar {{ background: {panel}; border: 1px solid {grid}; border-radius: 4px; color: {text}; text-align: center; }}
QProgressBar::chunk {{ background: {accent_dim}; border-radius: 3px; }}

QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle {{ background: {border}; border-radius: 3px; margin: 2px; }}
QScrollBar::handle:vertical {{ min-height: 28px; }}
QScrollBar::handle:horizontal {{ min-width: 28px; }}
QScrollBar::handle:hover {{ background: {muted}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QTreeView, QTableView, QListView, QScrollArea {{ border: none; background: {panel}; }}
QTreeView::item, QListView::item {{ padding: 3px 2px; }}
QTableView::item {{ padding: 4px 6px; }}
QTreeView::item:hover, QListView::item:hover {{ background: {grid}; }}
QTreeView::item:selected, QListView::item:selected, QTableView::item:selected {{ background: {accent}; color: {on_accent}; }}
QHeaderView::section {{ background: {window}; color: {muted}; border: none; border-bottom: 1px solid {grid}; padding: 5px 8px; }}
QAbstractSpinBox[wrong="true"] {{ color: {error}; }}

QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
QPushButton {{ background: {panel}; color: {text}; border: 1px solid {border}; border-radius: 5px; padding: 5px 14px; }}
QPushButton:hover {{ border-color: {accent}; }}
QPushButton:focus {{ border-color: {accent}; }}
QPushButton:disabled {{ color: {disabled}; border-color: {grid}; }}
QPushButton:default, QPushButton[primary="true"] {{ background: {accent}; color: {on_accent}; border-color: {accent}; font-weight: 600; }}
QPushButton:default:disabled, QPushButton[primary="true"]:disabled {{ background: {grid}; color: {disabled}; border-color: {grid}; }}
QPushButton[flat_link="true"] {{ border: none; color: {accent}; background: transparent; padding: 2px 6px; }}
#recent {{ padding: 2px 0; }}
QPushButton[flat_link="true"]:hover {{ text-decoration: underline; }}

#panel, #inspector, #start {{ background: {panel}; }}
#start {{ background: {window}; }}
#cellHeader {{ background: {window}; border-bottom: 1px solid {grid}; }}
QLabel[role="muted"] {{ color: {muted}; }}
QLabel[role="heading"] {{ color: {muted}; font-weight: 600; }}
QLabel[role="title"] {{ font-size: 15pt; font-weight: 600; }}
QLabel[role="headline"] {{ font-size: 22pt; font-weight: 600; }}
QLabel[role="error"] {{ color: {error}; }}
QLabel[role="done"] {{ color: {done}; }}
#card {{ background: {panel}; border: 1px solid {grid}; border-radius: 10px; text-align: left; }}
#card:hover {{ border-color: {accent}; }}
#card[chosen="true"] {{ border: 1px solid {accent}; border-left: 4px solid {accent}; }}
#card:focus {{ border: 2px solid {accent}; }}
#dropzone {{ background: transparent; border: 2px dashed {border}; border-radius: 12px; }}
#dropzone[over="true"] {{ border-color: {accent}; background: {panel}; }}
#toast {{ background: {panel}; border: 1px solid {border}; border-radius: 8px; }}
#toast[kind="done"] {{ border-left: 4px solid {done}; }}
#toast[kind="info"] {{ border-left: 4px solid {accent}; }}
#toast[kind="warning"] {{ border-left: 4px solid {warning}; }}
#toast[kind="error"] {{ border-left: 4px solid {error}; }}
#palette {{ background: {panel}; border: 1px solid {border}; border-radius: 10px; }}
#palette QLineEdit {{ border: none; background: transparent; font-size: 13pt; padding: 10px 12px; }}
#switch {{ background: transparent; border: 1px solid {grid}; border-radius: 4px; padding: 3px 3px; color: {muted}; }}
#switch:hover {{ border-color: {accent}; }}
#switch:checked {{ background: {accent_dim}; border-color: {accent}; color: {text}; }}
#switch:focus {{ border-color: {text}; }}
#preview {{ background: {canvas}; border: 1px solid {grid}; border-radius: 6px; }}
"""


def blend(first: str, second: str, share: float) -> str:
    """A color between two, ``share`` of the way from the first to the second."""
    return hex_color(mix(rgb(first), rgb(second), share))


def readable_on(ground: str) -> str:
    """Black or white, whichever reads better on a ground."""
    return max(("#0b0d10", "#ffffff"), key=lambda ink: contrast(rgb(ink), rgb(ground)))


def derived_colors(theme: Theme) -> dict[str, str]:
    """All colors of the style sheet: the theme's own and those made from them."""
    return {
        **{name: getattr(theme, name) for name in Theme.__dataclass_fields__},
        "on_accent": readable_on(theme.accent),
        "on_done": readable_on(theme.done),
        "on_error": readable_on(theme.error),
        "done_hover": blend(theme.done, theme.text, 0.2),
        "accent_dim": blend(theme.panel, theme.accent, 0.45),
        "border": blend(theme.grid, theme.muted, 0.4),
        "disabled": blend(theme.panel, theme.muted, 0.6),
    }


def make_palette(theme: Theme) -> QPalette:
    """Fusion's palette in the theme's colors."""
    colors = derived_colors(theme)
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    palette = QPalette()
    for which, color in {
        role.Window: theme.window,
        role.WindowText: theme.text,
        role.Base: theme.panel,
        role.AlternateBase: blend(theme.panel, theme.window, 0.5),
        role.Text: theme.text,
        role.Button: theme.panel,
        role.ButtonText: theme.text,
        role.BrightText: theme.error,
        role.ToolTipBase: theme.panel,
        role.ToolTipText: theme.text,
        role.PlaceholderText: theme.muted,
        role.Highlight: theme.accent,
        role.HighlightedText: colors["on_accent"],
        role.Link: theme.accent,
        role.LinkVisited: theme.accent,
        role.Mid: theme.grid,
        role.Dark: theme.grid,
    }.items():
        palette.setColor(which, QColor(color))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(group.Disabled, which, QColor(colors["disabled"]))
    palette.setColor(group.Disabled, role.Highlight, QColor(theme.grid))
    return palette


def apply_theme(app: QApplication, name: ThemeName) -> None:
    """Give the whole program a theme, at once."""
    theme = THEMES[name]
    if (style := app.style()) is None or style.name().lower() != "fusion":
        app.setStyle("Fusion")
    app.setPalette(make_palette(theme))
    app.setStyleSheet(_SHEET.format(**derived_colors(theme)))

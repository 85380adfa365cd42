"""A table that is read, not edited: named columns with tips, and bars behind its figures."""

from collections.abc import Sequence

from PyQt6.QtWidgets import QHeaderView, QStyledItemDelegate, QTableWidget

LOWEST_ROW, HIGHEST_ROW = 17, 26


class PlainTable(QTableWidget):
    """Nothing is selected or edited; rows share the height there is.

    Parameters
    ----------
    columns : (name, tip) of each
    name
        What a screen reader calls it.
    bars
        Draws the cells.
    stretched
        Columns that take the width the others leave.
    """

    def __init__(
        self,
        columns: Sequence[tuple[str, str]],
        name: str,
        bars: QStyledItemDelegate,
        stretched: Sequence[int],
    ) -> None:
        super().__init__(0, len(columns))
        self.setHorizontalHeaderLabels([title for title, _ in columns])
        for i, (_, tip) in enumerate(columns):
            item = self.horizontalHeaderItem(i)
            assert item is not None
            item.setToolTip(tip)
        self.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        self.setShowGrid(False)
        self.setAccessibleName(name)
        bars.setParent(self)
        self.setItemDelegate(bars)
        head, side = self.horizontalHeader(), self.verticalHeader()
        assert head is not None
        assert side is not None
        self.head, self._side = head, side
        side.hide()
        side.setMinimumSectionSize(LOWEST_ROW)
        head.setHighlightSections(False)
        head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        for column in stretched:
            head.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)

    def share_height(self, room: int, n_row: int) -> None:
        """Rows as high as fit into a room of so many pixels, within what is read well."""
        height = min(max(room // max(n_row, 1), LOWEST_ROW), HIGHEST_ROW)
        self._side.setDefaultSectionSize(height)

"""The text of a file and what it is, told by its content and never by its ending."""

import gzip
import io
import re
import zlib
from pathlib import Path
from typing import Literal

from engine.morphology.problems import refuse

Kind = Literal["swc", "asc"]

MAX_BYTES = 1 << 30
"""Largest text read: ten times the largest published reconstruction; stops a gzip bomb."""

ENDINGS = (".gz", ".swc", ".asc", ".CNG", ".cng", ".ASC", ".SWC", ".eswc", ".txt")

_MAGIC = (
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"\x89HDF", "an HDF5 file"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x7fELF", "a program"),
    (b"\xd0\xcf\x11\xe0", "an old Microsoft Office document"),
)
_WANTED = "open an SWC or Neurolucida ASC file"
_COLUMNS = "seven columns (id, type, x, y, z, radius, parent)"
_INTEGER = re.compile(r"[+-]?\d+(\.0*)?$")
_HOC = re.compile(
    r"\bpt3dadd[ \t]*+\(|^[ \t]*+\{?[ \t]*+create[ \t]++\w|\bbegintemplate\b|\bload_file[ \t]*+\(",
    re.M,
)


def cell_name(path: str | Path) -> str:
    """File name without folder and the usual endings."""
    name = Path(path).name
    while name.endswith(ENDINGS) and "." in name[1:]:
        name = name[: name.rindex(".")]
    return name


def load_text(path: str | Path) -> str:
    """The file's text with ``\\n`` line ends, unpacked if gzipped.

    UTF-8 (with or without byte-order mark) and UTF-16 with mark are recognized; anything else is
    taken as Latin-1, which cannot fail, because only comments hold more than ASCII.

    Raises
    ------
    Refusal
        If the file is missing, a folder, forbidden, empty, damaged, or not text.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise refuse("file.folder", "this is a folder", _WANTED + " inside it")
        if path.exists() and not path.is_file():
            raise refuse("file.unreadable", "this is a device, not a file", _WANTED)
        data = path.read_bytes() if path.stat().st_size <= MAX_BYTES else b""
        too_large = path.stat().st_size > MAX_BYTES
    except FileNotFoundError:
        raise refuse(
            "file.missing", "there is no such file", "check the name and the folder"
        ) from None
    except PermissionError:
        raise refuse(
            "file.forbidden", "you may not read this file", "ask its owner for read permission"
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise refuse(
            "file.unreadable", f"the file cannot be read ({reason})", "check the disk and the name"
        ) from None
    if data.startswith(b"\x1f\x8b"):
        data, too_large = _unpack(data)
    if too_large:
        raise refuse(
            "file.too_large", "the file holds more than 1 GiB", "split it into single cells"
        )
    for magic, what in _MAGIC:
        if data.startswith(magic):
            raise refuse("format.other", f"this is {what}, not a morphology", _WANTED)
    text = _decode(data)
    if not text.strip():
        raise refuse("file.empty", "the file is empty", "save or download it again")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _unpack(data: bytes) -> tuple[bytes, bool]:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            unpacked = stream.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error):
        raise refuse(
            "file.damaged", "the gzip archive is damaged or cut off", "download the file again"
        ) from None
    return unpacked, len(unpacked) > MAX_BYTES


def _decode(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    if b"\0" in data:
        raise refuse("format.binary", "this is a binary file, not a morphology", _WANTED)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def recognize(text: str) -> Kind:
    """Which of the formats we read a text is.

    Raises
    ------
    Refusal
        With the name of the format where it is one we know but do not read.
    """
    text = text.lstrip()
    head = text[:200_000]
    if head.startswith("<"):
        raise refuse("format.other", *_markup(head))
    rows = _data_rows(text, "#", 60)
    if rows and sum(map(_is_swc_row, rows)) * 2 >= len(rows):
        return "swc"
    asc_rows = _data_rows(text, ";", 1)
    if asc_rows and asc_rows[0].startswith("(") and not _HOC.search(head):
        return "asc"
    if _HOC.search(head):
        raise refuse(
            "format.hoc",
            "this is NEURON hoc code, which would have to be run to get its geometry",
            "load it in NEURON, save the cell as SWC and open that",
        )
    if head.startswith("{") or head.startswith("["):
        raise refuse("format.other", "this looks like JSON or code, not a morphology", _WANTED)
    if not rows:
        raise refuse(
            "format.no_points",
            "the file holds comments only, no points",
            "save or download it again",
        )
    raise refuse("format.unknown", *_table_or_text(rows))


def _data_rows(text: str, comment: str, n: int) -> list[str]:
    """The first n rows that hold more than a comment."""
    rows: list[str] = []
    begin = 0
    while begin < len(text) and len(rows) < n:
        end = text.find("\n", begin)
        end = len(text) if end < 0 else end
        row = text[begin : min(end, begin + 10_000)].split(comment, 1)[0].strip()
        if row:
            rows.append(row)
        begin = end + 1
    return rows


def _is_swc_row(row: str) -> bool:
    fields = re.split(r"[\s,;]+", row.strip(" \t,;"))
    if len(fields) < 7:
        return False
    return sum(bool(_INTEGER.match(fields[i])) for i in (0, 1, 6)) == 3


def _markup(head: str) -> tuple[str, str]:
    start = head[:4000].lower()
    if "<neuroml" in start:
        return (
            "this is NeuroML, which is not read yet",
            "convert it to SWC (for example in NEURON or with pyNeuroML) and open that",
        )
    if "<html" in start or "<!doctype html" in start:
        return (
            "this is a web page, not a morphology",
            "download the file itself, not the page that shows it",
        )
    if "morphml" in start or "<mbf" in start:
        return ("this is XML of another program", "export the cell as SWC or Neurolucida ASC")
    return ("this is XML, not a morphology we read", "export the cell as SWC or Neurolucida ASC")


def _table_or_text(rows: list[str]) -> tuple[str, str]:
    splits = [re.split(r"[\s,;]+", row.strip(" \t,;")) for row in rows]
    n_column = max(set(map(len, splits)), key=list(map(len, splits)).count)
    if any(_is_number(split[0]) for split in splits):
        return (
            f"this is a table with {n_column} columns, not SWC, whose rows have {_COLUMNS} "
            "with whole numbers for id, type and parent",
            _WANTED,
        )
    return ("this is text, but neither SWC nor Neurolucida ASC", _WANTED)


def _is_number(token: str) -> bool:
    try:
        float(token)
    except ValueError:
        return False
    return True

"""Images to learn from: IDX files in a folder, the bundled digits, or a download with hashes."""

import gzip
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from engine.errors import FileError, UserError
from engine.morphology.samples import folder as sample_folder
from engine.types import FloatArray, IntArray

IMAGES, LABELS = "idx3-ubyte", "idx1-ubyte"
SETS = ("train", "t10k")
KIND_OF_BYTE = 0x08
DIGITS = "digits"
DIGITS_LEVELS = 17
"""Pixels of the bundled digits are whole numbers from 0 to 16."""
DIGITS_TEST = 360
"""Of the 1797 digits so many are for testing."""

FASHION_CLASSES = (
    "T-shirt", "trouser", "pullover", "dress", "coat",
    "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labeled images.

    Attributes
    ----------
    name : str
    train, test : (n, n_in) uint8
        Pixels, as numbers of levels.
    train_labels, test_labels : (n,) int32
    shape : tuple of int
        Rows and columns of an image.
    levels : (n_level,)
        Brightness (0 to 1) of every pixel value.
    classes : tuple of str
    source : str
    """

    name: str
    train: np.ndarray
    train_labels: IntArray
    test: np.ndarray
    test_labels: IntArray
    shape: tuple[int, int]
    levels: FloatArray
    classes: tuple[str, ...]
    source: str

    @property
    def n_in(self) -> int:
        return int(self.train.shape[1])


@dataclass(frozen=True)
class Download:
    """A data set on the network: where it lies, its license, and the SHA-256 of every file."""

    title: str
    urls: tuple[str, ...]
    license: str
    files: tuple[tuple[str, str], ...]
    megabytes: float


DOWNLOADS: dict[str, Download] = {
    "mnist": Download(
        "MNIST handwritten digits (LeCun, Cortes & Burges)",
        ("https://ossci-datasets.s3.amazonaws.com/mnist/",
         "https://storage.googleapis.com/cvdf-datasets/mnist/"),
        "CC BY-SA 3.0",
        (
            ("train-images-idx3-ubyte.gz",
             "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
            ("train-labels-idx1-ubyte.gz",
             "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
            ("t10k-images-idx3-ubyte.gz",
             "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
            ("t10k-labels-idx1-ubyte.gz",
             "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
        ),
        11.6,
    ),
    "fashion-mnist": Download(
        "Fashion-MNIST (Xiao, Rasul & Vollgraf 2017)",
        ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
        "MIT",
        (
            ("train-images-idx3-ubyte.gz",
             "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
            ("train-labels-idx1-ubyte.gz",
             "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
            ("t10k-images-idx3-ubyte.gz",
             "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
            ("t10k-labels-idx1-ubyte.gz",
             "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
        ),
        30.9,
    ),
}  # fmt: skip


def load(source: str | Path = DIGITS) -> Dataset:
    """The data of a folder, or the bundled digits.

    Parameters
    ----------
    source
        ``digits``, or a folder with the four IDX files of MNIST's form, plain or ``.gz``.

    Raises
    ------
    UserError
        With one sentence on what is missing or wrong and the way out.
    """
    if str(source) == DIGITS:
        return bundled()
    path = Path(source)
    if not path.is_dir():
        near = get_close_matches(str(source), (DIGITS, *DOWNLOADS), 1)
        hint = f"did you mean '{near[0]}'?" if near else "name a folder that holds IDX files"
        raise UserError(f"there is no folder '{source}' with images; {hint}")
    files = {(s, kind): find(path, s, kind) for s in SETS for kind in (IMAGES, LABELS)}
    parts = []
    for s in SETS:
        images, labels = read_idx(files[s, IMAGES], 3), read_idx(files[s, LABELS], 1)
        if len(images) != len(labels):
            raise FileError(
                files[s, LABELS],
                f"this has {len(labels)} labels for the {len(images)} images of "
                f"{files[s, IMAGES].name}",
                "the two files belong to different data; download them again",
            )
        if not len(images):
            raise FileError(files[s, IMAGES], "this has no images", "download it again")
        parts.append((images, labels.astype(np.int32)))
    (train, train_labels), (test, test_labels) = parts
    if train.shape[1:] != test.shape[1:]:
        raise FileError(
            files["t10k", IMAGES],
            f"its images are {test.shape[1]} x {test.shape[2]}, those to learn from "
            f"{train.shape[1]} x {train.shape[2]}",
            "put the four files of one data set into a folder",
        )
    n_class = int(max(train_labels.max(), test_labels.max())) + 1
    fashion = "fashion" in path.name.lower() and n_class == len(FASHION_CLASSES)
    return Dataset(
        name=path.name,
        train=train.reshape(len(train), -1),
        train_labels=train_labels,
        test=test.reshape(len(test), -1),
        test_labels=test_labels,
        shape=(int(train.shape[1]), int(train.shape[2])),
        levels=np.arange(256) / 255.0,
        classes=FASHION_CLASSES if fashion else tuple(str(c) for c in range(n_class)),
        source=str(path),
    )


def find(folder: Path, which: str, kind: str) -> Path:
    """The file of a set in a folder: ``train-images-idx3-ubyte`` and its usual spellings.

    Raises
    ------
    UserError
        If there is none; names what is missing.
    """
    word = "images" if kind == IMAGES else "labels"
    for join in ("-", "."):
        for ending in ("", ".gz"):
            path = folder / f"{which}-{word}{join}{kind}{ending}"
            if path.is_file():
                return path
    raise UserError(
        f"{folder}: the file {which}-{word}-{kind} (or .gz) is missing; put the four files of "
        "MNIST's form there, or use the bundled digits"
    )


def read_idx(path: Path, n_axis: int) -> np.ndarray:
    """The bytes of an IDX file, plain or gzip.

    Parameters
    ----------
    path
    n_axis
        3 for images, 1 for labels.

    Returns
    -------
    uint8 array of so many axes

    Raises
    ------
    FileError
        If it is missing, damaged, truncated, or holds something else.

    Notes
    -----
    Big-endian: two zero bytes, the kind of number (0x08: bytes), the number of axes, their lengths
    as 32-bit numbers, the numbers (LeCun, "The MNIST database").
    """
    again = "download it again"
    try:
        raw = path.read_bytes()
    except OSError as error:
        what = f"the file cannot be read ({error.strerror or error})"
        raise FileError(path, what, "check the path") from None
    if raw[:2] == b"\x1f\x8b":
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error):
            raise FileError(path, "this gzip file is truncated or damaged", again) from None
    head = 4 + 4 * n_axis
    if len(raw) < 4 or raw[:3] != bytes([0, 0, KIND_OF_BYTE]):
        raise FileError(path, "this is no IDX file of bytes", "give the files of MNIST's form")
    if raw[3] != n_axis:
        kinds = {3: "images (3 axes)", 1: "labels (1 axis)"}
        found = kinds.get(raw[3], f"{raw[3]} axes")
        raise FileError(path, f"this holds {found} where {kinds[n_axis]} belong", "swap the files")
    if len(raw) < head:
        raise FileError(path, "this file ends in its header", again)
    shape = struct.unpack(f">{n_axis}I", raw[4:head])
    size = int(np.prod(shape, dtype=object))
    if len(raw) - head != size:
        what = "is truncated" if len(raw) - head < size else "is too long"
        raise FileError(
            path, f"this file {what}: {len(raw) - head:,} bytes where its header says {size:,}",
            again,
        )  # fmt: skip
    return np.frombuffer(raw, np.uint8, offset=head).reshape(shape)


def bundled() -> Dataset:
    """The 1797 digits of 8 x 8 pixels that ship with the program.

    Those for testing are drawn once for all, as the writers follow one another in the file.

    Raises
    ------
    UserError
        If they are missing from the installation.
    """
    files = [sample_folder() / f"{DIGITS}-{word}.gz" for word in ("images", "labels")]
    if missing := [file for file in files if not file.is_file()]:
        raise UserError(f"{missing[0]}: the bundled digits are missing; reinstall DendView")
    images, labels = read_idx(files[0], 3), read_idx(files[1], 1).astype(np.int32)
    images = images.reshape(len(images), -1)
    test = np.zeros(len(images), bool)
    test[np.random.default_rng(0).permutation(len(images))[:DIGITS_TEST]] = True
    return Dataset(
        name=DIGITS,
        train=images[~test],
        train_labels=labels[~test],
        test=images[test],
        test_labels=labels[test],
        shape=(8, 8),
        levels=np.arange(DIGITS_LEVELS) / (DIGITS_LEVELS - 1),
        classes=tuple(str(c) for c in range(10)),
        source="E. Alpaydin & C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine "
        "Learning Repository (1998), CC BY 4.0",
    )


def download(name: str, folder: Path) -> Path:
    """Fetch a data set into ``folder / name``; files that are there and whole are kept.

    Raises
    ------
    UserError
        If pooch is not installed, nothing answers, or a file is not what it should be.
    """
    for _ in fetch(name, folder):
        pass
    return folder / name


def fetch(name: str, folder: Path) -> Iterator[float]:
    """The same file by file; yields which part of them is there.

    Raises
    ------
    UserError
        As :func:`download`.
    """
    if name not in DOWNLOADS:
        raise UserError(f"there is no data set '{name}' to download; {', '.join(DOWNLOADS)} are")
    try:
        import pooch
    except ImportError:
        raise UserError(
            "downloading needs the package pooch (pip install 'dendview[train]'); or put the files "
            f"of {name} into a folder yourself, or use the bundled digits"
        ) from None
    wanted, target = DOWNLOADS[name], folder / name
    yield 0.0
    for done, (file, digest) in enumerate(wanted.files, 1):
        for last, url in enumerate(wanted.urls, 1 - len(wanted.urls)):
            try:
                pooch.retrieve(url + file, f"sha256:{digest}", fname=file, path=target)
                break
            except (OSError, ValueError) as error:
                if last == 0:
                    raise UserError(
                        f"{file} of {name} could not be fetched from {url} ({error}); check the "
                        "network, or use the bundled digits"
                    ) from None
        yield done / len(wanted.files)

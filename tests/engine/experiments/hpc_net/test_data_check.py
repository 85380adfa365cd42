"""What is said of a folder of images."""

import gzip
import shutil
import struct

import numpy as np
import pytest

from engine.errors import UserError
from engine.experiments.hpc_net.data_check import check_data, holds_data


def write(path, values):
    head = struct.pack(f">4B{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    raw = head + values.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)


def fill(folder, ending=""):
    folder.mkdir()
    rng = np.random.default_rng(1)
    for which, n in (("train", 20), ("t10k", 7)):
        write(folder / f"{which}-images-idx3-ubyte{ending}", rng.integers(0, 256, (n, 4, 5)))
        write(folder / f"{which}-labels-idx1-ubyte{ending}", np.arange(n) % 3)
    return folder


def test_the_bundled_digits_need_no_file():
    found = check_data("digits")
    assert (found.n_train, found.n_test, found.shape) == (1437, 360, (8, 8))
    assert found.files == ()
    assert found.examples.shape == (10, 64)
    assert found.examples.any(axis=1).all()


@pytest.mark.parametrize(("ending", "state"), [("", "unpacked"), (".gz", "other")])
def test_files_of_ones_own_are_read_and_said_to_be_others(tmp_path, ending, state):
    folder = fill(tmp_path / "own", ending)
    assert holds_data(folder)
    found = check_data(str(folder))
    assert (found.n_train, found.n_test, found.classes) == (20, 7, ("0", "1", "2"))
    assert {file.state for file in found.files} == {state}
    assert found.published == ""
    assert sum(f.n_bytes for f in found.files) == sum(p.stat().st_size for p in folder.iterdir())


def test_a_missing_file_is_named(tmp_path):
    folder = fill(tmp_path / "own")
    (folder / "t10k-labels-idx1-ubyte").unlink()
    assert not holds_data(folder)
    with pytest.raises(UserError, match="t10k-labels-idx1-ubyte"):
        check_data(str(folder))


def test_published_files_are_known_by_their_hashes(tmp_path, data_dir):
    source = data_dir / "datasets" / "mnist"
    if not source.is_dir():
        pytest.skip("the folder of test data has no MNIST")
    found = check_data(str(source))
    assert found.published == "mnist"
    assert {file.state for file in found.files} == {"published"}
    folder = tmp_path / "mixed"
    shutil.copytree(source, folder)
    labels = folder / "t10k-labels-idx1-ubyte.gz"
    labels.write_bytes(gzip.compress(gzip.decompress(labels.read_bytes()), mtime=1))
    again = check_data(str(folder))
    assert again.published == ""
    assert [f.state for f in again.files].count("other") == 1

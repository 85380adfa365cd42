"""IDX files: read, and refused in one sentence."""

import gzip

import numpy as np
import pytest

from engine.digits_folder import idx_bytes, write_digits
from engine.errors import UserError
from engine.experiments.hpc_net.data import DOWNLOADS, bundled, download, load, read_idx
from engine.morphology.samples import folder

IMAGES = np.arange(5 * 2 * 3, dtype=np.uint8).reshape(5, 2, 3)
LABELS = np.array([0, 1, 2, 1, 0], np.uint8)


@pytest.fixture
def made(tmp_path):
    for which in ("train", "t10k"):
        packed = which == "train"
        for word, kind, values in (("images", 3, IMAGES), ("labels", 1, LABELS)):
            raw = idx_bytes(values)
            name = f"{which}-{word}-idx{kind}-ubyte" + (".gz" if packed else "")
            (tmp_path / name).write_bytes(raw if packed else gzip.decompress(raw))
    return tmp_path


def test_packed_and_plain_files_are_read(made):
    data = load(made)
    np.testing.assert_array_equal(data.train, IMAGES.reshape(5, 6))
    np.testing.assert_array_equal(data.test_labels, LABELS)
    assert data.shape == (2, 3)
    assert data.classes == ("0", "1", "2")
    assert data.levels[255] == 1


def test_the_digits_ship_with_the_program(tmp_path):
    data = bundled()
    assert (data.train.shape, data.test.shape) == ((1437, 64), (360, 64))
    assert data.train.max() == 16
    assert np.bincount(data.test_labels).min() >= 25
    both = [
        read_idx(folder() / f"digits-{word}.gz", n) for word, n in (("images", 3), ("labels", 1))
    ]
    write_digits(*both, tmp_path)
    for name in ("digits-images.gz", "digits-labels.gz"):
        assert (tmp_path / name).read_bytes() == (folder() / name).read_bytes()


def plain(path, change):
    raw = bytearray(gzip.decompress(path.read_bytes()))
    path.write_bytes(bytes(change(raw)))


@pytest.mark.parametrize(
    ("name", "spoil", "sentence"),
    [
        (
            "train-images-idx3-ubyte.gz",
            lambda raw: raw[:-4],
            "truncated: 26 bytes where .* says 30",
        ),
        ("train-images-idx3-ubyte.gz", lambda raw: raw + b"x", "too long"),
        ("train-images-idx3-ubyte.gz", lambda raw: raw[:9], "ends in its header"),
        ("train-images-idx3-ubyte.gz", lambda raw: b"P5 28 28", "no IDX file of bytes"),
        ("train-images-idx3-ubyte.gz", lambda raw: b"", "no IDX file of bytes"),
        ("train-labels-idx1-ubyte.gz", lambda raw: raw[:7] + b"\x04" + raw[8:-1], "4 labels for"),
    ],
)
def test_spoiled_files_are_refused(made, name, spoil, sentence):
    plain(made / name, spoil)
    with pytest.raises(UserError, match=sentence) as error:
        load(made)
    assert name in str(error.value)


def test_other_troubles_have_a_sentence_too(made):
    packed = made / "train-images-idx3-ubyte.gz"
    whole = packed.read_bytes()
    packed.write_bytes(whole[:-12])
    with pytest.raises(UserError, match="gzip file is truncated"):
        load(made)
    packed.write_bytes((made / "train-labels-idx1-ubyte.gz").read_bytes())
    with pytest.raises(UserError, match=r"labels \(1 axis\) where images"):
        load(made)
    packed.unlink()
    with pytest.raises(UserError, match=r"train-images-idx3-ubyte .* is missing"):
        load(made)
    with pytest.raises(UserError, match="did you mean 'digits'"):
        load("digit")


def test_downloads_name_their_hashes_and_unknown_ones_are_refused(tmp_path):
    assert all(len(digest) == 64 for d in DOWNLOADS.values() for _, digest in d.files)
    with pytest.raises(UserError, match="no data set 'cifar'"):
        download("cifar", tmp_path)


def test_mnist_has_the_bytes_that_a_download_must_have(data_dir):
    from hashlib import sha256

    for name, wanted in DOWNLOADS.items():
        for file, digest in wanted.files:
            path = data_dir / "datasets" / name / file
            assert sha256(path.read_bytes()).hexdigest() == digest
